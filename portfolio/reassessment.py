"""What starting anew under the versions in force would do: answers carried over, thresholds changed, another result.

Reads rows and computes; `actions.reviews.reassess` writes what is foreseen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portfolio.decision import Inputs, decide, read_inputs, recommendation_for
from portfolio.models import Assessment, PolicyVersion
from portfolio.questionnaire.answers import PersonalAnswer
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.mapping import MappingPlan, carry_over, plan, released_steps
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.spec import Questionnaire, Value


@dataclass(frozen=True)
class Word:
    """What one person's answer becomes. `question_id` is None where the question has no successor."""

    question_id: str | None
    value: Value
    dont_know: bool
    note: str = ""

    @property
    def speaks(self) -> bool:
        return self.dont_know or self.value is not None


@dataclass(frozen=True)
class Versions:
    """What a new assessment would be made under."""

    questionnaire: Questionnaire
    policy: PolicyVersion | None

    def differ_from(self, assessment: Assessment) -> bool:
        newest = self.policy.pk if self.policy else None
        return (assessment.questionnaire_version, assessment.policy_id) != (self.questionnaire.version, newest)


@dataclass(frozen=True)
class Prospect:
    """An assessment as it stands and as it would be under the versions in force."""

    assessment: Assessment
    versions: Versions
    answers: MappingPlan  # of the answers that count
    thresholds: tuple[tuple[str, float, float], ...]  # name of the threshold, before, after
    before: Recommendation
    after: Recommendation

    @property
    def is_due(self) -> bool:
        """Whether there is a later version than the assessment's."""
        return self.versions.differ_from(self.assessment)

    @property
    def moves_the_result(self) -> bool:
        return _result(self.before) != _result(self.after)


def versions_in_force(organisation_id: int) -> Versions:
    """The newest questionnaire and the organisation's newest policy; one query."""
    return Versions(load(LATEST), PolicyVersion.objects.of(organisation_id).first())


def prospect(assessment: Assessment) -> Prospect:
    """What re-assessing would do. Five queries and up to two recommendations."""
    versions = versions_in_force(assessment.use_case.organisation_id)
    inputs = read_inputs(assessment)
    old, thresholds = load(assessment.questionnaire_version), _policy(versions)
    moved = carried_inputs(inputs, old, versions)
    return Prospect(
        assessment=assessment,
        versions=versions,
        answers=plan(old, versions.questionnaire, inputs.effective.answers),
        thresholds=_differences(inputs.policy, thresholds),
        before=recommendation_for(assessment, inputs),
        after=decide(moved).recommendation,
    )


def carried_inputs(inputs: Inputs, old: Questionnaire, versions: Versions) -> Inputs:
    """The same people's words under other versions, as revision 0 of a new assessment."""
    said: dict[str, tuple[PersonalAnswer, ...]] = {}
    for question_id, people in inputs.said.items():
        for person in people:
            word = carried(old, versions.questionnaire, question_id, person.value, person.dont_know)
            if word.question_id is not None and word.speaks:
                known = said.get(word.question_id, ())
                said[word.question_id] = (*known, PersonalAnswer(person.respondent, word.value, word.dont_know))
    settled = dict(carried_settlements(inputs.settled, old, versions.questionnaire))
    return Inputs(versions.questionnaire.version, _policy(versions), 0, said, settled)


def carried(old: Questionnaire, new: Questionnaire, question_id: str, value: Value, dont_know: bool) -> Word:
    """One person's answer under another version of the questionnaire."""
    if value is None:
        return Word(_successor(old, new, question_id), None, dont_know)
    onward = carry_over(old, new, question_id, value)
    return Word(onward.question_id, onward.value, dont_know, onward.note)


def carried_settlements(
    settled: Mapping[str, Value], old: Questionnaire, new: Questionnaire
) -> tuple[tuple[str, Value], ...]:
    """Settled questions that have a successor, with the value that counts there."""
    words = [carried(old, new, question_id, value, False) for question_id, value in settled.items()]
    return tuple((word.question_id, word.value) for word in words if word.question_id is not None)


def _successor(old: Questionnaire, new: Questionnaire, question_id: str) -> str | None:
    for step in released_steps(old.version, new.version):
        entry = step.entry(question_id)
        if entry.dropped:
            return None
        question_id = entry.to
    return question_id


def _policy(versions: Versions) -> Policy:
    return versions.policy.policy if versions.policy else Policy()


def _differences(before: Policy, after: Policy) -> tuple[tuple[str, float, float], ...]:
    names = before.__dataclass_fields__
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return tuple((name, old, new) for name, old, new in pairs if old != new)


def _result(recommendation: Recommendation) -> tuple[object, ...]:
    found = recommendation
    return found.target, found.start_with, found.status, found.method
