"""Intervals that held: levels of simulated values set by what came at other origins (conformal; F3, G13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from klientel.forecast.holdout import DRAWS, SEED, Trial
from klientel.forecast.past import Past
from klientel.forecast.spend import Spend
from klientel.forecast.value import LEVELS
from klientel.order_histories import Floats

_MOST = 2_000  # customers of an origin: enough for a share to within two points
_GRID = np.linspace(0, 1, 2001)


@dataclass(frozen=True)
class Places:
    """Where what came lies among the simulated values of each customer: shares of draws below it and up to it.

    A right forecast puts them evenly over 0..1. Ties (no value at all, mostly) span from `below` to `through`.
    """

    below: Floats
    through: Floats

    def share(self, levels: Floats) -> Floats:
        """Share of customers whose value lies below these levels of their draws; a tie counts in part."""
        width = np.maximum(self.through - self.below, 1e-12)
        inside = (levels[:, None] - self.below[None, :]) / width[None, :]
        return np.asarray(np.clip(inside, 0, 1).mean(axis=1))

    def covered(self, low: float, high: float) -> float:
        """Share of customers inside the interval between two levels of their draws."""
        ends = self.share(np.array([low, high]))
        return float(ends[1] - ends[0])

    def part(self, chosen: slice) -> Places:
        """Some of the customers."""
        return Places(self.below[chosen], self.through[chosen])


@dataclass(frozen=True)
class Calibrated:
    """Levels of the draws that stand for 10, 50 and 90 %, and how many customers intervals held.

    raw: share inside the model's own 80 % interval, per origin; held: inside the interval with levels
    learned elsewhere, per origin.
    """

    levels: tuple[float, float, float] = LEVELS
    raw: tuple[float, ...] = ()
    held: tuple[float, ...] = ()


def places(past: Past, trial: Trial, spend: Spend) -> Places:
    """Places of the value that each customer of a trial brought in the time held out.

    Values are simulated as for the answer: uncertain parameters, orders, their sum. Above 2,000 customers
    an even part of them is taken.
    """
    assert trial.model is not None
    span = timedelta(days=trial.ahead)
    table = past.histories(trial.origin, trial.origin - span, trial.origin + span)
    names = ["T", "t_x", "x", "paid", "spent", "next_value"]
    found = table.select(names).order_by(names).to_pyarrow()
    chosen = slice(None)
    if found.num_rows > _MOST:
        at = (np.arange(_MOST) * found.num_rows) // _MOST
        found = found.take(at)
    c = {n: np.asarray(found[n].cast("float64").to_numpy(), dtype=float)[chosen] for n in names}
    orders = trial.model.sample_future(
        float(trial.ahead), c["x"], c["t_x"], c["T"], draws=DRAWS, seed=SEED, uncertain=True
    )
    value = spend.simulate(orders, c["paid"], SEED) * (spend.level(c["x"]) + c["spent"])[:, None]
    came = c["next_value"][:, None]
    room = 1e-9 * np.maximum(np.abs(came), 1e-3)
    return Places((value < came - room).mean(axis=1), (value <= came + room).mean(axis=1))


def calibrated(found: list[Places]) -> Calibrated:
    """Levels from all origins, and what intervals held: each origin with the levels of the others.

    With one origin its customers are halved, every other one, and each half is tried with the levels of
    the other. Nothing held out: the model's own levels.
    """
    if not found:
        return Calibrated()
    raw = tuple(one.covered(LEVELS[0], LEVELS[2]) for one in found)
    if len(found) == 1:
        halves = [found[0].part(slice(k, None, 2)) for k in (0, 1)]
        tries = [(halves[0], _levels([halves[1]])), (halves[1], _levels([halves[0]]))]
        held: tuple[float, ...] = (float(np.mean([one.covered(at[0], at[2]) for one, at in tries])),)
    else:
        others = [_levels(found[:i] + found[i + 1 :]) for i in range(len(found))]
        held = tuple(one.covered(at[0], at[2]) for one, at in zip(found, others, strict=True))
    return Calibrated(_levels(found), raw, held)


def _levels(found: list[Places]) -> tuple[float, float, float]:
    """The levels of the draws below which 10, 50 and 90 % of what came lay, origins counted alike."""
    share = np.mean([one.share(_GRID) for one in found], axis=0)
    at = [float(_GRID[np.searchsorted(share, level)]) if share[-1] >= level else 1.0 for level in LEVELS]
    return at[0], at[1], at[2]
