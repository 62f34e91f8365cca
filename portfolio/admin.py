"""The register for administrators: to look at. What is audited is changed through the product only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portfolio import models


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for mypy only
    """Rows that only the product's own acts may write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.UseCase)
class UseCaseAdmin(ReadOnly):
    list_display = ["title", "organisation", "unit", "owner", "stage", "target", "status", "updated_at"]
    list_filter = ["organisation", "stage", "target", "status"]
    list_select_related = ["organisation", "unit", "owner"]
    search_fields = ["title", "owner__email"]


@admin.register(models.Assessment)
class AssessmentAdmin(ReadOnly):
    list_display = ["use_case", "questionnaire_version", "started_at", "revision"]
    list_select_related = ["use_case"]


@admin.register(models.Answer)
class AnswerAdmin(ReadOnly):
    list_display = ["question_id", "assessment", "respondent", "value", "dont_know", "revision", "saved_at"]
    list_select_related = ["assessment", "respondent"]
    search_fields = ["question_id", "respondent__email"]


@admin.register(models.AnswerRequest)
class AnswerRequestAdmin(ReadOnly):
    list_display = ["section_id", "assessment", "respondent", "asked_by", "asked_at", "withdrawn_at"]
    list_select_related = ["assessment", "respondent", "asked_by"]


@admin.register(models.RecommendationSnapshot)
class RecommendationSnapshotAdmin(ReadOnly):
    list_display = ["assessment", "target", "status", "robustness", "created_at"]
    list_select_related = ["assessment"]
