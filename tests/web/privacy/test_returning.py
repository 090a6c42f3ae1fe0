"""Who was erased does not come back: with the same file, with one that says less, by reference, out of a backup."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from klientel.errors import BadParameter

AT = datetime(2025, 2, 1, tzinfo=UTC)
CUSTOMERS = [{"Customer No": "C1", "Customer": "Hirsch GmbH"}, {"Customer No": "C2", "Customer": "Adler AG"}]
PEOPLE = [
    {"Customer No": "C1", "First name": "Eulalia", "Last name": "Quandt", "E-mail": "e.quandt@example.com"},
    {"Customer No": "C1", "First name": "Bert", "Last name": "Bold", "E-mail": "bold@example.com"},
]


def file(folder: Path, name: str, rows: list[dict[str, Any]], without: tuple[str, ...] = ()) -> Path:
    kept = [{k: v for k, v in row.items() if k not in without} for row in rows]
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    return path


def bring(home: Any, *files: Path) -> Any:
    from klientel.web.imports import importing

    return importing.run(home, files, progress=lambda *_: None, now=AT)


def erase(home: Any, record: Any) -> Any:
    from klientel.web.privacy import erasing

    return erasing.erase(home, [record], AT)


def names() -> list[str]:
    from klientel.web.records.models import Contact

    return sorted(Contact.objects.values_list("name", flat=True))


@pytest.mark.parametrize("without", [(), ("E-mail",)])
def test_contacts_without_numbers_stay_away(home, tmp_path, without):
    from klientel.web.privacy.models import Erased
    from klientel.web.records.models import Contact

    files = [file(tmp_path, "customers", CUSTOMERS), file(tmp_path, "contacts", PEOPLE, without)]
    bring(home, *files)
    protocol = erase(home, Contact.objects.get(name="Quandt"))
    assert names() == ["Bold", protocol.token]
    again = bring(home, *files)
    assert names() == ["Bold", protocol.token]
    assert (again.counts["contact"].rejected, again.counts["contact"].skip) == (1, 1)
    assert "1 rows are of persons who were erased; they were left out." in again.notes
    assert again.counts["contact"].samples["rejected"] == [{"number": protocol.token}]
    # A file that says less, or writes the name in another way, is of the same person.
    lower = [{**PEOPLE[0], "First name": "EULALIA", "Last name": " quandt"}, PEOPLE[1]]
    bring(home, file(tmp_path, "contacts2", lower, ("E-mail",)))
    assert names().count("Bold") == 2 - bool(without)  # by name, and by the address where there is one
    assert protocol.token in names()
    assert len(names()) == 3 - bool(without)
    stored = " ".join(str(v) for row in Erased.objects.values() for v in row.values()).lower()
    assert "quandt" not in stored
    assert "eulalia" not in stored


def test_a_namesake_with_a_number_of_its_own_comes_in(home, tmp_path):
    from klientel.web.records.models import Contact

    bring(home, file(tmp_path, "customers", CUSTOMERS), file(tmp_path, "contacts", PEOPLE))
    erase(home, Contact.objects.get(name="Quandt"))
    other = {"Contact No": "P77", **PEOPLE[0], "E-mail": "another@example.com"}
    said = bring(home, file(tmp_path, "more", [other, {"Contact No": "P78", **PEOPLE[1]}]))
    assert "Quandt" in names()
    assert said.counts["contact"].rejected == 0


def test_a_reference_means_what_stands_there_now(home, tmp_path):
    from klientel.web.records.models import Contact, Interaction

    bring(home, file(tmp_path, "customers", CUSTOMERS), file(tmp_path, "contacts", PEOPLE))
    eva = Contact.objects.get(name="Quandt")
    token = erase(home, eva).token
    visits = [
        {"Visit No": "V1", "Customer No": "C1", "Contact No": "e.quandt@example.com", "Date": "2024-05-01",
         "Type": "visit"},
        {"Visit No": "V2", "Customer No": "C1", "Contact No": "bold@example.com", "Date": "2024-05-02",
         "Type": "visit"},
    ]  # fmt: skip
    bring(home, file(tmp_path, "visits", visits))
    visit = Interaction.objects.order_by("ts").first()
    assert visit.contact_id == eva.pk
    assert visit.contact.name == token
    assert "quandt" not in str(Interaction.objects.values()).lower()


def test_a_sole_trader_known_by_name_stays_away_from_lines_too(home, tmp_path):
    from klientel.web import books
    from klientel.web.records.models import Company

    lines = [
        {"Invoice": str(i), "Position": 1, "Customer": ["Eulalia Quandt e.K.", "Hirsch GmbH"][i % 2],
         "Date": "2024-05-01", "Net amount": f"{i}.00"} for i in range(1, 9)
    ]  # fmt: skip
    path = file(tmp_path, "invoices", lines)
    bring(home, path)
    before = books.open_book(home).facts.rows
    token = erase(home, Company.objects.get(name__startswith="Eulalia")).token
    again = bring(home, path)
    assert (again.counts["lines"].create, again.counts["lines"].update, again.counts["lines"].skip) == (
        0,
        0,
        8,
    )
    assert set(Company.objects.values_list("name", flat=True)) == {token, "Hirsch GmbH"}
    book = books.open_book(home)
    assert book.facts.rows == before
    assert set(book.tables["lines"].to_pyarrow()["customer_id"].to_pylist()) == set(
        Company.objects.values_list("number", flat=True)
    )
    bring(home, file(tmp_path, "later", [{**lines[1], "Invoice": "77"}]))
    assert Company.objects.count() == 2
    assert "quandt" not in str(books.open_book(home).tables["lines"].to_pyarrow().to_pylist()).lower()


def test_an_old_backup_is_restored_without_who_was_erased_since(home, tmp_path):
    import os

    from klientel.web import backups
    from klientel.web.records.models import Contact

    numbered = [{"Contact No": f"P{i}", **row} for i, row in enumerate(PEOPLE)]
    late = [{**PEOPLE[0], "Last name": "Laternser", "E-mail": "late@example.com"}]
    bring(home, file(tmp_path, "customers", CUSTOMERS), file(tmp_path, "contacts", numbered))
    backups.write(home, tmp_path / "b.zip", progress=lambda *_: None)
    bring(home, file(tmp_path, "late", late))
    erase(home, Contact.objects.get(name="Quandt"))
    erase(home, Contact.objects.get(name="Laternser"))
    if os.environ.get("KLIENTEL_DATABASE"):
        with pytest.raises(BadParameter, match="PostgreSQL"):
            backups.restore(
                tmp_path / "b.zip", tmp_path / "r", progress=lambda *_: None, erased_in=home.folder
            )
        return
    backups.restore(tmp_path / "b.zip", tmp_path / "plain", progress=lambda *_: None)
    assert "Quandt" in names()
    made = backups.restore(
        tmp_path / "b.zip", tmp_path / "again", progress=lambda *_: None, erased_in=home.folder, now=AT
    )
    assert "Quandt" not in names()
    assert "Bold" in names()
    assert len(names()) == 2
    bring(made, file(tmp_path, "late", late))
    assert len(names()) == 2


def test_only_erasures_of_the_same_workspace_are_done_again(home, tmp_path):
    import os

    from klientel.web import backups
    from klientel.web import home as homes

    if os.environ.get("KLIENTEL_DATABASE"):
        pytest.skip("one database, one workspace")
    bring(home, file(tmp_path, "customers", CUSTOMERS))
    backups.write(home, tmp_path / "b.zip", progress=lambda *_: None)
    other = homes.init(tmp_path / "other", currency="EUR")
    with pytest.raises(BadParameter, match="not of the workspace"):
        backups.restore(tmp_path / "b.zip", tmp_path / "r", progress=lambda *_: None, erased_in=other.folder)
    assert not (tmp_path / "r").exists()
