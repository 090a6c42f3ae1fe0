"""The way of a file into the workspace: dropped, looked at, corrected, tried, imported, undone."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

TWO_COLUMNS = "customer;amount\n" + "".join(f"Firm {i};{1000 - i},50\n" for i in range(40))
LINES = "Kundennr;Kunde;Belegnr;Datum;Artikel;Menge;Netto;Vermerk\n" + "".join(
    f"K{i % 7};Firma {i % 7} GmbH;B{i};{i % 27 + 1:02d}.03.2025;A{i % 5};{i % 4 + 1};{100 + i},50;Notiz {i}\n"
    for i in range(60)
)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done inside the request."""
    from django.conf import settings

    monkeypatch.setattr(settings, "JOBS_AT_ONCE", True)


@pytest.fixture
def boss(sign_in: Callable[..., Any], at_once: None) -> Any:
    """An administrator's browser."""
    return sign_in()


def send(client: Any, *files: tuple[str, bytes | str]) -> Any:
    """Upload files; the answer."""
    made = [SimpleUploadedFile(n, c.encode() if isinstance(c, str) else c) for n, c in files]
    return client.post("/imports/new/upload", {"files": made})


def put(client: Any, *files: tuple[str, bytes | str]) -> str:
    """Upload files; the address of the draft."""
    answer = send(client, *files)
    assert answer.status_code == 302, answer.content[:500]
    return str(answer["Location"])


def text(answer: Any) -> str:
    """The page as text, without what is only mark-up."""
    content = answer.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content))


def choose(client: Any, draft: str, value: str, sheet: int = 0, column: int | None = None) -> Any:
    """Say what a column is, as the select does."""
    said = {"sheet": sheet, "value": value} | ({} if column is None else {"column": column})
    return client.post(f"{draft}/choose", said, headers={"HX-Request": "true"})


def test_two_columns_become_the_curve_in_two_clicks(boss: Any, served: Any) -> None:
    """First run: drop, import, the ABC page."""
    draft = put(boss, ("umsatz.csv", TWO_COLUMNS))
    page = boss.get(draft)
    assert page.status_code == 200
    assert "Import and see the customers" in text(page)
    done = boss.post(f"{draft}/commit")
    assert done.status_code == 302
    job = boss.get(done["Location"])
    assert job.status_code == 302
    assert job["Location"] == "/analyses/abc"
    from klientel.web.records.models import Company

    assert Company.objects.count() == 40
    assert not list((served.folder / "uploads").iterdir()), "files that are in are not kept twice"


def test_the_second_import_goes_to_its_own_page(boss: Any) -> None:
    first = put(boss, ("umsatz.csv", TWO_COLUMNS))
    boss.post(f"{first}/commit")
    draft = put(boss, ("mehr.csv", TWO_COLUMNS + "Firm 99;7,00\n"))
    done = boss.get(boss.post(f"{draft}/commit")["Location"])
    assert done["Location"] == "/imports/2"
    page = text(boss.get("/imports/2"))
    assert "mehr.csv" in page
    assert "Import 2" in page
    assert re.search(r"Lines 1 – 40", page), page


def test_what_a_column_is_taken_for_can_be_changed_on_the_rows(boss: Any) -> None:
    draft = put(boss, ("zeilen.csv", LINES))
    page = boss.get(draft).content.decode()
    assert "Firma 3 GmbH" in page
    assert '<option value="order_line.net_amount" selected>' in page
    changed = choose(boss, draft, "-", column=6).content.decode()
    assert (
        '<option value="order_line.net_amount" selected>'
        not in changed.split('id="c-0-6"')[1].split("</select>")[0]
    )
    assert "<html" not in changed, "only the tables are drawn anew"
    back = choose(boss, draft, "order_line.net_amount", column=6).content.decode()
    assert '<option value="order_line.net_amount" selected>' in back
    assert "as you said" in back


def test_a_table_can_be_said_to_hold_something_else_or_be_left_out(boss: Any) -> None:
    draft = put(boss, ("zeilen.csv", LINES), ("umsatz.csv", TWO_COLUMNS))
    told = choose(boss, draft, "-", sheet=1).content.decode()
    assert "left out as you said" in told
    told = choose(boss, draft, "lead", sheet=1).content.decode()
    assert '<option value="lead" selected>' in told
    assert boss.post(f"{draft}/choose", {"sheet": 9, "value": "-"}).status_code == 404
    assert choose(boss, draft, "order_line.nothing", column=1).status_code == 404
    assert choose(boss, draft, "auth_user", sheet=0).status_code == 404


def test_a_dry_run_counts_and_changes_nothing_and_gives_the_rejected_rows_back(boss: Any) -> None:
    from klientel.web.records.models import Company

    wrong = (
        LINES + "K1;Firma 1 GmbH;B99;31.02.2025;A1;1;12,00;=1+1\nK2;Firma 2 GmbH;B98;01.02.2025;A1;1;viel;x\n"
    )
    draft = put(boss, ("zeilen.csv", wrong))
    answer = boss.get(boss.post(f"{draft}/try", {"overwrite": ""})["Location"])
    assert answer["Location"] == f"{draft}/tried"
    page = boss.get(answer["Location"])
    said = text(page)
    assert "Nothing was changed yet" in said
    assert Company.objects.count() == 0
    assert re.search(r"Lines 60", said), said
    name = re.search(r'href="([^"]+rejected-1-zeilen\.csv)"', page.content.decode())
    assert name is not None
    file = b"".join(boss.get(name[1]).streaming_content).decode("utf-8-sig")
    assert "klientel_reason" in file
    assert "'=1+1" in file, "no cell is a formula"
    assert len(file.strip().splitlines()) == 3
    corrected = file.replace("31.02.2025", "28.02.2025").replace("viel", "13,00")
    again = put(boss, ("corrected.csv", corrected))
    boss.post(f"{draft}/commit")
    boss.post(f"{again}/commit")
    from klientel.web.books import open_book
    from klientel.web.pages import shell

    lines = open_book(shell.workspace()).tables["lines"]
    assert lines.count().to_pyarrow().as_py() == 62


def test_a_changed_mapping_makes_the_dry_run_old(boss: Any) -> None:
    draft = put(boss, ("zeilen.csv", LINES))
    boss.post(f"{draft}/try")
    assert boss.get(f"{draft}/tried").status_code == 200
    choose(boss, draft, "-", column=7)
    assert boss.get(f"{draft}/tried")["Location"] == draft


def test_a_mapping_is_saved_and_used_again(boss: Any) -> None:
    draft = put(boss, ("zeilen.csv", LINES.replace("Netto", "Wert A")))
    choose(boss, draft, "order_line.net_amount", column=6)
    choose(boss, draft, "-", column=7)
    assert boss.post(f"{draft}/template", {"what": "save", "name": "Unser ERP"}).status_code == 302
    other = put(boss, ("april.csv", LINES.replace("Netto", "Wert A").replace("2025", "2024")))
    assert "Unser ERP" in text(boss.get(other))
    boss.post(f"{other}/template", {"what": "use", "name": "Unser ERP"})
    page = boss.get(other).content.decode()
    assert (
        '<option value="order_line.net_amount" selected>' in page.split('id="c-0-6"')[1].split("</select>")[0]
    )
    boss.post(f"{other}/commit")
    from klientel.web.imports.models import Import

    run = Import.objects.get()
    assert run.state == "done"
    assert run.options["template"] == "Unser ERP"
    assert run.counts["tables"]["lines"]["create"] == 60
    assert boss.post(f"{draft}/template", {"what": "save", "name": " "}).status_code == 400


def test_a_saved_mapping_is_deleted(boss: Any) -> None:
    draft = put(boss, ("zeilen.csv", LINES))
    for name in ("ERP", "Shop"):
        boss.post(f"{draft}/template", {"what": "save", "name": name})
    boss.post(f"{draft}/template", {"what": "use", "name": "ERP"})
    page = boss.get(draft).content.decode()
    assert 'name="what" value="remove"' in page
    assert '<option value="ERP" selected>' in page
    boss.post(f"{draft}/template", {"what": "remove", "name": "ERP"})
    page = boss.get(draft).content.decode()
    assert "The saved mapping ERP is deleted." in page
    assert '<option value="ERP"' not in page
    assert '<option value="Shop">' in page
    boss.post(f"{draft}/template", {"what": "remove", "name": "ERP"})
    assert "is deleted" not in boss.get(draft).content.decode()


def test_the_check_says_what_klientel_check_says(boss: Any) -> None:
    draft = put(boss, ("zeilen.csv", LINES))
    boss.get(draft)
    told = text(boss.get(f"{draft}/check", headers={"HX-Request": "true"}))
    assert "Order lines 60 rows taken" in told
    assert "Analyses that can be answered" in told
    assert "ABC" in told


def test_undo_is_looked_at_first_and_then_done(boss: Any) -> None:
    from klientel.web.records.models import Company

    draft = put(boss, ("zeilen.csv", LINES))
    boss.post(f"{draft}/commit")
    firm = Company.objects.get(number="K3")
    from klientel.web.records import services

    services.edit(firm, {"city": "Ulm"}, actor=boss.user, at=datetime.now(UTC))
    look = text(boss.get("/imports/1/undo"))
    assert "Firma 3 GmbH" in look
    assert "boss" in look
    assert Company.objects.count() == 7
    done = boss.get(boss.post("/imports/1/undo")["Location"])
    assert done["Location"] == "/imports/1"
    page = text(boss.get("/imports/1"))
    assert "undone" in page
    assert "1 records or lines were left alone" in page
    assert Company.objects.count() == 1
    assert "undone already" in text(boss.get("/imports/1/undo"))


def test_files_are_left_out_added_and_given_up(boss: Any, served: Any) -> None:
    draft = put(boss, ("a.csv", TWO_COLUMNS), ("b.csv", LINES))
    assert "b.csv" in text(boss.get(draft))
    boss.post(f"{draft}/leave-out", {"name": "b.csv"})
    assert "b.csv" not in text(boss.get(draft))
    boss.post(f"{draft}/upload", {"files": [SimpleUploadedFile("c.csv", LINES.encode())]})
    assert "c.csv" in text(boss.get(draft))
    boss.post(f"{draft}/drop")
    assert boss.get(draft).status_code == 404
    assert not list((served.folder / "uploads").iterdir())


def test_a_zip_is_opened(boss: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/zeilen.csv", LINES)
        archive.writestr("export/liesmich.png", b"\x89PNG")
    draft = put(boss, ("export.zip", packed.getvalue()))
    assert "export.zip/export/zeilen.csv" in text(boss.get(draft))
    boss.post(f"{draft}/commit")
    from klientel.web.records.models import Company

    assert Company.objects.count() == 7


def test_a_workbook_with_titles_above_the_table(boss: Any, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    sheet.append(["Umsatzliste 2025"])
    sheet.append([])
    sheet.append(["Kunde", "Datum", "Umsatz"])
    for i in range(20):
        sheet.append([f"Firma {i}", f"2025-03-{i + 1:02d}", 100 + i])
    book.save(tmp_path / "liste.xlsx")
    draft = put(boss, ("liste.xlsx", (tmp_path / "liste.xlsx").read_bytes()))
    page = boss.get(draft).content.decode()
    assert '<option value="order_line.customer_name" selected>' in page
    assert "Firma 0" in page


def test_umlauts_of_windows_and_semicolons(boss: Any) -> None:
    draft = put(
        boss, ("kunden.csv", "Kunde;Umsatz\nMüller GmbH;1.234,50\nGröße & Söhne;99,00\n".encode("cp1252"))
    )
    assert "Größe &amp; Söhne" in boss.get(draft).content.decode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("foto.png", b"\x89PNG\r\n\x1a\n" + bytes(200), "a picture"),
        ("leer.csv", b"", "empty"),
        ("kaputt.zip", b"PK\x03\x04" + bytes(50), "damaged"),
    ],
)
def test_what_is_no_table_is_said_and_can_be_taken_away(
    boss: Any, name: str, content: bytes, said: str
) -> None:
    draft = put(boss, (name, content))
    page = boss.get(draft)
    assert page.status_code == 200
    assert said in text(page)
    assert f"Take {name} away" in page.content.decode()
    failed = boss.get(boss.post(f"{draft}/commit")["Location"])
    assert said in text(failed)
    assert "Back to where it was started" in text(failed)


def test_a_zip_bomb_is_refused(boss: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nullen.csv", b"0" * 80 * 2**20)
    draft = put(boss, ("bombe.zip", packed.getvalue()))
    assert "far more than its size" in text(boss.get(draft, follow=True))


def test_names_of_files_are_not_trusted(boss: Any, served: Any) -> None:
    from klientel.web.imports import drafts

    names = [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "a\x00b.csv",
        "=cmd|x.csv",
        ".htaccess",
        "ü" * 300 + ".csv",
        "<b>x</b>.csv",
    ]
    taken: list[str] = []
    for name in names:
        taken.append(drafts.harmless(name, taken))
    assert all("/" not in n and "\\" not in n and not n.startswith(".") and "\x00" not in n for n in taken)
    assert all(len(n.encode()) < 256 for n in taken)
    draft = put(
        boss, ("../../../evil<script>.csv", TWO_COLUMNS), ("evil.csv", TWO_COLUMNS), ("evil.csv", LINES)
    )
    page = boss.get(draft).content.decode()
    assert "<script>.csv" not in page
    (place,) = (served.folder / "uploads").iterdir()
    files = sorted(p.name for p in (place / "files").iterdir())
    assert files == ["evil (2).csv", "evil.csv", "evil_script_.csv"]
    assert all((p.stat().st_mode & 0o777) == 0o600 for p in (place / "files").iterdir())


def test_too_much_is_refused_while_it_comes(boss: Any, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "UPLOAD_LIMIT", 1000)
    answer = send(boss, ("gross.csv", TWO_COLUMNS * 3))
    assert answer["Location"] == "/imports/new"
    assert "larger than" in text(boss.get("/imports/new"))
    assert not list((served.folder / "uploads").iterdir())


def test_no_token_no_upload(sign_in: Callable[..., Any], served: Any) -> None:
    """The files of a forged form are not kept."""
    from django.test import Client

    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(sign_in().user)
    answer = client.post("/imports/new/upload", {"files": [SimpleUploadedFile("a.csv", b"a;b\n1;2\n")]})
    assert answer.status_code == 403
    assert not list((served.folder / "uploads").iterdir())


def test_only_who_may_change_everything_imports(sign_in: Callable[..., Any], at_once: None) -> None:
    boss, seller, director = sign_in(), sign_in("anna", "sales"), sign_in("dora", "reader")
    draft = put(boss, ("umsatz.csv", TWO_COLUMNS))
    boss.post(f"{draft}/commit")
    mine = put(boss, ("mehr.csv", LINES))
    for address in ("/imports/new", mine, f"{mine}/check", f"{mine}/tried", "/backups"):
        assert seller.get(address).status_code == 403, address
        assert director.get(address).status_code == 403, address
    for address in (
        "/imports/new/upload",
        f"{mine}/commit",
        f"{mine}/choose",
        f"{mine}/drop",
        "/imports/1/undo",
        "/backups",
    ):
        assert seller.post(address).status_code == 403, address
        assert director.post(address).status_code == 403, address
    assert seller.get("/imports").status_code == 403
    assert director.get("/imports").status_code == 200
    assert "New import" not in text(director.get("/imports"))
    other = sign_in("otto", "administrator")
    assert other.get(mine).status_code == 404, "a draft is its uploader's"


def test_abandoned_uploads_go_after_a_day(boss: Any, served: Any) -> None:
    from datetime import UTC, datetime, timedelta

    from klientel.web.imports import drafts

    put(boss, ("umsatz.csv", TWO_COLUMNS))
    assert drafts.tidy(served, datetime.now(UTC)) == 0
    assert drafts.tidy(served, datetime.now(UTC) + timedelta(days=2)) == 1


def test_pages_ask_the_database_a_bounded_number_of_times(boss: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for i in range(6):
        draft = put(boss, (f"datei{i}.csv", TWO_COLUMNS + f"Extra {i};5,00\n"))
        boss.post(f"{draft}/commit")
    for address in ("/imports", "/imports/3", "/jobs", "/jobs/2", "/imports/new"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert boss.get(address).status_code == 200
        assert len(asked) <= 16, (address, [q["sql"][:90] for q in asked.captured_queries])


def test_backups_are_made_and_downloaded(boss: Any) -> None:
    draft = put(boss, ("umsatz.csv", TWO_COLUMNS))
    boss.post(f"{draft}/commit")
    done = boss.get(boss.post("/backups")["Location"])
    assert done["Location"] == "/backups"
    page = boss.get("/backups").content.decode()
    name = re.search(r'href="(/backups/[^"]+)"', page)
    assert name is not None
    archive = zipfile.ZipFile(io.BytesIO(b"".join(boss.get(name[1]).streaming_content)))
    assert "klientel-backup.json" in archive.namelist()
    assert boss.get("/backups/..%2Frecords.sqlite3").status_code == 404


def test_the_way_in_german(sign_in: Callable[..., Any], at_once: None) -> None:
    client = sign_in("berta", language="de")
    draft = put(client, ("umsatz.csv", TWO_COLUMNS))
    for address in ("/imports", "/imports/new", draft, f"{draft}/check", "/jobs", "/backups"):
        page = text(client.get(address))
        assert not re.search(r"\b(the|rows|files|sure|Drop)\b", page), (address, page)
