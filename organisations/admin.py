"""The admin looks; it does not act. Members, roles and units change on the product's pages, which write the audit log.

Only accounts are edited here: names, staff rights, and whether somebody may sign in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest

from organisations.models import AuditEvent, BusinessUnit, Invitation, Membership, Notice, Organisation, User

if TYPE_CHECKING:  # generic for the type checker only
    Admin = admin.ModelAdmin[Any]
    Accounts = DjangoUserAdmin[Any]
else:
    Admin, Accounts = admin.ModelAdmin, DjangoUserAdmin


class ReadOnlyAdmin(Admin):
    """For rows that the admin shows and nobody changes here; for the other apps too."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(Accounts):
    """Accounts are closed by clearing "active", never deleted: what a person has written keeps its author."""

    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    list_display = ("name", "is_demo", "created_at")
    search_fields = ("name",)


@admin.register(BusinessUnit)
class BusinessUnitAdmin(ReadOnlyAdmin):
    list_display = ("name", "organisation", "cost_centre")
    list_select_related = ("organisation",)
    search_fields = ("name", "organisation__name")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "organisation", "role", "joined_at", "removed_at")
    list_select_related = ("user", "organisation")
    list_filter = ("role",)
    search_fields = ("user__email", "user__name", "organisation__name")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "organisation", "role", "invited_by", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("organisation", "invited_by")
    search_fields = ("email", "organisation__name")
    exclude = ("token_sha256",)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("person", "organisation", "kind", "text", "created_at", "read_at", "mailed_at")
    list_select_related = ("person", "organisation")
    list_filter = ("kind",)
    search_fields = ("person__email", "person__name", "text")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("organisation_id", "sequence", "at", "actor_name", "verb", "target_type", "target_label")
    list_filter = ("verb",)
    search_fields = ("actor_name", "target_label")
    ordering = ("-at", "-pk")
