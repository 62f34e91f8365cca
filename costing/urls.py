"""Addresses of the app."""

from django.urls import URLPattern, URLResolver, path

from costing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("methods/", views.methods, name="methods"),
]
