"""The tables of lifetime_value that prove the forecast: hold-out and calibration."""

from __future__ import annotations

from typing import Any

from klientel.forecast.candidates import MODELS
from klientel.forecast.holdout import calibration
from klientel.forecast.proof import Forecast


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
