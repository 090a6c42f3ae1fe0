"""Makes the summary tables (orders again, last order, time observed) that the fits are measured on: seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SEED = 20240301
DAYS = 730  # customers arrive evenly over two years, and are observed to their end
PARAMETERS = {"bgnbd": (0.243, 4.414, 0.793, 2.426), "pareto": (0.553, 10.578, 0.606, 11.669)}  # CDNOW, weeks
CDNOW = Path(__file__).parents[2] / "shared" / "data" / "cdnow" / "cdnow_customers_summary.csv"


def table(folder: Path, model: str, customers: int) -> Path:
    """File of an array customers × (x, t_x, T), made if it is not there; times in weeks, whole days, no order.

    model: "bgnbd" or "pareto", whose process is simulated at the parameters of CDNOW.
    """
    path = folder / f"histories-{model}-{customers}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, _simulated(model, customers))
    return path


def cdnow(folder: Path) -> Path | None:
    """The same for the 2,357 customers of CDNOW; None where the file is not at hand."""
    if not CDNOW.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "histories-cdnow.npy"
    _write(path, np.loadtxt(CDNOW, delimiter=",", skiprows=1)[:, 1:4])
    return path


def _write(path: Path, rows: np.ndarray) -> None:
    unfinished = path.with_suffix(".part.npy")
    np.save(unfinished, np.ascontiguousarray(rows))
    unfinished.rename(path)


def _simulated(model: str, customers: int) -> np.ndarray:
    random = np.random.default_rng(SEED)
    r, alpha, leave, stay = PARAMETERS[model]
    observed = random.integers(1, DAYS, customers, endpoint=True) / 7
    rate = random.gamma(r, size=customers) / alpha
    until, dropout = observed, np.zeros(customers)
    if model == "pareto":
        until = np.minimum(
            random.exponential(size=customers) * stay / random.gamma(leave, size=customers), observed
        )
    else:
        dropout = random.beta(leave, stay, customers)
    orders, last, here = np.zeros(customers), np.zeros(customers), np.arange(customers)
    while here.size:  # order by order, each on a day of its own
        day = np.ceil((last[here] + random.exponential(size=here.size) / rate[here]) * 7) / 7
        inside = day <= until[here]
        here = here[inside]
        last[here] = day[inside]
        orders[here] += 1
        here = here[random.random(here.size) >= dropout[here]]
    return np.column_stack([orders, last, observed])
