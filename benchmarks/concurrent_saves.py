"""1,000 saves of answers by 32 threads on a fresh SQLite file: errors, saves per second, lost revisions, audit chain.

Once with people and use cases of their own choosing, once with everybody on one use case, where each save has to be
decided anew because somebody else has just written.
"""

import os
import sys
import tempfile
import threading
import time
from collections import Counter

THREADS = 32


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory(prefix="tw-bench-") as data:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": data, "SECRET_KEY": "benchmark"}
        os.environ.pop("DATABASE_URL", None)
        sys.exit(measure(count))


def measure(count: int) -> int:
    """Number of things that went wrong."""
    import django  # noqa: PLC0415 – only once the environment above is set

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    print(f"{count:,} saves by {THREADS} threads on {connection.vendor}")
    return sum(run(name, use_cases, count) for name, use_cases in {"eight use cases": 8, "one use case": 1}.items())


def run(name: str, use_case_count: int, count: int) -> int:
    """All threads save at once; prints one line and returns how much went wrong."""
    from organisations import audit  # noqa: PLC0415
    from organisations.actions import found_organisation  # noqa: PLC0415
    from organisations.models import User  # noqa: PLC0415
    from portfolio.actions import register_use_case  # noqa: PLC0415
    from portfolio.models import AnswerRevision, Assessment  # noqa: PLC0415

    people = [User(email=f"{use_case_count}-{n}@example.org", name=f"Person {n}") for n in range(THREADS)]
    for person in people:
        person.set_unusable_password()
        person.save()
    organisation = found_organisation(name=name, by=people[0])
    assessments = [
        register_use_case(organisation=organisation, by=people[0], title=f"Use case {n}").assessments.latest()
        for n in range(use_case_count)
    ]
    started_s = time.perf_counter()
    errors = save_all(people, assessments, count)
    elapsed_s = time.perf_counter() - started_s

    revisions = AnswerRevision.objects.filter(answer__assessment__in=assessments)
    counted = sum(Assessment.objects.filter(pk__in=[a.pk for a in assessments]).values_list("revision", flat=True))
    lost = 2 * (count - errors.total()) - revisions.count() - counted
    chain = audit.verify(organisation.pk)
    print(
        f"{name:16} {count / elapsed_s:7.1f} saves/s {errors.total():4d} errors {lost:4d} lost revisions,"
        f" audit chain of {chain.count:,} events {'verified' if chain.ok else 'BROKEN: ' + chain.reason}"
    )
    for error, times in errors.most_common(5):
        print(f"    {times:4d} × {error}")
    return errors.total() + abs(lost) + (not chain.ok)


def save_all(people: list, assessments: list, count: int) -> Counter[str]:
    """Each person answers numbers of their own in a thread, use case after use case; what failed, and how often."""
    from django.db import connection  # noqa: PLC0415

    from portfolio.actions import save_answer  # noqa: PLC0415
    from portfolio.questionnaire.loading import LATEST, load  # noqa: PLC0415

    questions = [load(LATEST).question(key) for key in ("requests_per_day", "input_tokens", "output_tokens")]
    errors: Counter[str] = Counter()
    start = threading.Barrier(len(people))

    def work(place: int) -> None:
        start.wait()
        for n in range(place, count, len(people)):
            try:
                save_answer(
                    assessment=assessments[n % len(assessments)],
                    question=questions[n // len(people) % len(questions)],
                    by=people[place],
                    value=n + 1,
                )
            except Exception as error:  # counted and shown
                errors[f"{type(error).__name__}: {error}"] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


if __name__ == "__main__":
    main()
