"""Order histories of many customers, grouped to the distinct ones with counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter
from klientel.words import say

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SPAN = 20.0  # the longest observation in scaled time; the handbook (B11) wants 10-50
PIECE = 8_192  # rows worked on at once: they fit the cache, and BLAS stays on one core below 10,000
_PROBE = 1_024  # values that tell most units are wrong, before all are tried
_UNITS = (1.0, 7.0, 100.0)  # times are whole in days, in days written as weeks, or to two decimals


@dataclass(frozen=True)
class Histories:
    """Distinct histories: x repeat orders, the last at t_x, observed for T, w customers each.

    `levels` holds the distinct values of x and `at` says which one each row has, so that gamma
    functions are evaluated once per value instead of once per customer.
    """

    x: Floats
    t_x: Floats
    T: Floats
    w: Floats
    levels: Floats
    at: Integers

    @property
    def rows(self) -> int:
        """Number of distinct histories."""
        return self.x.size

    @cached_property
    def n(self) -> float:
        """Number of customers."""
        return float(self.w.sum())

    @cached_property
    def orders(self) -> float:
        """Orders of all customers; einsum, because BLAS waits for threads longer than this takes."""
        return float(np.einsum("i,i", self.w, self.x))

    @cached_property
    def time(self) -> float:
        """Time observed of all customers."""
        return float(np.einsum("i,i", self.w, self.T))

    @cached_property
    def level_weights(self) -> Floats:
        """Customers per distinct value of x."""
        return np.asarray(np.bincount(self.at, self.w, minlength=self.levels.size), dtype=float)

    @cached_property
    def pieces(self) -> list[Histories]:
        """The rows in pieces of the same size, always cut in the same places."""
        return [self.cut(slice(i, i + PIECE)) for i in range(0, self.rows, PIECE)]

    def cut(self, part: slice) -> Histories:
        """Some of the rows, with those levels alone that lie between the ones they have."""
        at = self.at[part]
        low, high = (int(at.min()), int(at.max()) + 1) if at.size else (0, 0)
        return Histories(
            self.x[part], self.t_x[part], self.T[part], self.w[part], self.levels[low:high], at - low
        )

    def scaled(self, factor: float) -> Histories:
        """The same histories with every time multiplied by `factor`."""
        return Histories(self.x, self.t_x * factor, self.T * factor, self.w, self.levels, self.at)

    def sample(self, rows: int) -> Histories:
        """About `rows` of the rows, taken in even steps, with weights that add up to all customers."""
        if self.rows <= rows:
            return self
        chosen = (np.arange(rows) * self.rows) // rows
        part = Histories(
            self.x[chosen], self.t_x[chosen], self.T[chosen], self.w[chosen], self.levels, self.at[chosen]
        )
        grown = part.w * (self.n / part.w.sum())
        return Histories(part.x, part.t_x, part.T, grown, part.levels, part.at)


def together(*columns: ArrayLike) -> list[Floats]:
    """The columns as numbers of one shape. Raises BadParameter if they are none or do not fit together."""
    try:
        return [*np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in columns))]
    except (TypeError, ValueError) as error:
        raise BadParameter(
            say("Histories and times must be numbers in columns of the same length (or one number for all).")
        ) from error


def checked(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """The three columns as arrays of one shape; BadParameter names what cannot be a history.

    x repeat orders (whole, the first order not counted), t_x time of the last order since the first,
    T time observed since the first; t_x = 0 exactly where x = 0.
    """
    columns = together(x, t_x, T)
    count, last, observed = columns
    if not all(np.isfinite(c).all() for c in (count, last, observed)):
        raise BadParameter(say("A history has a missing number: x, t_x and T must all be given."))
    if (count < 0).any() or (count != np.rint(count)).any():
        raise BadParameter(say("x counts repeat orders: it must be a whole number and not negative."))
    if (last < 0).any() or (last > observed * (1 + 1e-12)).any():
        raise BadParameter(say("The last order (t_x) must lie between 0 and the end of observation (T)."))
    if ((count == 0) != (last == 0)).any():
        raise BadParameter(
            say("t_x must be 0 exactly where there is no repeat order (x = 0): merge orders of the same day.")
        )
    return count, np.minimum(last, observed), observed


def grouped(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> Histories:
    """Distinct histories with their counts, in one fixed order whatever the order of the rows.

    weights: customers behind each row (None: one each). Raises BadParameter as `checked`, and for
    weights that are negative or all zero.
    """
    count, last, observed = (np.ravel(c) for c in checked(x, t_x, T))
    if count.size == 0:
        raise BadParameter(say("There is no customer to fit a model to."))
    w = None if weights is None else np.ravel(together(weights)[0])
    if w is not None and (w.shape != count.shape or not (np.isfinite(w) & (w >= 0)).all() or w.sum() <= 0):
        raise BadParameter(say("Weights count customers: one per row, not negative, and not all zero."))
    key, values = _key(count, last, observed)
    if w is None:
        key.sort()
        new = np.concatenate([[True], key[1:] != key[:-1]])
        starts = np.flatnonzero(new)
        totals = np.diff(np.append(starts, key.size)).astype(float)
        kept = key[starts]
    else:
        order = np.argsort(key, kind="stable")
        key = key[order]
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        totals = np.add.reduceat(w[order], starts)
        kept = key[starts]
        kept, totals = kept[totals > 0], totals[totals > 0]
    levels, lasts, ends = values
    rest, at_end = np.divmod(kept.astype(np.int64), ends.size)
    at, at_last = np.divmod(rest, lasts.size)
    return Histories(levels[at], lasts[at_last], ends[at_end], totals, levels, at)


def flattened(column: Floats) -> Floats:
    """The column in one dimension, without a copy where one number stands for all."""
    if column.size and not any(column.strides):
        return np.broadcast_to(column[(0,) * column.ndim], column.size)
    return np.ravel(column)


def pairs(*columns: Floats) -> tuple[Integers, Integers]:
    """(first row of each distinct combination, combination of each row): for work done once per combination."""
    key = np.zeros(columns[0].size, dtype=np.int64)
    for column in columns:
        if column.size and column.strides == (0,):  # one number for all
            continue
        code, values = _codes(column)
        key = key * values.size + code
    if key.size == 0:
        return key, key
    top = int(key.max()) + 1
    if top <= 20 * key.size + 1_000_000:  # a table of all combinations beats sorting
        first = np.full(top, -1, dtype=np.int64)
        first[key[::-1]] = np.arange(key.size - 1, -1, -1)
        used = np.flatnonzero(first >= 0)
        number = np.zeros(top, dtype=np.int64)
        number[used] = np.arange(used.size)
        return first[used], number[key]
    _, at, inverse = np.unique(key, return_index=True, return_inverse=True)
    return at, inverse


def chunks(size: int, piece: int = 262_144) -> Iterator[slice]:
    """Slices that cover `size` rows, so that memory stays bounded."""
    for start in range(0, size, piece):
        yield slice(start, min(start + piece, size))


def _key(x: Floats, t_x: Floats, T: Floats) -> tuple[Any, tuple[Floats, Floats, Floats]]:
    """One integer per row that orders by (x, t_x, T), and the values that its three digits stand for."""
    (a, levels), (b, lasts), (c, ends) = _codes(x), _codes(t_x), _codes(T)
    combinations = levels.size * lasts.size * ends.size
    if combinations < 2**62:
        a *= lasts.size
        a += b
        a *= ends.size
        a += c
        # short integers are sorted twice as fast
        return a.astype(np.int32) if combinations < 2**31 else a, (levels, lasts, ends)
    raise BadParameter(say("There are too many different times: round them, for example to days."))


def _codes(values: Floats) -> tuple[Integers, Floats]:
    """Each value as the number of its rank among the distinct ones (without sorting where values are whole)."""
    if values.size == 0:
        return np.zeros(0, dtype=np.int64), values
    top = float(values.max())
    for unit in _UNITS:
        few = values[:_PROBE] * unit
        if np.abs(few - np.rint(few)).max() > 1e-9 * max(1.0, top * unit):
            continue
        grid = values * unit
        whole = np.rint(grid)
        if top * unit > 4e6 or values.min() < 0 or np.abs(grid - whole).max() > 1e-9 * max(1.0, top * unit):
            continue
        code = whole.astype(np.int64)
        size = int(code.max()) + 1
        seen = np.zeros(size, dtype=bool)
        seen[code] = True
        used = np.flatnonzero(seen)
        rank = np.zeros(size, dtype=np.int64)
        rank[used] = np.arange(used.size)
        return rank[code], used / unit
    distinct, inverse = np.unique(values, return_inverse=True)
    return inverse.astype(np.int64), distinct
