"""What is asked about money: the cost scenarios of a use case, budgets, and views of a list somebody kept."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from costing.public import month_after
from organisations.models import Kept, KeptQuerySet
from portfolio.models.register import UseCase


class CostScenario(models.Model):
    """One way of looking at the cost of a use case: what is set by hand on top of what the answers say.

    The base is made when something is first set; its figures are the use case's. The others are what-ifs.
    `overrides` holds plain values: {"inputs": {key: {...}}, "choices": {...}, "months": n}. Each save stores a
    revision of the use case's one lineage of `costing.Scenario`, so all of them share their random numbers.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="cost_scenarios")
    name = models.CharField(max_length=120)
    is_base = models.BooleanField(default=False)
    overrides = models.JSONField(default=dict)
    current = models.ForeignKey("costing.Scenario", null=True, on_delete=models.PROTECT, related_name="+")
    projection = models.ForeignKey("costing.Projection", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)  # rises with each edit: two people editing lose nothing
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-is_base", "name", "pk"]
        constraints = [
            models.UniqueConstraint("use_case", condition=Q(is_base=True), name="one_base_scenario_per_use_case"),
            models.UniqueConstraint(
                "use_case", Lower("name"), condition=Q(removed_at__isnull=True), name="scenario_name_unique_in_use_case"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CostRevision(Kept):
    """One save of a cost scenario: what was set by hand then, and the revision of the inputs it gave."""

    cost_scenario = models.ForeignKey(CostScenario, on_delete=models.CASCADE, related_name="saves")
    scenario = models.ForeignKey("costing.Scenario", on_delete=models.CASCADE, related_name="+")
    overrides = models.JSONField(default=dict)
    note = models.TextField(max_length=2_000, blank=True)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeptQuerySet["CostRevision"].as_manager()

    class Meta:
        ordering = ["-saved_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.cost_scenario}, {self.scenario}"


class Budget(models.Model):
    """What may be spent from a first month on: by the organisation, by a business unit or on a use case."""

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="budgets")
    unit = models.ForeignKey(
        "organisations.BusinessUnit", null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    use_case = models.ForeignKey(UseCase, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    starts_on = models.DateField()  # the first day of its first month
    months = models.PositiveSmallIntegerField(default=12)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    currency = models.CharField(max_length=3, default="USD")
    version = models.PositiveIntegerField(default=1)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                "organisation",
                "starts_on",
                condition=Q(unit__isnull=True, use_case__isnull=True),
                name="one_budget_of_organisation_and_start",
            ),
            models.UniqueConstraint(
                "unit", "starts_on", condition=Q(unit__isnull=False), name="one_budget_of_unit_and_start"
            ),
            models.UniqueConstraint(
                "use_case", "starts_on", condition=Q(use_case__isnull=False), name="one_budget_of_use_case_and_start"
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | Q(use_case__isnull=True), name="budget_of_one_thing"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_above_nothing"),
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=36), name="budget_months_in_range"),
        ]

    def __str__(self) -> str:
        return f"budget from {self.starts_on:%B %Y}"

    @property
    def ends_before(self) -> date:
        """The first day after its last month."""
        return month_after(self.starts_on, self.months)


class SavedView(models.Model):
    """Filters of a page that a person kept under a name: the address's query, nothing more."""

    PAGES = (("use-cases", "Use cases"), ("home", "Portfolio"))

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=20, choices=PAGES)
    name = models.CharField(max_length=80)
    query: Any = models.CharField(max_length=2_000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint("organisation", "person", "page", Lower("name"), name="view_name_unique_for_person")
        ]

    def __str__(self) -> str:
        return self.name
