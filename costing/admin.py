"""Scenarios and projections for an administrator's eyes: to look up, never to change."""

from django.contrib import admin
from django.http import HttpRequest

from costing.models import Projection, Scenario


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic only for the type checker
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


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
