"""The addresses of the pages; each room of `pages` keeps its own."""

from __future__ import annotations

from django.urls import include, path

from klientel.web.pages import start
from klientel.web.pages.style import theme

urlpatterns = [
    path("", start.home, name="home"),
    path("home/<slug:name>", start.part, name="home-part"),
    path("theme.css", theme, name="theme"),
    path("api/v1/", include("klientel.web.api.urls")),
    path("", include("klientel.web.pages.people.urls")),
    path("", include("klientel.web.pages.customers.urls")),
    path("", include("klientel.web.pages.analyses.urls")),
    path("", include("klientel.web.pages.intake.urls")),
    path("", include("klientel.web.pages.jobs.urls")),
    path("", include("klientel.web.pages.inbound.urls")),
    path("", include("klientel.web.pages.records.urls")),
]
handler400 = "klientel.web.pages.refusals.unreadable"
handler403 = "klientel.web.pages.refusals.forbidden"
handler404 = "klientel.web.pages.refusals.not_found"
handler500 = "klientel.web.pages.refusals.broken"
