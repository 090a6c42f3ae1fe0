"""How long customers stayed: first and last day of each, who is still there, and from when we watched (B5, G12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from klientel.attribute import attribute_text
from klientel.forecast.terms import GAP, complete
from klientel.order_histories import Floats
from klientel.status import activity

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Context

MONTH = 365.25 / 12  # days


@dataclass(frozen=True)
class Spells:
    """Equal spells with their number of customers: months until the end or until we look away.

    entry: age in months from which a customer is watched; cause: why it ended, "" while it runs;
    young: customers too new to be told anything about; unstarted: ended or running without a known start;
    early: customers whose first order may not be their first ever; paused: customers who came back after a lapse.
    """

    segment: list[str | None]
    months: Floats
    ended: Floats
    entry: Floats
    cause: list[str]
    n: Floats
    young: int = 0
    unstarted: int = 0
    early: int = 0
    paused: int = 0

    @property
    def customers(self) -> int:
        """Number of customers."""
        return round(float(self.n.sum()))


def of_orders(
    purchases: ir.Table, customers: ir.Table, context: Context, attribute: str | None, bridged: bool = False
) -> Spells:
    """Spells of order business: from the first order (or "customer since") to the last one before a lapse.

    A customer has lapsed when nothing came for longer than its activity window (G2). bridged: a lapse after
    which orders came again was a pause; otherwise the first lapse is the end (B5). Whether somebody still
    orders is known only up to one window before the as-of date: all are watched until then, which keeps the
    youngest silence from counting as staying. Customers who began later than that are too young.
    """
    import ibis

    as_of, first_day = context.as_of, context.first_day
    kept = purchases.filter(purchases.is_order & purchases.day.notnull())
    each = ibis.window(group_by=kept.customer_id, order_by=kept.day)
    days = kept.select("customer_id", "day", before=kept.day.lag().over(each))
    pace = activity(purchases, as_of).select(
        _c="customer_id", reach=lambda t: t.window_days.ceil().cast("int64")
    )
    days = days.inner_join(pace, days.customer_id == pace._c)
    lapse = days.day.delta(days.before, unit="day") > days.reach
    found = days.group_by("customer_id").agg(
        began=days.day.min(),
        last=days.day.max(),
        first_gone=days.before.min(where=lapse),
        reach=days.reach.max(),
    )
    found = found.mutate(
        paused=found.first_gone.notnull(), gone=ibis.null("date") if bridged else found.first_gone
    )
    silence = ibis.literal(as_of).delta(found.last, unit="day")
    found = found.mutate(
        ended=found.gone.notnull() | (silence > found.reach),
        until=ibis.coalesce(found.gone, found.last),
        watched=ibis.literal(as_of).delta(found.began, unit="day") - found.reach,
    )
    found = _attributed(found, customers, attribute)
    since = ibis.least(found.since, found.began) if "since" in found.columns else found.began
    known = found.mutate(since=ibis.coalesce(since, found.began))
    head = known.began.delta(known.since, unit="day")
    seen = ibis.literal(first_day or as_of)
    days_in = ibis.ifelse(known.ended, known.until.delta(known.began, unit="day") + 1, known.watched)
    known = known.mutate(
        young=~known.ended & (known.watched <= 0),
        early=(head == 0) & (known.began.delta(seen, unit="day") < known.reach),
        days=days_in + head,
        entry=ibis.ifelse(known.since < seen, seen.delta(known.since, unit="day"), 0),
        cause=known.ended.ifelse("lost", ""),
    )
    counts = known.agg(
        young=known.young.cast("int64").sum(),
        early=(known.early & ~known.young).cast("int64").sum(),
        paused=known.paused.cast("int64").sum(),
    )
    told = counts.to_pyarrow().to_pylist()[0]
    return _grouped(
        known.filter(~known.young),
        young=told["young"] or 0,
        early=told["early"] or 0,
        paused=told["paused"] or 0,
    )


def of_contracts(contracts: ir.Table, customers: ir.Table, context: Context, attribute: str | None) -> Spells:
    """Spells of contracts: from the first start to the end of the last term that follows within 30 days.

    Running contracts are censored. Registers rarely hold what ended long ago: nobody is watched before the
    earliest end in the data. Without any start, months since the start and "ended" are taken as they are.
    """
    if "start" in contracts.columns:
        return _dated(complete(contracts), customers, context, attribute)
    import ibis

    ended = contracts["ended"].fill_null(False) if "ended" in contracts.columns else ibis.literal(False)
    rows = contracts.filter(contracts.tenure_months.notnull())
    rows = rows.mutate(customer_id=rows.customer_id.cast("string"), _ended=ended)
    found = rows.group_by("customer_id").agg(
        days=rows.tenure_months.max().cast("float64") * MONTH, ended=rows._ended.all()
    )
    # an end inside the first month lies in its middle: at zero nobody is at risk
    found = found.mutate(
        days=(found.ended & (found.days <= 0)).ifelse(MONTH / 2, found.days),
        entry=ibis.literal(0),
        cause=found.ended.ifelse("lost", ""),
    )
    missing = contracts.filter(contracts.tenure_months.isnull()).count().to_pyarrow().as_py()
    return _grouped(_attributed(found, customers, attribute), unstarted=missing)


def _dated(terms: ir.Table, customers: ir.Table, context: Context, attribute: str | None) -> Spells:
    import ibis

    known_until = context.as_of - timedelta(days=GAP)  # a follow-up may begin 30 days late
    seen = terms.filter(
        terms.start.notnull() & (terms.known_on < context.as_of) & (terms.start < context.as_of)
    )
    lost = seen.end_day.isnull() & seen.over
    unstarted = terms.filter(terms.start.isnull()).count().to_pyarrow().as_py()
    unstarted += seen.filter(lost).count().to_pyarrow().as_py()
    seen = seen.filter(~lost)
    far = ibis.date("9999-12-31")
    seen = seen.mutate(_end=seen.end_day.fill_null(far))
    order = [seen.start, seen._end, seen.contract_id]
    before = ibis.window(group_by="customer_id", order_by=order, preceding=(None, 1))
    reach = seen._end.max().over(before)
    seen = seen.mutate(_new=(seen.start.delta(reach, unit="day") > GAP).fill_null(False).cast("int64"))
    upto = ibis.window(group_by="customer_id", order_by=[seen.start, seen._end, seen.contract_id], preceding=None,
                       following=0)  # fmt: skip
    first = seen.mutate(_chain=seen._new.sum().over(upto))
    first = first.filter(first._chain == 0)
    found = first.group_by("customer_id").agg(
        began=first.start.min(), until=first._end.max(), cause=first.status.argmax(first._end)
    )
    found = found.mutate(ended=found.until < known_until, young=found.began >= known_until)
    first_end = seen._end.min().to_pyarrow().as_py()
    stop = ibis.ifelse(found.ended, found.until, ibis.literal(known_until))
    days = stop.delta(found.began, unit="day")
    # watched from the day before the first end, so that all are at risk of it
    entry = (ibis.literal(first_end or context.as_of).delta(found.began, unit="day") - 1).clip(lower=0)
    found = found.mutate(
        days=days,
        entry=ibis.least(entry, days - 1).clip(lower=0),
        cause=found.ended.ifelse(found.cause.fill_null("lost"), ""),
    )
    young = found.filter(found.young).count().to_pyarrow().as_py()
    kept = _attributed(found.filter(~found.young & (found.days > 0)), customers, attribute)
    return _grouped(kept, young=young, unstarted=unstarted)


def _attributed(found: ir.Table, customers: ir.Table, attribute: str | None) -> ir.Table:
    """Adds segment (NULL where unknown) and, where the customers have it, since (customer since)."""
    import ibis

    has_since = "acquired_on" in customers.columns
    text = attribute_text(customers[attribute]) if attribute else ibis.null("string")
    listed = customers.select(
        _id=customers.customer_id.cast("string"),
        segment=text,
        **({"since": customers.acquired_on} if has_since else {}),
    )
    extra = {"since": listed.since.min()} if has_since else {}
    one = listed.group_by("_id").agg(segment=listed.segment.min(), **extra)
    return found.left_join(one, found.customer_id == one._id).drop("_id")


def _grouped(found: ir.Table, **counts: int) -> Spells:
    kept = found.select(
        "segment",
        "cause",
        days=found.days.cast("float64"),
        entry=found.entry.cast("float64"),
        ended=found.ended.cast("int64"),
    )
    keys = ["segment", "days", "entry", "ended", "cause"]
    table: Any = kept.group_by(keys).agg(n=kept.count()).order_by(keys).to_pyarrow()
    c = {
        k: np.asarray(table[k].to_numpy(zero_copy_only=False), dtype=float)
        for k in ("days", "entry", "ended", "n")
    }
    return Spells(
        table["segment"].to_pylist(),
        c["days"] / MONTH,
        c["ended"],
        c["entry"] / MONTH,
        [text or "" for text in table["cause"].to_pylist()],
        c["n"],
        **counts,
    )
