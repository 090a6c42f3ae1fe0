"""Retention: which customers stayed, and what became of their revenue (handbook B9, B10)."""

from __future__ import annotations

from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analyses.retention.declared import BRIDGE, CHARTS, CUSTOMERS, FIGURES, SEGMENTS
from klientel.analyses.retention.pairs import contract_pairs, order_pairs, sorted_moves, sums_of
from klientel.analysis import Context, Estimate, Need, Outcome, Param, Window, analysis
from klientel.errors import BadParameter, MissingInput, nearest
from klientel.expressions import named, share
from klientel.periods import window_before, window_months
from klientel.quality import Flag, small_sample
from klientel.words import Amount, Share, in_currency, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_GROUPINGS = ("segment", "industry_code", "size_class", "contract_type", "region", "country", "owner")
_BOOTSTRAP_UP_TO = 20_000  # customers; above, the linearised interval is as good and costs one pass


@analysis(
    title=mark("Retention"),
    question=mark("Do customers stay, and do they bring more or less than before?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "revenue", "matched_revenue")),
        Need("totals", ("customer_id", "revenue", "matched_revenue"), back=1),
        Need("customers", ("customer_id", "name")),
        Need("histories", ("customer_id", "first_day")),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(CUSTOMERS, BRIDGE, SEGMENTS),
    figures=FIGURES,
    charts=CHARTS,
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
        pairs, excluded = contract_pairs(contracts, window_before(context.as_of, months).start, context.as_of)
    elif totals is None or before is None or not context.dated:
        raise MissingInput(say("Retention needs a date for each sale (order_line.order_date)."))
    else:
        column = "matched_revenue" if view == "matching" else "revenue"
        pairs, excluded = order_pairs(totals, before, histories, column), 0
    moves = sorted_moves(pairs, window_before(context.as_of, months, back=1).start)
    sums = sums_of(moves)
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
        lines=_lines(figures, sums, gap, context.currency),
    )


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
    figures: dict[str, Any],
    sums: dict[str, dict[str, Any]],
    gap: tuple[Flag, str] | None,
    currency: str | None,
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
        churned=in_currency(figures["churned"], currency),
        k=sums["churned"]["customers"],
        contraction=in_currency(figures["contraction"], currency),
        expansion=in_currency(figures["expansion"], currency),
    )
    return stayed, moved
