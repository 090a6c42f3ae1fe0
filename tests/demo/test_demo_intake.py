"""The files of the demo, read back like any others, give the truth; just the spoiled rows are rejected."""

from collections import defaultdict
from decimal import Decimal

import pytest

from klientel import analyse
from klientel.demo import dirty_rows, write
from klientel.demo.crm_layouts import CRM_LAYOUTS
from klientel.demo.layouts import LAYOUTS, NOT_YET
from klientel.ingest.mapping.fields import FIELDS
from klientel.ingest.opening import open_book


@pytest.fixture(scope="module", params=["de", "en"])
def told(request, firm, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write(firm, folder, request.param)
    return request.param, open_book(folder), folder


def test_every_file_is_recognised(firm, told):
    lang, book, _ = told
    found = {r.table for r in book.intake.recognitions}
    assert found >= (set(firm.tables()) & FIELDS.keys()) - {"product_group"}
    for recognition in book.intake.recognitions:
        spare = {
            h.spoken(lang)
            for layout in LAYOUTS
            if layout.table == recognition.table
            for h in layout.headers
            if h.column in NOT_YET.get(layout.table, ())
        }
        left = {str(header) for header in recognition.unmapped}
        assert recognition.table is None or left <= spare, recognition.table


def test_no_file_is_taken_for_another(firm, told):
    lang, book, _ = told
    files = {layout.name(lang): layout.table for layout in LAYOUTS}
    seen = defaultdict(set)
    for recognition in book.intake.recognitions:
        seen[recognition.raw.file].add(recognition.table)
    for file, table in files.items():
        assert seen[file] == {table if table in FIELDS else None}, file
    counted = {name: report.accepted for name, report in book.intake.tables.items()}
    assert counted == {name: firm.tables()[name].num_rows for name in counted}


def test_sales_and_marketing_change_no_answer(told, firm, tmp_path):
    """Only the customers without an order change: deals make prospects of some and add companies."""
    lang, book, folder = told
    for path in folder.iterdir():
        if path.name not in {layout.name(lang) for layout in CRM_LAYOUTS}:
            (tmp_path / path.name).symlink_to(path)
    alone = open_book(tmp_path)
    assert book.as_of == alone.as_of
    for name in ("abc", "xyz", "rfm", "concentration", "renewals", "movement", "segments"):
        ours, theirs = analyse(book, name), analyse(alone, name)
        assert ours.figures == theirs.figures, name
        assert ours.quality.n == theirs.quality.n, name
    counts, before = book.status_counts(), alone.status_counts()
    for status in ("active", "former", "reactivated", "partner"):
        assert counts[status] == before[status]
    assert counts["prospect"] > 0


def test_just_the_spoiled_rows_are_rejected(firm, told):
    lang, book, _ = told
    rejected = {(r.file.partition("[")[0], r.line, r.column) for r in book.intake.rejections if r.column}
    assert rejected == {(d.file, d.line, d.header) for d in dirty_rows(firm, lang)}


def test_outcomes_and_days_arrive(firm, told):
    """What won, lost and open means is read from the stages; the days are those of the tables."""
    _, book, _ = told
    ours = firm.tables()["opportunity"]
    read = book.tables["opportunity"].to_pyarrow().sort_by("opportunity_id")
    told_so = {"won": "won", "lost": "lost", "open": "open", "no decision": "no_decision"}
    assert read["outcome"].to_pylist() == [told_so[o] for o in ours["outcome"].to_pylist()]
    assert read["created_on"].to_pylist() == ours["created_on"].to_pylist()
    assert sum(read["amount"].to_pylist()) == sum(ours["amount"].to_pylist())
    leads = book.tables["lead"].to_pyarrow().sort_by("lead_id")
    assert [str(d)[:10] for d in leads["created_on"].to_pylist()] == [
        str(d)[:10] for d in firm.tables()["lead"]["created_on"].to_pylist()
    ]
    efforts = book.tables["interaction"].to_pyarrow()
    ours = firm.tables()["interaction"]
    assert sum(efforts["duration_min"].to_pylist()) == sum(ours["duration_min"].to_pylist())


def test_the_revenue_is_the_truth(firm, told):
    """Conversion rounds every line to a hundredth of a cent, hence the tolerance of five cents."""
    _, book, _ = told
    assert book.as_of == firm.as_of
    assert book.currency == "EUR"
    total = Decimal(str(book.purchases.revenue.sum().execute()))
    assert abs(total - firm.truth.revenue) < Decimal("0.05")
