"""Survival curves, medians, means and causes of spells, by segment (B5, B9; Kaplan-Meier, Aalen-Johansen)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from klientel.analyses.lifetime.declared import ALL, OTHERS, UNKNOWN
from klientel.analyses.lifetime.spells import Spells
from klientel.errors import NotEnoughData
from klientel.stats.survival import AalenJohansen, KaplanMeier, LogRank, logrank

LEAST, MOST = 20, 4  # customers that make a curve of their own, and curves in one picture (G9)
_CAUSE = 5  # ends of a cause that is shown (G9)
_POINTS, _LONGEST = 60, 120  # of a curve, and months it is told for
_STEPS = (1, 2, 3, 6, 12)


@dataclass(frozen=True)
class Curve:
    """The curve of one group, and which spells are in it."""

    name: str
    fit: KaplanMeier
    inside: NDArray[np.bool_]

    def horizon(self) -> float | None:
        """Largest age with 10 or more watched; None if there is none."""
        try:
            return self.fit.horizon()
        except NotEnoughData:
            return None


def reach(fit: KaplanMeier) -> float:
    """Age up to which a mean can be told: the horizon, without end where everybody had left by then, else 0."""
    try:
        end = fit.horizon()
    except NotEnoughData:
        return 0.0
    return float("inf") if fit.survival_at(end) <= 0 else end


def fitted(spells: Spells, inside: NDArray[np.bool_] | None = None) -> KaplanMeier:
    """Kaplan-Meier of some of the spells (all by default)."""
    at = np.ones(spells.n.size, dtype=bool) if inside is None else inside
    return KaplanMeier().fit(spells.months[at], spells.ended[at] > 0, spells.entry[at], spells.n[at])


def by_segment(spells: Spells) -> list[Curve]:
    """The curves of the largest segments with at least 20 customers, the rest together, the unknown last.

    Without an attribute, or with one segment only, the curve of all.
    """
    names = np.array([UNKNOWN if s is None else s for s in spells.segment], dtype=object)
    sizes = {str(name): float(spells.n[names == name].sum()) for name in set(names)}
    known = sorted((n for n in sizes if n != UNKNOWN and sizes[n] >= LEAST), key=lambda n: (-sizes[n], n))
    shown = known[:MOST]
    if len(shown) < 2 and not (shown and sum(sizes.values()) - sizes[shown[0]] >= LEAST):
        return [Curve(ALL, fitted(spells), np.ones(spells.n.size, dtype=bool))]
    rest = ~np.isin(names, [*shown, UNKNOWN])
    groups = {name: names == name for name in shown} | {OTHERS: rest, UNKNOWN: names == UNKNOWN}
    found = [Curve(n, fitted(spells, at), at) for n, at in groups.items() if spells.n[at].sum() >= LEAST]
    return [c for c in found if c.horizon() is not None] or [Curve(ALL, fitted(spells), rest | True)]


def curve_rows(curves: list[Curve]) -> list[dict[str, Any]]:
    """Points of the curves at whole months up to ten years, 60 steps at most, as far as 10 customers are watched."""
    ends = [min(c.horizon() or 0.0, _LONGEST) for c in curves]
    step = next(s for s in _STEPS if max(ends, default=0) / s <= _POINTS)
    rows = []
    for curve, end in zip(curves, ends, strict=True):
        low, high = curve.fit.interval()
        for age in range(0, int(end) + 1, step):
            i = int(np.searchsorted(curve.fit.times_, age, side="right")) - 1
            later = min(int(np.searchsorted(curve.fit.times_, age)), curve.fit.at_risk_.size - 1)
            rows.append(
                {
                    "segment": curve.name,
                    "age": age,
                    "at_risk": round(float(curve.fit.at_risk_[later])),
                    "survival": float(curve.fit.survival_[i]) if i >= 0 else 1.0,
                    "low": float(low[i]) if i >= 0 else 1.0,
                    "high": float(high[i]) if i >= 0 else 1.0,
                }
            )
    return rows


def segment_rows(spells: Spells, curves: list[Curve]) -> list[dict[str, Any]]:
    """One row per curve: counts, median and mean with limits, difference of the mean from all others."""
    common = min(
        min((reach(c.fit) for c in curves), default=0.0),
        max((c.horizon() or 0.0 for c in curves), default=0.0),
    )
    z = NormalDist().inv_cdf(0.975)
    rows = []
    for curve in curves:
        low, high = curve.fit.median_interval()
        mean = curve.fit.restricted_mean(common) if common > 0 else None
        others = fitted(spells, ~curve.inside) if len(curves) > 1 else None
        gap = _difference(mean, others, common)
        rows.append(
            {
                "segment": curve.name,
                "customers": round(float(spells.n[curve.inside].sum())),
                "lost": round(float(spells.n[curve.inside] @ spells.ended[curve.inside])),
                "median": curve.fit.median_,
                "median_low": low if curve.fit.median_ is not None else None,
                "median_high": high,
                "mean": mean.mean if mean else None,
                "mean_low": mean.low if mean else None,
                "mean_high": mean.high if mean else None,
                "difference": gap[0] if gap else None,
                "difference_low": gap[0] - z * gap[1] if gap else None,
                "difference_high": gap[0] + z * gap[1] if gap else None,
                "stays_12m": stays(curve, 12),
                "stays_36m": stays(curve, 36),
            }
        )
    return rows


def stays(curve: Curve, months: float) -> float | None:
    """S(months), None beyond the age at which 10 customers are watched."""
    return float(curve.fit.survival_at(months)) if (curve.horizon() or 0.0) >= months else None


def causes(spells: Spells) -> list[dict[str, Any]]:
    """Cumulative incidence of each kind of end, where there are two or more with at least 5 cases each."""
    names = np.array(spells.cause, dtype=object)
    counts = {n: float(spells.n[names == n].sum()) for n in set(spells.cause) if n}
    if sum(count >= _CAUSE for count in counts.values()) < 2:
        return []
    rare = {n for n, count in counts.items() if count < _CAUSE}
    told = [OTHERS if n in rare else n for n in spells.cause]
    fit = AalenJohansen().fit(spells.months, np.array(told, dtype=object), spells.entry, spells.n)
    rows = []
    for cause in fit.causes_:
        low, high = fit.interval(cause)
        at = int(np.searchsorted(fit.times_, 36, side="right")) - 1
        reached = bool(fit.times_.size) and float(fit.times_[-1]) >= 36
        rows.append(
            {
                "cause": cause,
                "lost": round(float(fit.events_[cause].sum())),
                "share_12m": _number(fit.incidence_at(cause, 12)),
                "share_36m": _number(fit.incidence_at(cause, 36)),
                "low": float(low[at]) if reached and at >= 0 else None,
                "high": float(high[at]) if reached and at >= 0 else None,
            }
        )
    return sorted(rows, key=lambda r: (-r["lost"], r["cause"]))


def compared(spells: Spells, curves: list[Curve]) -> LogRank | None:
    """Log-rank test between the curves; None where there is nothing to compare."""
    if len(curves) < 2:
        return None
    group = np.zeros(spells.n.size, dtype=int)
    inside = np.zeros(spells.n.size, dtype=bool)
    for place, curve in enumerate(curves):
        group[curve.inside] = place
        inside |= curve.inside
    at = inside
    try:
        return logrank(spells.months[at], spells.ended[at] > 0, group[at], spells.entry[at], spells.n[at])
    except NotEnoughData:
        return None


def _difference(mean: Any, others: KaplanMeier | None, tau: float) -> tuple[float, float] | None:
    """Mean minus that of all others up to the same age, and its standard error; groups are independent."""
    if mean is None or others is None:
        return None
    if reach(others) < tau:
        return None
    other = others.restricted_mean(tau)
    return mean.mean - other.mean, float(np.sqrt(mean.variance + other.variance))


def _number(value: float) -> float | None:
    return None if value != value else float(value)
