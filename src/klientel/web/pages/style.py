"""The colours of the theme as a style sheet: the same as in charts and report, light and dark."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse

from klientel.show.theme import CODE_FONTS, TEXT_FONTS, css_variables, dark_rules


@cache
def _sheet() -> str:
    dark = f"{css_variables('dark')}color-scheme:dark;"
    return (
        f":root{{color-scheme:light;--text:{TEXT_FONTS};--code:{CODE_FONTS};{css_variables('light')}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-mode=light]){{{dark}}}"
        f"{dark_rules(':root:not([data-mode=light]) figure')}}}\n"
        f"@media screen{{:root[data-mode=dark]{{{dark}}}{dark_rules(':root[data-mode=dark] figure')}}}\n"
    )


@login_not_required
def theme(request: Any) -> HttpResponse:
    """The style sheet; its address carries the version, so browsers keep it."""
    return HttpResponse(
        _sheet(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "public, max-age=604800"}
    )
