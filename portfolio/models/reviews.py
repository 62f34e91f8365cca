"""Reviews: somebody looked at a decision again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from organisations.models import Kept, KeptQuerySet
from portfolio.models.register import Assessment, UseCase


class Review(Kept):
    """One look at a decision: who, what was found, and when to look again."""

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="reviews")
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(max_length=20_000)
    target = models.CharField(max_length=12, blank=True)  # the recommendation as it was found
    status = models.CharField(max_length=16, blank=True)
    next_on = models.DateField(null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reviewed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeptQuerySet["Review"].as_manager()

    class Meta:
        ordering = ["-reviewed_at", "-pk"]

    def __str__(self) -> str:
        return f"review of {self.use_case_id} on {self.reviewed_at:%Y-%m-%d}"
