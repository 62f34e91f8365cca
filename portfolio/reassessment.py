"""What starting anew under the versions in force would do: answers carried over, thresholds changed, another result.

Reads rows and computes; `actions.reviews.reassess` writes what is foreseen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db.models import Prefetch, QuerySet

from portfolio.decision import Inputs, decide, decide_unexplored, inputs_of, read_inputs, recommendation_for
from portfolio.models import Assessment, PolicyVersion, Settlement, UseCase
from portfolio.questionnaire.answers import PersonalAnswer
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.mapping import MappingPlan, carry_over, plan, successor
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.policy import Difference, Policy, differences
from portfolio.questionnaire.spec import Questionnaire, Value

UseCasesT = TypeVar("UseCasesT", bound=QuerySet[UseCase])


@dataclass(frozen=True)
class Word:
    """What one person's answer becomes. `question_id` is None where the question has no successor."""

    question_id: str | None
    value: Value
    dont_know: bool
    note: str = ""


@dataclass(frozen=True)
class Versions:
    """What a new assessment would be made under."""

    questionnaire: Questionnaire
    policy: PolicyVersion | None

    def differ_from(self, assessment: Assessment) -> bool:
        newest = self.policy.pk if self.policy else None
        return (assessment.questionnaire_version, assessment.policy_id) != (self.questionnaire.version, newest)

    @property
    def thresholds(self) -> Policy:
        return self.policy.policy if self.policy else Policy()

    @property
    def words(self) -> str:
        return named(self.questionnaire.version, self.policy)


@dataclass(frozen=True)
class Prospect:
    """An assessment as it stands and as it would be under the versions in force."""

    assessment: Assessment
    versions: Versions
    answers: MappingPlan  # of the answers that count
    thresholds: tuple[Difference, ...]
    before: Recommendation
    after: Recommendation

    @property
    def is_due(self) -> bool:
        """Whether there is a later version than the assessment's."""
        return self.versions.differ_from(self.assessment)

    @property
    def moves_the_result(self) -> bool:
        return _result(self.before) != _result(self.after)


@dataclass(frozen=True)
class Outlook:
    """The result of an assessment and what it would be under the versions in force; how firm either is stays open."""

    assessment: Assessment  # with its use case
    carried: Inputs  # what the new assessment would be made of
    before: Recommendation
    after: Recommendation

    @property
    def moves_the_result(self) -> bool:
        return _result(self.before) != _result(self.after)


def named(questionnaire: str, policy: PolicyVersion | None) -> str:
    """Both versions in words."""
    return f"questionnaire {questionnaire}, {policy or 'the product’s own thresholds'}"


def versions_in_force(organisation_id: int) -> Versions:
    """The newest questionnaire and the organisation's newest policy; one query."""
    return Versions(load(LATEST), PolicyVersion.objects.of(organisation_id).first())


def prospect(assessment: Assessment) -> Prospect:
    """What re-assessing would do. Five queries and up to two recommendations."""
    versions = versions_in_force(assessment.use_case.organisation_id)
    inputs = read_inputs(assessment)
    old, thresholds = load(assessment.questionnaire_version), versions.thresholds
    moved = carried_inputs(inputs, old, versions)
    return Prospect(
        assessment=assessment,
        versions=versions,
        answers=plan(old, versions.questionnaire, inputs.effective.answers),
        thresholds=differences(inputs.policy, thresholds),
        before=recommendation_for(assessment, inputs),
        after=decide(moved).recommendation,
    )


def behind(use_cases: UseCasesT, versions: Versions) -> UseCasesT:
    """Those of `use_cases` whose assessment that counts is under earlier versions."""
    counting = Assessment.objects.filter(replaced_by__isnull=True)
    newest = counting.filter(questionnaire_version=versions.questionnaire.version, policy=versions.policy)
    return use_cases.filter(pk__in=counting.exclude(pk__in=newest.values("pk")).values("use_case_id"))


def outlooks(keys: Sequence[int], versions: Versions) -> Iterator[Outlook]:
    """What re-assessing these use cases would do, of those that are under earlier versions; three queries.

    About a millisecond each: the recommendations of `prospect`, but nothing is explored.
    """
    rows = {assessment.use_case_id: assessment for assessment in _counting(keys)}
    for assessment in (rows[key] for key in keys if key in rows):
        if not versions.differ_from(assessment):
            continue
        settled = {row.question_id: row.value for row in assessment.standing}
        inputs = inputs_of(assessment, assessment.revision, assessment.answers.all(), settled)
        carried = carried_inputs(inputs, load(assessment.questionnaire_version), versions)
        before, after = decide_unexplored(inputs), decide_unexplored(carried)
        yield Outlook(assessment, carried, before, after)


def _counting(keys: Sequence[int]) -> Any:
    """The assessments that count, with use case, policy, answers and what is settled (`standing`)."""
    standing = Prefetch("settlements", Settlement.objects.filter(superseded_at__isnull=True), to_attr="standing")
    counting = Assessment.objects.filter(use_case__in=keys, replaced_by__isnull=True)
    return counting.select_related("use_case", "policy").prefetch_related("answers", standing)


def carried_inputs(inputs: Inputs, old: Questionnaire, versions: Versions) -> Inputs:
    """The same people's words under other versions, as revision 0 of a new assessment."""
    if old.version == versions.questionnaire.version:  # the policy is another one, the questions are the same
        return replace(inputs, policy=versions.thresholds, revision=0)
    said: dict[str, tuple[PersonalAnswer, ...]] = {}
    for question_id, people in inputs.said.items():
        for person in people:
            word = carried(old, versions.questionnaire, question_id, person.value, person.dont_know)
            if word.question_id is not None:
                known = said.get(word.question_id, ())
                said[word.question_id] = (*known, PersonalAnswer(person.respondent, word.value, word.dont_know))
    settled = dict(carried_settlements(inputs.settled, old, versions.questionnaire))
    return Inputs(versions.questionnaire.version, versions.thresholds, 0, said, settled)


def carried(old: Questionnaire, new: Questionnaire, question_id: str, value: Value, dont_know: bool) -> Word:
    """One person's answer under another version of the questionnaire."""
    if value is None:
        return Word(successor(old, new, question_id), None, dont_know)
    onward = carry_over(old, new, question_id, value)
    return Word(onward.question_id, onward.value, dont_know, onward.note)


def carried_settlements(
    settled: Mapping[str, Value], old: Questionnaire, new: Questionnaire
) -> tuple[tuple[str, Value], ...]:
    """Settled questions that have a successor, with the value that counts there."""
    words = [carried(old, new, question_id, value, False) for question_id, value in settled.items()]
    return tuple((word.question_id, word.value) for word in words if word.question_id is not None)


def _result(recommendation: Recommendation) -> tuple[object, ...]:
    found = recommendation
    return found.target, found.start_with, found.status, found.method
