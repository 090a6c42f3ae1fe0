from __future__ import annotations

from io import BytesIO

import pyarrow as pa
import pypdf
import pytest
import samples

from klientel.analysis import Column
from klientel.show.report import content, report

MARKUP = [
    "#panic()",
    "$x^2$",
    "*bold*",
    "_it_",
    "[block]",
    "back\\slash",
    "@label",
    "<label>",
    "`code`",
    "= Head",
    "// no",
    '#image("/etc/passwd")',
    "https://a.example",
    "~ -- ...",
    "]#(",
]


def read(results, summary, lang, tmp_path) -> pypdf.PdfReader:
    return pypdf.PdfReader(BytesIO(report(results, summary, lang, tmp_path / "r.pdf").read_bytes()))


def words(reader) -> str:
    return " ".join(page.extract_text() for page in reader.pages).replace("\u200b", "")


def test_title_language_and_structure(summary, tmp_path) -> None:
    reader = read([samples.abc(), samples.movement()], summary, "en", tmp_path)
    assert reader.metadata.title == "Customer portfolio report"
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert "/StructTreeRoot" in reader.trailer["/Root"]  # tagged, for screen readers
    text = words(reader)
    for part in (
        "ABC analysis",
        "What changed the revenue",
        "The first 15 of 640 rows",
        "klientel.analyse(book",
    ):
        assert part in text


def test_every_markup_sign_is_text(summary, tmp_path) -> None:
    names = dict(enumerate(MARKUP))
    text = words(read([samples.abc(names=names)], summary, "en", tmp_path)).replace(" ", "").replace("\n", "")
    for sign in MARKUP:
        assert sign.replace(" ", "") in text, sign


def test_letters_without_a_font_and_control_characters_do_no_harm(summary, tmp_path) -> None:
    names = {0: "Emoji 🦄 GmbH", 1: "Null\x00 and \x1b[31m red", 2: "\ue000\uffff", 3: "北京 Кириллица"}
    assert "Kunde 4 GmbH" in words(read([samples.abc(names=names)], summary, "en", tmp_path))


def test_german(summary, tmp_path, german) -> None:
    reader = read([samples.abc(), samples.retention()], summary, "de", tmp_path)
    assert reader.metadata.title == "Kundenportfolio-Bericht"
    assert reader.trailer["/Root"]["/Lang"] == "de"
    text = words(reader).replace("\u202f", " ").replace("\u00a0", " ")
    for part in ("Was das Geschäft trägt", "Die ersten 15 von 640 Zeilen", "103,4 %", "Abgewiesene Zeilen"):
        assert part in text


def test_long_words_do_not_run_off_the_page(summary, tmp_path) -> None:
    reader = read([samples.abc(names={0: "Donaudampfschifffahrt" * 6})], summary, "en", tmp_path)
    box = reader.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx((595.28, 841.89), abs=0.1)
    ends: list[float] = []

    def note(text, _cm, tm, _font, size) -> None:
        if text.strip():
            ends.append(tm[4])

    for page in reader.pages:
        page.extract_text(visitor_text=note)
    assert max(ends) < 595 - 30


def test_tables_of_many_columns_stay_on_the_page(summary, tmp_path) -> None:
    n = 14
    data = pa.table({f"c{i}": [1234567.89] * 3 for i in range(n)})
    columns = tuple(Column(f"c{i}", f"Column {i}", "money") for i in range(n))
    wide = samples.result("wide", {"t": (columns, data)})
    text = words(read([wide], summary, "en", tmp_path))
    assert text.count("1,234,567.89") == 3 * (n + 1)  # in two parts; the second repeats the first column


def test_content_without_anything(tmp_path, summary) -> None:
    assert content([], summary, "en").chapters == ()
    assert "Customer portfolio report" in words(read([], summary, "en", tmp_path))


def test_a_table_wider_than_the_sheet_goes_on_below_itself(summary, tmp_path) -> None:
    """Twenty columns side by side would run into one another; every part names its rows."""
    columns = tuple(Column(f"c{i}", f"Head{i}", "text" if i == 0 else "number") for i in range(20))
    data = pa.table(
        {c.name: ["Row One", "Row Two"] if i == 0 else [i + 0.5, 1000 * i] for i, c in enumerate(columns)}
    )
    reader = read([samples.result("wide", {"t": (columns, data)})], summary, "en", tmp_path)
    text = words(reader)
    assert text.count("Row One") == 2
    assert text.count("T (continued)") == 1
    assert all(text.count(f"Head{i}") >= 1 for i in range(20))
