"""The files of the demo, read back like any others, give the truth; just the spoiled rows are rejected."""

from decimal import Decimal

import pytest

from klientel.demo import dirty_rows, write
from klientel.ingest.opening import open_book


@pytest.fixture(scope="module", params=["de", "en"])
def told(request, firm, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write(firm, folder, request.param)
    return request.param, open_book(folder)


def test_every_file_is_recognised(firm, told):
    _, book = told
    found = {r.table for r in book.intake.recognitions}
    assert found >= set(firm.tables()) - {"product_group"}
    assert all(not r.unmapped for r in book.intake.recognitions)


def test_just_the_spoiled_rows_are_rejected(firm, told):
    lang, book = told
    rejected = {(r.file.partition("[")[0], r.line, r.column) for r in book.intake.rejections if r.column}
    assert rejected == {(d.file, d.line, d.header) for d in dirty_rows(firm, lang)}


def test_the_revenue_is_the_truth(firm, told):
    """Conversion rounds every line to a hundredth of a cent, hence the tolerance of five cents."""
    _, book = told
    assert book.as_of == firm.as_of
    assert book.currency == "EUR"
    total = Decimal(str(book.purchases.revenue.sum().execute()))
    assert abs(total - firm.truth.revenue) < Decimal("0.05")
