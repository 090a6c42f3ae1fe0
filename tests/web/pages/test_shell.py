"""What every page has: a signed-in person, headers, both languages, a sentence where something is refused."""

from __future__ import annotations

from typing import Any

import pytest


def test_strangers_are_sent_to_the_door(sign_in: Any) -> None:
    """No page answers without a person."""
    answer = sign_in(None).get("/nothing-there")
    assert answer.status_code in (302, 404)


@pytest.mark.parametrize(("language", "word"), [("en", "My portfolio today"), ("de", "Mein Portfolio heute")])
def test_a_page_speaks_the_language_of_the_person(sign_in: Any, language: str, word: str) -> None:
    """The user's language decides, not the browser's."""
    answer = sign_in("anna", language=language).get("/", headers={"accept-language": "fr"})
    assert word in answer.content.decode()
    assert answer.headers["Content-Language"] == language


def test_headers_forbid_what_does_not_come_from_here(sign_in: Any) -> None:
    """The policy has no exception: no inline script, no inline style, no other host."""
    answer = sign_in().get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    text = answer.content.decode()
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick" not in text


def test_what_is_not_there_is_said_in_a_sentence(sign_in: Any) -> None:
    """404 is a page of ours."""
    answer = sign_in("berta", language="de").get("/gibt-es-nicht")
    assert answer.status_code == 404
    assert "Hier ist nichts" in answer.content.decode()


def test_the_theme_names_light_and_dark(sign_in: Any) -> None:
    """The style sheet can be had before signing in."""
    sheet = sign_in(None).get("/theme.css").content.decode()
    assert "--paper:#ffffff" in sheet
    assert "data-mode=dark" in sheet
