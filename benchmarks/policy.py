"""What a change of the policy would do: seconds of a trial at 1,000 and 10,000 use cases; pages of rules and policy;
assessing 1,000 again under the new version.

Use cases of the demo organisation, copied with their answers varied a little, each fourth with the demo's projection.
Builds its own database in a temporary folder (or in the PostgreSQL of TEST_DATABASE_URL) and drops it afterwards.
"""

import sys
import time
from itertools import cycle
from typing import Any

from benchmarks.pages import with_database


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:]] or [1_000, 10_000]
    with_database(lambda: measure(counts))


def measure(counts: list[int]) -> None:
    from portfolio.demo import build  # noqa: PLC0415 – only once Django is set up

    organisation = build.build()
    _compute_one()
    made = 0
    for count in counts:
        populate(organisation, count - made)
        made = count
        print(f"\n{count:,} use cases more than the demo's")
        run_trials(organisation)
        walk(organisation)
    reassess(organisation)


def _compute_one() -> None:
    from costing.models import Projection  # noqa: PLC0415
    from costing.runner import run_projection  # noqa: PLC0415

    run_projection(Projection.objects.order_by("pk").values_list("pk", flat=True)[0])


def populate(organisation: Any, count: int) -> None:
    """`count` more use cases with an assessment, a recommendation's snapshot and the rules that fire."""
    from portfolio.models import Assessment, FiredRule, RecommendationSnapshot, UseCase  # noqa: PLC0415
    from portfolio.questionnaire.recommend import recommend  # noqa: PLC0415

    figures = UseCase.objects.filter(organisation=organisation, figures__isnull=False).first()
    known = list(RecommendationSnapshot.objects.filter(assessment__use_case__organisation=organisation)[:10])
    models, made = cycle(known), UseCase.objects.count()
    cases = []
    for n in range(made, made + count):
        answers = {**next(models).answers, "requests_per_day": 500 * (n % 300), "examples_available": 100 * (n % 40)}
        cases.append((n, answers, recommend(answers, explore=False)))
    owner = figures.owner
    use_cases = UseCase.objects.bulk_create(
        [
            UseCase(
                organisation=organisation,
                owner=owner,
                title=f"Use case {n:05d}",
                target=found.target,
                status=found.status,
                robustness=0.5,
                figures=figures.figures if n % 4 == 0 else None,
            )
            for n, _, found in cases
        ],
        batch_size=500,
    )
    assessments = Assessment.objects.bulk_create(
        [Assessment(use_case=u, questionnaire_version="2026-11.2") for u in use_cases], batch_size=500
    )
    pairs = list(zip(assessments, use_cases, cases, strict=True))
    RecommendationSnapshot.objects.bulk_create(
        [
            RecommendationSnapshot(
                assessment=assessment,
                answers=answers,
                answers_sha256=f"{n:064x}",
                result=found.to_dict(),
                target=found.target,
                status=found.status,
                robustness=0.5,
            )
            for assessment, _, (n, answers, found) in pairs
        ],
        batch_size=200,
    )
    FiredRule.objects.bulk_create(
        [
            FiredRule(organisation=organisation, use_case=use_case, rule=rule)
            for _, use_case, (_, _, found) in pairs
            for rule in {finding.rule for finding in (*found.reasons, *found.objections)}
        ],
        batch_size=2_000,
    )


def run_trials(organisation: Any) -> None:
    from portfolio.models import PolicyRun  # noqa: PLC0415
    from portfolio.trials import run_trial, state_of  # noqa: PLC0415

    proposals = {
        "nothing that matters": {"lookup_labels": 51},
        "more examples": {"examples_minimum": 2_500},
        "much at once": {"pressure_requests_per_day": 1_000.0, "examples_minimum": 2_500, "techniques_tried": 0},
    }
    for name, thresholds in proposals.items():
        run = PolicyRun.objects.create(organisation=organisation, thresholds=thresholds)
        start = time.perf_counter()
        assert run_trial(run.pk), "the trial failed"
        seconds = time.perf_counter() - start
        run.refresh_from_db()
        print(f"trial, {name:24} {seconds:8.1f} s {run.result['changed']:7,} of {run.result['assessed']:,} change")
    start = time.perf_counter()
    state_of(organisation.pk)
    print(f"fingerprint of the register {(time.perf_counter() - start) * 1e3:12.1f} ms")


def reassess(organisation: Any, count: int = 1_000) -> None:
    """Look at what a new version of the policy changes for all, then assess `count` of them again."""
    from organisations.roles import Role  # noqa: PLC0415
    from portfolio.actions.policy import save_policy  # noqa: PLC0415
    from portfolio.actions.reassess_many import request_outlook, start_reassessment  # noqa: PLC0415
    from portfolio.lifecycle import Stage  # noqa: PLC0415
    from portfolio.models import UseCase  # noqa: PLC0415

    owner = organisation.memberships.filter(role=Role.OWNER).earliest("pk").user
    here = UseCase.objects.filter(organisation=organisation)
    here.exclude(pk__in=list(here.order_by("pk").values_list("pk", flat=True)[:count])).update(stage=Stage.RETIRED)
    give_answers(organisation, owner)
    thresholds = {"pressure_requests_per_day": 50_000.0, "examples_minimum": 2_500}
    save_policy(organisation=organisation, by=owner, thresholds=thresholds, note="Measured.", version=0)
    outlook = request_outlook(organisation=organisation, by=owner)
    perform("look", outlook)
    perform("do it", start_reassessment(outlook=outlook, by=owner, only_same=False))


def perform(name: str, run: Any) -> None:
    from portfolio.actions.reassess_run import run_reassessment  # noqa: PLC0415

    start = time.perf_counter()
    assert run_reassessment(run.pk), f"{name} failed"
    seconds = time.perf_counter() - start
    run.refresh_from_db()
    told = f"{run.result['changed']:7,} of {run.result['assessed']:,} change, {run.result['failed']} failed"
    print(f"re-assessing, {name:17} {seconds:8.1f} s {told}")


def give_answers(organisation: Any, person: Any) -> None:
    """The answers that the snapshots of `populate` were made of, as one person's."""
    from portfolio.models import Answer, Assessment, RecommendationSnapshot  # noqa: PLC0415

    bare = Assessment.objects.filter(use_case__organisation=organisation, answers__isnull=True)
    snapshots = RecommendationSnapshot.objects.filter(assessment__in=bare).values_list("assessment", "answers")
    rows = [
        Answer(assessment_id=assessment, question_id=key, respondent=person, value=value)
        for assessment, answers in snapshots
        for key, value in answers.items()
    ]
    Answer.objects.bulk_create(rows, batch_size=2_000)


def walk(organisation: Any) -> None:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from benchmarks.timing import median_s  # noqa: PLC0415
    from organisations.roles import Role  # noqa: PLC0415
    from portfolio.models import PolicyRun  # noqa: PLC0415

    client = Client()
    owner = organisation.memberships.filter(role=Role.OWNER).earliest("pk").user
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    run = PolicyRun.objects.latest("pk")
    addresses = {
        "rules": "/rules/",
        "rules that never fire": "/rules/?fires=never",
        "use cases where one fires": "/rules/retrieval.not_needed/",
        "policy": "/policy/",
        "a trial's result": f"/policy/trials/{run.pk}/",
    }
    for name, address in addresses.items():
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            count = len(queries)
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
        milliseconds = median_s(lambda address=address: client.get(address), repeats=9) * 1e3
        print(f"{name:34} {milliseconds:8.1f} ms {count:4d} queries {len(answer.content) / 1024:8.1f} kB")


if __name__ == "__main__":
    main()
