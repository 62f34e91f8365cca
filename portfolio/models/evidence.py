"""What was measured: evaluation runs on the rungs of the ladder, with what was attached to them."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from organisations.models import Kept, KeptQuerySet
from portfolio.governance import ladder
from portfolio.governance.scores import Score, whole_of
from portfolio.models.register import Assessment, UseCase


class EvaluationRunQuerySet(models.QuerySet["EvaluationRun"]):
    def counting(self) -> Self:
        """Those that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)

    def for_list(self, use_case: UseCase) -> Self:
        """A use case's runs with all that a list shows, the newest first."""
        return self.filter(use_case=use_case).select_related("recorded_by", "withdrawn_by").order_by("-ran_on", "-pk")


class EvaluationRun(models.Model):
    """One measurement of one rung on one version of a data set. A mistake is withdrawn with a reason, never deleted.

    `spread` is the standard deviation of the scores of single examples, None where nobody knows it. For a share of
    examples it follows from the share alone (`scores.spread_of_share`), and that is how a share is told from a mean.
    """

    RUNGS = tuple(ladder.RUNGS.items())

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="evaluation_runs")
    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="evaluation_runs")
    rung = models.CharField(max_length=20, choices=RUNGS)
    title = models.CharField(max_length=300, blank=True)  # what was tried: prompt version, model, retriever
    dataset = models.CharField(max_length=200)
    dataset_version = models.CharField(max_length=60)
    metric = models.CharField(max_length=120)
    higher_is_better = models.BooleanField(default=True)
    score = models.FloatField()
    sample_size = models.PositiveIntegerField()
    spread = models.FloatField(null=True, blank=True)
    target = models.FloatField(null=True, blank=True)  # what the score was held against
    cost_usd = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    ran_on = models.DateField()
    note = models.TextField(max_length=20_000, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    withdrawal_reason = models.TextField(max_length=2_000, blank=True)

    objects = EvaluationRunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["use_case", "-ran_on"], name="run_by_day")]
        constraints = [
            models.CheckConstraint(condition=Q(sample_size__gte=1), name="run_has_a_sample"),
            models.CheckConstraint(condition=Q(spread__isnull=True) | Q(spread__gte=0), name="run_spread_not_negative"),
            models.CheckConstraint(
                condition=Q(cost_usd__isnull=True) | Q(cost_usd__gte=0), name="run_cost_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rung_display()}: {self.metric} {self.score:g}"

    @property
    def measured(self) -> Score:
        """The score with what its interval follows from."""
        in_percent = "%" in self.metric or (self.target or 0) > 1
        whole = whole_of(self.score, self.spread, in_percent=in_percent)
        return Score(self.score, self.sample_size, self.spread, whole)

    @property
    def as_run(self) -> ladder.Run:
        """The run as the ladder reads it."""
        return ladder.Run(
            key=self.pk,
            rung=self.rung,
            dataset=self.dataset,
            version=self.dataset_version,
            metric=self.metric,
            higher_is_better=self.higher_is_better,
            score=self.measured,
            ran_on=self.ran_on,
            title=self.title,
            target=self.target,
        )


class EvaluationAttachment(Kept):
    """The file behind a run, kept as it was uploaded."""

    run = models.OneToOneField(EvaluationRun, on_delete=models.CASCADE, related_name="attachment")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    objects = KeptQuerySet["EvaluationAttachment"].as_manager()

    def __str__(self) -> str:
        return self.name
