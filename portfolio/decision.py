"""From stored answers to the recommendation: reads rows and hands plain values to the pure core. Writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from portfolio.estimates import facts_for
from portfolio.models import Answer, Assessment
from portfolio.questionnaire.answers import Effective, PersonalAnswer, effective_answers
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.outcome import Need, Recommendation
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.recommend import RULES_VERSION, recommend
from portfolio.questionnaire.spec import Value


@dataclass(frozen=True)
class Inputs:
    """All that a recommendation is made of, as it stood at `revision` of the assessment."""

    version: str  # of the questionnaire
    policy: Policy
    revision: int
    said: Mapping[str, tuple[PersonalAnswer, ...]]  # question → what each person says; nobody who withdrew
    settled: Mapping[str, Value]  # question → the value that counts in spite of a dispute

    @cached_property
    def effective(self) -> Effective:
        return effective_answers(self.said, self.settled)

    def with_answer(self, question_id: str, respondent: int, value: Value, dont_know: bool) -> Inputs:
        """The same after one person answered (or, with None, withdrew); a new word ends the question's settlement."""
        others = tuple(p for p in self.said.get(question_id, ()) if p.respondent != respondent)
        speaks = dont_know or value is not None
        mine = (PersonalAnswer(respondent, value, dont_know),) if speaks else ()
        said = {**self.said, question_id: (*others, *mine)}
        settled = {key: word for key, word in self.settled.items() if key != question_id}
        return replace(self, revision=self.revision + 1, said=said, settled=settled)

    def with_settlement(self, question_id: str, value: Value) -> Inputs:
        """The same after a dispute was settled."""
        return replace(self, revision=self.revision + 1, settled={**self.settled, question_id: value})


def read_inputs(assessment: Assessment) -> Inputs:
    """The assessment's inputs as they stand; three queries, and one for a policy that is not at hand.

    The revision is read first: if an answer arrives in between, the inputs are newer than they say and whoever stores
    a result under this revision is refused and reads again – never the other way round.
    """
    revision = Assessment.objects.values_list("revision", flat=True).get(pk=assessment.pk)
    return inputs_of(assessment, revision, assessment.answers.all(), standing_settlements(assessment))


def inputs_of(assessment: Assessment, revision: int, answers: Any, settled: Mapping[str, Value]) -> Inputs:
    """Inputs from rows that are at hand already."""
    said: dict[str, list[PersonalAnswer]] = {}
    row: Answer
    for row in answers:
        if row.value is not None or row.dont_know:
            said.setdefault(row.question_id, []).append(PersonalAnswer(row.respondent_id, row.value, row.dont_know))
    known = {key: tuple(people) for key, people in said.items()}
    return Inputs(assessment.questionnaire_version, policy_of(assessment), revision, known, settled)


def policy_of(assessment: Assessment) -> Policy:
    """The thresholds that the assessment was started under."""
    return assessment.policy.policy if assessment.policy else Policy()


def standing_settlements(assessment: Assessment) -> dict[str, Value]:
    """Question → settled value; None leaves the question open."""
    rows = assessment.settlements.filter(superseded_at__isnull=True)
    return dict(rows.values_list("question_id", "value"))


@dataclass(frozen=True)
class Decision:
    """A recommendation and the fingerprint of all that it was made of."""

    recommendation: Recommendation
    inputs_sha256: str


def decide(inputs: Inputs) -> Decision:
    """The recommendation for these inputs. Pure; tens of milliseconds, remembered for inputs seen lately."""
    return _decide(_canonical(inputs))


def recommendation_for(assessment: Assessment, inputs: Inputs) -> Recommendation:
    """The recommendation for these inputs, from the latest snapshot where that is of the same; one query."""
    snapshot = assessment.recommendations.order_by("-created_at", "-pk").first()
    wanted = _sha256(_canonical(inputs))
    if snapshot is not None and snapshot.answers_sha256 == wanted:
        return snapshot.recommendation
    return decide(inputs).recommendation


def tuning_was_in_play(inputs: Inputs) -> bool:
    """`tuning_in_play` for inputs whose recommendation is not at hand; below a millisecond."""
    return tuning_in_play(decide_unexplored(inputs))


def decide_unexplored(inputs: Inputs) -> Recommendation:
    """The recommendation without how firm it is; below a millisecond."""
    answers, disputed, _ = inputs.effective
    return _unexplored(inputs, answers, disputed)


def _unexplored(
    inputs: Inputs, answers: Mapping[str, Value], disputed: Mapping[str, tuple[Value, ...]]
) -> Recommendation:
    return recommend(
        answers,
        disputed=disputed,
        policy=inputs.policy,
        facts=facts_for(answers, inputs.version),
        questionnaire_version=inputs.version,
        explore=False,
    )


def _canonical(inputs: Inputs) -> str:
    """All that a recommendation is made of, written one way."""
    answers, disputed, dont_know = inputs.effective
    told = {
        "questionnaire": inputs.version,
        "rules": RULES_VERSION,
        "policy": asdict(inputs.policy),
        "answers": answers,
        "disputed": disputed,
        "dont_know": sorted(dont_know),
        "facts": asdict(facts_for(answers, inputs.version)),
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _sha256(canonical: str) -> str:
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


@lru_cache(maxsize=256)
def _decide(canonical: str) -> Decision:
    told = json.loads(canonical)
    disputed = {key: tuple(sides) for key, sides in told["disputed"].items()}
    recommendation = recommend(
        told["answers"],
        disputed=disputed,
        policy=Policy(**told["policy"]),
        facts=Facts(**told["facts"]),
        questionnaire_version=told["questionnaire"],
    )
    return Decision(recommendation, _sha256(canonical))


def leads_to(inputs: Inputs, question_id: str, value: Value) -> Recommendation:
    """The recommendation if this value were the answer to a disputed question; how firm it would be is left out."""
    answers, disputed, _ = inputs.effective
    others = {key: sides for key, sides in disputed.items() if key != question_id}
    return _unexplored(inputs, {**answers, question_id: value}, others)


def tuning_in_play(recommendation: Recommendation) -> bool:
    """Whether questions that matter only to fine-tuning are worth asking: it is needed, helpful or to be proven."""
    layer = next((layer for layer in recommendation.layers if layer.key == "fine_tuning"), None)
    return layer is not None and (layer.need in (Need.REQUIRED, Need.HELPFUL) or layer.to_be_proven)
