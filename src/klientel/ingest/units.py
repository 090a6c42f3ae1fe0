"""What amounts are written in: thousands, a currency beside them or above them, gross instead of net."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from klientel.ingest.formats.rejections import TITLE
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.mapping.names import header
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.recognition import Recognition
from klientel.ingest.sql import read_sql, text_sql
from klientel.ingest.values import Profile, currency_sql, empty_sql, number_sql
from klientel.ingest.values.scales import FACTORS
from klientel.ingest.values.shapes import identifier, quoted
from klientel.schema import TABLES
from klientel.words import Sentence, say

# Of each table the column whose currency is the currency of the row.
_AMOUNT = ("net_amount", "amount", "recurring_amount", "invoice_price", "total_amount", "margin")
# "Angaben in TEUR", "Umsatz 2024 in T€", "alle Werte in Tsd. EUR", "in thousands of USD".
_IN = re.compile(
    r"\b(?:in|angaben|werte|beträge|currency|währung)\b[\s:]*(?:in\s+)?(?P<unit>[\w€$£.' ]{1,24})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unit:
    """What a table's title says about its amounts."""

    factor: float | None = None
    currency: str | None = None


def titled(raw: RawTable) -> Unit:
    """The unit that the lines above the table name for all its amounts."""
    for rejection in raw.rejections:
        if rejection.reason != TITLE:
            continue
        for found in _IN.finditer(rejection.value):
            parts = header(f"Betrag in {found['unit']}")
            if parts.factor or parts.currency:
                return Unit(parts.factor, parts.currency)
    return Unit()


def read_columns(found: Recognition, profile: dict[str, Profile]) -> tuple[dict[str, str], list[Sentence]]:
    """SQL of every canonical column of a table in its plain unit, and what has to be said about it."""
    entity = TABLES[found.table or ""]
    columns: dict[str, str] = {}
    notes: list[Sentence] = []
    for name, match in found.columns.items():
        field = entity.field(name)
        if name in found.added:
            columns[name], sum_of = _added_up(found, name, match.header, profile)
            notes.append(sum_of)
            continue
        sql = read_sql(field, match.column, profile)
        if field.kind == "money":
            times = factor(found.raw, match.header, each=bool(field.unit))
            if times != 1:
                notes.append(multiplied(found.raw, match.header, times))
            sql = scaled(sql, times)
            notes += _written_short(found, match.header, profile[match.column])
        columns[name] = sql
    if found.table in ("order_line", "order_header", "credit_note_line") and "net_amount" in columns:
        columns["net_amount"], said = without_tax(found, columns["net_amount"], profile)
        notes += [said] if said else []
    money = currency(found, profile)
    if money:
        columns["currency"] = money
    return columns, notes


def _added_up(found: Recognition, name: str, title: str, profile: dict[str, Profile]) -> tuple[str, Sentence]:
    """SQL of an amount that stands in several columns; NULL if none is filled or one cannot be read."""
    field = TABLES[found.table or ""].field(name)
    cells, odd = [], []
    for column in found.added[name]:
        own = header(column.header).factor
        times = Decimal(str(own)) if own else factor(found.raw, title)
        sql = scaled(read_sql(field, column.name, profile), times)
        cells.append(sql)
        odd.append(f"(({sql}) IS NULL AND NOT {empty_sql(text_sql(identifier(column.name)))})")
    total = " + ".join(f"coalesce({cell}, 0)" for cell in cells)
    filled = " OR ".join(f"({cell}) IS NOT NULL" for cell in cells)
    sql = f"CASE WHEN {' OR '.join(odd)} THEN NULL WHEN {filled} THEN TRY(CAST({total} AS DECIMAL(18,4))) END"
    said = say(
        "{file}: {header} is the sum of {headers}.",
        file=found.raw.place, header=title, headers=[c.header for c in found.added[name]],
    )  # fmt: skip
    return sql, said


def _written_short(found: Recognition, title: str, known: Profile) -> list[Sentence]:
    """What to say of values such as "67.9k" and "1,2 Mio."."""
    if known.number is None or not known.number.scales:
        return []
    signs = sorted(known.number.scales, key=lambda sign: (FACTORS[sign], sign))
    meant = [say("{sign} = {factor}", sign=sign, factor=FACTORS[sign]) for sign in signs]
    text = say(
        "{file}, {header}: values are written short and multiplied: {signs}.",
        file=found.raw.place, header=title, signs=meant,
    )  # fmt: skip
    return [text]


def factor(raw: RawTable, title: str, *, each: bool = False) -> Decimal:
    """What the amounts under a header are multiplied by: 1000 for "Umsatz in TEUR".

    By the header or, unless they are prices of `each` piece, by the lines above the table.
    """
    own = header(title)
    if own.percent:
        return Decimal(1)
    return Decimal(str(own.factor or (None if each else titled(raw).factor) or 1))


def multiplied(raw: RawTable, title: str, times: Decimal) -> Sentence:
    """The sentence that says so."""
    return say(
        "{file}: {header} is multiplied by {factor}.", file=raw.place, header=title, factor=float(times)
    )


def scaled(sql: str, times: Decimal) -> str:
    """SQL of an amount in whole units; NULL if it gets too large."""
    return sql if times == 1 else f"TRY(CAST(({sql}) * {times:f} AS DECIMAL(18,4)))"


def currency(found: Recognition, profile: dict[str, Profile]) -> str | None:
    """SQL of the currency of a row, where no column names it: beside the amount, in the header or the title."""
    if "currency" in found.columns or "currency" not in TABLES[found.table or ""].names():
        return None
    named = titled(found.raw).currency
    for name in found.periods:
        parts = header(found.raw.headers()[name])
        named = parts.currency or named
    match = next((found.columns[n] for n in _AMOUNT if n in found.columns), None)
    beside = "CAST(NULL AS VARCHAR)"
    if match is not None:
        named = header(match.header).currency or named
        known = profile[match.column].number
        if known is not None:
            beside = currency_sql(identifier(match.column), known)
    if named:
        return f"coalesce({beside}, {quoted(named)})"
    return beside if not beside.startswith("CAST(NULL") else None


def without_tax(found: Recognition, sql: str, profile: dict[str, Profile]) -> tuple[str, Sentence | None]:
    """SQL of the net amount of a table, and what to say if its column is gross or may be.

    VAT comes off where another column gives its amount or its rate; otherwise the amount stays as it is.
    """
    match = found.columns["net_amount"]
    concept = next((m.concept for m in meanings(match.header)), "")
    taxes = [c for c in found.raw.columns if _is_tax(c, profile[c.name])]
    place = found.raw.place
    if concept == "amount" and taxes:
        return sql, say(
            "{file}: nothing says whether VAT is in {header}; it is taken for net.",
            file=place, header=match.header,
        )  # fmt: skip
    if concept != "gross":
        return sql, None
    for column in taxes[:1]:
        found.unmapped = [h for h in found.unmapped if h != column.header]
        net = _net(sql, column, profile[column.name], factor(found.raw, column.header))
        note = say(
            "{file}: {header} is gross; VAT was taken off with {tax}.",
            file=place, header=match.header, tax=column.header,
        )  # fmt: skip
        return f"TRY(CAST({net} AS DECIMAL(18,4)))", note
    return sql, say(
        "{file}: {header} is a gross amount: VAT is in all figures. "
        "Add a column of net amounts or of the VAT.",
        file=place, header=match.header,
    )  # fmt: skip


def _is_tax(column: RawColumn, known: Profile) -> bool:
    tax = any(m.concept == "tax" and m.strength >= 0.6 for m in meanings(column.header)[:1])
    return tax and known.number is not None and known.number_share >= 0.9 and known.high is not None


def _net(sql: str, column: RawColumn, known: Profile, times: Decimal) -> str:
    assert known.number is not None
    value = number_sql(identifier(column.name), known.number)
    if _is_rate(column, known):
        whole = 1 if known.high is not None and known.high < 1 else 100
        rate = f"CAST(coalesce({value}, 0) AS DOUBLE) / {whole}"
        return f"round(CAST({sql} AS DOUBLE) / (1 + {rate}), 2)"
    # A credit note may write its VAT without the sign of its amount.
    return f"({sql}) - sign({sql}) * abs(coalesce({scaled(value, times)}, 0))"


def _is_rate(column: RawColumn, known: Profile) -> bool:
    if known.number is not None and "percent" in known.number.styles:
        return True
    few = known.distinct <= 6 and known.high is not None and known.high <= 30
    named = re.search(r"%|satz|rate|proz|percent", column.header, re.IGNORECASE)
    return bool(few and (named or known.distinct <= 3))
