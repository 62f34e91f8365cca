"""The organisation's own thresholds in versions, and the jobs that try a version out or apply it."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from costing.public import Job
from organisations.models import Kept, KeptQuerySet
from portfolio.questionnaire.policy import Policy


class PolicyVersionQuerySet(KeptQuerySet["PolicyVersion"]):
    def of(self, organisation_id: int) -> Self:
        """An organisation's versions, the newest first."""
        return self.filter(organisation_id=organisation_id).order_by("-number")


class PolicyVersion(Kept):
    """One version of an organisation's thresholds. Never changed: an edit is a new version.

    `thresholds` holds only what differs from the product's own values.
    """

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="policies")
    number = models.PositiveIntegerField()
    thresholds = models.JSONField(default=dict)  # name of a field of `Policy` → number
    note = models.TextField(max_length=2_000)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("organisation", "number", name="policy_number_unique_in_organisation")]

    def __str__(self) -> str:
        return f"policy {self.number}"

    @property
    def policy(self) -> Policy:
        """The thresholds as the rules read them; one that no rule knows any more is left out."""
        return Policy.of(self.thresholds)


class PolicyRun(Job):
    """What a version of the thresholds would change (`trial`), or re-assessing under it (`apply`), as a job.

    A trial holds its own thresholds: it runs before the version is saved. `result` holds plain values.
    """

    KINDS = (("trial", "Trial"), ("apply", "Re-assessment"))

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="policy_runs")
    kind = models.CharField(max_length=8, choices=KINDS, default="trial")
    thresholds = models.JSONField(default=dict)
    thresholds_sha256 = models.CharField(max_length=64)
    answers_sha256 = models.CharField(max_length=64, blank=True)  # what the register said when it was read
    result: Any = models.JSONField(null=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["organisation", "kind", "thresholds_sha256"], name="policy_run_by_thresholds"),
            models.Index(fields=["state", "lease_until"], name="policy_run_by_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
