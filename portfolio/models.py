"""What and why: use cases, assessments with answers per person, recommendation snapshots, reports."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from costing.public import Job
from portfolio.lifecycle import STAGE_LABELS, Stage


class UseCaseQuerySet(models.QuerySet["UseCase"]):
    """Reads with domain names; see `portfolio.permissions` for the ones that check the person too."""


class UseCase(models.Model):
    """One place where an organisation wants to use a language model.

    `target`, `status`, `robustness` repeat the latest recommendation and `annual_*_usd` the latest finished projection
    (first twelve months of the recommended option), so that lists sort and filter without opening either.
    """

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="use_cases")
    unit = models.ForeignKey(
        "organisations.BusinessUnit", null=True, blank=True, on_delete=models.SET_NULL, related_name="use_cases"
    )
    title = models.CharField(max_length=300)
    description = models.TextField(max_length=20_000, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_use_cases")
    stage = models.CharField(max_length=12, choices=[(s.value, STAGE_LABELS[s]) for s in Stage], default=Stage.IDEA)
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
        ]

    def __str__(self) -> str:
        return self.title


class Assessment(models.Model):
    """One walk through one released questionnaire version for one use case."""

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="assessments")
    questionnaire_version = models.CharField(max_length=20)
    started_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        get_latest_by = "started_at"

    def __str__(self) -> str:
        return f"assessment {self.pk} of {self.use_case_id}"


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

    class Meta:
        constraints = [
            models.UniqueConstraint("assessment", "question_id", "respondent", name="one_answer_per_person_and_question"),
            models.CheckConstraint(
                condition=models.Q(dont_know=False) | models.Q(value__isnull=True), name="dont_know_has_no_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question_id} by {self.respondent_id}"


class AnswerRevision(models.Model):
    """One save of an answer, kept for good."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="revisions")
    revision = models.PositiveIntegerField()
    value = models.JSONField(null=True)
    dont_know = models.BooleanField(default=False)
    comment = models.TextField(blank=True)
    evidence_url = models.URLField(max_length=2_000, blank=True)
    saved_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint("answer", "revision", name="answer_revision_unique")]

    def __str__(self) -> str:
        return f"revision {self.revision} of answer {self.answer_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("an answer's history cannot be changed")
        super().save(*args, **kwargs)


class Settlement(models.Model):
    """The owner's word on a disputed question, with a note. The latest counts until somebody answers anew."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="settlements")
    question_id = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    note = models.TextField(max_length=20_000)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["settled_at"]

    def __str__(self) -> str:
        return f"{self.question_id} settled"


class AnswerRequest(models.Model):
    """A section of an assessment that a member was asked to answer; all a respondent may see."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="requests")
    section_id = models.CharField(max_length=40)
    respondent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="answer_requests")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    message = models.TextField(max_length=2_000, blank=True)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("assessment", "section_id", "respondent", name="asked_once_per_section"),
        ]

    def __str__(self) -> str:
        return f"{self.section_id} asked of {self.respondent_id}"


class RecommendationSnapshot(models.Model):
    """A recommendation as it was given: the answers it saw, the versions it used, its result. Never changed."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="recommendations")
    answers = models.JSONField()
    answers_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    target = models.CharField(max_length=12)
    status = models.CharField(max_length=16)
    robustness = models.FloatField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        get_latest_by = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"recommendation {self.pk}: {self.target}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("a recommendation snapshot cannot be changed")
        super().save(*args, **kwargs)


class Report(Job):
    """An audit report: a job row, then the sealed bytes with their SHA-256."""

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="reports")
    recommendation = models.ForeignKey(RecommendationSnapshot, null=True, on_delete=models.PROTECT, related_name="+")
    projection = models.ForeignKey("costing.Projection", null=True, on_delete=models.PROTECT, related_name="+")
    contents = models.JSONField(null=True)
    pdf = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(pdf__isnull=False) & ~models.Q(sha256=""),
                name="report_done_has_bytes",
            )
        ]

    def __str__(self) -> str:
        return f"report {self.pk} of {self.use_case_id}"
