"""What the decision was made under and how it came about: thresholds, earlier assessments, reviews, the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from portfolio.models import Assessment, RecommendationSnapshot, Review, UseCase
from portfolio.questionnaire.policy import GROUPS, THRESHOLDS, Policy, Threshold, differences
from portfolio.reports.blocks import Block, Bullets, Cell, Heading, Paragraph, Table
from portfolio.reports.wording import plural, stamp, way_label

LIMITS = (
    ("Threshold", "1fr", False),
    ("In force", "32mm", True),
    ("The product’s own", "32mm", True),
    ("", "auto", False),
)
EARLIER = (
    ("Started", "32mm", False),
    ("Questionnaire", "auto", False),
    ("Thresholds", "1fr", False),
    ("Recommended then", "1fr", False),
)
LOOKS = (
    ("When, who", "36mm", False),
    ("Found", "1fr", False),
    ("Recommended then", "34mm", False),
    ("Next", "auto", False),
)
OWN = "the product’s own"


@dataclass(frozen=True)
class PolicyInForce:
    """The thresholds of this assessment; without a number the product’s own."""

    policy: Policy = field(default_factory=Policy)
    number: int | None = None
    note: str = ""
    made_by: str = ""
    made_at: datetime | None = None


@dataclass(frozen=True)
class Earlier:
    """An assessment that no longer counts, with what it last recommended."""

    started_at: datetime
    started_by: str
    questionnaire: str
    policy: str
    way: str  # empty: it recommended nothing


@dataclass(frozen=True)
class Look:
    reviewed_at: datetime
    person: str
    note: str
    way: str
    next_on: date | None


@dataclass(frozen=True)
class Course:
    """How the use case came to this assessment, as it stood when the report was asked for."""

    questionnaire: str = ""
    started_at: datetime | None = None
    started_by: str = ""
    policy: PolicyInForce = field(default_factory=PolicyInForce)
    carried: tuple[str, ...] = ()  # what became of the answers of the assessment before
    earlier: tuple[Earlier, ...] = ()
    reviews: tuple[Look, ...] = ()
    next_review: date | None = None


def read(use_case: UseCase, assessment: Assessment, at: datetime) -> Course:
    """Three queries, and one for the policy's author."""
    before = use_case.assessments.filter(started_at__lt=assessment.started_at).select_related("policy", "started_by")
    reviews = use_case.reviews.filter(reviewed_at__lte=at).select_related("reviewed_by")
    ways = _ways(use_case)
    carried = assessment.carried or {}
    return Course(
        questionnaire=assessment.questionnaire_version,
        started_at=assessment.started_at,
        started_by=str(assessment.started_by or ""),
        policy=_policy(assessment),
        carried=tuple(
            x for x in (carried.get("summary", ""), *carried.get("changed", ()), *carried.get("dropped", ())) if x
        ),
        earlier=tuple(
            Earlier(
                started_at=row.started_at,
                started_by=str(row.started_by or ""),
                questionnaire=row.questionnaire_version,
                policy=_named(row),
                way=ways.get(row.pk, ""),
            )
            for row in before.order_by("started_at", "pk")
        ),
        reviews=tuple(_look(row) for row in reviews.order_by("reviewed_at", "pk")),
        next_review=use_case.review_on,
    )


def _ways(use_case: UseCase) -> dict[int, str]:
    """Assessment → what its last recommendation was."""
    rows = RecommendationSnapshot.objects.filter(assessment__use_case=use_case).order_by("created_at", "pk")
    return {pk: way_label(target, status) for pk, target, status in rows.values_list("assessment", "target", "status")}


def _policy(assessment: Assessment) -> PolicyInForce:
    row = assessment.policy
    if row is None:
        return PolicyInForce()
    return PolicyInForce(row.policy, row.number, row.note, str(row.made_by or ""), row.made_at)


def _named(assessment: Assessment) -> str:
    return str(assessment.policy or OWN)


def _look(row: Review) -> Look:
    way = way_label(row.target, row.status) if row.target else ""
    return Look(row.reviewed_at, str(row.reviewed_by or ""), row.note, way, row.next_on)


def section(course: Course) -> tuple[Block, ...]:
    """Versions and thresholds in force, where they come from, what was decided before and who looked since."""
    return (
        Paragraph(_lede(course), "lede"),
        Heading("Thresholds in force"),
        *_thresholds(course.policy),
        *_earlier(course),
        *_reviews(course),
    )


def policy_version(policy: PolicyInForce) -> str:
    """ "policy 3, SHA-256 …"; the fingerprint is of the thresholds, whoever set them."""
    name = OWN if policy.number is None else f"policy {policy.number}"
    return f"{name}, SHA-256 {policy.policy.sha256()}"


def _lede(course: Course) -> str:
    set_by = "the product’s own thresholds" if course.policy.number is None else f"policy {course.policy.number}"
    started = f", started {stamp(course.started_at)[:10]}" if course.started_at else ""
    by = f" by {course.started_by}" if course.started_by else ""
    return f"Questionnaire {course.questionnaire} under {set_by}{started}{by}."


def _thresholds(policy: PolicyInForce) -> Iterator[Block]:
    changed = {d.threshold.name for d in differences(Policy(), policy.policy)}
    if policy.number is not None:
        by, at = policy.made_by or "somebody who left", stamp(policy.made_at)[:10] if policy.made_at else ""
        yield Paragraph(f"Policy {policy.number} by {by}, {at}: {policy.note}")
    if not changed:
        rows = tuple((_limit(limit), limit.words(limit.default)) for limit in THRESHOLDS)
        yield Table(f"All {len(THRESHOLDS)} are the product’s own.", LIMITS[:2], rows)
        return
    told: list[tuple[Cell, ...]] = [
        (
            _limit(limit),
            limit.words(limit.of(policy.policy)),
            limit.words(limit.default),
            "Differs" if limit.name in changed else "",
        )
        for limit in THRESHOLDS
    ]
    differ = "differs" if len(changed) == 1 else "differ"
    caption = f"{plural(len(changed), 'threshold')} of {len(THRESHOLDS)} {differ} from the product’s own, marked below."
    marked = tuple(i for i, limit in enumerate(THRESHOLDS) if limit.name in changed)
    yield Table(caption, LIMITS, tuple(told), marked)


def _limit(limit: Threshold) -> Cell:
    return limit.title, f"{GROUPS[limit.group][0]}. {limit.help}"


def _earlier(course: Course) -> Iterator[Block]:
    yield Heading("Earlier assessments")
    if not course.earlier:
        yield Paragraph("None: this is the use case’s first assessment.")
        return
    rows: list[tuple[Cell, ...]] = [
        ((stamp(row.started_at), row.started_by), row.questionnaire, row.policy, row.way or "nothing yet")
        for row in course.earlier
    ]
    yield Table("They stay readable as they were; the latest assessment counts.", EARLIER, tuple(rows))
    if course.carried:
        yield Paragraph("What became of the answers that this assessment took over:", "note")
        yield Bullets(course.carried)


def _reviews(course: Course) -> Iterator[Block]:
    yield Heading("Reviews")
    due = (
        f"The next review is due on {course.next_review:%-d %B %Y}." if course.next_review else "No review is planned."
    )
    if not course.reviews:
        yield Paragraph(f"Nobody has looked at this decision again yet. {due}")
        return
    rows: list[tuple[Cell, ...]] = [
        ((row.person, stamp(row.reviewed_at)), row.note, row.way, f"{row.next_on:%Y-%m-%d}" if row.next_on else "–")
        for row in course.reviews
    ]
    yield Table(due, LOOKS, tuple(rows))
