"""Class stability: how often a customer keeps its class if its months are drawn anew (handbook G13)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DRAWS = 500
SEED = 20_240_301
A, B, C, NEGATIVE = range(4)
_TOLERANCE = 1e-12


def class_stability(
    cells: NDArray[np.float64],
    classes: NDArray[np.int64],
    *,
    shares: tuple[float, float] | None = None,
    values: tuple[float, float] = (np.inf, np.inf),
    inclusive: bool = False,
) -> NDArray[np.float64]:
    """Share of draws, 0-1 per customer, in which the customer keeps its class.

    cells: customers × months (value of the month, 0 where nothing was bought); classes: 0 A, 1 B, 2 C,
    3 negative. Each draw takes each customer's months with replacement. shares: the limits of A and B,
    everybody is graded anew; None: the class limits `values` (smallest value of A and of B) are held,
    for portfolios so large that a draw does not move them. inclusive: the rule "after" of A1.
    """
    rng = np.random.default_rng(SEED)
    n, months = cells.shape
    kept = np.zeros(n)
    for _ in range(DRAWS):
        drawn = rng.integers(0, months, size=(n, months))
        # rounding to money keeps equal customers equal
        value = np.round(np.take_along_axis(cells, drawn, axis=1).sum(axis=1), 4)
        if shares is None:
            found = np.where(value >= values[0], A, np.where(value >= values[1], B, C))
        else:
            found = graded(value, *shares, inclusive=inclusive)
        kept += np.where(value < 0, NEGATIVE, found) == classes
    return kept / DRAWS


def graded(values: NDArray[np.float64], a: float, b: float, *, inclusive: bool = False) -> NDArray[np.int64]:
    """ABC class (0, 1, 2) of each value by the share before it (inclusive: after it); ties share the better.

    Values that are not positive are class C. The twin of the exact rule in the engine, with the
    tolerance of 1e-12 at the limit that A1 allows for floats.
    """
    positive = np.maximum(values, 0.0)
    order = np.argsort(-positive, kind="stable")
    down = positive[order]
    after = down.cumsum()
    new = np.concatenate([[True], down[1:] != down[:-1]])
    first = np.maximum.accumulate(np.where(new, np.arange(down.size), 0))
    judged = (after if inclusive else after - down)[first] / max(float(after[-1]), 1e-300)
    if inclusive:
        code = np.where(judged <= a + _TOLERANCE, A, np.where(judged <= b + _TOLERANCE, B, C))
    else:
        code = np.where(judged < a - _TOLERANCE, A, np.where(judged < b - _TOLERANCE, B, C))
    code[down <= 0] = C
    result = np.empty(values.size, dtype=np.int64)
    result[order] = code
    return result
