"""Builds many invented organisations with thousands of use cases, for looking at size and for measuring.

Rows are written in bulk, not by the acts of people: the same rows as the acts leave (answers with their first revision,
the snapshot that the real rules give, the rules that fire, the columns of the list), but one audit event for each
organisation instead of one for each answer. The same seed gives the same organisations.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from costing.public import month_after
from organisations import audit
from organisations.models import BusinessUnit, Membership, Organisation, User
from organisations.roles import Role
from portfolio.decision import Inputs, decide
from portfolio.demo.build import PASSWORD
from portfolio.demo.variation import Variant, names, variant
from portfolio.estimates import facts_for
from portfolio.lifecycle import Stage
from portfolio.models import Answer, AnswerRevision, Assessment, Budget, FiredRule, RecommendationSnapshot, UseCase
from portfolio.questionnaire.answers import PersonalAnswer
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.policy import Policy
from portfolio.questionnaire.spec import Value

DISTINCT = 3_000  # sets of answers; larger registers repeat them, never within an organisation of fewer use cases
BATCH = 200  # use cases written at once: bounds the memory
LARGEST_SHARE = 0.1  # of all use cases, or twice the mean, are the first organisation's; the rest is spread evenly
TAGGED, REVIEWED, UNIT_BUDGETS = 0.8, 0.6, 0.5  # shares of use cases and of units that have one
# Stages by how far a use case's answers are, with how often.
STAGES = {
    "idea": {Stage.IDEA: 70, Stage.ASSESSMENT: 25, Stage.RETIRED: 5},
    "assessed": {Stage.ASSESSMENT: 60, Stage.APPROVED: 20, Stage.BUILDING: 15, Stage.RETIRED: 5},
    "mature": {Stage.APPROVED: 15, Stage.BUILDING: 25, Stage.LIVE: 55, Stage.RETIRED: 5},
}
STUCK = ("define_the_job", "stop")  # statuses that nobody approves
ENGINEERING, LEGAL = ("evidence", "data", "evaluation", "operations"), ("governance",)  # sections by who answers them
# A budget, before it turns out generous or tight: so much of the year's API bills, and so much for each use case, as
# the projections of these kinds come to.
OF_BILLS, EACH_USD = 1.4, 185_000
TIGHT, GENEROUS = 0.85, 1.35
WITHOUT_UNIT = 0


@dataclass(frozen=True)
class Size:
    """What was built of one organisation."""

    organisation: Organisation
    owner: User
    use_cases: int


@dataclass(frozen=True)
class Decided:
    """A set of answers with what the rules say to it."""

    variant: Variant
    effective: dict[str, Value]
    sha256: str
    packed: bytes  # the recommendation as compressed JSON: thousands are kept in memory
    target: str
    status: str
    robustness: float
    rules: tuple[str, ...]
    monthly_bill_usd: float

    @property
    def result(self) -> Any:
        return json.loads(zlib.decompress(self.packed))


class Pool:
    """Sets of answers and their recommendations, each worked out when it is first taken."""

    def __init__(self, seed: int, size: int) -> None:
        self.seed, self.size = seed, size
        self._known: dict[int, Decided] = {}

    def __getitem__(self, number: int) -> Decided:
        number %= self.size
        if number not in self._known:
            self._known[number] = _decided(variant(Random(f"{self.seed}: use case {number}")))
        return self._known[number]


class People:
    """An organisation's members by what they answer."""

    def __init__(self, owner: User, editors: Sequence[User], reviewer: User, viewer: User) -> None:
        self.owner, self.editors, self.reviewer, self.viewer = owner, editors, reviewer, viewer

    @cached_property
    def owning(self) -> Sequence[User]:
        return (self.owner, *self.editors)


def exists() -> bool:
    """Whether there are such organisations already."""
    return User.objects.filter(email__endswith="@demo-001.example").exists()


def build(
    *, organisations: int, use_cases: int, seed: int = 2026, say: Callable[[str], object] = lambda _: None
) -> Iterator[Size]:
    """The organisations one after the other, each whole in a transaction of its own. Raises ValueError for sizes."""
    pool = Pool(seed, min(use_cases, DISTINCT))
    password, offset = make_password(PASSWORD), 0
    for number, count in enumerate(sizes(organisations, use_cases, seed), start=1):
        with transaction.atomic():
            built = _organisation(number, count, pool, offset, password, Random(f"{seed}: organisation {number}"))
        offset += count
        say(f"{number} of {organisations}: {built.organisation.name}, {count} use cases")
        yield built


def sizes(organisations: int, use_cases: int, seed: int) -> list[int]:
    """How many use cases each organisation has: the first many, the others about the same. Their sum is exact."""
    if not 1 <= organisations <= use_cases:
        raise ValueError(
            f"{use_cases} use cases cannot be spread over {organisations} organisations; each needs at least one"
        )
    if organisations == 1:
        return [use_cases]
    chance = Random(f"{seed}: sizes")
    wanted = round(use_cases * max(LARGEST_SHARE, 2 / (organisations + 1)))
    first = max(1, min(wanted, use_cases - organisations + 1))
    weights = [chance.uniform(0.7, 1.3) for _ in range(organisations - 1)]
    free, spread = use_cases - first - len(weights), []
    total, given = sum(weights), 0
    for number in range(1, len(weights) + 1):
        upto = round(free * sum(weights[:number]) / total)
        spread.append(1 + upto - given)
        given = upto
    return [first, *spread]


def _decided(drawn: Variant) -> Decided:
    said: dict[str, tuple[PersonalAnswer, ...]]
    said = {key: (PersonalAnswer(1, value, False),) for key, value in drawn.answers.items()}
    for key, value in drawn.disputed.items():
        said[key] = (*said[key], PersonalAnswer(2, value, False))
    inputs = Inputs(LATEST, Policy(), 0, said, {})
    decision = decide(inputs)
    found = decision.recommendation
    bill = facts_for(inputs.effective.answers).monthly_bill_usd
    return Decided(
        variant=drawn,
        effective=dict(inputs.effective.answers),
        sha256=decision.inputs_sha256,
        packed=zlib.compress(json.dumps(found.to_dict(), ensure_ascii=False).encode()),
        target=found.target,
        status=found.status,
        robustness=found.robustness.share,
        rules=tuple(sorted({finding.rule for finding in (*found.reasons, *found.objections)})),
        monthly_bill_usd=bill or 0.0,
    )


def _organisation(number: int, count: int, pool: Pool, offset: int, password: str, chance: Random) -> Size:
    known = names()
    name = f"{known.houses[number % len(known.houses)]} {chance.choice(known.trades)} {number:03d} (demo)"
    organisation = Organisation.objects.create(name=name, is_demo=True)
    people = _people(organisation, number, count, password, chance)
    units = _units(organisation, count, chance)
    today = timezone.localdate()
    bills: dict[int, list[float]] = {unit_pk: [] for unit_pk in (WITHOUT_UNIT, *(unit.pk for unit in units))}
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        decided = [pool[offset + n] for n in numbers]
        rows = _use_cases(organisation, numbers, decided, units, people, today, chance)
        _answers(rows, decided, people)
        for row, one in zip(rows, decided, strict=True):
            if row.stage != Stage.RETIRED:
                bills[row.unit_id or WITHOUT_UNIT].append(one.monthly_bill_usd)
    budgets = _budgets(organisation, people.owner, units, bills, today, chance)
    details = {"use_cases": count, "units": len(units), "members": len(people.owning) + 2, "budgets": budgets}
    audit.record(organisation=organisation, by=None, verb="built", target=organisation, details=details)
    return Size(organisation, people.owner, count)


def _people(organisation: Organisation, number: int, count: int, password: str, chance: Random) -> People:
    known, editors = names(), 3 + min(count // 100, 9)
    roles = [Role.OWNER, *[Role.EDITOR] * editors, Role.REVIEWER, Role.VIEWER]
    firsts, lasts = chance.sample(known.first_names, len(roles)), chance.sample(known.last_names, len(roles))
    users = User.objects.bulk_create(
        [
            User(email=f"{a}.{b}@demo-{number:03d}.example".lower(), name=f"{a} {b}", password=password)
            for a, b in zip(firsts, lasts, strict=True)
        ]
    )
    pairs = zip(users, roles, strict=True)
    Membership.objects.bulk_create([Membership(organisation=organisation, user=u, role=r) for u, r in pairs])
    return People(users[0], users[1:-2], users[-2], users[-1])


def _units(organisation: Organisation, count: int, chance: Random) -> list[BusinessUnit]:
    chosen = chance.sample(names().units, min(3 + count // 40, len(names().units)))
    rows = [
        BusinessUnit(organisation=organisation, name=name, cost_centre=f"CC-{chance.randrange(10, 99) * 10}")
        for name in sorted(chosen)
    ]
    return BusinessUnit.objects.bulk_create(rows)


def _use_cases(
    organisation: Organisation,
    numbers: Sequence[int],
    decided: Sequence[Decided],
    units: Sequence[BusinessUnit],
    people: People,
    today: date,
    chance: Random,
) -> list[UseCase]:
    markets = names().markets
    rows = []
    for number, one in zip(numbers, decided, strict=True):
        kind, stage = one.variant.kind, _stage(one, chance)
        changed = timezone.now() - timedelta(days=chance.uniform(0, 300))
        owner = chance.choice(people.owning)
        unit = chance.choice(units) if chance.random() < 0.95 else None
        is_tagged = chance.random() < TAGGED
        rows.append(
            UseCase(
                organisation=organisation,
                unit=unit,
                title=f"{chance.choice(kind.titles)}, {markets[number % len(markets)]}",
                description=kind.description,
                owner=owner,
                stage=stage,
                planned=one.variant.planned,
                billing_tag=f"uc-{number + 1:04d}" if is_tagged else "",
                review_on=_review(stage, today, chance),
                created_by=owner,
                created_at=changed - timedelta(days=chance.uniform(1, 200)),
                updated_at=changed,
                target=one.target,
                status=one.status,
                robustness=one.robustness,
            )
        )
    return UseCase.objects.bulk_create(rows)


def _stage(one: Decided, chance: Random) -> Stage:
    stages = STAGES["idea" if one.status in STUCK else one.variant.maturity]
    return chance.choices([*stages], [*stages.values()])[0]


def _review(stage: Stage, today: date, chance: Random) -> date | None:
    """Some are overdue; an idea, and what is retired, awaits none."""
    if stage in (Stage.IDEA, Stage.RETIRED) or chance.random() > REVIEWED:
        return None
    return today + timedelta(days=chance.randrange(-40, 330))


def _answers(rows: Sequence[UseCase], decided: Sequence[Decided], people: People) -> None:
    """Assessments, answers with their first revision, snapshots and fired rules of a batch."""
    assessments = Assessment.objects.bulk_create(
        [
            Assessment(
                use_case=row,
                questionnaire_version=LATEST,
                revision=len(one.variant.answers) + len(one.variant.disputed),
                started_at=row.created_at,
                started_by=row.owner,
            )
            for row, one in zip(rows, decided, strict=True)
        ]
    )
    together = list(zip(rows, assessments, decided, strict=True))
    said = [answer for row, assessment, one in together for answer in _said(row, assessment, one.variant, people)]
    answers = Answer.objects.bulk_create(said, batch_size=2_000)
    AnswerRevision.objects.bulk_create(
        [AnswerRevision(answer=a, revision=1, value=a.value, saved_at=a.saved_at) for a in answers], batch_size=2_000
    )
    RecommendationSnapshot.objects.bulk_create(
        [
            RecommendationSnapshot(
                assessment=assessment,
                answers=one.effective,
                answers_sha256=one.sha256,
                result=one.result,
                target=one.target,
                status=one.status,
                robustness=one.robustness,
                created_at=row.updated_at,
            )
            for row, assessment, one in together
        ]
    )
    FiredRule.objects.bulk_create(
        [
            FiredRule(organisation_id=row.organisation_id, use_case=row, rule=rule)
            for row, _, one in together
            for rule in one.rules
        ]
    )


def _said(row: UseCase, assessment: Assessment, drawn: Variant, people: People) -> Iterator[Answer]:
    """Each section by who would answer it; a dispute's other side by the reviewer, or by the owner against them."""
    for key, value in drawn.answers.items():
        who = _answering(key, row.owner, people)
        yield _answer(assessment, key, value, who, row.updated_at)
        if key in drawn.disputed:
            other = people.reviewer if who != people.reviewer else row.owner
            yield _answer(assessment, key, drawn.disputed[key], other, row.updated_at)


def _answering(question_id: str, owner: User, people: People) -> User:
    section = load(LATEST).question(question_id).section
    if section in LEGAL:
        return people.reviewer
    return people.editors[0] if section in ENGINEERING else owner


def _answer(assessment: Assessment, key: str, value: Value, who: User, at: datetime) -> Answer:
    return Answer(assessment=assessment, question_id=key, respondent=who, value=value, saved_at=at)


def _budgets(
    organisation: Organisation,
    owner: User,
    units: Sequence[BusinessUnit],
    bills: dict[int, list[float]],
    today: date,
    chance: Random,
) -> int:
    """A year's budget of the organisation and of some units, by the bills that the answers foresee.

    The year began up to five months ago: financial years differ.
    """
    first, ample = month_after(today, -chance.randrange(6)), chance.uniform(TIGHT, GENEROUS)
    wanted: list[tuple[BusinessUnit | None, list[float]]] = [(None, [bill for of in bills.values() for bill in of])]
    wanted += [(unit, bills[unit.pk]) for unit in units if bills[unit.pk] and chance.random() < UNIT_BUDGETS]
    rows = [
        Budget(organisation=organisation, unit=unit, starts_on=first, amount=_year_usd(of, ample), set_by=owner)
        for unit, of in wanted
    ]
    return len(Budget.objects.bulk_create(rows))


def _year_usd(monthly_bills_usd: Sequence[float], ample: float) -> Decimal:
    """To three significant digits, as budgets are."""
    year = OF_BILLS * 12 * sum(monthly_bills_usd) + EACH_USD * max(1, len(monthly_bills_usd))
    return Decimal(int(float(f"{ample * year:.3g}")))
