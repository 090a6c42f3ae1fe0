"""Retention: which customers stayed, and what became of their revenue (handbook B9, B10)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import (
    Chart,
    Column,
    Context,
    Estimate,
    Figure,
    Need,
    Outcome,
    Param,
    Table,
    Window,
    analysis,
)
from klientel.errors import BadParameter, MissingInput, nearest
from klientel.expressions import EXACT, named, share
from klientel.periods import window_before, window_months
from klientel.quality import Flag, small_sample
from klientel.words import Amount, Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_GROUPINGS = ("segment", "industry_code", "size_class", "contract_type", "region", "country", "owner")
_BOOTSTRAP_UP_TO = 20_000  # customers; above, the linearised interval is as good and costs one pass
_GAP_DAYS = 30  # a pause of up to 30 days between two contracts is no churn (B9)

CUSTOMERS = Table(
    "customers",
    mark("Customers and what became of them"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("opening", mark("Before"), "money", mark("value in the opening window")),
        Column("closing", mark("Now"), "money", mark("value in the closing window")),
        Column("change", mark("Change"), "money"),
        Column("movement", mark("Movement"), "class", mark("expansion, contraction, churned, new, ...")),
    ),
    mark("Largest changes first."),
)
BRIDGE = Table(
    "bridge",
    mark("From the opening to the closing value"),
    (
        Column("step", mark("Step"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("amount", mark("Amount"), "money", mark("signed: losses are negative")),
    ),
    mark("Opening plus changes is closing, to the last digit; new and reactivated customers come after it."),
)
SEGMENTS = Table(
    "segments",
    mark("Retention by group"),
    (
        Column("segment", mark("Group"), "text"),
        Column("customers", mark("Customers"), "count", mark("with value in the opening window")),
        Column("opening", mark("Before"), "money"),
        Column("closing", mark("Now"), "money", mark("of the same customers")),
        Column("nrr", mark("Net revenue retention"), "share"),
        Column("grr", mark("Gross revenue retention"), "share"),
        Column("logo_retention", mark("Customer retention"), "share", mark("empty under 5 customers")),
        Column("logo_low", mark("Customer retention, lower limit"), "share", mark("lower Wilson limit")),
        Column("logo_high", mark("Customer retention, upper limit"), "share", mark("upper Wilson limit")),
    ),
)
_MEANING = {
    "nrr": mark("Value now / value before of the customers who had value before, expansion included."),
    "grr": mark("The same without expansion: no customer counts for more than before."),
    "logo": mark("Customers with value before who still bought / customers with value before."),
    "churn": mark("1 − customer retention, for the window."),
    "year": mark("Customer retention to the power 12 / window."),
    "churn_year": mark("1 − customer retention per year."),
    "rest": mark("NRR without the three customers with the largest value before."),
    "base": mark("Customers with a positive value in the opening window."),
    "opening": mark("Value before of these customers."),
    "expansion": mark("What customers bring more than before."),
    "contraction": mark("What customers who stayed bring less than before."),
    "churned": mark("Value before of the customers who stopped."),
    "closing": mark("Value now of the customers with value before."),
    "new": mark("Value now of customers who never had any before."),
    "reactivated": mark("Value now of former customers."),
    "measure": mark("NRR-T12: orders of twelve months against the twelve before; MRR: running contracts."),
}
FIGURES = (
    Figure("nrr", mark("Net revenue retention"), "share", _MEANING["nrr"], "up", headline=True),
    Figure("grr", mark("Gross revenue retention"), "share", _MEANING["grr"], "up", headline=True),
    Figure("logo_retention", mark("Customer retention"), "share", _MEANING["logo"], "up", headline=True),
    Figure("churn", mark("Customer churn"), "share", _MEANING["churn"], "down"),
    Figure("logo_retention_annual", mark("Customer retention per year"), "share", _MEANING["year"], "up"),
    Figure("churn_annual", mark("Customer churn per year"), "share", _MEANING["churn_year"], "down"),
    Figure("nrr_without_largest_3", mark("NRR without the largest 3"), "share", _MEANING["rest"], "up"),
    Figure("opening_customers", mark("Customers before"), "count", _MEANING["base"]),
    Figure("opening", mark("Opening value"), "money", _MEANING["opening"]),
    Figure("expansion", mark("Expansion"), "money", _MEANING["expansion"], "up"),
    Figure("contraction", mark("Contraction"), "money", _MEANING["contraction"], "down"),
    Figure("churned", mark("Churned"), "money", _MEANING["churned"], "down"),
    Figure("closing", mark("Closing value"), "money", _MEANING["closing"]),
    Figure("new", mark("New"), "money", _MEANING["new"], "up"),
    Figure("reactivated", mark("Reactivated"), "money", _MEANING["reactivated"], "up"),
    Figure("measure", mark("Measure"), "text", _MEANING["measure"]),
)


@analysis(
    title=mark("Retention"),
    question=mark("Do customers stay, and do they bring more or less than before?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "revenue", "matched_revenue", "lines")),
        Need("totals", ("customer_id", "revenue", "matched_revenue", "lines"), back=1),
        Need("customers", ("customer_id", "name")),
        Need("histories", ("customer_id", "first_day")),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(CUSTOMERS, BRIDGE, SEGMENTS),
    figures=FIGURES,
    charts=(
        Chart("bridge", "bridge", "bridge", "step", "amount", title=BRIDGE.title),
        Chart(
            "segments",
            "segments",
            "bar",
            "segment",
            "logo_retention",
            title=mark("Customer retention by group"),
            options={"low": "logo_low", "high": "logo_high"},
        ),
    ),
)
def retention(
    totals: Any,
    before: Any,
    customers: Any,
    histories: Any,
    contracts: Any,
    *,
    window: Window = "12",
    basis: Annotated[str, Param(mark("Value from"), choices=("auto", "orders", "contracts"))] = "auto",
    view: Annotated[
        str,
        Param(
            mark("Credit notes count with the sale (matching) or when booked"),
            choices=("matching", "booking"),
        ),
    ] = "matching",
    by: Annotated[str, Param(mark("Customer attribute for the table by group"))] = "",
    context: Context,
) -> Outcome:
    """Logo, net and gross revenue retention between two windows (or two days, for contracts).

    NRR = Σ e / Σ s, GRR = Σ min(max(e, 0), s) / Σ s over customers with s > 0. Raises BadParameter for
    window "all", MissingInput where nothing can be placed in time. Source: handbook B9, B10.
    """
    months = window_months(window)
    if months is None:
        raise BadParameter(say("Retention compares two windows of equal length; give a number of months."))
    by_contract = basis == "contracts" or (basis == "auto" and totals is None)
    if by_contract:
        pairs, excluded = _contract_pairs(
            contracts, window_before(context.as_of, months).start, context.as_of
        )
    elif totals is None or before is None or not context.dated:
        raise MissingInput(say("Retention needs a date for each sale (order_line.order_date)."))
    else:
        column = "matched_revenue" if view == "matching" else "revenue"
        pairs, excluded = _order_pairs(totals, before, histories, column), 0
    moves = _moves(pairs, window_before(context.as_of, months, back=1).start)
    sums = _sums(moves)
    measure = "MRR" if by_contract else f"NRR-T{months}"
    figures = _figures(moves, sums, months, context.level) | {"measure": measure}
    gap = None if by_contract else _uncovered(context, months)
    return Outcome(
        tables={
            "customers": _customers(moves, customers),
            "bridge": _bridge(sums),
            "segments": _segments(moves, customers, by, context.level),
        },
        figures=figures,
        n=sums["base"]["customers"],
        excluded=sums["outside"]["customers"] + excluded,
        reasons=_reasons(sums, gap, excluded),
        lines=_lines(figures, sums, gap),
    )


def _order_pairs(totals: ir.Table, before: ir.Table, histories: ir.Table | None, column: str) -> ir.Table:
    """One row per customer of either window: opening, closing, bought (in the closing window), first_day."""
    import ibis

    zero = ibis.literal(0).cast(EXACT)
    bought = totals.order_days > 0 if "order_days" in totals.columns else totals.lines > 0
    now = totals.select(
        "customer_id",
        opening=zero,
        closing=totals[column].cast(EXACT),
        bought=bought.fill_null(False).cast("int64"),
    )
    then = before.select(
        "customer_id", opening=before[column].cast(EXACT), closing=zero, bought=ibis.literal(0).cast("int64")
    )
    both = now.union(then)
    pairs = both.group_by("customer_id").aggregate(
        opening=both.opening.sum().cast(EXACT),
        closing=both.closing.sum().cast(EXACT),
        bought=both.bought.max(),
    )
    if histories is None:
        return pairs.mutate(first_day=ibis.null("date"))
    first = histories.select(_id=histories.customer_id, first_day=histories.first_day)
    return pairs.left_join(first, pairs.customer_id == first._id).drop("_id")


def _contract_pairs(contracts: ir.Table | None, start: date | None, end: date) -> tuple[ir.Table, int]:
    """As `_order_pairs`, from the monthly recurring amounts of contracts running on two days (B10).

    Also the number of contracts that are marked as ended without an end date: they cannot be placed.
    """
    import ibis

    if contracts is None or "recurring_amount" not in contracts.columns:
        raise MissingInput(say("There are no contracts with a recurring amount (contract.recurring_amount)."))
    if "start" not in contracts.columns:
        raise MissingInput(
            say(
                "The contracts have no start date (contract.start) and no end date (contract.end): "
                "retention cannot be placed in time."
            )
        )
    dated = contracts.filter(contracts.start.notnull() & contracts.recurring_amount.notnull())
    dated = dated.mutate(_end=dated["end"] if "end" in dated.columns else ibis.null("date"))
    lost = dated._end.isnull() & (
        dated.ended.fill_null(False) if "ended" in dated.columns else ibis.literal(False)
    )
    unplaced = int(dated.filter(lost).count().to_pyarrow().as_py())
    dated = dated.filter(~lost)
    amount = dated.recurring_amount.cast(EXACT)
    if "period_months" in dated.columns:
        amount = (amount / ibis.greatest(dated.period_months.fill_null(1), 1)).round(4).cast(EXACT)
    follows = dated.start.lead().over(ibis.window(group_by="customer_id", order_by=[dated.start, dated._end]))
    bridged = (follows >= dated._end) & (follows <= dated._end + ibis.interval(days=_GAP_DAYS))
    dated = dated.mutate(_amount=amount, _end=ibis.ifelse(bridged.fill_null(False), follows, dated._end))
    zero = ibis.literal(0).cast(EXACT)

    def running(day: date | None) -> Any:
        return (dated.start <= day) & (dated._end.isnull() | (dated._end > day))

    parts = dated.mutate(
        _opening=ibis.ifelse(running(start), dated._amount, zero),
        _closing=ibis.ifelse(running(end), dated._amount, zero),
        _bought=running(end).cast("int64"),
    )
    pairs = parts.group_by("customer_id").aggregate(
        opening=parts._opening.sum().cast(EXACT),
        closing=parts._closing.sum().cast(EXACT),
        bought=parts._bought.max(),
        first_day=parts.start.min(),
    )
    return pairs, unplaced


def _moves(pairs: ir.Table, prior_start: date | None) -> ir.Table:
    """The pairs with movement, change and kept = min(max(closing, 0), opening)."""
    import ibis

    zero = ibis.literal(0).cast(EXACT)
    s, e = pairs.opening, pairs.closing
    stays = (pairs.bought > 0) | (e > 0)
    earlier = (pairs.first_day < ibis.literal(prior_start)).fill_null(False) if prior_start else False
    movement = ibis.cases(
        ((s > 0) & (e > s), "expansion"),
        ((s > 0) & (e == s), "unchanged"),
        ((s > 0) & stays, "contraction"),
        (s > 0, "churned"),
        ((s == 0) & (e > 0) & earlier, "reactivated"),
        ((s == 0) & (e > 0), "new"),
        else_="outside",
    )
    kept = ibis.ifelse(s > 0, ibis.least(ibis.greatest(e, zero), s), zero)
    return pairs.mutate(movement=movement, change=e - s, kept=kept, credit=ibis.least(e, zero))


_MOVEMENTS = {
    "expansion": mark("expansion"),
    "unchanged": mark("unchanged"),
    "contraction": mark("contraction"),
    "churned": mark("churned"),
    "reactivated": mark("reactivated"),
    "new": mark("new"),
    "outside": mark("outside"),
}
_BASE = ("expansion", "unchanged", "contraction", "churned")


def _sums(moves: ir.Table) -> dict[str, dict[str, Any]]:
    """Per movement, and for the whole base, the sums that every figure is made of."""
    s, e, k = (moves[c].cast("float64") for c in ("opening", "closing", "kept"))
    rows = (
        moves.group_by("movement")
        .aggregate(
            customers=moves.count(),
            opening=moves.opening.sum(),
            closing=moves.closing.sum(),
            kept=moves.kept.sum(),
            credit=moves.credit.sum(),
            ss=(s * s).sum(),
            ee=(e * e).sum(),
            es=(e * s).sum(),
            kk=(k * k).sum(),
            ks=(k * s).sum(),
        )
        .to_pyarrow()
        .to_pylist()
    )
    found = {r.pop("movement"): r for r in rows}
    nothing: dict[str, Any] = dict.fromkeys(("opening", "closing", "kept", "credit"), Decimal(0))
    nothing |= dict.fromkeys(("customers", "ss", "ee", "es", "kk", "ks"), 0)
    sums = {name: found.get(name, dict(nothing)) for name in _MOVEMENTS}
    sums["base"] = {key: sum(sums[name][key] for name in _BASE) for key in nothing}
    return sums


def _figures(moves: ir.Table, sums: dict[str, dict[str, Any]], months: int, level: float) -> dict[str, Any]:
    from klientel.stats.intervals import wilson

    base = sums["base"]
    n, opening = base["customers"], base["opening"]
    figures: dict[str, Any] = dict.fromkeys(f.name for f in FIGURES)
    figures |= {
        "opening_customers": n,
        "opening": opening,
        "closing": base["closing"],
        "expansion": sums["expansion"]["closing"] - sums["expansion"]["opening"],
        "contraction": sums["contraction"]["opening"] - sums["contraction"]["kept"],
        "churned": sums["churned"]["opening"],
        "new": sums["new"]["closing"],
        "reactivated": sums["reactivated"]["closing"],
    }
    if not n:
        return figures
    stayed = n - sums["churned"]["customers"]
    low, high = (float(x) for x in wilson(stayed, n, level))
    word, power = mark("Wilson"), 12 / months
    kept = Estimate(stayed / n, low, high, level, word)
    year = Estimate((stayed / n) ** power, low**power, high**power, level, word)
    figures |= {
        "logo_retention": kept,
        "churn": Estimate(1 - stayed / n, 1 - high, 1 - low, level, word),
        "logo_retention_annual": year,
        "churn_annual": Estimate(1 - (stayed / n) ** power, 1 - high**power, 1 - low**power, level, word),
        "nrr_without_largest_3": _without_largest(moves, base, 3),
    }
    figures["nrr"], figures["grr"] = _ratios(moves, base, level)
    return figures


def _ratios(moves: ir.Table, base: dict[str, Any], level: float) -> tuple[Estimate, Estimate]:
    """NRR and GRR with intervals: customer bootstrap, or the linearised ratio for very many customers."""
    import numpy as np

    from klientel.stats.decomposition import linear_ratio
    from klientel.stats.intervals import bootstrap, ratio

    nrr, grr = float(base["closing"] / base["opening"]), float(base["kept"] / base["opening"])
    n = base["customers"]
    if n > _BOOTSTRAP_UP_TO:
        word, size = mark("linearised ratio over customers"), float(base["opening"])
        wide = linear_ratio(n, nrr * size, size, base["ee"], base["es"], base["ss"], level)
        slim = linear_ratio(n, grr * size, size, base["kk"], base["ks"], base["ss"], level)
        return Estimate(nrr, *wide, level, word), Estimate(grr, max(slim[0], 0), min(slim[1], 1), level, word)
    rows = moves.filter(moves.opening > 0).select("opening", "closing", "kept").to_pyarrow()
    s, e, k = (np.asarray(rows[c].cast("float64")) for c in ("opening", "closing", "kept"))
    order = np.lexsort((e, s))  # the draw must not depend on the order in which the engine hands over rows
    net = bootstrap(ratio, np.column_stack([e, s])[order], level=level)
    gross = bootstrap(ratio, np.column_stack([k, s])[order], level=level)
    return (
        Estimate(nrr, net.low, net.high, level, net.method),
        Estimate(grr, gross.low, gross.high, level, gross.method),
    )


def _without_largest(moves: ir.Table, base: dict[str, Any], count: int) -> float | None:
    if base["customers"] <= count:
        return None
    import ibis

    rows = moves.filter(moves.opening > 0).order_by(ibis.desc("opening"), "customer_id").limit(count)
    largest = rows.select("opening", "closing").to_pyarrow().to_pylist()
    rest = base["opening"] - sum(r["opening"] for r in largest)
    return float((base["closing"] - sum(r["closing"] for r in largest)) / rest)


def _customers(moves: ir.Table, customers: ir.Table | None) -> ir.Table:
    full = named(moves, customers)
    return full.order_by(full.change.abs().desc(), "customer_id").select(*(c.name for c in CUSTOMERS.columns))


def _bridge(sums: dict[str, dict[str, Any]]) -> Any:
    """The steps as an Arrow table: ten rows that are known already need no query."""
    import pyarrow as pa

    base, more, less, gone = (sums[k] for k in ("base", "expansion", "contraction", "churned"))
    stayed = base["customers"] - gone["customers"]
    steps: list[tuple[str, int, Decimal]] = [
        (mark("opening"), base["customers"], base["opening"]),
        ("expansion", more["customers"], more["closing"] - more["opening"]),
        ("contraction", less["customers"], less["kept"] - less["opening"]),
        ("churned", gone["customers"], -gone["opening"]),
    ]
    if base["credit"]:
        steps.append((mark("credit balances"), 0, base["credit"]))
    steps.append((mark("closing"), stayed, base["closing"]))
    steps += [(name, sums[name]["customers"], sums[name]["closing"]) for name in ("reactivated", "new")]
    if sums["outside"]["closing"]:
        steps.append(("outside", sums["outside"]["customers"], sums["outside"]["closing"]))
    total = base["closing"] + sum(sums[name]["closing"] for name in ("reactivated", "new", "outside"))
    count = stayed + sums["reactivated"]["customers"] + sums["new"]["customers"]
    steps.append((mark("total"), count, total))
    return pa.table(
        {
            "step": [s[0] for s in steps],
            "customers": pa.array([s[1] for s in steps], pa.int64()),
            "amount": pa.array([s[2] for s in steps], pa.decimal128(38, 4)),
        }
    )


def _segments(moves: ir.Table, customers: ir.Table | None, by: str, level: float) -> ir.Table:
    """The three rates for each value of a customer attribute; all customers in one row without one."""
    import ibis

    base = moves.filter(moves.opening > 0)
    columns = () if customers is None else customers.columns
    if by and by not in columns:
        near = nearest(by, columns)
        hint = (
            say("did you mean {near}?", near=near)
            if near
            else say("there are: {names}.", names=list(columns))
        )
        raise BadParameter(say("Customers have no attribute {name}; {hint}", name=by, hint=hint))
    attribute = by or next((c for c in _GROUPINGS if c in columns), "")
    if attribute and customers is not None:
        groups = customers.select(_id=customers.customer_id, segment=customers[attribute].cast("string"))
        base = base.left_join(groups, base.customer_id == groups._id)
        base = base.mutate(segment=base.segment.fill_null(mark("unknown")))
    else:
        base = base.mutate(segment=ibis.literal(mark("all customers")))
    stayed = base.movement != "churned"
    rates = base.group_by("segment").aggregate(
        customers=base.count(),
        opening=base.opening.sum(),
        closing=base.closing.sum(),
        kept=base.kept.sum(),
        stayed=stayed.sum(),
    )
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    n = rates.customers.cast("float64")
    p = share(rates.stayed, rates.customers)
    half = (z2 * (p * (1 - p) / n + z2 / (4 * n * n))).sqrt() / (1 + z2 / n)
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    enough, none = rates.customers >= 5, ibis.null("float64")
    rates = rates.mutate(
        nrr=share(rates.closing, rates.opening),
        grr=share(rates.kept, rates.opening),
        logo_retention=ibis.ifelse(enough, p, none),
        logo_low=ibis.ifelse(rates.stayed == 0, 0.0, middle - half),
        logo_high=ibis.ifelse(rates.stayed == rates.customers, 1.0, middle + half),
    )
    return rates.order_by(rates.opening.desc(), "segment").select(*(c.name for c in SEGMENTS.columns))


def _uncovered(context: Context, months: int) -> tuple[Flag, str] | None:
    """Flag and sentence if the history does not reach back over both windows."""
    start = window_before(context.as_of, months, back=1).start
    middle = window_before(context.as_of, months).start
    first = context.first_day
    if first is None or start is None or middle is None or first <= start:
        return None
    missing = (first - start) / (middle - start)
    if missing <= 0.02:  # the first order of a year is rarely on its first day
        return None
    have = (context.as_of.year - first.year) * 12 + context.as_of.month - first.month
    have -= context.as_of.day < first.day
    text = say(
        "The history covers {have} months; {need} are needed: NRR compares with a partial window.",
        have=have,
        need=2 * months,
    )
    return ("amber" if missing <= 0.1 else "red"), text


def _reasons(
    sums: dict[str, dict[str, Any]], gap: tuple[Flag, str] | None, unplaced: int
) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = [gap] if gap else []
    base = sums["base"]
    if not base["customers"]:
        told.append(("red", say("No customer had a positive value in the opening window.")))
        return tuple(told)
    flag, text = small_sample(base["customers"])
    if text:
        told.append((flag, text))
    if base["credit"]:
        text = say(
            "Credits exceed the sales of some customers by {amount}; NRR counts that, GRR does not.",
            amount=Amount(-base["credit"]),
        )
        told.append(("green", text))
    if unplaced:
        text = say(
            "{n} contracts are marked as ended without an end date (contract.end) and are left out.",
            n=unplaced,
        )
        told.append(("amber", text))
    return tuple(told)


def _lines(
    figures: dict[str, Any], sums: dict[str, dict[str, Any]], gap: tuple[Flag, str] | None
) -> tuple[str, ...]:
    if gap and gap[0] == "red":
        return (say("Retention cannot be judged yet. {why}", why=gap[1]),)
    base, nrr, logo = sums["base"], figures["nrr"], figures["logo_retention"]
    if nrr is None:
        return ()
    stayed = say(
        "{stayed} of {n} customers stayed ({share}); together they bring {nrr} of their earlier value "
        "({measure}, between {low} and {high}).",
        stayed=base["customers"] - sums["churned"]["customers"],
        n=base["customers"],
        share=Share(logo.value),
        nrr=Share(nrr.value),
        measure=figures["measure"],
        low=Share(nrr.low),
        high=Share(nrr.high),
    )
    moved = say(
        "{churned} left with {k} customers, {contraction} through smaller purchases; "
        "expansion brought {expansion}.",
        churned=Amount(figures["churned"]),
        k=sums["churned"]["customers"],
        contraction=Amount(figures["contraction"]),
        expansion=Amount(figures["expansion"]),
    )
    return stayed, moved
