"""lifetimes: every customer a row, or equal rows grouped by pandas and given as weights (which it supports)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from lifetimes import BetaGeoFitter, ParetoNBDFitter


def fit(model: str, way: str, x: Any, t_x: Any, T: Any, ahead: float) -> tuple[list[float], Any]:
    """Parameters and the orders of the next `ahead` per customer."""
    fitter = {"bgnbd": BetaGeoFitter, "pareto": ParetoNBDFitter}[model]()
    predict = fitter.conditional_expected_number_of_purchases_up_to_time
    if way == "rows":
        fitter.fit(x, t_x, T)
        return list(fitter.params_), predict(ahead, x, t_x, T)
    rows = pd.DataFrame({"x": x, "t_x": t_x, "T": T})
    by = rows.groupby(["x", "t_x", "T"], sort=False)
    one = by.size().rename("n").reset_index()
    fitter.fit(one["x"], one["t_x"], one["T"], weights=one["n"])
    predicted = predict(ahead, one["x"].to_numpy(), one["t_x"].to_numpy(), one["T"].to_numpy())
    return list(fitter.params_), predicted[by.ngroup().to_numpy()]
