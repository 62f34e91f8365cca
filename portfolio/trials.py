"""What other thresholds would change: every use case's recommendation from its stored answers, before and after.

"Before" is what stands: the thresholds that the assessment was started under, with today's rules and catalogue, so that
a difference comes from thresholds alone. "After" is the proposed policy. Both are decided without exploring open
answers (a third of a millisecond); only the first of those that change are explored as well (tens of milliseconds).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import Count, Max, OuterRef, Prefetch, QuerySet, Subquery, Sum

from costing.public import catalogue, jobs
from portfolio.decision import decide, inputs_of, policy_of
from portfolio.estimates import facts_for
from portfolio.handoff import recommended_option
from portfolio.lifecycle import Stage
from portfolio.models import Assessment, PolicyRun, RecommendationSnapshot, Settlement, UseCase
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.outcome import Blocker, Recommendation
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.recommend import RULES_VERSION, recommend

CHUNK = 250  # use cases between two reports of progress: below half a second
EXPLORED = 50  # the first of those that change: how firm they would be is worked out as well
LISTED = 500  # … are kept with what the old and the new option cost; the counts are of all
CHANGES = ("target", "status", "method", "blockers")  # by weight: the first that differs names the change


def run_trial(run_id: int, *, worker: str = "inline") -> bool:
    """Work out a waiting trial; True when this call brought its result."""
    return jobs.perform(PolicyRun, run_id, _work, worker=worker)


def state_of(organisation_id: int) -> str:
    """A fingerprint of all that a trial reads of an organisation; the same until an answer or a figure changes.

    Revisions only ever rise and assessments are only ever added, so counts, sums and largest keys tell. Two queries.
    """
    living = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    register = living.aggregate(Count("pk"), Sum("pk"), Count("figures"), Max("figures"))
    assessments = Assessment.objects.filter(use_case__in=living.values("pk"))
    answers = assessments.aggregate(Count("pk"), Max("pk"), Sum("revision"))
    counted = {name: int(value or 0) for name, value in {**register, **answers}.items()}  # PostgreSQL sums to a decimal
    told = {**counted, "rules": RULES_VERSION, "catalogue": catalogue.load().version}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()


@dataclass(frozen=True)
class Standing:
    """An assessed use case as a trial reads it."""

    pk: int
    version: str  # of the questionnaire
    policy: Policy  # that its assessment was started under
    answers: Mapping[str, Any]  # the ones that count
    facts: Facts


@dataclass(frozen=True)
class Verdict:
    """One side of a change, as it is stored."""

    target: str
    status: str
    start_with: str
    method: str | None
    option: str  # cost option that stands for the target
    robustness: float | None = None  # share, where it was explored
    annual_p50_usd: float | None = None  # first twelve months of that option, where a projection says so


@dataclass(frozen=True)
class Change:
    """A use case whose recommendation would differ. Rules by id, blockers in words."""

    use_case: int
    kind: str  # the first of CHANGES that differs
    before: Verdict
    after: Verdict
    rules_new: tuple[str, ...]  # fire only after
    rules_gone: tuple[str, ...]  # fire only before
    blockers_new: tuple[str, ...]
    blockers_gone: tuple[str, ...]


def _work(run: PolicyRun) -> Callable[[], None]:
    # The state is read first: what is answered meanwhile makes the result older than it says, never newer.
    state = state_of(run.organisation_id)
    proposed = Policy.of(run.thresholds)
    keys = _keys(run.organisation_id)
    found: list[Change] = []
    assessed = reasons_only = 0
    for start in range(0, len(keys), CHUNK):
        jobs.report(run, f"{start:,} of {len(keys):,} use cases looked at", 90 * start / len(keys))
        for standing in _read(keys[start : start + CHUNK]):
            assessed += 1
            change, only_reasons = compare(standing, proposed)
            reasons_only += only_reasons
            found += [change] if change else []
    changes = sorted(found, key=lambda change: CHANGES.index(change.kind))
    jobs.report(run, "Looking at what changes more closely", 92)
    listed = _priced([*_explored(changes[:EXPLORED], proposed), *changes[EXPLORED:LISTED]])
    result = {
        "assessed": assessed,
        "unassessed": len(keys) - assessed,
        "changed": len(changes),
        "reasons_only": reasons_only,
        "ways": _ways(changes),
        "changes": [asdict(change) for change in listed],
    }
    return lambda: jobs.finish(run, result=result, answers_sha256=state)


def _keys(organisation_id: int) -> list[int]:
    living = UseCase.objects.filter(organisation_id=organisation_id).exclude(stage=Stage.RETIRED)
    return list(living.order_by("title", "pk").values_list("pk", flat=True))


def _read(keys: Sequence[int]) -> Iterator[Standing]:
    """The assessed ones of these use cases, in their order; three queries."""
    snapshot = RecommendationSnapshot.objects.filter(assessment=OuterRef("pk")).order_by("-created_at", "-pk")
    current = _current(keys).annotate(snapshot=Subquery(snapshot.values("pk")[:1]))
    assessments = {assessment.use_case_id: assessment for assessment in current}
    wanted = [assessment.snapshot for assessment in assessments.values()]
    answers = dict(RecommendationSnapshot.objects.filter(pk__in=wanted).values_list("pk", "answers"))
    for key in keys:
        assessment = assessments.get(key)
        if assessment is None or assessment.snapshot not in answers:
            continue  # never assessed
        said = answers[assessment.snapshot]
        version = assessment.questionnaire_version
        yield Standing(key, version, policy_of(assessment), said, facts_for(said, version))


def _current(keys: Sequence[int]) -> QuerySet[Assessment]:
    """The assessment that counts of each of these use cases, with its policy."""
    latest = Assessment.objects.filter(use_case=OuterRef("use_case")).order_by("-started_at", "-pk").values("pk")[:1]
    return Assessment.objects.filter(use_case__in=keys, pk=Subquery(latest)).select_related("policy")


def compare(standing: Standing, proposed: Policy) -> tuple[Change | None, bool]:
    """The change for one use case, or None; and whether only its reasons would be others."""
    if standing.policy == proposed:
        return None, False
    before, after = _decide(standing, standing.policy), _decide(standing, proposed)
    rules = _rules(before), _rules(after)
    sides = _sides(before), _sides(after)
    kind = next((name for name in CHANGES if sides[0][name] != sides[1][name]), "")
    if not kind:
        return None, rules[0] != rules[1]
    held = _held(before), _held(after)
    change = Change(
        use_case=standing.pk,
        kind=kind,
        before=_verdict(before, standing),
        after=_verdict(after, standing),
        rules_new=tuple(sorted(rules[1] - rules[0])),
        rules_gone=tuple(sorted(rules[0] - rules[1])),
        blockers_new=tuple(text for key, text in held[1].items() if key not in held[0]),
        blockers_gone=tuple(text for key, text in held[0].items() if key not in held[1]),
    )
    return change, False


def _decide(standing: Standing, policy: Policy) -> Recommendation:
    return recommend(
        standing.answers,
        policy=policy,
        facts=standing.facts,
        questionnaire_version=standing.version,
        explore=False,
    )


def _rules(recommendation: Recommendation) -> set[str]:
    return {finding.rule for finding in (*recommendation.reasons, *recommendation.objections)}


def _held(recommendation: Recommendation) -> dict[tuple[str, ...], str]:
    """What blocks, by what it is about: another number in its text is not another blocker."""
    return {_key(blocker): blocker.text for blocker in recommendation.blockers}


def _key(blocker: Blocker) -> tuple[str, ...]:
    counted = blocker.question_id == "examples_available"  # its text names the minimum
    return (blocker.area, blocker.severity, blocker.question_id, "" if counted else blocker.text)


def _sides(recommendation: Recommendation) -> dict[str, object]:
    return {
        "target": recommendation.target,
        "status": (recommendation.status, recommendation.start_with),
        "method": recommendation.method,
        "blockers": set(_held(recommendation)),
    }


def _verdict(recommendation: Recommendation, standing: Standing) -> Verdict:
    return Verdict(
        target=recommendation.target,
        status=recommendation.status,
        start_with=recommendation.start_with,
        method=recommendation.method,
        option=recommended_option(recommendation, standing.answers),
    )


def _explored(changes: Sequence[Change], proposed: Policy) -> list[Change]:
    """With how firm each recommendation is now and would be; four queries. Disputed answers count with their sides."""
    keys = [change.use_case for change in changes]
    firm = dict(UseCase.objects.filter(pk__in=keys).values_list("pk", "robustness"))
    standing = Prefetch("settlements", Settlement.objects.filter(superseded_at__isnull=True), to_attr="standing")
    assessments = {a.use_case_id: a for a in _current(keys).prefetch_related("answers", standing)}
    found = []
    for change in changes:
        assessment: Any = assessments[change.use_case]
        settled = {row.question_id: row.value for row in assessment.standing}
        inputs = inputs_of(assessment, assessment.revision, assessment.answers.all(), settled)
        after = decide(replace(inputs, policy=proposed)).recommendation.robustness.share
        found.append(
            replace(
                change,
                before=replace(change.before, robustness=firm[change.use_case]),
                after=replace(change.after, robustness=after),
            )
        )
    return found


def _priced(changes: Sequence[Change]) -> list[Change]:
    """With the first twelve months of the old and the new option, where a stored projection has them."""
    found: list[Change] = []
    for start in range(0, len(changes), EXPLORED):
        part = changes[start : start + EXPLORED]
        rows = UseCase.objects.filter(pk__in=[change.use_case for change in part], figures__isnull=False)
        results = dict(rows.values_list("pk", "figures__result"))
        for change in part:
            options = (results.get(change.use_case) or {}).get("options", ())
            usd = {row["key"]: row["annual_usd"]["p50"] for row in options if row["feasible"]}
            before = replace(change.before, annual_p50_usd=usd.get(change.before.option))
            after = replace(change.after, annual_p50_usd=usd.get(change.after.option))
            found.append(replace(change, before=before, after=after))
    return found


def _ways(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """From → to with how many go that way, the weightiest kind first."""
    ways = Counter((c.kind, _end(c.before, c.kind), _end(c.after, c.kind)) for c in changes)
    ordered = sorted(ways.items(), key=lambda row: (CHANGES.index(row[0][0]), -row[1], row[0]))
    return [{"kind": kind, "from": a, "to": b, "count": n} for (kind, a, b), n in ordered]


def _end(verdict: Verdict, kind: str) -> tuple[str, ...]:
    """What one end of a way is called by: the target, and the status where that is what changes."""
    if kind == "status":
        return verdict.target, verdict.status
    return (verdict.target, verdict.method or "") if kind == "method" else (verdict.target,)
