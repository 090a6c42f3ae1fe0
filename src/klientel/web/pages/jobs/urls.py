"""Addresses."""

from __future__ import annotations

from django.urls import path

from klientel.web.pages.jobs import views

app_name = "jobs"
urlpatterns = [
    path("jobs", views.index, name="index"),
    path("jobs/<int:number>", views.show, name="show"),
    path("jobs/<int:number>/cancel", views.cancel, name="cancel"),
]
