"""What requests carry before anybody looks at it: files, NUL, too much, forged forms; and what the log gets."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile


def strict(*, language: str = "de", **options: Any) -> Any:
    """A stranger's browser that speaks German; CSRF is checked as on a server."""
    from django.test import Client

    return Client(
        enforce_csrf_checks=True, headers={"host": "localhost", "accept-language": language}, **options
    )


@pytest.fixture
def form(sign_in: Any) -> Any:
    from klientel.web.inbound.models import LeadForm

    sign_in().post("/lead-forms", {"name": "Anfrage"})
    return LeadForm.objects.get()


def test_a_fault_is_in_the_log_with_its_trace(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from klientel.web.pages.people import entry

    def broken(*_: Any) -> Any:
        raise RuntimeError("the bolt is loose")

    assert (
        strict().get("/sign-in").status_code == 200
    )  # the first request of a workspace sets the log up, too
    monkeypatch.setattr(entry.provider, "client", broken)
    (handler,) = (h for h in logging.getLogger("django").handlers if type(h) is logging.StreamHandler)
    assert not handler.filters
    written = io.StringIO()
    before = handler.setStream(written)
    try:
        client = strict(raise_request_exception=False)
        answer = client.get("/sign-in")
        client.get("/nothing-here")
        client.get("/sign-in", headers={"host": "scanner.example"})
    finally:
        handler.setStream(before)
    assert answer.status_code == 500
    assert "Protokoll des Servers" in answer.content.decode()
    assert "nichts geändert" not in answer.content.decode()
    told = written.getvalue()
    assert "RuntimeError: the bolt is loose" in told
    assert "/sign-in" in told
    assert "scanner" not in told
    assert "nothing-here" not in told


@pytest.mark.parametrize("place", ["/sign-in", "/sign-in/forgotten", "/sign-out", "/language", "form"])
def test_strangers_send_no_files(
    served: Any, form: Any, place: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    kept = tmp_path / "temporary"
    kept.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(kept))
    path = f"/forms/{form.token}" if place == "form" else place
    file = SimpleUploadedFile("large.bin", b"x" * 60_000)
    answer = strict().post(path, {"name": "anna", "file": file})
    assert answer.status_code == 413
    assert "mehr, als eine Anfrage tragen darf" in answer.content.decode()
    assert list(kept.iterdir()) == []


def test_a_form_that_is_too_large_is_not_read(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.http import HttpRequest

    read: list[int] = []
    load = HttpRequest._load_post_and_files
    monkeypatch.setattr(HttpRequest, "_load_post_and_files", lambda self: (read.append(1), load(self))[1])
    large = {"name": "Eva", "message": "x" * 70_000}
    answer = strict().post(f"/forms/{form.token}", large, headers={"Origin": "http://localhost"})
    assert answer.status_code == 413
    assert "mehr, als eine Anfrage tragen darf" in answer.content.decode()
    assert read == []
    odd = strict().post(f"/forms/{form.token}", {"name": "Eva"}, CONTENT_LENGTH="many")
    assert odd.status_code in (400, 403)


def test_a_forged_form_and_too_much_are_told_in_our_words(served: Any) -> None:
    forged = strict().post("/sign-in", {"name": "anna", "password": "x"})
    assert forged.status_code == 403
    assert "Nicht erlaubt" in forged.content.decode()
    fields = strict().post("/sign-in", {f"a{i}": "" for i in range(5001)})
    large = strict().post("/sign-in", {"name": "x" * (6 * 2**20)}, "application/x-www-form-urlencoded")
    assert [a.status_code for a in (fields, large)] == [413, 413]
    for answer in (fields, large):
        assert "Zu groß" in answer.content.decode()
    other = strict().get("/sign-in", headers={"host": "klientel.lan"})
    assert other.status_code == 400
    assert "KLIENTEL_HOSTS" in other.content.decode()
    for answer in (forged, fields, large, other):
        text = answer.content.decode()
        assert '<html lang="de"' in text
        assert "Forbidden" not in text


@pytest.mark.parametrize(
    "path", ["/sign-in?next=/%00", "/invitation/a%00b", "/?%00=1", "/api/v1/companies?q=%00"]
)
def test_nul_in_an_address_is_refused(sign_in: Any, path: str) -> None:
    for client in (sign_in(None), sign_in()):
        answer = client.get(path)
        assert answer.status_code == 400, answer
        assert ("json" in answer["Content-Type"]) == path.startswith("/api/")


def test_nul_in_forms_and_cookies_is_refused(sign_in: Any, form: Any) -> None:
    from klientel.web.accounts.models import Attempts

    client = sign_in(None)
    assert client.post("/sign-in", {"name": "an\0na", "password": "x"}).status_code == 400
    assert client.post("/sign-in/forgotten", {"name\0": "anna"}).status_code == 400
    assert not Attempts.objects.exists()
    assert sign_in().post("/lead-forms", {"name": "a\0b"}).status_code == 400
    client.cookies["sessionid"] = "abcdefgh\0ijkl"
    assert client.get("/sign-in").status_code == 400
