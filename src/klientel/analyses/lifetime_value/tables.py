"""The tables of lifetime_value: customers with their sums, hold-out and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.analyses.lifetime_value.declared import CALIBRATION, CUSTOMERS, HOLDOUT, TRACKING
from klientel.expressions import small_table
from klientel.forecast.candidates import MODELS
from klientel.forecast.holdout import calibration
from klientel.forecast.proof import Forecast

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Table


def holdout_rows(made: Forecast) -> list[dict[str, Any]]:
    """The hold-out table; intervals and value of the chosen model only."""
    values = {v["origin"]: v for v in made.values}
    held = dict(zip(values, made.intervals.held, strict=False))
    raw = dict(zip(values, made.intervals.raw, strict=False))
    told = []
    for trial in made.contest.trials:
        shown = trial.name == made.name
        row = dict(trial.row, model=MODELS[trial.name], shown=shown)
        row["coverage_80"] = held.get(trial.origin) if shown else None
        row["coverage_model"] = raw.get(trial.origin) if shown else None
        chosen = made.contest.chosen is not None and trial.name == made.contest.chosen.name
        v = values.get(trial.origin) if chosen else None
        row["actual_value"] = v["actual"] if v else None
        row["predicted_value"] = v["predicted"] if v else None
        row["value_mae"] = _each(v, "error")
        row["value_mae_last_year"] = _each(v, "error_last")
        row["value_skill"] = v["skill"] if v else None
        told.append(row)
    return told


def calibration_rows(made: Forecast) -> list[dict[str, Any]]:
    """Calibration of the shown model at the newest origin; nothing for the baseline."""
    newest = made.contest.newest
    return calibration(newest) if made.model is not None and newest is not None else []


def _each(sums: dict[str, Any] | None, name: str) -> Any:
    from decimal import Decimal

    return (
        (sums[name] / sums["customers"]).quantize(Decimal("0.0001")) if sums and sums["customers"] else None
    )


def named_customers(listed: ir.Table, customers: ir.Table | None) -> ir.Table:
    """The table `customers` of the answer, with names."""
    from klientel.expressions import named

    full = named(listed, customers).select([c.name for c in CUSTOMERS.columns])
    return full.order_by(
        [full.lifetime_value.desc(nulls_first=False), full.value_next_12m.desc(), full.customer_id]
    )


def table_of(table: Table, rows: list[dict[str, Any]]) -> ir.Table:
    """A declared table of a few rows."""
    kinds = {
        "money": "decimal(38, 4)",
        "count": "int64",
        "date": "date",
        "class": "string",
        "flag": "boolean",
    }
    return small_table(rows, **{c.name: kinds.get(c.unit, "float64") for c in table.columns})


def sums_of(listed: ir.Table) -> dict[str, Any]:
    """Sums over the customers, and the share of the lifetime value in the best tenth."""
    import ibis

    place = ibis.rank().over(ibis.window(order_by=listed.lifetime_value.desc()))
    ranked = listed.mutate(_place=place, _all=listed.count().over(ibis.window()))
    best = (ranked._place * 10 < ranked._all).ifelse(ranked.lifetime_value, 0)
    positive = (ranked.lifetime_value > 0).ifelse(ranked.lifetime_value, 0)
    found: dict[str, Any] = (
        ranked.agg(
            n=ranked.count(),
            lifetime=ranked.lifetime_value.sum(),
            ever=ranked.lifetime_value_infinite.sum(),
            next=ranked.value_next_12m.sum(),
            last=ranked.value_last_12m.sum(),
            orders=ranked.orders_next_12m.round(6).cast("decimal(38, 6)").sum(),
            alive=ranked.p_alive.round(9).cast("decimal(38, 9)").sum(),
            best=best.sum(),
            positive=positive.sum(),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    return found


def empty(names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the tables about orders, without rows."""
    known = {t.name: t for t in (HOLDOUT, CALIBRATION, TRACKING)}
    return {name: table_of(known[name], []) for name in names}
