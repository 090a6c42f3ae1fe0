"""One fit and prediction in a process of its own, run by the Python of the library that is measured.

python one_fit.py MODULE MODEL WAY TABLE STARTED: prints seconds since STARTED and of the work alone, the most
memory held, the parameters found and the orders predicted.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np

YEAR = 52.0  # weeks to predict


def main(module: str, model: str, way: str, table: str, started: str) -> None:
    """Measure; what is imported by the module at its top counts as start, what it imports later as work."""
    fit = import_module(module).fit
    rows = np.load(table)
    begun = time.time()
    parameters, predicted = fit(model, way, *(np.array(column) for column in rows.T), YEAR)
    ended = time.time()
    if np.shape(predicted) != (len(rows),):
        raise SystemExit(f"one prediction per customer is asked for, not {np.shape(predicted)}")
    told = {
        "seconds": ended - float(started),
        "work": ended - begun,
        "cpu": time.process_time(),
        "memory": _most_memory(),
        "parameters": [float(value) for value in parameters],
        "predicted": [
            float(np.sum(predicted)),
            float(np.sum(predicted * rows[:, 0])),
            float(np.max(predicted)),
        ],
    }
    print(json.dumps(told))


def _most_memory() -> float:
    """Gigabytes. VmHWM starts anew with this program; ru_maxrss would count the program that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e9
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_maxrss / 1e9  # bytes on macOS


if __name__ == "__main__":
    main(*sys.argv[1:])
