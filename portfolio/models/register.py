"""What and why: use cases, assessments with answers per person, requests, recommendation snapshots."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from organisations.models import Kept, KeptQuerySet, Membership
from organisations.roles import Permission
from portfolio.lifecycle import STAGE_LABELS, Stage
from portfolio.models.policy import PolicyVersion
from portfolio.questionnaire.outcome import Recommendation, Target
from portfolio.questionnaire.spec import Question

REVIEW_SOON = timedelta(days=30)
# How a list may be ordered: the word in the address → the columns. The key makes the order total: pages never overlap.
SORTS: dict[str, tuple[Any, ...]] = {
    "title": ("title", "pk"),
    "-title": ("-title", "-pk"),
    "updated": ("updated_at", "pk"),
    "-updated": ("-updated_at", "-pk"),
    "cost": (F("annual_p50_usd").asc(nulls_last=True), "pk"),
    "-cost": (F("annual_p50_usd").desc(nulls_last=True), "-pk"),
    "robustness": (F("robustness").asc(nulls_last=True), "pk"),
    "-robustness": (F("robustness").desc(nulls_last=True), "-pk"),
}


class UseCaseQuerySet(models.QuerySet["UseCase"]):
    """Reads with domain names; see `portfolio.permissions` for the ones that check the person too."""

    def visible_to(self, membership: Membership) -> Self:
        """All of the organisation's use cases for who may view them; for others those they were asked to answer."""
        here = self.filter(organisation_id=membership.organisation_id)
        if membership.allows(Permission.VIEW):
            return here
        asked = AnswerRequest.objects.open().filter(respondent_id=membership.user_id)
        return here.filter(pk__in=asked.values("assessment__use_case_id"))

    def matching(self, text: str) -> Self:
        """Those whose title, description or owner contains every word of `text`."""
        found = self
        for word in text.split()[:10]:
            found = found.filter(
                Q(title__icontains=word)
                | Q(description__icontains=word)
                | Q(owner__name__icontains=word)
                | Q(owner__email__icontains=word)
            )
        return found

    def to_review(self, when: str, today: date) -> Self:
        """Those whose review is "overdue", due "soon" (within 30 days), or "none" planned. KeyError otherwise."""
        ways: dict[str, dict[str, Any]] = {
            "overdue": {"review_on__lt": today},
            "soon": {"review_on__range": (today, today + REVIEW_SOON)},
            "none": {"review_on__isnull": True},
        }
        return self.filter(**ways[when])

    def for_list(self) -> Self:
        """With all that a row of a list shows, and no more."""
        return self.select_related("unit", "owner").defer("description")

    def in_order(self, sort: str) -> Self:
        """Ordered by one of `SORTS`. Raises KeyError for another word."""
        return self.order_by(*SORTS[sort])


class UseCase(models.Model):
    """One place where an organisation wants to use a language model.

    `target`, `status`, `robustness` repeat the latest recommendation and `annual_*_usd` the latest finished projection
    (first twelve months of the recommended option), or the portfolio's run while there is none, so that lists sort and
    filter without opening any.
    """

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="use_cases")
    unit = models.ForeignKey(
        "organisations.BusinessUnit", null=True, blank=True, on_delete=models.SET_NULL, related_name="use_cases"
    )
    title = models.CharField(max_length=300)
    description = models.TextField(max_length=20_000, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_use_cases")
    stage = models.CharField(max_length=12, choices=[(s.value, STAGE_LABELS[s]) for s in Stage], default=Stage.IDEA)
    planned = models.CharField(
        max_length=12, blank=True, choices=[(t.value, t.value) for t in Target]
    )  # what the team meant to build before it was assessed; "" where nobody said
    billing_tag = models.CharField(max_length=120, blank=True)  # names it on bills and in usage exports
    review_on = models.DateField(null=True, blank=True)  # the day by which somebody looks at the decision again
    version = models.PositiveIntegerField(default=1)  # rises with each edit: two people editing lose nothing
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    target = models.CharField(max_length=12, blank=True)
    status = models.CharField(max_length=16, blank=True)
    robustness = models.FloatField(null=True)
    projection = models.ForeignKey(
        "costing.Projection", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # the latest requested
    figures = models.ForeignKey(
        "costing.Projection", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # the latest finished
    annual_p10_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    annual_p50_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    annual_p90_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)

    objects = UseCaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "title"], name="use_case_by_title"),
            models.Index(fields=["organisation", "-updated_at"], name="use_case_by_change"),
            models.Index(fields=["organisation", "annual_p50_usd"], name="use_case_by_cost"),
            models.Index(fields=["organisation", "robustness"], name="use_case_by_robustness"),
            models.Index(fields=["organisation", "stage"], name="use_case_by_stage"),
            models.Index(fields=["organisation", "review_on"], name="use_case_by_review"),
        ]
        constraints = [
            models.UniqueConstraint(
                "organisation",
                Lower("billing_tag"),
                condition=~Q(billing_tag=""),
                name="billing_tag_unique_in_organisation",
            ),
            models.CheckConstraint(
                condition=Q(robustness__isnull=True) | Q(robustness__gte=0, robustness__lte=1),
                name="use_case_robustness_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(annual_p50_usd__isnull=True)
                | Q(annual_p10_usd__lte=F("annual_p50_usd"), annual_p90_usd__gte=F("annual_p50_usd")),
                name="use_case_band_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_retired(self) -> bool:
        return self.stage == Stage.RETIRED

    def assessment(self) -> Assessment:
        """The assessment that counts, with its policy; one query."""
        return self.assessments.select_related("policy").filter(replaced_by__isnull=True).latest()


class Assessment(models.Model):
    """One walk through one released questionnaire version, under one version of the policy, for one use case.

    Both versions stay what they were when it was started: a later version is taken over by re-assessing, which starts a
    new assessment that `replaces` this one. The use case's latest assessment counts; earlier ones stay readable.

    `revision` rises with every change of an answer or a settlement, so that a recommendation computed outside the write
    lock is known to be of these answers before it is stored.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="assessments")
    questionnaire_version = models.CharField(max_length=20)
    policy = models.ForeignKey(
        PolicyVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )  # None: the product's own thresholds
    replaces = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")
    carried = models.JSONField(null=True)  # what became of the answers that were taken over from `replaces`
    revision = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        get_latest_by = ["started_at", "pk"]

    def __str__(self) -> str:
        return f"assessment {self.pk} of {self.use_case_id}"


class AnswerQuerySet(models.QuerySet["Answer"]):
    def speaking(self) -> Self:
        """Those that say something: a value or "don't know yet"; not the withdrawn ones."""
        return self.filter(Q(value__isnull=False) | Q(dont_know=True))


class Answer(models.Model):
    """What one person says to one question now. Every earlier state is an `AnswerRevision`.

    `value` is None with `dont_know` for "don't know yet", and None without it when the answer was withdrawn.
    """

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="answers")
    question_id = models.CharField(max_length=60)
    respondent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="answers")
    value = models.JSONField(null=True)
    dont_know = models.BooleanField(default=False)
    comment = models.TextField(max_length=20_000, blank=True)
    evidence_url = models.URLField(max_length=2_000, blank=True)
    revision = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=timezone.now)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "assessment", "question_id", "respondent", name="one_answer_per_person_and_question"
            ),
            models.CheckConstraint(
                condition=models.Q(dont_know=False) | models.Q(value__isnull=True), name="dont_know_has_no_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question_id} by {self.respondent_id}"


class AnswerRevision(Kept):
    """One save of an answer, kept for good."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="revisions")
    revision = models.PositiveIntegerField()
    value = models.JSONField(null=True)
    dont_know = models.BooleanField(default=False)
    comment = models.TextField(blank=True)
    evidence_url = models.URLField(max_length=2_000, blank=True)
    saved_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeptQuerySet["AnswerRevision"].as_manager()

    class Meta:
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint("answer", "revision", name="answer_revision_unique")]

    def __str__(self) -> str:
        return f"revision {self.revision} of answer {self.answer_id}"


class Settlement(models.Model):
    """The owner's word on a disputed question, with a note. It stands until somebody answers anew."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="settlements")
    question_id = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    note = models.TextField(max_length=20_000)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["settled_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                "assessment",
                "question_id",
                condition=Q(superseded_at__isnull=True),
                name="one_standing_settlement_per_question",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question_id} settled"


class AnswerRequestQuerySet(models.QuerySet["AnswerRequest"]):
    def standing(self) -> Self:
        """Not withdrawn; the declined ones among them."""
        return self.filter(withdrawn_at__isnull=True)

    def open(self) -> Self:
        """Neither withdrawn nor declined: these let a respondent see and answer."""
        return self.standing().filter(declined_at__isnull=True)

    def waiting(self, organisation_id: int | None = None) -> Self:
        """Asked of an invited address that has not joined yet; of one organisation, or of all."""
        here = {} if organisation_id is None else {"assessment__use_case__organisation": organisation_id}
        return self.standing().filter(respondent__isnull=True, **here)

    def asked_of(self, membership: Membership) -> Self:
        """What this member was asked in their organisation, with all that a list shows."""
        mine = self.filter(
            respondent_id=membership.user_id,
            assessment__use_case__organisation_id=membership.organisation_id,
        )
        return mine.exclude(assessment__use_case__stage=Stage.RETIRED).select_related(
            "asked_by", "assessment__policy", "assessment__use_case__unit", "assessment__use_case__owner"
        )


class AnswerRequest(models.Model):
    """A section, or one question, of an assessment that somebody was asked to answer; all a respondent may see.

    Asked of a member (`respondent`), or of an invited address (`invitation`) until the invitation is accepted.
    """

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="requests")
    section_id = models.CharField(max_length=40)  # of the question too, where only one question is asked
    question_id = models.CharField(max_length=60, blank=True)  # empty: the whole section
    respondent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="answer_requests"
    )
    invitation = models.ForeignKey(
        "organisations.Invitation", null=True, blank=True, on_delete=models.CASCADE, related_name="answer_requests"
    )
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    message = models.TextField(max_length=2_000, blank=True)
    due_on = models.DateField(null=True, blank=True)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    reminded_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    decline_reason = models.TextField(max_length=2_000, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = AnswerRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [models.Index(fields=["respondent", "due_on"], name="request_by_due_date")]
        constraints = [
            models.UniqueConstraint("assessment", "section_id", "question_id", "respondent", name="asked_once"),
            models.UniqueConstraint("assessment", "section_id", "question_id", "invitation", name="invited_once"),
            models.CheckConstraint(
                condition=Q(respondent__isnull=False) | Q(invitation__isnull=False), name="request_asks_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question_id or self.section_id} asked of {self.respondent_id or self.invitation_id}"

    @property
    def is_open(self) -> bool:
        return self.withdrawn_at is None and self.declined_at is None

    @property
    def is_overdue(self) -> bool:
        """Its day is over; whether all has been answered is another question."""
        return self.is_open and self.due_on is not None and self.due_on < timezone.localdate()

    def covers(self, question: Question) -> bool:
        return self.question_id == question.id if self.question_id else self.section_id == question.section


class RecommendationSnapshot(Kept):
    """A recommendation as it was given: the answers it saw, the versions it used, its result. Never changed."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="recommendations")
    answers = models.JSONField()  # question id → the value that counted; disputed and open questions are absent
    answers_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    target = models.CharField(max_length=12)
    status = models.CharField(max_length=16)
    robustness = models.FloatField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeptQuerySet["RecommendationSnapshot"].as_manager()

    class Meta:
        get_latest_by = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"recommendation {self.pk}: {self.target}"

    @property
    def recommendation(self) -> Recommendation:
        """The stored result as the value it was."""
        return Recommendation.from_dict(self.result)
