"""Reports: the job and the sealed bytes."""

from __future__ import annotations

from typing import Self

from django.db import models

from costing.public import Job
from portfolio.models.register import RecommendationSnapshot, UseCase


class ReportQuerySet(models.QuerySet["Report"]):
    def for_list(self, use_case: UseCase) -> Self:
        """A use case's reports without their bytes, newest first."""
        return self.filter(use_case=use_case).select_related("requested_by").defer("pdf", "contents")


class Report(Job):
    """An audit report: a job row, then the sealed bytes with their SHA-256."""

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="reports")
    recommendation = models.ForeignKey(RecommendationSnapshot, null=True, on_delete=models.PROTECT, related_name="+")
    projection = models.ForeignKey("costing.Projection", null=True, on_delete=models.PROTECT, related_name="+")
    contents = models.JSONField(null=True)
    pdf = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField(null=True)

    objects = ReportQuerySet.as_manager()

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
