"""Contract terms as known on a day: chains of terms, renewal numbers, what was decided and what comes up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Context
    from klientel.quality import Flag

GAP = 30  # days of pause between two terms that are still one chain (B9)
MONEY = "decimal(38, 4)"
# Status texts that say: notice is given, the contract runs out at its end. Texts for a contract that ran out
# without notice (expired, abgelaufen) say what became of it later and are not read.
_NOTICE = (
    "terminat|cancel|gek(ü|ue)ndigt|k(ü|ue)ndigung|stornier|widerruf|notice given|resigned|churn|"
    "wird beendet|not renew|nicht verl(ä|ae)nger|keine verl(ä|ae)nger"
)


def on_day(contracts: ir.Table, as_of: date | None, *, undated: bool) -> ir.Table:
    """Contracts with notice and end as they are known before `as_of` (None: all there is); later ones are not (G1).

    undated: whether a status and the flag "ended" count, which have no day; those of a contract whose notice or end
    is dated later never do. "end" is the day it really ended, else the agreed end; with notice and neither of them,
    the day after which the notice period is over.
    """
    import ibis

    have = set(contracts.columns)
    days = [c for c in ("cancelled_on", "ended_on") if c in have]
    flags = [c for c in ("status", "ended") if c in have]
    if not undated:
        contracts = contracts.mutate(**{c: ibis.null(contracts[c].type()) for c in flags})
    if not days:
        return contracts
    if as_of is not None:
        later = ibis.or_(*(contracts[c].notnull() & (contracts[c] >= as_of) for c in days))
        hidden = {c: later.ifelse(ibis.null(contracts[c].type()), contracts[c]) for c in flags}
        known = {c: (contracts[c] < as_of).ifelse(contracts[c], ibis.null("date")) for c in days}
        contracts = contracts.mutate(**hidden, **known)
    ends = [contracts[c] for c in ("ended_on", "end") if c in have]
    if "cancelled_on" in have:
        period: Any = contracts.notice_days.fill_null(0) if "notice_days" in have else ibis.literal(0)
        runs_out = contracts.cancelled_on + period.cast("int64").as_interval("D")
        ends.append(runs_out.cast("date"))
    found: dict[str, Any] = {"end": ibis.coalesce(*ends)}
    if {"ended", "ended_on"} <= have:
        found["ended"] = contracts.ended_on.notnull().ifelse(True, contracts.ended)
    return contracts.mutate(**found)


def complete(contracts: ir.Table) -> ir.Table:
    """The contracts with every column this analysis reads, absent ones empty; annual value in exact money."""
    import ibis

    absent = {
        "contract_id": ibis.null("string"),
        "type": ibis.null("string"),
        "signed_on": ibis.null("date"),
        "auto_renew": ibis.null("boolean"),
        "notice_days": ibis.null("int64"),
        "ended": ibis.null("boolean"),
        "cancelled_on": ibis.null("date"),
        "ended_on": ibis.null("date"),
        "status": ibis.null("string"),
        "end": ibis.null("date"),
        "recurring_amount": ibis.null("decimal(18, 4)"),
        "period_months": ibis.null("int64"),
    }
    table = contracts.mutate(**{n: v for n, v in absent.items() if n not in contracts.columns})
    months = ibis.greatest(table.period_months.fill_null(1), 1)
    yearly = (table.recurring_amount.cast("decimal(27, 4)") * 12 / months).round(4).cast(MONEY)
    return table.select(
        "contract_id",
        "type",
        "start",
        "auto_renew",
        "notice_days",
        customer_id=table.customer_id.cast("string"),
        end_day=table["end"],
        known_on=ibis.coalesce(ibis.least(table.signed_on, table.start), table.start),
        over=table.ended.fill_null(False),
        status=table.status.cast("string"),
        told=table.cancelled_on.notnull()
        | table.ended_on.notnull()
        | table.status.cast("string").lower().re_search(_NOTICE).fill_null(False),
        annual_value=yearly,
    )


def unread(contracts: ir.Table, context: Context) -> tuple[tuple[Flag, str], ...]:
    """Says so where statuses of contracts do not count, because the data go on after the as-of date (G1)."""
    if context.statuses or not {"status", "ended"} & set(contracts.columns):
        return ()
    told = say(
        "The data go on after the as-of date, so the status of a contract, which has no day, does not count: it may "
        "be later. Contracts that have begun are taken to run until their end, unless notice or end have a day "
        "(contract.cancelled_on, contract.ended_on)."
    )
    return (("amber", told),)


def known(terms: ir.Table, day: date) -> ir.Table:
    """Terms known before `day`, with number (place in the chain, 1 first) and follows (start of the next one).

    A chain is one customer and contract type; a pause of more than 30 days begins a new one. Terms whose
    end is open stay in, those without a start are left out.
    """
    import ibis

    seen = terms.filter(terms.start.notnull() & (terms.known_on < day))
    order = [seen.start, seen.end_day, seen.contract_id]
    chain = ibis.window(group_by=["customer_id", "type"], order_by=order)
    seen = seen.mutate(
        follows=seen.start.lead().over(chain),
        _before=seen.end_day.lag().over(chain),
        _at=ibis.row_number().over(chain),
    )
    pause = seen.start.delta(seen._before, unit="day")
    seen = seen.mutate(_new=((seen._at == 0) | (pause > GAP)).fill_null(False).cast("int64"))
    seen = seen.mutate(
        _chain=seen._new.sum().over(
            ibis.window(
                group_by=["customer_id", "type"],
                order_by=[seen.start, seen.end_day, seen.contract_id],
                preceding=None,
                following=0,
            )
        )
    )
    inside = ibis.window(
        group_by=["customer_id", "type", "_chain"], order_by=[seen.start, seen.end_day, seen.contract_id]
    )
    seen = seen.mutate(number=(ibis.row_number().over(inside) + 1).cast("int64"))
    waited = seen.follows.delta(seen.end_day, unit="day")
    return seen.mutate(renewed=(waited <= GAP).fill_null(False)).drop("_before", "_at", "_new", "_chain")


def decided(seen: ir.Table, as_of: date) -> ir.Table:
    """Terms that ended at least 30 days before `as_of`: whether they were renewed is known."""
    return seen.filter(seen.end_day.notnull() & (seen.end_day + _days(GAP) < as_of))


def counts(ended: ir.Table, origin: date) -> list[dict[str, Any]]:
    """Decided renewals by type, number and side of `origin` (decision known before it or not), with values."""
    import ibis

    zero = ibis.literal(0).cast(MONEY)
    value = ended.annual_value.fill_null(zero)
    grouped = ended.group_by("type", "number", late=(ended.end_day + _days(GAP) >= ibis.literal(origin))).agg(
        due=ended.count(),
        renewed=ended.renewed.cast("int64").sum(),
        value=value.sum().cast(MONEY),
        renewed_value=ended.renewed.ifelse(value, zero).sum().cast(MONEY),
    )
    rows: list[dict[str, Any]] = grouped.to_pyarrow().to_pylist()
    return sorted(rows, key=lambda r: (r["type"] or "", r["number"], r["late"]))


def due(seen: ir.Table, as_of: date, until: date) -> ir.Table:
    """Terms without follow-up that end before `until` and not more than 30 days before `as_of`."""
    open_ = seen.filter(~seen.renewed & ~notice(seen) & seen.end_day.notnull())
    # a later term of the same chain, even after a pause, means that this one is over
    open_ = open_.filter(open_.follows.isnull())
    return open_.filter((open_.end_day < until) & (open_.end_day >= as_of - timedelta(days=GAP)))


def notice(seen: ir.Table) -> Any:
    """True where notice is given: it has a day, the status text says so, or the contract is marked as ended."""
    return seen.over | seen.told


def running(seen: ir.Table, as_of: date) -> ir.Table:
    """Terms that run on the last day before `as_of` and bring a recurring amount, with `leaves` (notice given).

    A term without an end that is marked as ended is over; one that ends later runs until its end.
    """
    begun = seen.filter((seen.start < as_of) & (seen.annual_value > 0))
    still = begun.end_day >= as_of
    found = begun.filter((still | (begun.end_day.isnull() & ~notice(begun))).fill_null(False))
    return found.mutate(leaves=notice(found) & ~found.renewed)


def _days(n: int) -> Any:
    import ibis

    return ibis.interval(days=n)
