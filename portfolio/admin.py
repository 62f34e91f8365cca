"""The register for administrators: to look at. What is audited is changed through the product only."""

from __future__ import annotations

from django.contrib import admin

from organisations.admin import ReadOnlyAdmin
from portfolio import models


@admin.register(models.UseCase)
class UseCaseAdmin(ReadOnlyAdmin):
    list_display = [
        "title",
        "organisation",
        "unit",
        "owner",
        "stage",
        "target",
        "status",
        "robustness",
        "annual_p50_usd",
        "updated_at",
    ]
    list_per_page = 50
    list_filter = ["organisation", "stage", "target", "status"]
    list_select_related = ["organisation", "unit", "owner"]
    search_fields = ["title", "owner__email"]


@admin.register(models.Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    list_display = ["use_case", "questionnaire_version", "started_at", "revision"]
    list_select_related = ["use_case"]


@admin.register(models.Answer)
class AnswerAdmin(ReadOnlyAdmin):
    list_display = ["question_id", "assessment", "respondent", "value", "dont_know", "revision", "saved_at"]
    list_select_related = ["assessment", "respondent"]
    search_fields = ["question_id", "respondent__email"]


@admin.register(models.AnswerRequest)
class AnswerRequestAdmin(ReadOnlyAdmin):
    list_display = ["section_id", "assessment", "respondent", "asked_by", "asked_at", "withdrawn_at"]
    list_select_related = ["assessment", "respondent", "asked_by"]


@admin.register(models.RecommendationSnapshot)
class RecommendationSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["assessment", "target", "status", "robustness", "created_at"]
    list_select_related = ["assessment"]


@admin.register(models.Budget)
class BudgetAdmin(ReadOnlyAdmin):
    list_display = ["organisation", "unit", "use_case", "amount", "currency", "starts_on", "months", "set_by"]
    list_select_related = ["organisation", "unit", "use_case", "set_by"]
