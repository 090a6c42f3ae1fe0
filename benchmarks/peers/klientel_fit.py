"""Klientel: the table as it is."""

from __future__ import annotations

from typing import Any

from klientel.stats.purchases import BGNBD, ParetoNBD


def fit(model: str, way: str, x: Any, t_x: Any, T: Any, ahead: float) -> tuple[list[float], Any]:
    """Parameters and the orders of the next `ahead` per customer."""
    del way
    fitted = {"bgnbd": BGNBD, "pareto": ParetoNBD}[model]().fit(x, t_x, T)
    return list(fitted.parameters_.values()), fitted.predict_purchases(ahead, x, t_x, T)
