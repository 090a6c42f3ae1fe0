"""Drafts that several change or read at once: nothing is lost, and what is read is what lies there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import portfolio as p
import pytest

from klientel.errors import BadFile

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
TEXT = b"customer;amount\nA;1\nB;2\n"


@pytest.fixture
def draft(home: Any) -> Any:
    """A draft with one file."""
    from klientel.web.accounts import services
    from klientel.web.imports import drafts

    made = drafts.new(home, services.add_user(None, "boss", NOW, role="administrator"))
    add(made, "a.csv")
    return made


def add(draft: Any, name: str, content: bytes = TEXT) -> None:
    from klientel.web.imports.receiving import Incoming

    with Incoming(draft, name) as target:
        target.write(content)


def other(draft: Any) -> Any:
    """The draft as another request has it."""
    from klientel.web.imports import drafts

    found = drafts.read(draft.folder)
    assert found is not None
    return found


def lying(draft: Any) -> list[str]:
    return sorted(path.name for path in (draft.folder / "files").iterdir())


def test_files_that_come_at_once_are_all_kept(draft: Any) -> None:
    from klientel.web.imports.receiving import Incoming

    first, second = other(draft), other(draft)
    with Incoming(first, "b.csv") as one, Incoming(second, "b.csv") as two:
        one.write(TEXT)
        two.write(TEXT)
    assert other(draft).files == ["a.csv", "b.csv", "b (2).csv"]
    assert lying(draft) == ["a.csv", "b (2).csv", "b.csv"]


def test_files_that_are_too_large_together_are_not(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from klientel.web.imports.receiving import Incoming, TooLarge

    monkeypatch.setattr(settings, "UPLOAD_LIMIT", 2 * len(TEXT))
    first, second = other(draft), other(draft)
    coming = Incoming(first, "b.csv")
    coming.write(TEXT)  # there is room when it comes
    add(second, "c.csv")
    with pytest.raises(TooLarge):
        coming.keep()
    assert other(draft).files == ["a.csv", "c.csv"]
    assert lying(draft) == ["a.csv", "c.csv"]


def test_a_file_that_does_not_come_whole_is_none(draft: Any) -> None:
    from klientel.web.imports.receiving import Incoming

    def interrupted() -> None:
        with Incoming(draft, "b.csv") as target:
            target.write(TEXT)
            assert other(draft).files == ["a.csv"]
            raise ConnectionError

    with pytest.raises(ConnectionError):
        interrupted()
    assert lying(draft) == ["a.csv"]


def test_nothing_comes_into_a_draft_that_is_gone(draft: Any) -> None:
    from klientel.web.imports import drafts, looking
    from klientel.web.imports.receiving import changing

    drafts.drop(draft)
    with pytest.raises(BadFile, match="are gone"), changing(draft):
        raise AssertionError
    with pytest.raises(BadFile, match="are gone"):
        looking.read(draft, p.silent)


def test_what_is_read_while_a_file_comes_is_read_anew(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from klientel.web.imports import looking

    read, reads = looking.read_sources, []

    def slowly(sources: list[str], *args: Any) -> Any:
        reads.append(len(sources))
        found = read(sources, *args)
        if len(reads) == 1:
            add(other(draft), "b.csv", b"customer;city\nA;Ulm\n")
        return found

    monkeypatch.setattr(looking, "read_sources", slowly)
    assert sorted(raw.file for raw in looking.read(draft, p.silent)) == ["a.csv", "b.csv"]
    assert reads == [1, 2]
    assert looking.read(other(draft), p.silent)
    assert reads == [1, 2], "it is read once"


def test_two_may_read_at_once(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from klientel.web.imports import looking

    read, begun = looking.read_sources, []

    def both(sources: list[str], *args: Any) -> Any:
        begun.append(sources)
        if len(begun) == 1:
            looking.read(other(draft), p.silent)
        return read(sources, *args)

    monkeypatch.setattr(looking, "read_sources", both)
    (raw,) = looking.read(draft, p.silent)
    assert all(place.is_file() for place in raw.source)
    assert not list(draft.folder.glob("stage-*"))


def test_kept_conflicts_name_no_person_to_whom_may_not_see_them(home: Any) -> None:
    from klientel.web.accounts import services
    from klientel.web.imports.listing import listed
    from klientel.web.imports.models import Import

    kept = [
        {"model": "Contact", "id": 1, "number": "P9", "name": "Anders", "why": "changed", "by": ""},
        {"model": "Company", "id": 1, "number": "C9", "name": "Acme", "why": "changed", "by": ""},
        {"model": "lines", "rows": 3, "why": "changed"},
    ]
    Import.objects.create(at=NOW, state="undone", conflicts=kept)
    reader = services.add_user(None, "rita", NOW, grants={"read": "all"})
    all_seen = services.add_user(None, "otto", NOW, grants={"read": "all", "personal": "all"})
    assert listed(all_seen)[0]["conflicts"] == kept
    assert listed(reader)[0]["conflicts"] == [{**kept[0], "name": "P9"}, *kept[1:]]
