"""Addresses."""

from __future__ import annotations

from django.urls import path

from klientel.web.pages.customers import show

app_name = "customers"
urlpatterns = [
    path("customers/<int:pk>", show.show, name="show"),
    path("customers/<int:pk>/figures", show.figures, name="figures"),
    path("customers/<int:pk>/course", show.course, name="course"),
    path("customers/<int:pk>/timeline", show.happened, name="timeline"),
]
