"""Which rules speak in each use case's recommendation, kept beside it so that they can be counted."""

from __future__ import annotations

from typing import Self

from django.db import models

from portfolio.lifecycle import Stage
from portfolio.models.register import UseCase
from portfolio.questionnaire.outcome import Recommendation


class FiredRuleQuerySet(models.QuerySet["FiredRule"]):
    def standing_in(self, organisation_id: int) -> Self:
        """Those of an organisation's use cases, without the retired ones."""
        return self.filter(organisation_id=organisation_id).exclude(use_case__stage=Stage.RETIRED)

    def counts(self) -> dict[str, int]:
        """Rule id → in how many use cases it fires."""
        return dict(self.order_by().values_list("rule").annotate(models.Count("pk")))

    def remember(self, use_case: UseCase, recommendation: Recommendation) -> None:
        """Bring the use case's rows in line with its latest recommendation; one query where nothing changed."""
        fires = {finding.rule for finding in (*recommendation.reasons, *recommendation.objections)}
        known = set(self.filter(use_case=use_case).values_list("rule", flat=True))
        if gone := known - fires:
            self.filter(use_case=use_case, rule__in=gone).delete()
        here = use_case.organisation_id
        new = [FiredRule(organisation_id=here, use_case=use_case, rule=rule) for rule in sorted(fires - known)]
        self.bulk_create(new, ignore_conflicts=True)


class FiredRule(models.Model):
    """One rule that is a reason or an objection in a use case's latest recommendation.

    Repeats what the latest snapshot says (see docs/adr/0008), written with it, so that a page counts ten thousand use
    cases without opening their results.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="fired_rules")
    rule = models.CharField(max_length=60)

    objects = FiredRuleQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organisation", "rule", "use_case"], name="fired_rule_by_rule")]
        constraints = [models.UniqueConstraint("use_case", "rule", name="rule_fires_once_in_use_case")]

    def __str__(self) -> str:
        return f"{self.rule} in {self.use_case_id}"
