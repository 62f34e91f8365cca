"""How much: price books, scenarios (immutable revisions) and projections (job rows with their stored result)."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from organisations.models import Kept, KeptQuerySet


class JobState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Job(models.Model):
    """The row of one background job. Pages read it; only `costing.jobs` writes its state.

    `enqueued_at` is empty while no broker has accepted the job: the reaper asks again.
    `lease_until` is how long the worker that claimed it is trusted without a heartbeat.
    """

    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    step = models.CharField(max_length=120, blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    claim_token = models.UUIDField(null=True)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    enqueued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        abstract = True

    @property
    def is_active(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)


class PriceBook(Kept):
    """One version of an organisation's own rates and currencies. Never changed: an edit or an import is a new version.

    `rates` and `currencies` hold plain values (see `engine.own_rates`), the whole book each time: a projection that
    names its price book can be computed again to the same cents.
    """

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="price_books")
    number = models.PositiveIntegerField()
    rates = models.JSONField(default=list)
    currencies = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64)  # of rates and currencies
    note = models.TextField(max_length=2_000, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeptQuerySet["PriceBook"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", "number", name="price_book_number_unique_in_organisation")
        ]

    def __str__(self) -> str:
        return f"price book {self.number}"


class Upload(models.Model):
    """An uploaded table as a proposal: nothing of it counts until somebody takes it over. Abstract."""

    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    failures = models.JSONField(default=list)  # rows that cannot be taken over: line, column, what is wrong
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["-uploaded_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name


class PriceImport(Upload):
    """An uploaded price list."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPLIED = "applied", "Taken over"
        DISCARDED = "discarded", "Discarded"

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="price_imports"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    rows = models.JSONField(default=list)  # the rows that can be taken over, as plain values
    price_book = models.ForeignKey(PriceBook, null=True, on_delete=models.PROTECT, related_name="+")  # it became


class Scenario(Kept):
    """One revision of the inputs of a projection. Never changed: an edit is a new revision of the same lineage."""

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="scenarios")
    lineage = models.UUIDField(default=uuid.uuid4)
    revision = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=320)
    spec = models.JSONField()
    spec_sha256 = models.CharField(max_length=64)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeptQuerySet["Scenario"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("lineage", "revision", name="scenario_revision_unique_in_lineage")]

    def __str__(self) -> str:
        return f"{self.title}, revision {self.revision}"


class Projection(Job):
    """One computation of a scenario with its versions, seed and, once done, its result.

    The `*_usd` columns are the first twelve months of the recommended option, for lists that sort by them.
    """

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="projections")
    seed = models.BigIntegerField()
    draws = models.PositiveIntegerField()
    inputs_sha256 = models.CharField(max_length=64, blank=True)
    engine_version = models.CharField(max_length=40, blank=True)
    catalogue_version = models.CharField(max_length=80, blank=True)
    price_book = models.ForeignKey(
        PriceBook, null=True, on_delete=models.PROTECT, related_name="+"
    )  # the organisation's own rates it is computed with; None: only the catalogue's
    result = models.JSONField(null=True)
    annual_p10_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    annual_p50_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    annual_p90_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-requested_at", "-pk"]
        indexes = [models.Index(fields=["state", "lease_until"], name="projection_by_lease")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(result__isnull=False, annual_p50_usd__isnull=False),
                name="projection_done_has_result",
            )
        ]

    def __str__(self) -> str:
        return str(self.scenario)
