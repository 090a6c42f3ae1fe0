"""ABC, RFM and cohorts of the same lines through Spark and through the embedded engine: time, memory, same numbers.

python benchmarks/spark.py --rows 1e7 --master "local-cluster[2,1,3072]"
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fingerprint import fingerprint
from generate import lines

ASKED = (("abc", "customers"), ("rfm", "customers"), ("cohorts", "cohorts"))


def main() -> int:
    """Measure both, print the table; 1 if the numbers differ."""
    given = _arguments()
    if given.child:
        return _child(*given.child)
    rows = int(float(given.rows))
    path = lines(Path(given.data).expanduser(), rows)
    sources = {
        "embedded": str(path),
        "spark": f"spark://{given.master}?path={path}&spark.driver.memory={given.memory}",
    }
    told = {engine: _run(source) for engine, source in sources.items()}
    print(f"{rows:,} lines, Parquet of {path.stat().st_size / 1e6:.0f} MB, {given.master}")
    steps = "".join(f"{name:>10}" for name, _ in ASKED)
    print(f"{'':<12}{'open':>8}{steps}{'all s':>9}{'cpu s':>9}{'GB':>8}")
    for engine, found in told.items():
        steps = "".join(f"{found[name]:>10.1f}" for name, _ in ASKED)
        print(
            f"{engine:<12}{found['open']:>8.1f}{steps}{found['all']:>9.1f}{found['cpu']:>9.1f}{found['memory']:>8.2f}"
        )
    ratios = [told["spark"][w] / told["embedded"][w] for w in ("all", "cpu", "memory")]
    print("Spark against the embedded engine: time {:.1f}, processor {:.1f}, memory {:.1f}".format(*ratios))
    same = told["spark"]["found"] == told["embedded"]["found"]
    print("same numbers" if same else f"DIFFERENT: {told['spark']['found']} {told['embedded']['found']}")
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    packages = ", ".join(f"{p} {version(p)}" for p in ("pyspark", "duckdb", "ibis-framework", "pyarrow"))
    print(f"{os.cpu_count()} processors, Python {platform.python_version()}, {packages}; load {load}")
    return 0 if same else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", default="1e7", help="number of order lines")
    parser.add_argument("--data", default="~/.cache/klientel-bench", help="folder for the generated files")
    parser.add_argument("--master", default="local-cluster[2,1,3072]", help="master of the Spark session")
    parser.add_argument("--memory", default="2g", help="memory of Spark's driver")
    parser.add_argument("--child", nargs=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(source: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{source} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _child(source: str) -> int:
    """Answer once in a process of its own; seconds of each step, memory of it and of all it started."""
    import klientel

    begun = time.perf_counter()
    told: dict[str, Any] = {}
    book = klientel.open_book(source)
    told["open"] = time.perf_counter() - begun
    tables = {}
    for name, table in ASKED:
        start = time.perf_counter()
        tables[name] = klientel.analyse(book, name).tables[table].to_pyarrow()
        told[name] = time.perf_counter() - start
    told["all"] = time.perf_counter() - begun
    family = _family(os.getpid())
    told["memory"] = sum(_most_memory(pid) for pid in family) / 1e6
    told["cpu"] = sum(_processor(pid) for pid in family)
    told["found"] = fingerprint(tables)
    print(json.dumps(told))
    return 0


def _family(pid: int) -> list[int]:
    """The process and all that it started, however far down."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def _most_memory(pid: int) -> int:
    """The most memory that a process ever held, in kilobytes."""
    try:
        lines_ = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines_ if line.startswith("VmHWM")), 0)


def _processor(pid: int) -> float:
    """Seconds of the processor that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
