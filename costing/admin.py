"""Scenarios and projections for an administrator's eyes: to look up, never to change."""

from django.contrib import admin

from costing.models import Projection, Scenario
from organisations.admin import ReadOnlyAdmin


@admin.register(Scenario)
class ScenarioAdmin(ReadOnlyAdmin):
    list_display = ("title", "revision", "organisation", "created_by", "created_at")
    list_select_related = ("organisation", "created_by")
    search_fields = ("title", "spec_sha256")


@admin.register(Projection)
class ProjectionAdmin(ReadOnlyAdmin):
    list_display = ("pk", "scenario", "state", "attempts", "worker", "requested_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("scenario",)
    search_fields = ("scenario__title", "inputs_sha256")
    exclude = ("result",)
