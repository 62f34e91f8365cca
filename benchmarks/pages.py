"""Server time and query count of list, detail, questionnaire, an answer's save and costs at 10,000 use cases.

Builds its own database in a temporary folder (or in the PostgreSQL of TEST_DATABASE_URL) and drops it afterwards.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with_database(lambda: measure(count))


def with_database(work: Callable[[], None]) -> None:
    """Do `work` with a database of its own, which is dropped afterwards."""
    with tempfile.TemporaryDirectory(prefix="tw-bench-") as data:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": data, "SECRET_KEY": "benchmark"}
        os.environ.pop("DATABASE_URL", None)
        if url := os.environ.get("TEST_DATABASE_URL"):
            os.environ["DATABASE_URL"] = url
        _set_up(work)


def _set_up(work: Callable[[], None]) -> None:
    import django  # noqa: PLC0415 – only once the environment above is set

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.test.utils import get_runner, setup_test_environment, teardown_test_environment  # noqa: PLC0415

    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")  # no static folder here
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        work()
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def measure(count: int) -> None:
    from django.db import connection  # noqa: PLC0415

    print(f"pages at {count:,} use cases on {connection.vendor}: median of 15 calls")
    walk(populate(count))


def populate(count: int) -> int:
    """A demo organisation, its first use case computed, and `count` copies of it; returns the first's id."""
    from costing.models import Projection  # noqa: PLC0415
    from costing.runner import run_projection  # noqa: PLC0415
    from portfolio.demo import build  # noqa: PLC0415
    from portfolio.models import Assessment, RecommendationSnapshot, UseCase  # noqa: PLC0415

    organisation = build.build()
    for pk in Projection.objects.values_list("pk", flat=True):
        run_projection(pk)
    first = UseCase.objects.filter(organisation=organisation).order_by("pk").first()
    snapshot = first.assessments.latest().recommendations.latest()
    copies = UseCase.objects.bulk_create(
        [
            UseCase(
                organisation=organisation,
                unit=first.unit,
                title=f"Use case {n:05d}",
                description=first.description,
                owner=first.owner,
                target=("prompting", "rag", "fine_tuning", "hybrid")[n % 4],
                status=first.status,
                robustness=n % 100 / 100,
                annual_p10_usd=Decimal(n),
                annual_p50_usd=Decimal(2 * n),
                annual_p90_usd=Decimal(4 * n),
            )
            for n in range(count)
        ],
        batch_size=500,
    )
    assessments = Assessment.objects.bulk_create(
        [Assessment(use_case=c, questionnaire_version="2026-11") for c in copies], batch_size=500
    )
    fields = ("answers", "answers_sha256", "result", "target", "status", "robustness")
    RecommendationSnapshot.objects.bulk_create(
        [RecommendationSnapshot(assessment=a, **{f: getattr(snapshot, f) for f in fields}) for a in assessments],
        batch_size=200,
    )
    return first.pk


def walk(pk: int) -> None:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from benchmarks.timing import median_s  # noqa: PLC0415
    from portfolio.models import UseCase  # noqa: PLC0415

    client, use_case = Client(), UseCase.objects.get(pk=pk)
    client.force_login(use_case.owner, backend="django.contrib.auth.backends.ModelBackend")
    answers = iter(range(10_000))
    pages = {
        "list": lambda: client.get("/use-cases/"),
        "list, searched": lambda: client.get("/use-cases/?q=Use+case+04"),
        "list, by cost, page 100": lambda: client.get("/use-cases/?sort=-cost&page=100"),
        "detail": lambda: client.get(f"/use-cases/{pk}/"),
        "questionnaire": lambda: client.get(f"/use-cases/{pk}/questionnaire/job/"),
        "quick mode": lambda: client.get(f"/use-cases/{pk}/questionnaire/quick/"),
        "unanswered, searched": lambda: client.get(f"/use-cases/{pk}/questionnaire/job/?show=unanswered&q=model"),
        "recommendation": lambda: client.get(f"/use-cases/{pk}/recommendation/"),
        "evidence": lambda: client.get(f"/use-cases/{pk}/evidence/"),
        "reviews, all under an earlier version": lambda: client.get("/reviews/"),
        "costs": lambda: client.get(f"/use-cases/{pk}/costs/"),
        "answer saved, verdict refreshed": lambda: client.post(
            f"/use-cases/{pk}/answers/requests_per_day/",
            {"value:requests_per_day": 1000 + next(answers)},
            headers={"HX-Request": "true"},
        ),
    }
    for name, page in pages.items():
        with CaptureQueriesContext(connection) as queries:
            answer = page()
            count = len(queries)
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
        milliseconds = median_s(page, repeats=15) * 1e3
        print(f"{name:38} {milliseconds:8.1f} ms {count:4d} queries {len(answer.content) / 1024:8.1f} kB")


if __name__ == "__main__":
    main()
