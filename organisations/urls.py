"""Addresses of the app."""

from django.urls import URLPattern, URLResolver, path

from organisations import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("members/", views.members, name="members"),
    path("members/<int:pk>/role/", views.member_role, name="member-role"),
    path("members/<int:pk>/remove/", views.member_remove, name="member-remove"),
    path("invitations/<int:pk>/renew/", views.invitation_renew, name="invitation-renew"),
    path("invitations/<int:pk>/revoke/", views.invitation_revoke, name="invitation-revoke"),
    path("join/<str:token>/", views.invitation_accept, name="invitation-accept"),
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.notices_read, name="notices-read"),
    path("notices/mail/", views.notices_mail, name="notices-mail"),
    path("notices/<int:pk>/", views.notice, name="notice"),
    path("units/", views.units, name="units"),
    path("units/<int:pk>/", views.unit_edit, name="unit-edit"),
    path("units/<int:pk>/remove/", views.unit_remove, name="unit-remove"),
    path("settings/", views.settings, name="settings"),
    path("activity/", views.activity_log, name="activity-log"),
    path("activity/check/", views.activity_check, name="activity-check"),
    path("organisations/switch/", views.organisation_switch, name="organisation-switch"),
    path("no-organisation/", views.no_organisation, name="no-organisation"),
]
