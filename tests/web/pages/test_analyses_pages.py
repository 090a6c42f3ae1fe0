"""Pages of analyses: made from the declaration, the same numbers everywhere, safe, quick to page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from answered_firm import NOW, firm, look

from klientel.analysis import Chart, Column, Figure, Need, Outcome, Table, analysis
from klientel.words import mark

__all__ = ["firm", "look"]  # fixtures


def test_the_page_comes_at_once_and_the_answer_by_and_by(firm: Any, sign_in: Any, look: Any) -> None:
    client = sign_in()
    first = client.get("/analyses/abc").content.decode()
    assert 'class="waiting"' in first
    assert 'hx-get="/analyses/abc/answer?' in first
    text = look(client, "/analyses/abc")
    assert "Which customers carry most of the value?" in text
    assert text.count("<svg") >= 4  # each chart wide and narrow, beside the logo
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert not re.search(r"<[^>]+ style=", text)
    assert "klientel.abc(book" in text


def test_the_figures_are_those_of_the_library(firm: Any, sign_in: Any, look: Any) -> None:
    import klientel
    from klientel.show import chapters

    client = sign_in(language="de")
    book = klientel.open_book(firm.folder)
    for name in ("abc", "movement", "rfm"):
        text = look(client, f"/analyses/{name}")
        for tile in chapters.cards_of(klientel.analyse(book, name), "de")[0]:
            assert f">{tile.value}</span>" in text, (name, tile)


def test_parameters_come_from_the_declaration_and_wrong_ones_are_told_at_the_field(
    firm: Any, sign_in: Any, look: Any
) -> None:
    client = sign_in()
    text = look(client, "/analyses/abc?p.a=0.5&p.rule=after")
    assert re.search(r'id="p.a" name="p.a" value="0.5" min="0" max="1"', text)
    assert '<option value="after" selected>' in text
    assert "--a 0.5" in text
    wrong = look(client, "/analyses/abc?p.a=7&as_of=yesterday&scope=rep:R9")
    assert re.search(r'id="p.a-error">[^<]*between|id="p.a-error">', wrong)
    assert 'id="as-of-error"' in wrong
    assert "is no part of the customers" in wrong
    german = look(sign_in("gabi", language="de"), "/analyses/abc?p.a=0,5")
    assert "--a 0.5" in german


def test_scope_day_and_comparison_are_in_the_address(firm: Any, sign_in: Any, look: Any) -> None:
    client = sign_in()
    whole = look(client, "/analyses/abc?p.window=all")
    part = look(client, "/analyses/abc?p.window=all&scope=rep:R1")
    assert "12 rows" not in part
    assert "Firma &lt;b&gt;7" in whole
    assert "Firma &lt;b&gt;7" not in part
    both = look(client, "/analyses/abc?compare=2025-01-01")
    assert "compared with 2025-01-01" in both
    assert "who moved" in both
    segment = look(client, "/analyses/abc?p.window=all&scope=segment&attribute=industry_code&value=Handel")
    assert "segment:industry_code=Handel" in segment
    assert "Firma &lt;b&gt;1&lt;" not in segment


def test_a_table_is_sorted_searched_filtered_and_paged(
    firm: Any, sign_in: Any, look: Any, monkeypatch: Any
) -> None:
    from klientel.web.pages.analyses import tables

    client = sign_in()
    look(client, "/analyses/abc?p.window=all")

    def rows(query: str) -> list[Any]:
        text = client.get(f"/analyses/abc/table?p.window=all&{query}").content.decode()
        return re.findall(r"<td><a class=\"row\"[^>]*>(C\d\d)</a></td>|<td>(C\d\d)</td>", text)

    down, up = rows("sort=-value"), rows("sort=value")
    assert len(down) == 12
    assert down == up[::-1]
    assert len(rows("q=b>1")) == 3  # 1, 10, 11
    assert 0 < len(rows("f.grade=A")) < 12
    assert rows("f.grade=-") == rows("")
    assert rows("f.grade=A' OR 1=1") == []
    monkeypatch.setattr(tables, "SIZE", 5)
    pages = [rows(f"page={n}") for n in (1, 2, 3)]
    assert [len(p) for p in pages] == [5, 5, 2]
    assert [row for page in pages for row in page] == rows("sort=-value&page=1") + rows(
        "sort=-value&page=2"
    ) + rows("sort=-value&page=3")
    assert rows("page=99") == pages[2]
    answer = client.get("/analyses/abc/table?p.window=all&f.grade=A")
    assert answer.headers["HX-Push-Url"].endswith("?p.window=all&table=customers&f.grade=A")


def test_classes_lead_to_their_customers(firm: Any, sign_in: Any, look: Any) -> None:
    client = sign_in()
    text = look(client, "/analyses/abc")
    assert re.search(
        r'<a href="/analyses/abc\?table=customers&amp;f.grade=A#table" class="lead" aria-label="A"', text
    )
    classes = client.get("/analyses/abc/table?table=classes").content.decode()
    assert "?table=customers&amp;f.grade=A#table" in classes
    moves = look(client, "/analyses/movement?table=matrix")
    assert "f.class_before=A" in moves
    assert "f.class_now=A" in moves


def test_nobody_sees_more_than_the_rights_reach(firm: Any, sign_in: Any, look: Any) -> None:
    anna = sign_in("anna", role="sales", rep="R1")
    text = look(anna, "/analyses/abc?p.window=all")
    assert "Firma &lt;b&gt;2" in text
    assert "Firma &lt;b&gt;7" not in text
    assert "--as anna" in text
    assert "rep:R2" not in text
    reader = sign_in("rita", role="reader")
    assert reader.get("/analyses/abc/download?form=csv").status_code == 403
    assert "/download" not in look(reader, "/analyses/abc")
    found = anna.get("/analyses/abc/download?p.window=all&table=customers&form=csv")
    assert b"C02" in b"".join(found.streaming_content)
    found = anna.get("/analyses/abc/download?p.window=all&table=customers&form=csv")
    assert b"C07" not in b"".join(found.streaming_content)


@pytest.mark.parametrize(
    ("query", "kind", "begin"),
    [
        ("form=csv&table=classes", "text/csv", b"\xef\xbb\xbfgrade,"),
        ("form=parquet&table=customers", "application/vnd.apache.parquet", b"PAR1"),
        ("form=xlsx", "application/vnd.openxmlformats", b"PK"),
        ("form=svg&chart=pareto", "image/svg+xml", b"<svg"),
        ("form=png&chart=classes", "image/png", b"\x89PNG"),
        ("form=pdf", "application/pdf", b"%PDF"),
        ("form=html", "text/html", b"<!doctype html>"),
        ("form=json", "application/json", b"{"),
    ],
)
def test_everything_can_be_downloaded(firm: Any, sign_in: Any, query: str, kind: str, begin: bytes) -> None:
    answer = sign_in().get(f"/analyses/abc/download?p.window=all&{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content).startswith(begin)


def test_wrong_names_are_not_found(firm: Any, sign_in: Any) -> None:
    client = sign_in()
    assert client.get("/analyses/nothing").status_code == 404
    assert client.get("/analyses/abc/download?form=exe").status_code == 404
    assert client.get("/analyses/abc/download?form=csv&table=nothing").status_code == 400
    assert client.get("/analyses/abc/download?form=csv&p.a=9").status_code == 400


def test_what_is_missing_is_told_with_the_way_to_bring_it(firm: Any, sign_in: Any, look: Any) -> None:
    from klientel.web.records.models import Contract

    Contract.objects.all().delete()
    text = look(sign_in(), "/analyses/renewals")
    assert "This cannot be answered yet" in text
    assert "Bring a file" in text
    listed = sign_in().get("/analyses").content.decode()
    assert "Projects and contracts: " in listed or "Needs:" in listed


def test_an_empty_workspace_invites(served: Any, sign_in: Any, look: Any) -> None:
    text = sign_in().get("/analyses").content.decode()
    assert "Bring a file" in text
    assert "Bring a file" in look(sign_in(), "/analyses/abc")


def test_a_new_analysis_needs_no_page_of_its_own(
    firm: Any, sign_in: Any, look: Any, monkeypatch: Any
) -> None:
    """A throw-away analysis: declared, and there with form, tile, chart, table and links."""
    from klientel import analyses

    @analysis(
        title=mark("Throw-away"),
        question=mark("Does a declaration suffice?"),
        group="decide",
        needs=(Need("totals", ("customer_id", "revenue")),),
        tables=(
            Table("customers", mark("All"), (
                Column("customer_id", mark("Number"), "key"), Column("revenue", mark("Revenue"), "money"))),
        ),
        figures=(Figure("most", mark("The most"), "money", headline=True),),
        charts=(Chart("all", "customers", "bar", x="customer_id", y="revenue"),),
    )  # fmt: skip
    def thrown(totals: Any) -> Outcome:
        found = totals.select("customer_id", revenue=totals.revenue.cast("decimal(18, 4)")).order_by(
            "customer_id"
        )
        return Outcome({"customers": found}, {"most": found.revenue.max().to_pyarrow().as_py()})

    monkeypatch.setitem(analyses.ANALYSES, "thrown", thrown)
    client = sign_in()
    text = look(client, "/analyses/thrown")
    assert "Does a declaration suffice?" in text
    assert "The most" in text
    assert text.count("<figure") == 1
    assert len(re.findall(r"C\d\d", text)) >= 12
    assert "Throw-away" in client.get("/analyses").content.decode()


def test_queries_do_not_grow_with_rows(firm: Any, sign_in: Any, look: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in()
    for address in ("/analyses/abc?p.window=all", "/analyses/rfm", "/analyses"):
        look(client, address)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        assert len(asked) <= 24, [q["sql"] for q in asked.captured_queries]


def test_a_choice_becomes_a_list_of_companies(firm: Any, sign_in: Any, look: Any, monkeypatch: Any) -> None:
    from klientel.web.pages.analyses import lists

    client = sign_in("anna", role="sales", rep="R1")
    text = look(client, "/analyses/abc?p.window=all&f.grade=A")
    chosen = set(re.findall(r">(C\d\d)<", text))
    link = re.search(r'href="(/analyses/abc/customers\?[^"]+)"', text)
    assert link
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.status_code == 302
    assert set(re.findall(r"f\.number=(C\d\d)", answer.headers["Location"])) == chosen
    assert chosen < {f"C{n:02}" for n in range(6)}
    monkeypatch.setattr(lists, "LISTED", 0)
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.headers["Location"].startswith("/analyses/abc?")
    listed = client.get(answer.headers["Location"]).content.decode()
    assert "Filter further" in listed


def test_the_report_is_written_and_fetched(firm: Any, sign_in: Any, look: Any, monkeypatch: Any) -> None:
    from klientel import analyses

    for name in set(analyses.ANALYSES) - {"abc", "segments"}:  # two say as much as all, and sooner
        monkeypatch.delitem(analyses.ANALYSES, name)
    client = sign_in()
    assert "Report of everything" in look(client, "/report")
    text = look(client, "/report?form=xlsx")
    assert "/report/file?form=xlsx" in text
    assert b"".join(client.get("/report/file?form=xlsx").streaming_content).startswith(b"PK")
    assert client.get("/report/file?form=exe").status_code == 404
    reader = sign_in("rita", role="reader")
    assert reader.get("/report").status_code == 403
    assert reader.get("/report/file?form=xlsx").status_code == 403


def test_a_parameter_counts_without_its_prefix_too(served: Any) -> None:
    """An address written by hand is not answered with the defaults in silence."""
    from django.http import QueryDict

    from klientel.analyses import ANALYSES
    from klientel.web.pages.analyses import asked
    from klientel.web.rights import access

    class Request:
        lang = "en"
        _reach = access(None)

    for query in ("a=0.7", "p.a=0.7"):
        request = Request()
        request.GET = QueryDict(query)  # type: ignore[attr-defined]
        assert asked.read(request, ANALYSES["abc"]).parameters == {"a": "0.7"}


def test_the_recipe_of_a_part_gives_the_answer_of_the_page(firm: Any, sign_in: Any, look: Any) -> None:
    """A part that no attribute names, seen with limited rights: the recipe is run as it stands."""
    from html import unescape

    from klientel.web import portfolios
    from klientel.web.records.models import Rep

    made = portfolios.create(None, "Bau", Rep.objects.get(number="R1"), {"industry_code": ["Bau"]}, NOW)
    client = sign_in("anna", role="sales", rep="R1")
    text = look(client, f"/analyses/abc?p.window=all&scope=portfolio:{made.pk}")
    assert "On the command line" not in text
    (recipe,) = re.findall(r"<pre tabindex=.0.><code>(.*?)</code></pre>", text, re.S)
    *before, last = unescape(recipe).splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(before), names)
    assert eval(last, names).figures["customers"] == 8  # of twelve, ten of them Anna's
    assert names["who"].username == "anna"
    assert "8 rows" in text


def test_segments_are_offered_as_they_are_found(firm: Any, sign_in: Any) -> None:
    """Yes and no, days and texts: whatever is offered stands for as many customers as have it."""
    from datetime import date

    from klientel.web import books, scopes
    from klientel.web.records import custom
    from klientel.web.records.models import Company

    custom.define(Company, "vip", "VIP", "flag", at=NOW)
    custom.define(Company, "since", "Since", "date", at=NOW)
    Company.objects.filter(number__in=["C01", "C02"]).update(
        custom={"vip": True, "since": "2024-02-03"}, acquired_on=date(2024, 2, 3)
    )
    Company.objects.filter(number="C03").update(custom={"vip": False}, acquired_on=date(2021, 1, 1))
    book = books.open_book(firm)
    client = sign_in(language="de")
    for attribute, wanted in {"vip": {"true": 2, "false": 1}, "since": {"2024-02-03": 2},
                              "acquired_on": {"2024": 2, "2021": 1}}.items():  # fmt: skip
        text = client.get(f"/segments?attribute={attribute}").content.decode()
        offered = re.findall(r'<option value="([^"]*)"', text)
        found = {v: scopes.find(f"segment:{attribute}={v}", None).narrow(book) for v in offered}
        assert {v: b.known_customers.count().to_pyarrow().as_py() for v, b in found.items()} == wanted
    assert 'label="ja"' in client.get("/segments?attribute=vip").content.decode()


def test_searching_in_a_table_drops_no_filter() -> None:
    """A filter that came by a link and has no input in the form is sent with it; one that has an input is not twice."""
    from types import SimpleNamespace

    from klientel.web.pages.analyses import show, tables

    sight = tables.Sight("customers", "old words", "-value", 3, (("grade", "A"), ("month", "2024-01-01")))
    shown: Any = SimpleNamespace(choices=(tables.Choice("f.grade", "Class", ()),))
    wanted: Any = SimpleNamespace(query={"p.a": "0.5", "scope": "rep:R1"})
    assert show._held(wanted, sight, shown) == {
        "p.a": "0.5", "scope": "rep:R1", "table": "customers", "sort": "-value", "f.month": "2024-01-01",
    }  # fmt: skip


def test_an_address_has_numbers_that_all_languages_read(firm: Any, sign_in: Any, look: Any) -> None:
    """A number typed with a comma goes on as 0.5 in the links of the page."""
    text = look(sign_in("gabi", language="de"), "/analyses/abc?p.window=all&p.a=0,5")
    assert "p.a=0.5" in text
    assert "p.a=0%2C5" not in text


def test_a_list_of_a_question_that_cannot_be_one_is_refused(firm: Any, sign_in: Any, look: Any) -> None:
    """A part that is none must not stand for all customers."""
    answer = sign_in().get("/analyses/abc/customers?p.window=all&scope=rep:nobody&f.grade=A")
    assert answer.status_code == 400


def test_what_broke_is_told_and_tried_again(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of the content stays; a fault, or another writer in the way, is over after a while."""
    from klientel.errors import KlientelError, MissingInput
    from klientel.web.pages.analyses import waiting

    def ended(key: str, wrong: Exception) -> Any:
        def work(_progress: Any) -> Any:
            raise wrong

        one = waiting.ask(key, work)
        assert one.ended.wait(20)
        return one

    kept = [
        ended(f"again:{i}", w)
        for i, w in enumerate((MissingInput("no orders"), OSError("disk"), KlientelError("busy")))
    ]
    assert [one.why is not None for one in kept] == [True] * 3
    now = [waiting.ask(one.key, lambda _: 5) for one in kept]
    assert now == kept  # whoever looks in is told
    monkeypatch.setattr(waiting, "AGAIN", -1.0)
    later = [waiting.ask(one.key, lambda _: 5) for one in kept]
    assert [one.ended.wait(20) for one in later] == [True] * 3
    assert [one.answer for one in later] == [None, 5, 5]


def test_a_fault_is_no_empty_workspace(
    firm: Any, sign_in: Any, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not known what is missing, nothing is said to be missing."""
    from klientel.web import results

    def broken(*_: Any) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(results, "book_for", broken)
    text = sign_in().get("/analyses").content.decode()
    assert "Orders" not in text or "missing" not in text
    from klientel.web.pages.analyses.index import gaps_of

    class Request:
        lang = "en"

    request: Any = Request()
    from klientel.web.rights import access

    request._reach = access(None)
    assert gaps_of(request, patience=20) is None


def test_a_report_written_during_an_erasure_does_not_stay(
    firm: Any, sign_in: Any, look: Any, monkeypatch: Any
) -> None:
    """What was erased while a report was written must not come back with its file."""
    from klientel.show import write
    from klientel.web import results
    from klientel.web.privacy import erasing
    from klientel.web.records import models as m
    from klientel.web.records import services

    company = m.Company.objects.get(number="C01")
    person = services.add(m.Contact, {"company": company, "name": "Anders", "email": "a@example.com"}, at=NOW)
    erased = []

    def slow(book: Any, target: Any, lang: str, progress: Any) -> None:
        target.write_bytes(b"PK Anders")
        if not erased:
            erased.append(erasing.erase(firm, [person], NOW))
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(b"PK Anders")

    monkeypatch.setattr(write, "report", slow)
    client = sign_in()
    one = client.get("/report?form=xlsx")
    assert one.status_code == 200
    from klientel.web.pages.analyses import waiting

    assert all(w.ended.wait(60) for w in list(waiting._known.values()))
    assert erased
    assert [f for f in results.folder(firm).rglob("*") if f.is_file() and b"Anders" in f.read_bytes()] == []
    assert client.get("/report/file?form=xlsx").status_code == 404


def test_what_a_process_holds_of_answers_goes_when_the_content_changes(
    firm: Any, sign_in: Any, look: Any
) -> None:
    """Pictures and answers of before may name who was erased since."""
    from klientel.web.pages.analyses import pictures, waiting
    from klientel.web.records import models as m
    from klientel.web.records import services

    client = sign_in()
    look(client, "/analyses/concentration")
    assert any("Firma" in svg for svg in pictures._SVGS.values())
    held = set(pictures._SVGS)
    known = {key for key, one in waiting._known.items() if one.ended.is_set()}
    assert known
    services.edit(m.Company.objects.get(number="C01"), {"name": "gone"}, at=NOW)
    client.get("/analyses/rfm")
    assert not held & set(pictures._SVGS)
    assert not known & set(waiting._known)
