"""The stored joint simulation of a portfolio: the run, its blocks of work, its sums, and what each use case adds."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from costing.public import Job, JobState
from portfolio.models.register import UseCase


class PortfolioRunQuerySet(models.QuerySet["PortfolioRun"]):
    def of(self, organisation_id: int) -> Self:
        """An organisation's runs, the newest first, without their bulk."""
        return self.filter(organisation_id=organisation_id).order_by("-requested_at", "-pk")

    def with_figures(self) -> Self:
        """Those whose sums are stored: finished ones, and cancelled ones that had results to keep."""
        return self.filter(summed_at__isnull=False)


class PortfolioRun(Job):
    """One joint simulation of all use cases of an organisation, as one job of many blocks.

    All use cases share `seed`, so prices, lifetimes and wages are drawn once; each is permuted by its own number.
    `percent` follows the blocks. `summed_at` is set once the sums are stored, also of a part of the blocks.
    """

    REASONS = (("asked", "Asked for"), ("nightly", "Every night"), ("prices", "New prices"))

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="portfolio_runs"
    )
    reason = models.CharField(max_length=8, choices=REASONS, default="asked")
    start = models.CharField(max_length=7)  # first month, "YYYY-MM"
    months = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    draws = models.PositiveIntegerField()
    engine_version = models.CharField(max_length=40)
    catalogue_version = models.CharField(max_length=80)
    price_book = models.ForeignKey("costing.PriceBook", null=True, on_delete=models.PROTECT, related_name="+")
    inputs_sha256 = models.CharField(max_length=64, blank=True)  # of all that the figures rest on
    compared_with = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    use_cases = models.PositiveIntegerField(default=0)  # how many it covers
    unpriced = models.PositiveIntegerField(default=0)  # of these, how many have no figures; each share says why
    blocks_total = models.PositiveIntegerField(default=0)
    summed_at = models.DateTimeField(null=True)
    is_partial = models.BooleanField(default=False)  # cancelled or failed on the way: some use cases are missing
    result: Any = models.JSONField(null=True)  # what is worked out over all of it: carriers, changes, S0 check

    objects = PortfolioRunQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["organisation", "-requested_at"], name="portfolio_run_by_time"),
            models.Index(fields=["state", "lease_until"], name="portfolio_run_by_lease"),
        ]

    def __str__(self) -> str:
        return f"portfolio of {self.use_cases} use cases"


class PortfolioBlock(Job):
    """A few use cases of a run, simulated together by one worker; its figures are kept for the next run."""

    run = models.ForeignKey(PortfolioRun, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveIntegerField()
    use_case_ids = models.JSONField(default=list)
    inputs_sha256 = models.CharField(max_length=64, blank=True)
    reused = models.BooleanField(default=False)  # the figures are those of an earlier block with the same inputs
    figures = models.BinaryField(null=True)  # sums by cell and what each use case adds, as a numpy archive
    rows = models.JSONField(null=True)  # what is told of each use case, see `portfolio.spend`

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint("run", "number", name="block_number_unique_in_run")]
        indexes = [
            models.Index(fields=["state", "lease_until"], name="portfolio_block_by_lease"),
            models.Index(fields=["inputs_sha256"], name="portfolio_block_by_inputs"),
        ]

    def __str__(self) -> str:
        return f"block {self.number} of run {self.run_id}"

    @property
    def is_done(self) -> bool:
        return self.state == JobState.DONE


class PortfolioCell(models.Model):
    """The sum over the use cases of one unit, approach and stage: every filter of the page is a sum of these.

    `is_total`: the sum of all cells. Draws are float32, row by row; see `costing.engine.joint.pool`.
    """

    run = models.ForeignKey(PortfolioRun, on_delete=models.CASCADE, related_name="cells")
    is_total = models.BooleanField(default=False)
    unit_id_then = models.BigIntegerField(null=True)  # no foreign key: the unit may go, the sum stays
    unit_name = models.CharField(max_length=200, blank=True)
    approach = models.CharField(max_length=12, blank=True)
    stage = models.CharField(max_length=12, blank=True)
    use_cases = models.PositiveIntegerField(default=0)
    expected_cents = models.JSONField(default=list)  # components × months, whole cents
    planned_cents = models.BigIntegerField(default=0)  # expected, first twelve months, as planned
    tuned_cents = models.BigIntegerField(default=0)  # … were everything fine-tuned
    monthly_usd = models.BinaryField()  # draws × months
    planned_usd = models.BinaryField()  # draws: the first twelve months as planned
    tuned_usd = models.BinaryField()  # draws: the first twelve months were everything fine-tuned

    class Meta:
        indexes = [models.Index(fields=["run", "is_total"], name="cell_by_run")]

    def __str__(self) -> str:
        return f"{self.unit_name} {self.approach} {self.stage}"


class PortfolioShare(models.Model):
    """What one use case adds to a run: its figures then, from which scenario, and why it has none."""

    run = models.ForeignKey(PortfolioRun, on_delete=models.CASCADE, related_name="shares")
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="portfolio_shares")
    unit_id_then = models.BigIntegerField(null=True)
    approach = models.CharField(max_length=12, blank=True)
    stage = models.CharField(max_length=12, blank=True)
    option = models.CharField(max_length=40, blank=True)  # priced as recommended
    planned_option = models.CharField(max_length=40, blank=True)
    tuned_option = models.CharField(max_length=40, blank=True)
    why_not = models.TextField(blank=True)  # why there are no figures; empty where there are
    scenario = models.ForeignKey("costing.Scenario", null=True, on_delete=models.PROTECT, related_name="+")
    p10_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)  # first twelve months
    p50_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    p90_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    expected_cents = models.BigIntegerField(default=0)  # first twelve months
    planned_cents = models.BigIntegerField(default=0)
    tuned_cents = models.BigIntegerField(default=0)
    share_of_variance = models.FloatField(null=True)  # of the whole portfolio's first twelve months
    months: Any = models.JSONField(
        default=dict
    )  # by month: "p10", "p50", "p90" of all, "running" (of serving and retrieval); cents: "components", "passages"
    change: Any = models.JSONField(null=True)  # cents since `run.compared_with` by cause; None where nothing to compare

    class Meta:
        constraints = [models.UniqueConstraint("run", "use_case", name="one_share_per_run_and_use_case")]
        indexes = [
            models.Index(fields=["run", "-share_of_variance"], name="share_by_variance"),
            models.Index(fields=["run", "-expected_cents"], name="share_by_cost"),
        ]

    def __str__(self) -> str:
        return f"share of use case {self.use_case_id}"


class PortfolioEvent(models.Model):
    """Something that falls due for a use case by the run's figures: a retraining, an end of service, a move."""

    run = models.ForeignKey(PortfolioRun, on_delete=models.CASCADE, related_name="events")
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="+")
    month = models.DateField()  # its first day
    kind = models.CharField(max_length=20)  # "end_of_service" | "migration" | "retraining" | "reindex"
    text = models.CharField(max_length=600)
    model = models.CharField(max_length=120, blank=True)  # the catalogue row that ends, where one does
    announced = models.BooleanField(default=False)  # by the provider, with a day; else expected

    class Meta:
        ordering = ["month", "pk"]
        indexes = [models.Index(fields=["run", "month"], name="portfolio_event_by_month")]

    def __str__(self) -> str:
        return self.text
