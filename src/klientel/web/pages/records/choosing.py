"""What the inputs of forms offer while somebody types: records, and texts that are used already."""

from __future__ import annotations

from typing import Any

from klientel.web.pages import shell
from klientel.web.records import finding, listing
from klientel.web.records.catalog import Kind, all_columns
from klientel.words import translate


def choose(request: Any, kind: Kind) -> Any:
    """Records of a kind that fit what is typed, as options."""
    text = next((v for n, v in request.GET.items() if n == "q" or n.endswith(".text")), "")[:100]
    hits = finding.find(kind, text.replace("\0", ""), actor=shell.reach(request), limit=8)
    found = [{"id": h.id, "name": translate(h.name, request.lang), "detail": h.detail} for h in hits]
    return shell.page(request, "records/options.html", {"found": found, "slug": kind.slug})


def suggest(request: Any, kind: Kind) -> Any:
    """The texts that a column has already."""
    column = all_columns(kind.model).get(request.GET.get("column", ""))
    texts: list[Any] = []
    if column is not None and column.name in kind.picks:
        texts = [v for v, _ in listing.choices(kind, column, actor=shell.reach(request))]
    return shell.page(request, "records/suggestions.html", {"texts": texts})
