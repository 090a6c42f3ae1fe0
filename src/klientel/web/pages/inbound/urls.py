"""Addresses."""

from __future__ import annotations

from django.urls import path

from klientel.web.pages.inbound import views

app_name = "inbound"
urlpatterns = [
    path("lead-forms", views.index, name="index"),
    path("lead-forms/<int:pk>/switch", views.switch, name="switch"),
    path("forms/<str:token>", views.form, name="form"),
    path("forms/<str:token>/stamp", views.stamp, name="stamp"),
]
