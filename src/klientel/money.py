"""Currencies and rates (handbook G3): one reporting currency, never a silent rate of 1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

SYMBOLS = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "FR.": "CHF",
    "SFR": "CHF",
    "ZŁ": "PLN",
    "KČ": "CZK",
}
_CLOSING = ("closing", "spot", "stichtag", "schlusskurs", "stichtagskurs", "month end", "monatsende")
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Converted:
    """Lines in the reporting currency, and the lines for which no rate was found."""

    lines: ir.Table
    missing: ir.Table | None


def code(text: str) -> str:
    """The ISO 4217 code of a currency as people write it; BadParameter if it is none."""
    cleaned = text.strip().upper()
    cleaned = SYMBOLS.get(cleaned, cleaned)
    if not _CODE.fullmatch(cleaned):
        raise BadParameter(say("{text} is not a currency; write its code, for example EUR.", text=repr(text)))
    return cleaned


def convert(lines: ir.Table, rates: ir.Table | None, target: str, columns: tuple[str, ...]) -> Converted:
    """Amounts of `columns` at the monthly average rate of the booking month (G3).

    lines has `currency` and `day`; rates: date, from_currency, to_currency, rate (and kind). Both
    directions of a pair serve (1/rate). Lines in another currency without a rate are excluded, counted
    and listed, never converted at 1.
    """
    own = lines.currency.isnull() | (lines.currency == target)
    if rates is None:
        return Converted(lines.filter(own), lines.filter(~own))
    monthly = _monthly(rates, target)
    at = lines.mutate(rate_month=lines.day.truncate("M"))
    joined = at.left_join(
        monthly, [at.currency == monthly.from_currency, at.rate_month == monthly.month]
    ).drop("from_currency", "month", "rate_month")
    usable = own | joined.rate.notnull()
    kept = joined.filter(usable)
    same = kept.currency.isnull() | (kept.currency == target)
    amounts: dict[str, Any] = {
        # Both sides wide: decimal(18, 4) times a rate overflows at a billion.
        c: same.ifelse(
            kept[c],
            (kept[c].cast("decimal(38, 10)") * kept.rate.cast("decimal(38, 10)")).cast("decimal(18, 4)"),
        )
        for c in columns
        if c in kept.columns
    }
    return Converted(kept.mutate(**amounts).drop("rate"), joined.filter(~usable).drop("rate"))


def _monthly(rates: ir.Table, target: str) -> ir.Table:
    """Mean rate into the target currency per month: from_currency, month, rate."""
    import ibis

    if "kind" in rates.columns:  # closing rates are for stocks; flows take the average of their month
        rates = rates.filter(~ibis.coalesce(rates.kind.lower().isin(_CLOSING), False))
    straight = rates.filter(rates.to_currency == target)
    straight = straight.select("date", "from_currency", rate=straight.rate.cast("float64"))
    turned = rates.filter((rates.from_currency == target) & (rates.rate != 0))
    turned = turned.select("date", from_currency=turned.to_currency, rate=1 / turned.rate.cast("float64"))
    both = straight.union(turned)
    both = both.mutate(month=both.date.truncate("M"))
    return both.group_by("from_currency", "month").agg(rate=both.rate.mean())


def reporting_currency(
    wanted: str | None, found: list[tuple[str, int]], rates: ir.Table | None = None
) -> str | None:
    """The reporting currency: the wanted one, else the one that all rates lead into, else the most frequent
    of the lines (`found`, with counts, the most frequent first), else unknown (None)."""
    if wanted:
        return code(wanted)
    if rates is not None and len(found) > 1:
        targets = rates.select(rates.to_currency).distinct().limit(2).to_pyarrow().to_pylist()
        if len(targets) == 1 and targets[0]["to_currency"]:
            return str(targets[0]["to_currency"])
    return found[0][0] if found else None
