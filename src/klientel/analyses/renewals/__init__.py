"""Renewals: which contracts come up, how likely they are renewed, and what hangs on it (B9, B11c, B14)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analyses.renewals.declared import CHARTS, CONTRACTS, FIGURES, HISTORY, HOLDOUT, TYPES
from klientel.analysis import Context, Estimate, Need, Outcome, Param, analysis
from klientel.errors import NotEnoughData
from klientel.expressions import named, small_table
from klientel.forecast import terms
from klientel.forecast.renewal_rates import AGEING, METHODS, Rates, chosen
from klientel.periods import add_months
from klientel.quality import Flag
from klientel.words import Share, in_currency, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Table

_SUM = "decimal(38, 4)"
_SOON = 30  # days in which a notice deadline is near


@analysis(
    title=mark("Renewals"),
    question=mark("Which contracts come up for renewal, and will they be renewed?"),
    group="keep",
    needs=(
        Need("contracts", ("customer_id", "start", "end")),
        Need("customers", ("customer_id", "name"), optional=True),
    ),
    tables=(CONTRACTS, HISTORY, TYPES, HOLDOUT),
    figures=FIGURES,
    charts=CHARTS,
)
def renewals(
    contracts: Any,
    customers: Any = None,
    *,
    months: Annotated[int, Param(mark("Months ahead"), min=1, max=120, unit="months")] = 6,
    context: Context,
) -> Outcome:
    """Contracts that end within `months` and have no follow-up, with P(renewal) and value per year (money).

    A term is renewed if one of the same customer and type starts within 30 days of its end. The
    probability is one rate, a rate by type or the sBG by renewal number, chosen on held-out time (B11c, F).
    Raises NotEnoughData without any contract that was known before the as-of date.
    """
    as_of = context.as_of
    all_terms = terms.complete(contracts)
    seen = terms.known(all_terms, as_of)
    sizes = seen.agg(
        n=seen.count(),
        open=(seen.end_day.isnull() & ~seen.over & (seen.start < as_of)).cast("int64").sum(),
        lost=(seen.end_day.isnull() & seen.over).cast("int64").sum(),
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    if not sizes["n"]:
        raise NotEnoughData(say("No contract was known before the as-of date."))
    origin = add_months(as_of, -12)
    rows = terms.counts(terms.decided(seen, as_of), origin)
    try:
        rates, thin = chosen(rows, origin), None
    except NotEnoughData as few:
        rates, thin = None, few.sentence
    coming = _priced(terms.due(seen, as_of, add_months(as_of, months)), rates, context)
    listed = named(coming, customers).rename({"end": "end_day"}).select([c.name for c in CONTRACTS.columns])
    figures = _figures(coming, rows, rates, sizes["open"], context)
    return Outcome(
        tables={
            "contracts": listed.order_by(
                [listed["end"], listed.annual_value.desc(), "contract_id", "customer_id"]
            ),
            "history": _table(HISTORY, _history(rows, rates)),
            "types": _table(TYPES, _types(rows)),
            "holdout": _table(
                HOLDOUT, [dict(r, method=METHODS[r["method"]]) for r in (rates.holdout if rates else ())]
            ),
        },
        figures=figures,
        n=figures["due_contracts"] if figures["due_contracts"] else sizes["n"],
        excluded=sizes["lost"] or 0,
        reasons=(*terms.unread(contracts, context), *_reasons(rates, thin, sizes, rows)),
        lines=_lines(figures, months, context.currency),
    )


def _priced(coming: ir.Table, rates: Rates | None, context: Context) -> ir.Table:
    """Adds probability with limits, values, notice deadline; by type and renewal number from the engine."""
    import ibis
    import numpy as np

    coming = coming.mutate(type=coming.type.fill_null(""))
    if rates is None:
        none = ibis.null("float64")
        coming = coming.mutate(p_renewal=none, low=none, high=none)
    else:
        kinds = (
            coming.select("type", "number").distinct().order_by(["type", "number"]).to_pyarrow().to_pylist()
        )
        number = np.array([float(k["number"]) for k in kinds])
        found = rates.of([k["type"] for k in kinds], number) if kinds else (number, number, number)
        priced = [
            {
                "_t": k["type"],
                "_n": k["number"],
                "p_renewal": float(p),
                "low": float(low),
                "high": float(high),
            }
            for k, p, low, high in zip(kinds, *found, strict=True)
        ]
        table = small_table(
            priced, _t="string", _n="int64", p_renewal="float64", low="float64", high="float64"
        )
        coming = coming.inner_join(table, [coming.type == table._t, coming.number == table._n]).drop(
            "_t", "_n"
        )
    value = coming.annual_value
    expected = (coming.p_renewal * value.cast("float64")).round(4).cast(_SUM)
    deadline = coming.end_day - coming.notice_days.cast("int64").as_interval("D")
    coming = coming.mutate(notice_deadline=deadline.cast("date"), expected_value=expected)
    return coming.mutate(
        type=coming.type.nullif(""),
        days_left=coming.end_day.delta(ibis.literal(context.as_of), unit="day").cast("int64"),
        notice_passed=coming.notice_deadline < ibis.literal(context.as_of),
        renewals=coming.number - 1,
        value_at_risk=(value - coming.expected_value).cast(_SUM),
    )


def _history(rows: list[dict[str, Any]], rates: Rates | None) -> list[dict[str, Any]]:
    """One row per renewal number, with the model's rate beside what was seen."""
    import numpy as np

    numbers = sorted({r["number"] for r in rows})
    by_model = rates is not None and rates.name in AGEING
    told = []
    for number in numbers:
        due = sum(r["due"] for r in rows if r["number"] == number)
        renewed = sum(r["renewed"] for r in rows if r["number"] == number)
        model = float(rates.of([""], np.array([float(number)]))[0][0]) if by_model and rates else None
        told.append({"renewal": number, **_rate(due, renewed), "model": model})
    return told


def _types(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = sorted({r["type"] for r in rows}, key=lambda t: t or "")
    return [
        {
            "type": name,
            **_rate(
                sum(r["due"] for r in rows if r["type"] == name),
                sum(r["renewed"] for r in rows if r["type"] == name),
            ),
        }
        for name in names
    ]


def _rate(due: int, renewed: int) -> dict[str, Any]:
    """Counts with the rate and its Wilson limits; under 5 cases only the counts (G9)."""
    from klientel.stats.intervals import wilson

    if due < 5:
        return {"due": due, "renewed": renewed, "rate": None, "low": None, "high": None}
    low, high = wilson(renewed, due)
    return {"due": due, "renewed": renewed, "rate": renewed / due, "low": float(low), "high": float(high)}


def _figures(
    coming: ir.Table, rows: list[dict[str, Any]], rates: Rates | None, open_: int, context: Context
) -> dict[str, Any]:
    soon = context.as_of + timedelta(days=_SOON)
    near = (coming.notice_deadline >= context.as_of) & (coming.notice_deadline < soon)
    sums = coming.agg(
        n=coming.count(),
        value=coming.annual_value.sum().cast(_SUM),
        expected=coming.expected_value.sum().cast(_SUM),
        risk=coming.value_at_risk.sum().cast(_SUM),
        soon=near.fill_null(False).cast("int64").sum(),
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    due, renewed = sum(r["due"] for r in rows), sum(r["renewed"] for r in rows)
    value, kept = sum(r["value"] for r in rows), sum(r["renewed_value"] for r in rows)
    rate = _rate(due, renewed)
    life = rates.model.expected_lifetime if rates is not None and rates.model is not None else None
    return {
        "due_contracts": sums["n"],
        "due_value": sums["value"],
        "expected_value": sums["expected"],
        "value_at_risk": sums["risk"],
        "renewal_rate": Estimate(rate["rate"], rate["low"], rate["high"], 0.95, mark("Wilson")),
        "value_renewal_rate": float(kept / value) if value and due >= 5 else None,
        "decided_renewals": due,
        "deadlines_30d": sums["soon"] or 0,
        "open_ended": open_ or 0,
        "expected_terms": life if life is not None and life < 1e6 else None,
        "method": METHODS[rates.name] if rates is not None else None,
        "skill": rates.skill if rates is not None else None,
    }


def _reasons(
    rates: Rates | None, thin: str | None, sizes: dict[str, Any], rows: list[dict[str, Any]]
) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = []
    if thin is not None:
        told.append(("amber", thin))
    few = sum(r["due"] for r in rows) < 20
    flag: Flag = "amber" if few else "green"
    told += [(flag, note) for note in (rates.notes if rates is not None else ())]
    if sizes["open"]:
        told.append(
            (
                "green",
                say("{n} running contracts have no end date: nothing comes up for renewal.", n=sizes["open"]),
            )
        )
    if sizes["lost"]:
        told.append(
            (
                "amber",
                say(
                    "{n} contracts are marked as ended without an end date and are left out.",
                    n=sizes["lost"],
                ),
            )
        )
    return tuple(told)


def _lines(figures: dict[str, Any], months: int, currency: str | None) -> tuple[str, ...]:
    if not figures["due_contracts"]:
        return (say("No contract comes up for renewal in the next {months} months.", months=months),)
    value = figures["due_value"]
    if value is None or figures["expected_value"] is None:
        return (
            say(
                "{n} contracts come up for renewal in the next {months} months.",
                n=figures["due_contracts"],
                months=months,
            ),
        )
    rate = figures["renewal_rate"]
    return (
        say(
            "{n} contracts worth {value} a year come up for renewal in the next {months} months; {risk} of it is at "
            "risk, at a renewal rate of {rate} so far.",
            n=figures["due_contracts"],
            value=in_currency(value, currency),
            months=months,
            risk=in_currency(figures["value_at_risk"], currency),
            rate=Share(rate.value),
        ),
    )


def _table(table: Table, rows: list[dict[str, Any]]) -> ir.Table:
    kinds = {
        "money": _SUM,
        "count": "int64",
        "date": "date",
        "class": "string",
        "text": "string",
        "flag": "boolean",
    }
    return small_table(rows, **{c.name: kinds.get(c.unit, "float64") for c in table.columns})
