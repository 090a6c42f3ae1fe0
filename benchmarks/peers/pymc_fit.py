"""pymc-marketing: the top of the posterior (MAP), with its default priors or with flat ones (maximum likelihood)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing import clv

NAMES = {"bgnbd": ("r", "alpha", "a", "b"), "pareto": ("r", "alpha", "s", "beta")}


def fit(model: str, way: str, x: Any, t_x: Any, T: Any, ahead: float) -> tuple[list[float], Any]:
    """Parameters and the orders of the next `ahead` per customer."""
    data = pd.DataFrame({"customer_id": np.arange(x.size), "frequency": x, "recency": t_x, "T": T})
    flat = {name: Prior("HalfFlat") for name in NAMES[model]} if way == "flat" else None
    kind = {"bgnbd": clv.BetaGeoModel, "pareto": clv.ParetoNBDModel}[model]
    fitted = kind(data=data, model_config=flat)
    fitted.fit(method="map", progressbar=False)
    predicted = fitted.expected_purchases(future_t=ahead).to_numpy().ravel()
    return [float(fitted.fit_result[name].mean()) for name in NAMES[model]], predicted
