"""One use case at the limits of everything people can write: as long as it may be, in several scripts, with traps.

`build_in` makes it in any organisation; `seed`, run by `manage.py shell -c`, makes it in the database of a running
product, in an organisation whose owner `EMAIL` signs in with the demo's password.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from organisations.models import BusinessUnit, Membership, Organisation, User
from organisations.notices import tell
from organisations.roles import Role
from portfolio import actions
from portfolio.actions.answers import COMMENT_LENGTH
from portfolio.actions.evidence import Measured, Upload, record_run, withdraw_run
from portfolio.actions.policy import save_policy
from portfolio.actions.requests import ask, decline
from portfolio.actions.reviews import reassess, review
from portfolio.asked import Part
from portfolio.demo.build import PASSWORD
from portfolio.governance.scores import spread_of_share
from portfolio.models import Answer, AnswerRequest, AnswerRevision, Assessment, EvaluationRun, UseCase
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.policy import Policy

EMAIL = "everything@extreme.example"
PEOPLE = 50
OVERRIDE = "\u202e"  # whatever follows runs from right to left until the line ends, unless somebody isolates it
SCRIPT = "<script>alert('&amp;')</script><b>\"bold\"</b>"
EMOJI = "👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈🇫🇷🇯🇵❤️‍🔥"
ARABIC = "إجابات على أسئلة الإرجاع"
HEBREW = "התשובה נמדדה ביומן של אוקטובר"
ADDRESS = ("https://evidence.example/" + "a" * 2_000)[:2_000]
CROWDED = "requests_per_day"  # fifty people, fifty numbers
SPOKEN = "target_behaviour"  # two texts of 5,000 characters
SETTLED = "knowledge_change_rate"
ASKED = "facts_needed"
END = "the-very-end"  # the last word of each long text: who finds it has the whole


def long(length: int, *words: str) -> str:
    """`words` over and over, exactly `length` characters, with `END` at its end."""
    text = " ".join(words) + " "
    return (text * (length // len(text) + 1))[: length - len(END) - 1] + " " + END


TITLES = {
    "unbroken": ("Return" * 50)[:300],
    "mixed": long(300, ARABIC, "GPT-4 7×24", EMOJI, OVERRIDE + "reversed", SCRIPT),
}
TEXT = long(COMMENT_LENGTH, HEBREW, "2026-11 is 100 %", EMOJI, SCRIPT, "zero\u200bwidth\u200d", OVERRIDE + "reversed\n")
NAMES = (long(120, "Maximiliane"), long(120, "محمد", "O’Neil"), f"{OVERRIDE}Eve <b>x</b>", "W" * 120, f"Ada {EMOJI}")


@dataclass(frozen=True)
class Extreme:
    """What was built: two use cases, the first one's earlier assessment, a run that counts and a withdrawn one."""

    use_case: UseCase
    unbroken: UseCase
    earlier: Assessment
    run: EvaluationRun
    wrong: EvaluationRun


def build_in(organisation: Organisation, owner: User) -> Extreme:
    unit = BusinessUnit.objects.create(organisation=organisation, name=("Unit" * 50)[:200])
    people = _people(organisation)
    cases = {
        key: actions.register_use_case(
            organisation=organisation, by=owner, title=title, description=TEXT, unit=unit, owner=owner
        )
        for key, title in TITLES.items()
    }
    use_case = cases["mixed"]
    _answers(use_case.assessment(), owner, people)
    _requests(use_case.assessment(), owner, people)
    run, wrong = _runs(use_case, owner, people[0])
    for _ in range(3):
        review(use_case=use_case, by=people[1], note=TEXT, next_on=timezone.localdate() + timedelta(days=3))
    earlier = use_case.assessment()
    save_policy(organisation=organisation, by=owner, thresholds=_other_thresholds(1), note=long(2_000, TEXT), version=0)
    reassess(use_case=use_case, by=owner, seen=earlier.pk)
    save_policy(organisation=organisation, by=owner, thresholds=_other_thresholds(2), note=long(2_000, "x"), version=1)
    tell(owner, organisation, kind="disputed", text=f"{people[2]} sees “{use_case.title}” differently.", path="/")
    return Extreme(use_case, cases["unbroken"], earlier, run, wrong)


def _people(organisation: Organisation) -> list[User]:
    people = User.objects.bulk_create(
        User(email=f"{'long-address-' * 4}{n}@extreme.example", name=NAMES[n % len(NAMES)], password="!")
        for n in range(PEOPLE)
    )
    Membership.objects.bulk_create(
        Membership(organisation=organisation, user=person, role=Role.EDITOR) for person in people
    )
    return people


def _answers(assessment: Assessment, owner: User, people: list[User]) -> None:
    """Fifty answers to one question as rows of their own, as fifty acts would take a minute; the rest by acts."""
    common = {"comment": TEXT, "evidence_url": ADDRESS}
    rows = Answer.objects.bulk_create(
        Answer(assessment=assessment, question_id=CROWDED, respondent=person, value=1_000 + n, **common)
        for n, person in enumerate(people)
    )
    AnswerRevision.objects.bulk_create(
        AnswerRevision(answer=row, revision=1, value=row.value, comment=row.comment, evidence_url=row.evidence_url)
        for row in rows
    )
    say = _speaker(assessment)
    say(owner, "task_type", "knowledge_qa")
    say(owner, ASKED, "core")
    say(owner, SPOKEN, long(5_000, HEBREW, SCRIPT))
    say(people[1], SPOKEN, long(5_000, ARABIC, EMOJI, OVERRIDE))
    say(owner, SETTLED, "monthly")
    say(people[2], SETTLED, "static")
    question = load(LATEST).question(SETTLED)
    actions.settle_dispute(assessment=assessment, question=question, by=owner, value="monthly", note=TEXT)
    say(owner, "metric", {"name": long(200, ARABIC, SCRIPT), "higher_is_better": True})


def _speaker(assessment: Assessment) -> Callable[[User, str, object], object]:
    def say(by: User, question_id: str, value: object) -> object:
        return actions.save_answer(
            assessment=assessment,
            question=load(LATEST).question(question_id),
            by=by,
            value=value,  # type: ignore[arg-type]  # any value a question may have
            comment=TEXT,
            evidence_url=ADDRESS,
        )

    return say


def _requests(assessment: Assessment, owner: User, people: list[User]) -> None:
    section = load(LATEST).sections[1]
    due_on = timezone.localdate() + timedelta(days=2)
    parts, message = [Part(section), Part(section, section.questions[0])], long(2_000, ARABIC, SCRIPT, OVERRIDE)
    ask(assessment=assessment, parts=parts, by=owner, people=people[:3], message=message, due_on=due_on)
    ask(assessment=assessment, parts=parts, by=people[2], people=[owner], message=message, due_on=due_on)
    reason = long(2_000, HEBREW, EMOJI, OVERRIDE)
    mine = AnswerRequest.objects.filter(assessment=assessment)
    decline(request=mine.filter(respondent=people[1])[0], by=people[1], reason=reason)
    decline(request=mine.filter(respondent=owner)[0], by=owner, reason=reason)


def _runs(use_case: UseCase, owner: User, other: User) -> tuple[EvaluationRun, EvaluationRun]:
    measured = Measured(
        rung="prompting",
        title=long(300, HEBREW, SCRIPT),
        dataset=("Dataset" * 30)[:200],
        dataset_version="v" * 60,
        metric=long(120, ARABIC, OVERRIDE),
        higher_is_better=True,
        score=84,
        spread=spread_of_share(84, 100),
        sample_size=200,
        ran_on=timezone.localdate(),
        note=TEXT,
    )
    file = Upload("f" * 190 + ".csv", b"case,right\r\n1,yes\r\n")
    wrong = record_run(use_case=use_case, by=other, measured=measured, use=False).run
    withdraw_run(run=wrong, by=other, reason=long(2_000, HEBREW, OVERRIDE))
    return record_run(use_case=use_case, by=owner, measured=measured, attachment=file, use=True).run, wrong


def _other_thresholds(step: int) -> dict[str, float]:
    return {"techniques_tried": Policy().techniques_tried + step}


def seed() -> None:
    """In an organisation of its own; prints the addresses of the pages as JSON."""
    organisation = Organisation.objects.create(name=long(200, ARABIC, "GmbH", OVERRIDE), is_demo=True)  # mails nobody
    owner = User.objects.create_user(EMAIL, PASSWORD, name=long(120, HEBREW, "Übermaß"))
    Membership.objects.create(organisation=organisation, user=owner, role=Role.OWNER)
    built = build_in(organisation, owner)
    print(json.dumps(addresses(built)))  # noqa: T201


def addresses(built: Extreme) -> dict[str, str]:
    """The pages that show what was built, by name."""
    here, plain = f"/use-cases/{built.use_case.pk}/", f"/use-cases/{built.unbroken.pk}/"
    sections = {f"section {s.id}": f"{here}questionnaire/{s.id}/" for s in load(LATEST).sections}
    return {
        "list": "/use-cases/",
        "found in list": f"/use-cases/?q={ARABIC}",
        "unbroken": plain,
        "unbroken quick": f"{plain}questionnaire/quick/",
        "detail": here,
        "change": f"{here}edit/",
        "ask": f"{here}ask/",
        "quick": f"{here}questionnaire/quick/",
        **sections,
        "unanswered": f"{here}questionnaire/job/?show=unanswered",
        "disputed": f"{here}questionnaire/job/?show=disputed",
        "search": f"{here}questionnaire/job/?q={HEBREW[:6]}",
        "people": f"{here}answers/{CROWDED}/people/",
        "people of a text": f"{here}answers/{SPOKEN}/people/",
        "people of the settled": f"{here}answers/{SETTLED}/people/",
        "consequences": f"{here}answers/{CROWDED}/consequences/",
        "consequences of a text": f"{here}answers/{SPOKEN}/consequences/",
        "history": f"{here}answers/{CROWDED}/history/",
        "history of a text": f"{here}answers/{SPOKEN}/history/",
        "history of the settled": f"{here}answers/{SETTLED}/history/",
        "recommendation": f"{here}recommendation/",
        "costs": f"{here}costs/",
        "evidence": f"{here}evidence/",
        "run": f"{here}evidence/{built.run.pk}/",
        "withdrawn run": f"{here}evidence/{built.wrong.pk}/",
        "new run": f"{here}evidence/new/",
        "review": f"{here}review/",
        "assessment": f"{here}assessments/{built.earlier.pk}/",
        "reassess": f"{here}reassess/",
        "reports": f"{here}reports/",
        "activity": f"{here}activity/",
        "requests": "/requests/",
        "notices": "/notices/",
        "reviews": "/reviews/",
        "policy": "/policy/",
        "policy-edit": "/policy/edit/?restore=1",
        "members": "/members/",
        "units": "/units/",
        "activity log": "/activity/",
    }
