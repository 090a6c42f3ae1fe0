from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

import pytest
import samples

import cast
from klientel.errors import BadParameter
from klientel.quality import Quality
from klientel.show import write
from klientel.show.charts import svg
from klientel.show.pages import inlined
from klientel.show.report import BookSummary, content, report

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Tree(HTMLParser):
    """Checks that tags close and collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    summary = BookSummary(
        sources=("a <b>.csv",), accepted={"order_line": 10}, locked={"x": "No dates."}, version="9.9.9"
    )
    home = tmp_path_factory.mktemp("report")
    path = report(samples.all_results(), summary, "en", home / "r.html")
    return {"en": path.read_text(encoding="utf-8")}


@pytest.fixture(scope="module")
def tree(pages) -> Tree:
    return Tree(pages["en"])


def test_the_page_is_whole_and_speaks_its_language(tree) -> None:
    assert tree.all("html") == [{"lang": "en"}]
    assert len(tree.all("h1")) == 1
    assert len(tree.all("title")) == 1


def test_nothing_is_loaded_from_outside(pages, tree) -> None:
    assert set(re.findall(r"https?://[^\"'<> )&]+", pages["en"])) <= {
        "http://www.w3.org/2000/svg",
        "http://evil",
    }
    assert "http://evil" in " ".join(tree.words)  # only as the text of a customer's name
    for _, attrs in tree.tags:
        assert not {"src", "srcset", "onclick", "onload", "style"} & {k for k in attrs if k != "style"}
        assert (attrs.get("href") or "#").startswith("#") or attrs.get("xlink:href", "").startswith("#")
    assert "@import" not in pages["en"]
    assert not re.search(r"url\((?!#)", pages["en"])


def test_no_script_runs(pages, tree) -> None:
    assert tree.all("script") == []
    policy = next(m["content"] for m in tree.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_names_of_customers_are_only_text(pages, tree) -> None:
    assert "<script>alert" not in pages["en"]
    assert samples.NASTY in "".join(tree.words)
    assert "a <b>.csv" in "".join(tree.words)


def test_ids_are_unique_and_links_lead_somewhere(tree) -> None:
    ids = [attrs["id"] for _, attrs in tree.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for link in tree.all("a"):
        assert str(link["href"])[1:] in ids


def test_every_analysis_has_a_section_with_question_and_verdict(pages, tree) -> None:
    sections = [s.get("id") for s in tree.all("section")]
    assert sections == [
        "overview",
        "abc",
        "concentration",
        "segments",
        "movement",
        "cohorts",
        "retention",
        "xyz",
        "locked",
        "data",
        "definitions",
    ]
    assert "Which customers carry most of the value?" in pages["en"]
    assert pages["en"].count('class="badge green"') == 6
    assert pages["en"].count('class="badge amber"') == 1
    assert "Only 14 cases: indicative." in pages["en"]


def test_pictures_are_named_for_those_who_cannot_see_them(tree) -> None:
    pictures = tree.all("svg")
    charts = sum(len(r.analysis.charts) for r in samples.all_results())
    assert len(pictures) == 2 * (charts + 3)  # wide and narrow; three stand on the first page too
    assert all(p["role"] == "img" and len(str(p["aria-label"])) > 10 for p in pictures)


def test_tables_have_captions_and_say_how_much_they_leave_out(pages, tree) -> None:
    assert len(tree.all("caption")) == len(tree.all("table"))
    assert all(cell.get("scope") == "col" for cell in tree.all("th"))
    assert "The first 20 of 640 rows." in pages["en"]


def test_headings_do_not_skip_a_level(tree) -> None:
    levels = [int(tag[1]) for tag, _ in tree.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_first_page_speaks_in_sentences(pages) -> None:
    first = pages["en"].split('<section id="abc"')[0]
    for words in ("What carries the business", "What changed", "What to look at"):
        assert words in first
    assert "bring 80.0\u202f% of the revenue." in first
    assert "Read with care: Retention. The reasons stand there." in first
    assert first.count("<figure>") == 3
    assert "98.1\u202f% to 109.0\u202f% (95\u202f%)" in first
    assert "bootstrap over customers" not in first  # cards stay short; the method stands with the definitions
    assert "bootstrap over customers" in pages["en"]


def test_a_picture_that_must_not_be_used_is_not_on_the_first_page(summary) -> None:
    movement = samples.movement()
    movement.quality = Quality(n=3).because("red", "The history is too short.")
    made = content([samples.abc(), movement], summary, "en")
    assert [p.result.name for p in made.opening.pictures] == ["abc"]
    assert all(t.chapter != "movement" for t in made.opening.tiles)
    assert "Movement cannot be used: The history is too short." in dict(made.opening.says)["What to look at"]


def test_a_reason_is_told_once(summary) -> None:
    movement = samples.movement()
    movement.lines = ("Nothing can be said. The history is too short.",)
    movement.quality = Quality(n=3).because("red", "The history is too short.")
    made = content([movement], summary, "en")
    assert sum("too short" in line for _, lines in made.opening.says for line in lines) == 1


def test_the_data_and_what_is_missing(summary, tmp_path) -> None:
    page = report([samples.abc()], summary, "en", tmp_path / "r.html").read_text(encoding="utf-8")
    assert "54,652 accepted, 2 rejected" in page
    assert "There are no opportunities." in page
    assert "The value is not a number." in page
    assert "&lt;b&gt;x" in page
    assert "Made with Klientel 9.9.9" in page


def test_german(summary, tmp_path, german) -> None:
    page = report([samples.abc(), samples.retention()], summary, "de", tmp_path / "r.html").read_text(
        encoding="utf-8"
    )
    assert '<html lang="de">' in page
    for text in (
        "Kundenportfolio-Bericht",
        "Was das Geschäft trägt",
        "Stand",
        "01.03.2024",
        "So wird gerechnet",
        "Die ersten 20 von 640 Zeilen.",
        "103,4\u202f%",
        "98,1\u202f% bis 109,0\u202f%",
    ):
        assert text in page
    for text in ("What changed", "The first 20", "as of", "left out"):
        assert text not in page


def test_a_book_that_answers_nothing_still_has_a_report(summary, tmp_path) -> None:
    Tree(report([], summary, "en", tmp_path / "r.html").read_text(encoding="utf-8"))
    Tree(report([], BookSummary(), "en", tmp_path / "s.html").read_text(encoding="utf-8"))


def test_light_and_dark_and_print_are_styled(pages) -> None:
    assert "prefers-color-scheme:dark" in pages["en"]
    assert "@media print" in pages["en"]
    assert "@page{size:A4" in pages["en"]


def test_ids_inside_pictures_are_made_unique() -> None:
    made = inlined(
        '<svg width="1" viewBox="0 0 1 1"><g id="a"/><g clip-path="url(#a)"/></svg>', "words", "p1-"
    )
    assert made.startswith('<svg viewBox="0 0 1 1" role="img" aria-label="words">')
    assert made.endswith('<g id="p1-a"/><g clip-path="url(#p1-a)"/></svg>')


def test_unknown_form_is_refused(tmp_path) -> None:
    with pytest.raises(BadParameter, match="docx"):
        report([], BookSummary(), "en", tmp_path / "r.docx")


def test_every_text_of_this_area_is_in_the_catalogue(german) -> None:
    import ast
    from pathlib import Path

    from klientel import show, words

    home = Path(show.__file__).parent
    mine = ["chapters", "report", "pages", "pdf", "workbook", "sheetcharts", "delimited", "figures"]
    sources = [home / f"{name}.py" for name in mine] + sorted((home / "charts").glob("*.py"))
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("mark", "say") and node.args:
                found |= {
                    c.value
                    for c in ast.walk(node.args[0])
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                }
    known = words._catalogue("de")._catalog
    assert len(found) > 60
    assert {text for text in found if text not in known} == set()


def test_svg_text_of_charts_is_never_raw_markup() -> None:
    picture = samples.abc(names={0: "</svg><script>"})
    made = picture.chart("pareto")
    assert "<script" not in svg(made)


def test_customers_named_by_their_number_stand_once() -> None:
    import pyarrow as pa

    from klientel.analysis import Column
    from klientel.show.chapters import grid

    columns = (Column("customer_id", "Number", "key"), Column("name", "Customer"), Column("empty", "Empty"))
    same = pa.table(
        {"customer_id": ["1", "2"], "name": ["1", "2"], "empty": pa.array([None, None], pa.string())}
    )
    result = samples.result("t", {"t": (columns, same)})
    assert grid(result, result.tables["t"], "en").headers == ("Number",)
    named = samples.result("t", {"t": (columns, same.set_column(1, "name", [["1", "Braun"]]))})
    assert grid(named, named.tables["t"], "en").headers == ("Number", "Customer")


def test_first_page_hears_every_analysis_before_any_twice(summary) -> None:
    talkative = samples.abc()
    talkative.lines = tuple(f"Sentence {i}." for i in range(9))
    made = content([talkative, samples.concentration()], summary, "en")
    said = dict(made.opening.says)["What carries the business"]
    assert said == (
        "Sentence 0.",
        "Sentence 1.",
        "The largest customer brings 12 % of the revenue.",
    )


def test_headlines_are_cards_and_the_rest_is_one_folded_list(pages) -> None:
    """No chapter opens with a wall of cards; what is not on a card is in the list, once."""
    from klientel.show.chapters import cards_of
    from klientel.show.figures import missing

    for result in samples.all_results():
        cards, further = cards_of(result, "en")
        known = {f.name for f in result.analysis.figures if not missing(result.figures.get(f.name))}
        assert len(cards) <= 6
        assert {t.figure for t in cards} | {t.figure for t in further} == known
        assert not {t.figure for t in cards} & {t.figure for t in further}
        part = pages["en"].split(f'<section id="{result.name}"')[1].split("</section>")[0]
        listed = re.findall(r'<details class="further">.*?</details>', part, re.S)
        assert len(listed) == bool(further)
        assert "".join(listed).count("<dt>") == len(further)


def test_every_analysis_has_headlines_that_fit_on_cards() -> None:
    from klientel.analyses import ANALYSES

    for analysis in ANALYSES.values():
        assert 1 <= sum(f.headline for f in analysis.figures) <= 6, analysis.name


def test_one_title_means_one_figure() -> None:
    """Two quantities never carry the same title: a reader of two chapters would take them for one."""
    from klientel.analyses import ANALYSES

    meant: dict[str, tuple[str, str]] = {}
    for analysis in ANALYSES.values():
        for figure in analysis.figures:
            name, meaning = meant.setdefault(str(figure.title), (analysis.name, str(figure.meaning)))
            assert meaning == str(figure.meaning), f"{figure.title}: {name} and {analysis.name}"


def test_the_list_stands_open_on_paper(pages) -> None:
    assert ".further::details-content{content-visibility:visible" in pages["en"]


def test_names_and_texts_keep_their_width(tree) -> None:
    """Columns say what they hold, so that the page scrolls sideways instead of breaking names by syllable."""
    from klientel.analysis import Column
    from klientel.show.chapters import _kind

    kinds = {_kind(c) for c in (Column("name", "Customer"), Column("x", "X"), Column("v", "V", "money"),
                                Column("g", "G", "class"), Column("d", "D", "date"))}  # fmt: skip
    assert kinds == {"w", "t", "n", "c", "k"}
    assert {str(a.get("class")) for a in tree.all("td")} <= {"w", "t", "n", "c", "k"}
    assert any(a.get("class") == "w" for a in tree.all("td"))


def test_attributes_are_called_by_their_titles(german) -> None:
    from klientel.show.figures import spoken_figure, written

    assert spoken_figure("industry_code", "attribute", "en") == "Industry"
    assert written("industry_code", "attribute", "de") == "Branche"
    assert written("sales_channel", "attribute", "de") == "Sales channel"  # a company's own column is data


def test_the_head_counts_the_customers_in_the_portfolio(tmp_path) -> None:
    book = cast.book()
    status = book.status_counts()
    inside = status["active"] + status.get("reactivated", 0)
    assert inside < sum(status.values())  # the cast knows leads, partners and former customers, too
    place = tmp_path / "r.html"
    write.report(book, place, "en", lambda *_: None)
    text = re.sub(r"<[^>]+>", " ", place.read_text(encoding="utf-8"))
    assert re.search(rf"Customers in the portfolio\s+{inside}\s", text)
