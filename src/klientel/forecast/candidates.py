"""Which models of orders may compete, and the naive baselines they must beat (handbook B11, F2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from klientel.order_histories import Floats, Grouped
from klientel.words import Sentence, mark

BASELINE = "baseline"
ONCE = 0.20  # share of one-order customers above which MBG/NBD is the default (handbook B11)
MODELS: dict[str, str] = {
    "mbgnbd": mark("MBG/NBD"),
    "bgnbd": mark("BG/NBD"),
    "paretonbd": mark("Pareto/NBD"),
    "mbgnbd2": mark("MBG/CNBD-2, regular orders"),
    "bgnbd2": mark("BG/CNBD-2, regular orders"),
    BASELINE: mark("last year again"),
    "recency": mark("rate and recency rule"),
}
_SHORTEST = 90.0  # days of silence that the recency rule always allows


class OrderModel(Protocol):
    """What forecasts ask of a fitted model of orders (`klientel.stats.purchases`); times in days."""

    names: Any
    covariance_: Floats
    parameters_: Any
    warnings_: tuple[Sentence, ...]

    def probability_alive(self, x: Any, t_x: Any, T: Any) -> Floats:
        """P(alive at T), one per history."""

    def predict_purchases(self, t: Any, x: Any, t_x: Any, T: Any) -> Floats:
        """Expected orders in (T, T + t], one per history."""

    def probability_of_none(self, t: Any, x: Any, t_x: Any, T: Any) -> Floats:
        """P(no order in (T, T + t]), one per history."""

    def discounted_expected_purchases(self, rate: float, x: Any, t_x: Any, T: Any) -> Floats:
        """Expected orders for ever, discounted at a continuous rate per day."""

    def sample_future(
        self, t: float, x: Any, t_x: Any, T: Any, draws: int, seed: int, uncertain: bool = False
    ) -> Floats:
        """Simulated orders in the next t: histories x draws."""

    def at_draw(self, drawn: Any) -> OrderModel:
        """The same model with other parameters."""


@dataclass(frozen=True)
class Candidate:
    """A model that may compete: its name in MODELS and how it is made.

    eligible False: shown in the hold-out table for comparison, never chosen.
    """

    name: str
    kind: Any
    settings: dict[str, Any]
    eligible: bool = True

    def fit(self, rows: Grouped) -> OrderModel:
        """The model fitted to the distinct histories."""
        made: OrderModel = self.kind(**self.settings).fit(rows.x, rows.t_x, rows.T, rows.n)
        return made


def candidates(wanted: str, once_share: float) -> list[Candidate]:
    """The models to compare, the default first: MBG/NBD where more than a fifth ordered once, else BG/NBD.

    wanted: `auto`, or one of mbgnbd, bgnbd, paretonbd (then with random and, where it has it, regular timing).
    With `auto` and that many one-order customers BG/NBD is only compared: it calls all of them alive.
    """
    from klientel.stats.purchases import BGNBD, MBGNBD, ParetoNBD

    families: list[tuple[str, Any]] = [("mbgnbd", MBGNBD), ("bgnbd", BGNBD)]
    if once_share <= ONCE:
        families.reverse()
    allowed = {"mbgnbd", "paretonbd"} if wanted == "auto" and once_share > ONCE else {"mbgnbd", "bgnbd"}
    known = [
        Candidate(name + ("" if k == 1 else "2"), kind, {"k": k}, name in allowed)
        for name, kind in families
        for k in (1, 2)
    ]
    known.append(Candidate("paretonbd", ParetoNBD, {}))
    return known if wanted == "auto" else [c for c in known if c.name in (wanted, wanted + "2")]


def last_again(rows: Grouped) -> Floats:
    """Naive baseline: as many orders as in the window of the same length before the origin."""
    return rows.last


def rate_and_recency(rows: Grouped, ahead: float) -> Floats:
    """Naive baseline: the own rate x/T goes on, unless the silence exceeds twice the own mean gap.

    Silence of up to 90 days is always allowed. ahead: days. One expected number of orders per row.
    """
    seen = np.maximum(rows.T, 1.0)
    gap = rows.t_x / np.maximum(rows.x, 1.0)
    stays = (rows.T - rows.t_x) <= np.maximum(2 * gap, _SHORTEST)
    return np.asarray(np.where(stays, rows.x / seen * ahead, 0.0))
