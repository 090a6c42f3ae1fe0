"""Profile of every column of a raw table: how filled, how varied, how it reads as number, date, flag."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date as day
from decimal import Decimal
from itertools import count as counter
from typing import TYPE_CHECKING, Any

from klientel.ingest.values import dates, flags, hints, keys, numbers
from klientel.ingest.values.dates import DateFormat
from klientel.ingest.values.flags import FlagFormat
from klientel.ingest.values.hints import Hints
from klientel.ingest.values.keys import KeyFormat
from klientel.ingest.values.numbers import Hint, NumberFormat
from klientel.ingest.values.sample import Sample, column_types, draw, tell
from klientel.ingest.values.shapes import Shape, identifier, is_empty, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from klientel.ingest.raw import RawTable

WORTH = 0.05
"""Readings of fewer values than this fraction of the sample are not verified on the whole column."""
_CHUNK = 40
_names = counter()


@dataclass(frozen=True)
class Profile:
    """What is known of one column.

    rows; filled: neither NULL nor blank; distinct: exact for short tables and where all differ, otherwise
    approximate; unique: all filled values differ. values: up to 20 frequent ones of the sample, most frequent
    first. shortest, longest: text length in the sample. number, date, flag, key: the format of each possible
    reading, None if no value reads so; `..._share`: fraction of the filled values that it reads, 0-1 ("n/a"
    and the like do not count). low, high: extremes of the number; first, last: of the date; negative, whole:
    fractions of the numbers. empties: filled cells that stand for nothing. currency: ISO code of the one
    currency beside the numbers. sampled: figures come from a sample, because the column is typed and long.
    """

    column: str
    header: str
    type: str
    rows: int
    filled: int
    distinct: int
    unique: bool
    values: tuple[str, ...] = ()
    shortest: int = 0
    longest: int = 0
    number: NumberFormat | None = None
    number_share: float = 0.0
    date: DateFormat | None = None
    date_share: float = 0.0
    flag: FlagFormat | None = None
    flag_share: float = 0.0
    key: KeyFormat = field(default_factory=KeyFormat)
    low: Decimal | None = None
    high: Decimal | None = None
    first: day | None = None
    last: day | None = None
    negative: float = 0.0
    whole: float = 0.0
    empties: int = 0
    currency: str | None = None
    sampled: bool = False


@dataclass
class _Column:
    """A column while it is being understood."""

    name: str
    header: str
    type: str
    shapes: list[Shape] = field(default_factory=list)
    values: list[tuple[str, int]] = field(default_factory=list)
    distinct: int = 0
    lengths: tuple[int, int] = (0, 0)
    size: int = 0  # rows of the sample
    number: NumberFormat | None = None
    date: DateFormat | None = None
    flag: FlagFormat | None = None
    key: KeyFormat = field(default_factory=KeyFormat)
    stats: dict[str, Any] = field(default_factory=dict)
    rare: dict[str, float] = field(default_factory=dict)  # reading -> its share in the sample

    @property
    def sql(self) -> str:
        """The column as an SQL expression, text where it is text."""
        return f"CAST({identifier(self.name)} AS VARCHAR)" if self.type == "enum" else identifier(self.name)

    @property
    def is_text(self) -> bool:
        return self.type in ("text", "enum")


def profile(
    con: duckdb.DuckDBPyConnection, view: str, raw: RawTable, hint: Hint = None
) -> dict[str, Profile]:
    """Profile all columns of `view`, a relation over the table `raw`; column name -> Profile.

    Formats are decided on a sample of about 50,000 rows spread over the table, verified on every row of
    text columns, and decided again where the whole says otherwise. hint: language of the file, used where a
    column fits both ways of writing and the other columns of the file do not say.
    """
    headers = raw.headers()
    columns = [
        _Column(n, headers.get(n, n), t)
        for n, t in column_types(con, view)
        if n != "line" or not raw.has_line
    ]
    with draw(con, view, raw, f"klientel_sample_{next(_names)}") as sample:
        return _profile(con, sample, columns, raw, hint)


def _profile(
    con: duckdb.DuckDBPyConnection, sample: Sample, columns: list[_Column], raw: RawTable, hint: Hint
) -> dict[str, Profile]:
    told = tell(con, sample, [(c.name, c.sql) for c in columns])
    for column in columns:
        found = told[column.name]
        column.shapes, column.values = found.shapes, found.values
        column.size = sample.size
        column.distinct, column.lengths = found.distinct, (found.shortest, found.longest)
        _decide(con, sample.table, column, hints.NONE)
    known = hints.derive([(c.header, c.number, c.date) for c in columns if c.is_text], raw, hint)
    for column in columns:
        if _open(column):
            _decide(con, sample.table, column, known)
    if not sample.complete:
        _measure(con, replace(sample, whole=sample.table), columns)
        _drop_rare(columns)
    _measure(con, sample, columns)
    if not sample.complete:
        again = [c for c in columns if c.is_text and _surprised(con, sample, c, known)]
        if again:
            _measure(con, sample, again)
    settled = [c for c in columns if _settle(con, sample, c)]
    if settled:
        _measure(con, sample, settled)
    return {c.name: _result(con, sample, c) for c in columns}


def _decide(con: duckdb.DuckDBPyConnection, relation: str, column: _Column, known: Hints) -> None:
    """Decide all readings of a column; day or month first is counted in `relation`."""

    def count(conditions: Sequence[str]) -> list[int]:
        expression = dates_text(column)
        parts = ", ".join(f"count(*) FILTER ({c})" for c in conditions)
        row = con.execute(f"SELECT {parts} FROM (SELECT {expression} AS x FROM {relation})").fetchone()
        return [int(n) for n in row or ()]

    words = [value for value, _ in column.values]
    filled = sum(s.count for s in column.shapes)
    match column.type:
        case "date" | "timestamp":
            column.date = DateFormat(typed=column.type, why=dates.typed_why(column.type))
        case "flag":
            column.flag = FlagFormat(typed=True)
        case "whole" | "float":
            column.number = NumberFormat(".", typed=True)
            column.key = KeyFormat(typed=column.type)
            if column.type == "whole" or all(s.text.endswith(".9") for s in column.shapes):
                column.date = dates.decide(
                    _whole(column.shapes), column.header, count, known.order, known.order_because
                )
                column.date = column.date and replace(column.date, typed="whole", zero_tail=False)
            if set(words) <= {"0", "1", "0.0", "1.0"} and len(words) == 2:
                column.flag = FlagFormat(("1",), ("0",), typed=True, why=flags.zero_one())
        case "text" | "enum":
            column.number = numbers.decide(column.shapes, known.numbers, known.because)
            column.date = dates.decide(column.shapes, column.header, count, known.order, known.order_because)
            column.flag = flags.decide(words, blanks=filled < column.size) if column.distinct <= 8 else None
            column.key = keys.decide(column.shapes, 0)
        case _:
            pass
    if not column.is_text and not column.key.typed:
        column.key = KeyFormat(typed="other")


def dates_text(column: _Column) -> str:
    """The column as the text that date layouts are tried on."""
    if column.is_text:
        return column.sql
    return f"CAST(try_cast({column.sql} AS BIGINT) AS VARCHAR)"


def _whole(found: list[Shape]) -> list[Shape]:
    """Shapes of floats without their fraction: 19970101.0 as 19970101."""
    return [replace(s, text=s.text.removesuffix(".9")) for s in found]


def _open(column: _Column) -> bool:
    """True if the file's other columns may decide what this one cannot."""
    return bool((column.number and column.number.ambiguous) or (column.date and column.date.ambiguous))


def _measure(con: duckdb.DuckDBPyConnection, sample: Sample, columns: list[_Column]) -> None:
    """One pass over the whole (typed columns of long tables: the sample) for the stats of `columns`."""
    text = [c for c in columns if c.is_text]
    typed = [c for c in columns if not c.is_text]
    for group, relation in (
        (text, sample.whole),
        (typed, sample.table if sample.skip_typed else sample.whole),
    ):
        for start in range(0, len(group), _CHUNK):
            _measure_chunk(con, relation, group[start : start + _CHUNK])


def _measure_chunk(con: duckdb.DuckDBPyConnection, relation: str, columns: list[_Column]) -> None:
    inner: list[str] = []
    outer: list[tuple[_Column | None, str, str]] = [(None, "rows", "count(*)")]
    for i, c in enumerate(columns):
        inner.append(f"{c.sql} AS x{i}")
        filled = f"count({_filled_sql(f'x{i}') if c.is_text else f'x{i}'})"
        outer += [(c, "filled", filled), (c, "distinct", f"approx_count_distinct(x{i})")]
        if c.is_text and c.flag:
            read = flags.flag_sql(f"x{i}", c.flag)
            outer.append((c, "flags", f"count(CASE WHEN trim(x{i}) <> '' THEN {read} END)"))
        if c.is_text and keys.may_strip(c.shapes):
            outer.append((c, "others", f"count_if({keys.other_sql(f'x{i}')})"))
        if c.number and "numbers" not in c.rare:
            inner.append(f"{numbers.number_sql(c.sql, c.number)} AS n{i}")
            outer += [
                (c, "numbers", f"count(n{i})"), (c, "low", f"min(n{i})"), (c, "high", f"max(n{i})"),
                (c, "negatives", f"count_if(n{i} < 0)"), (c, "wholes", f"count_if(n{i} % 1 = 0)"),
                (c, "over_one", f"count_if(n{i} > 1)"), (c, "over_hundred", f"count_if(n{i} > 100)"),
            ]  # fmt: skip
        if c.date and "dates" not in c.rare:
            inner.append(f"{dates.date_sql(c.sql, c.date)} AS d{i}")
            outer += [(c, "dates", f"count(d{i})"), (c, "first", f"min(d{i})"), (c, "last", f"max(d{i})")]
    asked = ", ".join(sql for _, _, sql in outer)
    row = con.execute(f"SELECT {asked} FROM (SELECT {', '.join(inner)} FROM {relation})").fetchone() or ()
    for (owner, name, _), value in zip(outer, row, strict=True):
        for c in [owner] if owner else columns:
            c.stats[name] = value


def _filled_sql(text: str) -> str:
    """SQL for the text, NULL if blank; only what begins with a space or less can be, and trim() is dear."""
    return f"CASE WHEN {text} < '!' THEN nullif(trim({text}), '') ELSE {text} END"


def _drop_rare(columns: list[_Column]) -> None:
    """Keep the shares of readings that fit few values of the sample, and do not verify them on every row."""
    for column in columns:
        filled = column.stats.get("filled") or 1
        for reading in ("numbers", "dates"):
            share = column.stats.get(reading, 0) / filled
            if share < WORTH:
                column.rare[reading] = share
        column.stats.clear()


def _surprised(con: duckdb.DuckDBPyConnection, sample: Sample, column: _Column, known: Hints) -> bool:
    """Decide a column again with the shapes that were not read on the whole; True if a format changed."""
    before = (column.number, column.date)
    s = column.stats
    unread, most = [], 0
    if column.number and s.get("numbers", s["filled"]) < s["filled"]:
        unread.append(f"({numbers.number_sql(column.sql, column.number)}) IS NULL")
        most += s["filled"] - s["numbers"]
    if column.date and s.get("dates", s["filled"]) < s["filled"]:
        unread.append(f"({dates.date_sql(column.sql, column.date)}) IS NULL")
        most += s["filled"] - s["dates"]
    if unread:
        found = shapes(con, sample.whole, column.sql, f"({' OR '.join(unread)})")
        seen = sum(shape.count for shape in found) or 1
        scale = sample.rows / max(sample.size, 1)
        merged = {(x.text, x.zero): x.count * scale for x in column.shapes}
        for x in found:
            merged[x.text, x.zero] = max(merged.get((x.text, x.zero), 0), x.count * max(most / seen, 1))
        column.shapes = [Shape(text, zero, n) for (text, zero), n in merged.items()]
    elif not (column.date and column.date.ambiguous and "dates" in s):
        return False
    _decide(con, sample.whole, column, known)
    return (column.number, column.date) != before


def _settle(con: duckdb.DuckDBPyConnection, sample: Sample, column: _Column) -> bool:
    """Let the whole column decide whether "1.234" is grouped or decimal; True if the format changed."""
    fmt = column.number
    if fmt is None or not fmt.either or "numbers" not in column.stats:
        return False
    sign = "[.]" if fmt.either == "." else ","
    core = f"regexp_replace({column.sql}, '[^0-9.,]', '', 'g')"
    row = con.execute(
        f"SELECT count_if(regexp_full_match(x, '[0-9]{{4,}}')), "
        f"count_if(regexp_full_match(x, '[0-9]{{1,3}}')), "
        f"count_if(regexp_full_match(x, '[0-9]+{sign}[0-9][0-9]0')) "
        f"FROM (SELECT {core} AS x FROM {sample.whole})"
    ).fetchone() or (0, 0, 0)
    column.number = numbers.settle(fmt, long=row[0], short=row[1], zeros=row[2])
    return column.number != fmt


def _result(con: duckdb.DuckDBPyConnection, sample: Sample, column: _Column) -> Profile:
    s = column.stats
    filled = int(s.get("filled", 0))
    read, dated = int(s.get("numbers", 0)), int(s.get("dates", 0))
    empties = _empties(con, sample, column, filled, read, dated)
    if column.is_text:
        column.key = keys.decide(column.shapes, int(s.get("others", 1)))
    number = column.number if read or column.rare.get("numbers") else None
    if number and read:
        number = numbers.as_share(
            number, column.header, low=float(s["low"]), high=float(s["high"]), over_one=s["over_one"] / read,
            over_hundred=s["over_hundred"] / read, whole=s["wholes"] / read,
        )  # fmt: skip
    unique, distinct = _unique(con, sample, column, filled)
    valued = max(filled - empties, 1)
    return Profile(
        column=column.name,
        header=column.header,
        type=column.type,
        rows=sample.rows,
        filled=_scaled(sample, column, filled),
        distinct=distinct,
        unique=unique,
        values=tuple(value for value, _ in column.values),
        shortest=column.lengths[0],
        longest=column.lengths[1],
        number=number,
        number_share=_share(column, "numbers", valued),
        date=column.date if dated or column.rare.get("dates") else None,
        date_share=_share(column, "dates", valued),
        flag=column.flag,
        flag_share=_flag_share(column, filled),
        key=column.key,
        low=s.get("low"),
        high=s.get("high"),
        first=s.get("first"),
        last=s.get("last"),
        negative=s.get("negatives", 0) / read if read else 0.0,
        whole=s.get("wholes", 0) / read if read else 0.0,
        empties=empties,
        currency=numbers.currency(number),
        sampled=not column.is_text and sample.skip_typed,
    )


def _share(column: _Column, name: str, valued: int) -> float:
    """Fraction of the valued cells that a reading took; of the sample where it was not worth a full pass."""
    return column.rare[name] if name in column.rare else min(int(column.stats.get(name, 0)) / valued, 1.0)


def _flag_share(column: _Column, filled: int) -> float:
    if column.flag is None or not filled:
        return 0.0
    return int(column.stats.get("flags", filled)) / filled


def _scaled(sample: Sample, column: _Column, filled: int) -> int:
    if column.is_text or not sample.skip_typed:
        return filled
    return round(filled * sample.rows / max(sample.size, 1))


def _empties(
    con: duckdb.DuckDBPyConnection, sample: Sample, column: _Column, filled: int, read: int, dated: int
) -> int:
    """Filled cells that stand for nothing ("n/a", 0000-00-00), counted where some cells were not read."""
    if not column.is_text or max(read, dated) in (0, filled):
        return 0
    if not any(is_empty(s.text) or (dated and s.zero) or (dated and "99" in s.text) for s in column.shapes):
        return 0
    sql = dates.date_empty_sql if dated >= read else numbers.empty_sql
    blank = f"trim({column.sql}) <> ''"
    row = con.execute(f"SELECT count(*) FROM {sample.whole} WHERE {blank} AND {sql(column.sql)}").fetchone()
    return int(row[0]) if row else 0


def _unique(con: duckdb.DuckDBPyConnection, sample: Sample, column: _Column, filled: int) -> tuple[bool, int]:
    """Whether all filled values differ, and how many there are; exact only where it may be so."""
    about = column.distinct if sample.complete else min(int(column.stats.get("distinct", 0)), filled)
    sampled = not column.is_text and sample.skip_typed
    sample_filled = sum(n for n in (s.count for s in column.shapes))
    if not filled or about < 0.9 * filled or (sample.complete and column.distinct < sample_filled):
        return False, about
    relation = sample.table if sampled else sample.whole
    value = _filled_sql(column.sql) if column.is_text else column.sql
    row = con.execute(
        f"SELECT count(DISTINCT hash(x)) FROM (SELECT {value} AS x FROM {relation}) WHERE x IS NOT NULL"
    ).fetchone()
    exact = int(row[0]) if row else 0
    return exact == filled, exact
