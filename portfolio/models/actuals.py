"""What was really spent: imported bills and usage exports, line by line, and how tags name use cases."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from costing.public import Upload
from portfolio.models.register import UseCase


class ActualImport(Upload):
    """One uploaded file of spend or usage; what was taken over can be undone."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPLIED = "applied", "Taken over"
        DISCARDED = "discarded", "Discarded"
        UNDONE = "undone", "Undone"

    FORMATS = (("focus", "FOCUS"), ("litellm", "LiteLLM"), ("langfuse", "Langfuse"), ("plain", "Plain CSV"))

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="actual_imports"
    )
    format = models.CharField(max_length=10, choices=FORMATS)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    duplicates = models.PositiveIntegerField(default=0)  # rows that are there already: counted once


class TagRule(models.Model):
    """Lines that carry this tag belong to this use case."""

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="tag_rules")
    key = models.CharField(max_length=120)  # "x_UseCaseId", "usecase", "metadata.team" …; "" = any
    value = models.CharField(max_length=200)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="tag_rules")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["key", "value"]
        constraints = [models.UniqueConstraint("organisation", "key", "value", name="one_use_case_per_tag")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class ActualLineQuerySet(models.QuerySet["ActualLine"]):
    def counting(self, organisation_id: int) -> Self:
        """The lines of imports that were taken over."""
        return self.filter(organisation_id=organisation_id, source__state=ActualImport.State.APPLIED)

    def unattributed(self) -> Self:
        return self.filter(use_case__isnull=True)


class ActualLine(models.Model):
    """One line of a bill or one summed row of a usage export. Quantities are the stored truth beside the money."""

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey(ActualImport, on_delete=models.CASCADE, related_name="lines")
    line = models.PositiveIntegerField()  # in the file
    line_sha256 = models.CharField(max_length=64)  # of what it says: the same line twice is spent once
    use_case = models.ForeignKey(UseCase, null=True, on_delete=models.SET_NULL, related_name="actual_lines")
    month = models.DateField()  # the first day of the month it was charged for
    starts_on = models.DateField()
    ends_on = models.DateField()
    provider = models.CharField(max_length=120, blank=True)
    service = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    component = models.CharField(max_length=12, blank=True)  # one of `COMPONENTS`; "" where nobody can tell
    cost = models.DecimalField(max_digits=20, decimal_places=8)  # in `currency`
    currency = models.CharField(max_length=3, default="USD")
    cost_usd = models.DecimalField(max_digits=20, decimal_places=8)
    requests = models.BigIntegerField(null=True)
    input_tokens = models.BigIntegerField(null=True)  # cached ones among them
    cached_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    tags = models.JSONField(default=dict)
    description = models.CharField(max_length=400, blank=True)

    objects = ActualLineQuerySet.as_manager()

    class Meta:
        ordering = ["source", "line"]
        indexes = [
            models.Index(fields=["organisation", "month"], name="actual_by_month"),
            models.Index(fields=["organisation", "line_sha256"], name="actual_by_content"),
            models.Index(fields=["use_case", "month"], name="actual_by_use_case"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=models.F("starts_on")), name="actual_days_in_order")
        ]

    def __str__(self) -> str:
        return f"line {self.line} of {self.source_id}"
