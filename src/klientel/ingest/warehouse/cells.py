"""Cells of typed columns as canonical values, in Ibis: the counterpart of `ingest.sql` on other engines."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from klientel.engine import MONEY
from klientel.ingest.values import Profile
from klientel.money import SYMBOLS
from klientel.schema import Field

if TYPE_CHECKING:
    import ibis.expr.types as ir

LARGEST = 10**13  # amounts up to here fit into decimal(18, 4)
_RATE = "decimal(28, 10)"
_NUMBER = r"^[+-]?[0-9]{1,13}([.][0-9]{1,10})?$"
_DAY = (
    r"^(19[0-9]{2}|20[0-9]{2})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))([T ].*)?$"
)
_FIRST, _LAST = "1900-01-01", "2100-12-31"


def read(field: Field, column: ir.Value, profile: Profile) -> ir.Value | None:
    """A column as the kind of a canonical field; NULL where a cell does not fit, None if the column does not."""
    match field.kind:
        case "money" | "number":
            return number(column, profile, _RATE if field.name == "rate" else MONEY)
        case "integer":
            found = number(column, profile, MONEY)
            return None if found is None else found.cast("int64")
        case "share":
            return _share(column, profile)
        case "date":
            return day(column, profile)
        case "flag":
            return _flag(column, profile)
        case "key":
            return key(column)
        case "currency":
            return _currency(column)
        case _:
            return text(column)


def text(column: ir.Value) -> ir.Value:
    """Text without white space around; NULL where blank."""
    return column.cast("string").strip().nullif("")


def key(column: ir.Value) -> ir.Value:
    """A number of a customer, order or product as text: as written, floats without fraction as whole numbers."""
    kind = column.type()
    if kind.is_floating() or (kind.is_decimal() and kind.scale):
        whole = column.cast("decimal(38, 0)") if kind.is_decimal() else column.cast("int64")
        return (column == whole).ifelse(whole.cast("string"), column.cast("string"))
    found = text(column)
    if kind.is_string():
        found = (
            found.lower().isin(("nan", "null", "(null)", "<na>", "#n/a", "#nv", "n/a")).ifelse(None, found)
        )
    return found


def number(column: ir.Value, profile: Profile, exact: str) -> ir.Value | None:
    """A number as an exact decimal; texts only if they are written 1234.5."""
    import ibis

    kind = column.type()
    if kind.is_string():
        fmt = profile.number
        if fmt is None or fmt.group or fmt.decimal not in ("", ".") or fmt.styles or fmt.scales:
            return None
        plain = column.strip()
        return plain.re_search(_NUMBER).ifelse(plain, None).cast("decimal(38, 10)").cast(exact)
    if not kind.is_numeric() or kind.is_boolean():
        return None
    fits = column.abs() < ibis.literal(LARGEST)
    if kind.is_floating():
        fits = fits & ~column.isnan()
    elif kind.is_decimal():
        if kind.precision is not None and kind.precision - (kind.scale or 0) <= 13:
            return column.cast(exact)
    elif kind.nbytes <= 4:
        return column.cast(exact)
    return fits.ifelse(column, None).cast(exact)


def _share(column: ir.Value, profile: Profile) -> ir.Value | None:
    import ibis

    fmt = profile.number
    found = number(column, profile, _RATE)
    if found is None or fmt is None or fmt.divisor is None:
        return None
    inside = (found >= -fmt.divisor) & (found <= fmt.divisor)
    unit = ibis.literal(Decimal(1) / fmt.divisor, "decimal(3, 2)")
    return inside.ifelse((found.cast("decimal(18, 10)") * unit).cast(_RATE), None)


def day(column: ir.Value, profile: Profile) -> ir.Value | None:
    """A date; of a time its day (UTC), of whole numbers 20241231, of texts 2024-12-31. 1900 to 2100 only."""
    import ibis

    kind = column.type()
    if kind.is_date():
        found = column
    elif kind.is_timestamp():
        found = column.cast("date")
    elif kind.is_integer() and profile.date is not None and profile.date.layouts == ("%Y%m%d",):
        year, month, of_month = column // 10_000, column // 100 % 100, column % 100
        iso = ibis.literal("").join(
            [year.cast("string"), ibis.literal("-"), _two(month), ibis.literal("-"), _two(of_month)]
        )
        found = iso.re_search(_DAY).ifelse(iso, None).cast("date")
    elif kind.is_string() and profile.date is not None and profile.date.layouts[:1] == ("%Y-%m-%d",):
        plain = column.strip()
        found = plain.re_search(_DAY).ifelse(plain.left(10), None).cast("date")
    else:
        return None
    inside = (found >= ibis.literal(_FIRST).cast("date")) & (found <= ibis.literal(_LAST).cast("date"))
    return inside.ifelse(found, ibis.null("date"))


def _two(part: ir.Value) -> ir.Value:
    return part.cast("string").lpad(2, "0")


def _flag(column: ir.Value, profile: Profile) -> ir.Value | None:
    fmt = profile.flag
    if column.type().is_boolean():
        return column
    if fmt is None:
        return None
    if column.type().is_numeric():
        return column.isin((0, 1)).ifelse(column == 1, None)
    word = column.strip().lower()
    no = word.isin((*fmt.false, "", "-") if fmt.blank_false else fmt.false)
    found = word.isin(fmt.true).ifelse(True, no.ifelse(False, None))
    return found.fill_null(False) if fmt.blank_false else found


def _currency(column: ir.Value) -> ir.Value:
    import ibis

    found = column.cast("string").strip().upper()
    return ibis.cases(*((found == sign, code) for sign, code in SYMBOLS.items()), else_=found).nullif("")
