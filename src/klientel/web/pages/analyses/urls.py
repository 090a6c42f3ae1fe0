"""Addresses."""

from __future__ import annotations

from django.urls import path

from klientel.web.pages.analyses import downloads, index, lists, segments, show

app_name = "analyses"
urlpatterns = [
    path("analyses", index.index, name="index"),
    path("analyses/<slug:name>", show.show, name="show"),
    path("analyses/<slug:name>/answer", show.answer, name="answer"),
    path("analyses/<slug:name>/table", show.table, name="table"),
    path("analyses/<slug:name>/card", index.card, name="card"),
    path("analyses/<slug:name>/download", downloads.download, name="download"),
    path("analyses/<slug:name>/customers", lists.customers, name="customers"),
    path("segments", segments.values, name="segments"),
    path("report", downloads.report, name="report"),
    path("report/file", downloads.report_file, name="report-file"),
]
