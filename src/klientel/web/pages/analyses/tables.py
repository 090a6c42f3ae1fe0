"""A page of a result table: searched, filtered, sorted and cut in Arrow, so that only what is shown becomes Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from klientel.show.figures import NUMERIC, cell, header, missing
from klientel.web.records.numbers import own
from klientel.words import translate

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.analysis import Column, Table
    from klientel.result import Result

SIZE = 25
FILTER = "f."  # of filters in an address: f.grade=A
ALL = "-"  # a filter that lets everything through, as a form without a choice sends it
_CHOOSABLE = ("class", "flag", "score")
_MOST_CHOICES = 24


@dataclass(frozen=True)
class Sight:
    """What of which table somebody looks at; filters: column -> value as text, "" for none."""

    table: str = ""
    words: str = ""
    sort: str = ""  # name of a column, with "-" in front for the largest first
    page: int = 1
    filters: tuple[tuple[str, str], ...] = ()

    def query(self, **changed: Any) -> dict[str, str]:
        """The sight as the query of an address, with some of it changed; the first page is not told."""
        new = replace(self, **{"page": 1, **changed})
        held = {"table": new.table, "q": new.words, "sort": new.sort}
        held |= {"page": str(new.page)} if new.page > 1 else {}
        return {k: v for k, v in held.items() if v} | {FILTER + name: value for name, value in new.filters}

    def without(self, name: str) -> tuple[tuple[str, str], ...]:
        """The filters but for one."""
        return tuple(pair for pair in self.filters if pair[0] != name)


def read(given: Mapping[str, str], result: Result) -> Sight:
    """The sight of an address; what the result does not have is passed over."""
    named = given.get("table", "")
    table = result.tables[named].table if named in result.tables else result.analysis.tables[0]
    columns = {column.name for column in table.columns}
    sort = given.get("sort", "")
    page = given.get("page", "")
    filters = [(name.removeprefix(FILTER), value) for name, value in given.items() if name.startswith(FILTER)]
    return Sight(
        table.name,
        given.get("q", "").strip()[:200],
        sort if sort.removeprefix("-") in columns else "",
        int(page) if page.isdecimal() and len(page) < 10 and int(page) else 1,
        tuple(sorted((name, value) for name, value in filters if name in columns and value != ALL)),
    )


@dataclass(frozen=True)
class Head:
    """A column's head: title, meaning, whether it stands right, the address that sorts by it, how it is sorted."""

    name: str
    title: str
    meaning: str
    right: bool
    sort: str
    sorted: str  # aria-sort


@dataclass(frozen=True)
class Cell:
    """A cell: text, where it leads, whether it stands right, the class (A, B, C) or flag that colours it."""

    text: str
    link: str = ""
    right: bool = False
    mark: str = ""
    first: bool = False


@dataclass(frozen=True)
class Choice:
    """Values of a column to choose from: (value, title, chosen)."""

    name: str
    title: str
    values: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Shown:
    """What is shown of a table."""

    table: Table
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    found: int
    page: int
    pages: int
    choices: tuple[Choice, ...] = ()
    chips: tuple[tuple[str, str], ...] = ()  # text, address without it
    searched: bool = False
    of_customers: bool = False
    names: tuple[tuple[str, str], ...] = field(default=())  # every table: name, title

    @property
    def before(self) -> int:
        """The page before; 0: none."""
        return self.page - 1

    @property
    def after(self) -> int:
        """The next page; 0: none."""
        return self.page + 1 if self.page < self.pages else 0


def select(result: Result, sight: Sight, lang: str) -> pa.Table:
    """The rows that fit search and filters, sorted."""
    data = result.tables[sight.table].to_pyarrow()
    table = result.analysis.table(sight.table)
    mask = _mask(data, table, sight, lang)
    data = data if mask is None else data.filter(mask)
    return _sorted(data, sight.sort)


def show(result: Result, sight: Sight, lang: str, links: Links) -> Shown:
    """A page of the rows that fit, ready for a template. Costs what the page and one pass over columns cost."""
    table = result.analysis.table(sight.table)
    whole = result.tables[sight.table].to_pyarrow()
    data = select(result, sight, lang)
    pages = max(1, -(-data.num_rows // SIZE))
    page = min(sight.page, pages)
    part = data.slice((page - 1) * SIZE, SIZE)
    columns = _shown_columns(table, whole)
    links = links.of(part)
    values = {c.name: part.column(c.name).to_pylist() for c in columns}
    rows = tuple(
        tuple(
            _cell(values[c.name][i], c, lang, links, i, n == 0) for n, c in enumerate(columns)
        )
        for i in range(part.num_rows)
    )  # fmt: skip
    return Shown(
        table=table,
        heads=tuple(_head(c, sight, lang, result.currency, links) for c in columns),
        rows=rows,
        total=whole.num_rows,
        found=data.num_rows,
        page=page,
        pages=pages,
        choices=tuple(_choices(whole, columns, sight, lang)),
        chips=tuple(_chips(table, sight, lang, links)),
        searched=any(c.unit in ("text", "key") for c in columns),
        of_customers="customer_id" in whole.column_names,
        names=tuple((t.name, translate(t.title, lang)) for t in result.analysis.tables),
    )


class Links:
    """Where cells lead; `base` is the address of the page with the question, to which a sight is added."""

    def __init__(
        self, base: Mapping[str, str], customers: Any = None, leads: Mapping[str, Any] | None = None
    ):
        self.base = dict(base)
        self.customers = customers  # numbers -> addresses of their pages
        self.leads = dict(leads or {})  # column -> (table, column) whose rows a value stands for
        self.pages: dict[str, str] = {}
        self.ids: list[Any] = []

    def of(self, part: pa.Table) -> Links:
        """The links for a page of rows."""
        if "customer_id" in part.column_names and self.customers is not None:
            self.ids = part.column("customer_id").to_pylist()
            self.pages = self.customers({str(i) for i in self.ids if i is not None})
        return self

    def to(self, held: Mapping[str, str]) -> str:
        """The address of a sight."""
        return "?" + urlencode({**self.base, **held})

    def cell(self, value: Any, column: Column, i: int) -> str:
        """Where a cell leads; "" for nowhere."""
        if column.name in ("customer_id", "name") and self.ids:
            return self.pages.get(str(self.ids[i]), "")
        if column.name in self.leads and not missing(value):
            table, name = self.leads[column.name]
            return self.to({"table": table, FILTER + name: as_text(value)}) + "#table"
        return ""


def as_text(value: Any) -> str:
    """A value as a filter of an address has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _mask(data: pa.Table, table: Table, sight: Sight, lang: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = None
    for name, value in sight.filters:
        text = pc.fill_null(data.column(name).cast(pa.string()), "")
        fits = pc.equal(text, value)
        mask = fits if mask is None else pc.and_(mask, fits)
    if sight.words:
        found = None
        for column in table.columns:
            if column.unit not in ("text", "key", "class", "attribute"):
                continue
            hit = _matches(data.column(column.name).cast(pa.string()), column, sight.words, lang)
            found = hit if found is None else pc.or_(found, hit)
        if found is not None:
            mask = found if mask is None else pc.and_(mask, found)
    return mask


def _matches(text: Any, column: Column, words: str, lang: str) -> Any:
    """Rows of a column that hold the words; words of the catalogue are looked for as they are read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.unit == "class":
        wanted = [v for v in pc.unique(text).to_pylist() if v and words.lower() in translate(v, lang).lower()]
        return pc.is_in(text, value_set=pa.array(wanted, pa.string()))
    return pc.fill_null(pc.match_substring(text, words, ignore_case=True), False)


def _sorted(data: pa.Table, sort: str) -> pa.Table:
    import pyarrow.compute as pc

    if not sort:
        return data
    name = sort.removeprefix("-")
    order = "descending" if sort.startswith("-") else "ascending"
    return data.take(pc.sort_indices(data, sort_keys=[(name, order, "at_end")]))


def _shown_columns(table: Table, data: pa.Table) -> list[Column]:
    """The columns with any value."""
    return [
        c
        for c in table.columns
        if not data.num_rows or data.column(c.name).null_count < data.num_rows
    ]  # fmt: skip


def _head(column: Column, sight: Sight, lang: str, currency: str | None, links: Links) -> Head:
    right = column.unit in NUMERIC
    up, down = column.name, f"-{column.name}"
    first, second = (down, up) if right else (up, down)
    state = {up: "ascending", down: "descending"}.get(sight.sort, "none")
    return Head(
        column.name,
        header(column, lang, currency),
        translate(column.meaning, lang),
        right,
        links.to(sight.query(sort=second if sight.sort == first else first)),
        state,
    )


def _cell(value: Any, column: Column, lang: str, links: Links, i: int, first: bool) -> Cell:
    text = cell(value, column, lang)
    if column.unit == "key" and value is not None and not own(value):
        return Cell("–", "", False, "", first)  # nobody knows it by that; its name leads to it
    mark = ""
    if column.unit == "class" and isinstance(value, str) and len(value) == 1:
        mark = f"class-{value.lower()}"
    return Cell(text, links.cell(value, column, i), column.unit in NUMERIC, mark, first)


def _choices(data: pa.Table, columns: list[Column], sight: Sight, lang: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if data.num_rows <= 12:
        return
    held = dict(sight.filters)
    for column in [c for c in columns if c.unit in _CHOOSABLE][:5]:
        unique = pc.unique(data.column(column.name))
        if not 1 < len(unique) <= _MOST_CHOICES:
            continue
        values = sorted(unique.to_pylist(), key=lambda v: (v is None, v if v is not None else 0))
        text = [
            as_text(v) if not isinstance(v, bool) else pa.scalar(v).cast(pa.string()).as_py() for v in values
        ]
        yield Choice(
            FILTER + column.name,
            translate(column.title, lang),
            tuple(
                (t, cell(v, column, lang), held.get(column.name) == t)
                for t, v in zip(text, values, strict=True)
            ),
        )


def _chips(table: Table, sight: Sight, lang: str, links: Links) -> Any:
    columns = {c.name: c for c in table.columns}
    for name, value in sight.filters:
        column = columns[name]
        shown = _spoken(value, column, lang)
        yield f"{translate(column.title, lang)}: {shown}", links.to(sight.query(filters=sight.without(name)))


def _spoken(value: str, column: Column, lang: str) -> str:
    from datetime import date

    if value == "":
        return "–"
    made: Any = value
    if column.unit == "flag":
        made = value == "true"
    elif column.unit in ("date", "month"):
        try:
            made = date.fromisoformat(value)
        except ValueError:
            return value
    elif column.unit in NUMERIC:
        return value
    return cell(made, column, lang)
