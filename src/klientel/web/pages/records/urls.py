"""Addresses of the records."""

from __future__ import annotations

from typing import Any

from django.urls import path, register_converter

from klientel.web.pages.records import (
    choosing,
    consent,
    folios,
    leads,
    lists,
    many,
    pairs,
    palette,
    single,
    stages,
    tasks,
    views,
)
from klientel.web.pages.records.kinds import KindConverter

register_converter(KindConverter, "kind")
register_converter(folios.FolioConverter, "folios")

app_name = "records"
urlpatterns: list[Any] = [
    path("search", palette.search, name="search"),
    path("undo/<slug:act>", many.undo, name="undo"),
    path("deals/board", stages.board, name="board"),
    path("deals/<int:pk>/move", stages.move, name="deal-move"),
    path("deals/<int:pk>/close", stages.close, name="deal-close"),
    path("deals/<int:pk>/reopen", stages.reopen, name="deal-reopen"),
    path("leads/<int:pk>/qualify", leads.qualify, name="lead-qualify"),
    path("leads/<int:pk>/convert", leads.convert, name="lead-convert"),
    path("tasks/mine", tasks.mine, name="my-tasks"),
    path("tasks/<int:pk>/tick", tasks.tick, name="task-tick"),
    path("contacts/<int:pk>/consent", consent.record, name="consent"),
    path("duplicates", pairs.index, name="duplicates"),
    path("duplicates/<kind:kind>/<int:first>-<int:second>", pairs.pair, name="pair"),
    path("duplicates/<kind:kind>/<int:first>-<int:second>/merge", pairs.merge, name="pair-merge"),
    path("duplicates/<kind:kind>/<int:first>-<int:second>/dismiss", pairs.dismiss, name="pair-dismiss"),
    path("duplicates/<kind:kind>/<int:pk>/unmerge", pairs.unmerge, name="unmerge"),
    path("<folios:kind>", folios.index, name="list"),
    path("<folios:kind>/add", folios.add, name="add"),
    path("<folios:kind>/<int:pk>", folios.show, name="show"),
    path("portfolios/<int:pk>/name", folios.rename, name="folio-rename"),
    path("portfolios/<int:pk>/rule", folios.rule, name="folio-rule"),
    path("portfolios/<int:pk>/members", folios.put_in, name="folio-put-in"),
    path("portfolios/<int:pk>/members/<int:membership>/end", folios.take_out, name="folio-take-out"),
    path("<kind:kind>", lists.index, name="list"),
    path("<kind:kind>/filters", lists.filters, name="filters"),
    path("<kind:kind>/columns", lists.choose_columns, name="columns"),
    path("<kind:kind>/export", lists.export, name="export"),
    path("<kind:kind>/many", many.many, name="many"),
    path("<kind:kind>/many/value", many.bulk_form, name="many-value"),
    path("<kind:kind>/views", views.save, name="view-save"),
    path("<kind:kind>/views/<int:pk>", views.alter, name="view"),
    path("<kind:kind>/choose", choosing.choose, name="choose"),
    path("<kind:kind>/suggest", choosing.suggest, name="suggest"),
    path("<kind:kind>/add", single.add, name="add"),
    path("<kind:kind>/<int:pk>", single.show, name="show"),
    path("<kind:kind>/<int:pk>/edit", single.edit, name="edit"),
    path("<kind:kind>/<int:pk>/delete", single.remove, name="delete"),
    path("<kind:kind>/<int:pk>/restore", single.restore, name="restore"),
    path("<kind:kind>/<int:pk>/history", single.history, name="history"),
]
