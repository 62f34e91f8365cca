"""All addresses: accounts, the three apps, health."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from config import views
from portfolio.views.portfolio import home

# The admin's own sign-in page knows neither the second factor nor the limits on guessing: there is one way in.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", home, name="home"),
    path("healthz", views.health, name="health"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("organisations.urls")),
    path("", include("costing.urls")),
    path("", include("portfolio.urls")),
]
