"""The palette: records, pages and analyses found while somebody types."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse

from klientel.web.pages import shell
from klientel.web.pages.navigation import places
from klientel.web.records import finding
from klientel.web.records.fields import fold
from klientel.words import LANGUAGES, mark, translate

PLACES, ANALYSES = 6, 8


def search(request: Any) -> Any:
    """What fits the words: pages, records by kind, analyses; each group with a heading."""
    words = request.GET.get("q", "").strip()[:100].replace("\0", "")
    groups = [_pages(request, words), *_records(request, words), _analyses(request, words)]
    shown = [g for g in groups if g["hits"]]
    n = 0
    for group in shown:
        for hit in group["hits"]:
            n += 1
            hit["id"] = f"found-{n}"
    return shell.page(request, "records/palette.html", {"groups": shown, "words": words, "n": n})


def _fits(words: str, *texts: str) -> bool:
    held = fold(" ".join(texts))
    return all(fold(word) in held for word in words.split())


def _begins(words: str, text: str) -> bool:
    return any(part.startswith(fold(words)) for part in (fold(text), *fold(text).split()))


def _pages(request: Any, words: str) -> dict[str, Any]:
    hits = [
        {
            "title": translate(place.title, request.lang),
            "url": url,
            "icon": place.icon,
            "detail": translate(room, request.lang),
        }
        for room, place, url in places(shell.reach(request))
        if _fits(words, *(translate(place.title, lang) for lang in LANGUAGES))
    ]
    hits.sort(key=lambda h: not _begins(words, h["title"]))
    return {"title": mark("Pages"), "hits": hits if not words else hits[:PLACES]}


def _records(request: Any, words: str) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for hit in finding.everywhere(words, actor=shell.reach(request)):
        group = groups.setdefault(hit.kind.slug, {"title": hit.kind.title, "hits": []})
        group["hits"].append(
            {
                "title": translate(hit.name, request.lang),
                "url": _address(hit),
                "icon": hit.kind.icon,
                "detail": hit.detail if hit.detail != hit.name else "",
            }
        )
    return list(groups.values())


def _address(hit: finding.Found) -> str:
    if hit.kind.slug == "companies":
        try:
            return reverse("customers:show", args=[hit.id])
        except NoReverseMatch:
            pass
    return reverse("records:show", args=[hit.kind.slug, hit.id])


def _analyses(request: Any, words: str) -> dict[str, Any]:
    """Analyses by name and by title in both languages."""
    from klientel.analyses import ANALYSES as KNOWN

    hits = []
    if words:
        for name, analysis in KNOWN.items():
            titles = [translate(analysis.title, lang) for lang in LANGUAGES]
            if not _fits(words, name.replace("_", " "), name, *titles):
                continue
            try:
                url = reverse("analyses:show", args=[name])
            except NoReverseMatch:
                continue
            title = translate(analysis.title, request.lang)
            hits.append(
                {
                    "title": title,
                    "url": url,
                    "icon": "chart-bar",
                    "detail": "",
                    "first": _begins(words, title) or name == words,
                }
            )
    hits.sort(key=lambda h: (not h["first"], h["title"]))
    return {"title": mark("Analyses"), "hits": hits[:ANALYSES]}
