"""An uploaded register as a proposal: what it would change, row by row."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class RegisterImport(models.Model):
    """An uploaded table of use cases. Nothing of it counts until somebody takes it over."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPLIED = "applied", "Taken over"
        DISCARDED = "discarded", "Discarded"

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="register_imports"
    )
    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    rows = models.JSONField(default=list)  # the rows that can be taken over, as plain values
    failures = models.JSONField(default=list)  # the others: line, column, what is wrong and what to do
    result = models.JSONField(null=True)  # once taken over: what became of each row
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-uploaded_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name
