"""Texts and numbers in templates: {% t "Customers" %}, {% say "{n} rows" n=3 %}, {{ value|figure:"money" }}.

`tools/words.py` finds the texts of `t` and `say` in templates as it finds those of `mark` and `say` in Python.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

import klientel
from klientel.show.figures import short, written
from klientel.words import Sentence, number, spoken, translate
from klientel.words import day as day_text
from klientel.words import say as sentence

register = template.Library()


def _lang(context: Any = None) -> str:
    return str((context or {}).get("lang") or (translation.get_language() or "en")[:2])


@register.simple_tag(takes_context=True)
def t(context: Any, text: str) -> str:
    """A text in the reader's language."""
    return translate(text, _lang(context))


@register.simple_tag(takes_context=True)
def say(context: Any, text: str, **values: Any) -> str:
    """A sentence with values in the reader's language."""
    return translate(sentence(text, **values), _lang(context))


@register.filter
def told(value: Any) -> str:
    """A marked text or sentence (or a list of words) in the reader's language; plain text as it is."""
    if isinstance(value, Sentence):
        return translate(value, _lang())
    return spoken(value, _lang())


@register.filter
def figure(value: Any, unit: str = "number") -> str:
    """A value in full, by its unit: money (with the workspace's currency), share, count, days, date, ..."""
    from klientel.web.pages.shell import currency

    return written(value, unit, _lang(), currency() if unit == "money" else None)  # type: ignore[arg-type]


@register.filter
def brief(value: Any, unit: str = "number") -> str:
    """A value in few letters: 1.2 m €, 12 %."""
    from klientel.web.pages.shell import currency

    return short(value, unit, _lang(), currency() if unit == "money" else None)  # type: ignore[arg-type]


@register.filter
def known_number(value: Any) -> str:
    """The number of a record; "" where it has none of its own."""
    from klientel.web.records.numbers import own

    return own(value)


@register.filter
def count(value: Any) -> str:
    """A whole number, grouped."""
    return number(value, _lang(), 0)


@register.filter
def amount(value: Any) -> str:
    """Money without its currency, with two decimals."""
    return number(value, _lang(), 2)


@register.filter
def day(value: Any) -> str:
    """A date, as the reader writes dates."""
    return day_text(timezone.localtime(value).date() if isinstance(value, datetime) else value, _lang())


@register.filter
def moment(value: datetime | None) -> str:
    """Date and time of day."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return f"{day_text(local.date(), _lang())} {local:%H:%M}"


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file, with the version."""
    return f"{static(path)}?v={klientel.__version__}"


@register.simple_tag(takes_context=True)
def query(context: Any, **changed: Any) -> SafeString:
    """The query of this page with some values changed ("" takes one away): {% query page=2 %}."""
    held = context["request"].GET.copy()
    for name, value in changed.items():
        if value in ("", None):
            held.pop(name, None)
        else:
            held[name] = value
    return mark_safe("?" + conditional_escape(held.urlencode()))  # noqa: S308 # escaped here
