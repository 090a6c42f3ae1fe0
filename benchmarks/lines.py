"""ABC, RFM and monthly cohorts from raw order lines: Klientel against hand-written peers, as ratios.

python benchmarks/lines.py --rows 1e6 1e7 --repeat 3 --data ~/.cache/klientel-bench
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from fingerprint import fingerprint
from generate import lines

# Engine -> module and the ways it is written in; the fastest way of the first round is measured further.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "raw scan": ("peers.scan", ("sums",)),
    "klientel": ("peers.klientel_book", ("answers",)),
    "duckdb": ("peers.duckdb_sql", ("direct", "days", "months")),
    "polars": ("peers.polars_lazy", ("apart", "days", "once")),
    "pandas": ("peers.pandas_frames", ("frames",)),
    # Not peers: every table that Klientel has to offer, and its own method written by hand.
    "klientel, all tables": ("peers.klientel_book", ("all",)),
    "duckdb, our method": ("peers.duckdb_sql", ("bits",)),
}
PEERS = ("duckdb", "polars", "pandas")
PANDAS_UP_TO = 20_000_000  # above, pandas needs more memory than the machine has


@dataclass(frozen=True)
class Run:
    """One answer in a process of its own: seconds from start to end, of the processor, gigabytes at most."""

    engine: str
    way: str
    seconds: float
    cpu: float
    memory: float
    found: dict[str, Any]


def main() -> int:
    """Measure, check that all agree, print the table; 1 if any answer differs."""
    given = _arguments()
    if given.child:
        return _child(*given.child)
    folder = Path(given.data).expanduser()
    _fill_caches(folder)
    agree = True
    for rows in (int(float(r)) for r in given.rows):
        path = lines(folder, rows)
        wanted = [e for e in ENGINES if not given.engines or e in given.engines]
        wanted = [e for e in wanted if e != "pandas" or rows <= PANDAS_UP_TO]
        ways = {e: ENGINES[e][1][: 1 if given.ways == "first" else None] for e in wanted}
        runs = _measure(ways, path, given.repeat)
        agree &= _agree(runs)
        print(_table(rows, runs), flush=True)
        if given.json:
            with Path(given.json).open("a") as out:
                out.writelines(json.dumps({"rows": rows, **vars(run)}) + "\n" for run in runs)
    print(_machine())
    return 0 if agree else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=["1e6", "1e7"], help="numbers of order lines")
    parser.add_argument("--data", default="~/.cache/klientel-bench", help="folder for the generated files")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the engines take turns in each")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, help="only these")
    parser.add_argument(
        "--ways", choices=("all", "first"), default="all", help="first: only the first way of each"
    )
    parser.add_argument("--json", help="append every run to this file")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(ways: dict[str, tuple[str, ...]], path: Path, repeat: int) -> list[Run]:
    """All ways in the first round, then the fastest way of each engine, engines taking turns."""
    runs: list[Run] = []
    engines = list(ways)
    for _ in range(repeat):
        for engine in engines:
            for way in ways[engine]:
                run = _run(engine, way, path)
                runs.append(run)
                print(
                    f"  {engine} ({way}): {run.seconds:.2f} s, processor {run.cpu:.2f} s, {run.memory:.2f} GB",
                    file=sys.stderr,
                    flush=True,
                )
        for engine in engines:
            own = [r for r in runs if r.engine == engine]
            ways[engine] = (min(own, key=lambda r: r.cpu).way,)
    best = {engine: ways[engine][0] for engine in ways}
    return [r for r in runs if r.way == best[r.engine]]


def _run(engine: str, way: str, path: Path) -> Run:
    command = [sys.executable, __file__, "--child", engine, way, str(path), repr(time.time())]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(path.parent), check=False)
    if done.returncode:
        raise SystemExit(f"{engine} ({way}) failed:\n{done.stderr[-2000:]}")
    return Run(engine, way, **json.loads(done.stdout.splitlines()[-1]))


def _child(engine: str, way: str, path: str, started: str) -> int:
    """Answer once; tell time and memory up to here, then what was found."""
    tables = import_module(ENGINES[engine][0]).answer(Path(path), way)
    seconds = time.time() - float(started)
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024 / 1e9,
        "found": fingerprint(tables),
    }
    print(json.dumps(told))
    return 0


def _environment(folder: Path) -> dict[str, str]:
    """Byte code is kept beside the data, so that every engine is imported as it is once installed."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder.resolve() / "bytecode")}


def _fill_caches(folder: Path) -> None:
    path = lines(folder, 10_000)
    for engine, (_, ways) in ENGINES.items():
        _run(engine, ways[0], path)


def _agree(runs: list[Run]) -> bool:
    """True if every engine found the same; says what differs otherwise."""
    answers = [r for r in runs if r.found]
    first = next((r for r in answers if r.engine in PEERS), answers[0] if answers else None)
    same = True
    for run in answers:
        for name, value in run.found.items():
            if first is not None and value != first.found[name]:
                same = False
                print(f"DIFFERENT {name}: {run.engine} {value}, {first.engine} {first.found[name]}")
    return same


def _table(rows: int, runs: list[Run]) -> str:
    """Medians per engine, and ours against each: below 1 is better than the peer."""
    by: dict[str, list[Run]] = {}
    for run in runs:
        by.setdefault(run.engine, []).append(run)
    mid = {
        e: [median(getattr(r, what) for r in own) for what in ("seconds", "cpu", "memory")]
        for e, own in by.items()
    }
    out = [
        f"\n{rows:,} lines, {max(1, rows // 20):,} customers",
        f"{'engine':<32}{'time s':>9}{'cpu s':>9}{'GB':>7}   ours / it: time, cpu, memory",
    ]
    for engine, values in mid.items():
        label = f"{engine} ({by[engine][0].way})"
        ratios = ""
        if "klientel" in mid and engine != "klientel":
            ratios = "   " + "  ".join(f"{a / b:6.2f}" for a, b in zip(mid["klientel"], values, strict=True))
        out.append(f"{label:<32}{values[0]:>9.2f}{values[1]:>9.2f}{values[2]:>7.2f}{ratios}")
    peers = {e: v for e, v in mid.items() if e in PEERS}
    if peers and "klientel" in mid:
        # Engines take turns, so the ratio of each round sees the same neighbours on the machine; on a busy
        # one the least of several times and the time of the processor say more than the median.
        for what, best in (
            ("time", min(peers, key=lambda e: peers[e][0])),
            ("cpu", min(peers, key=lambda e: peers[e][1])),
        ):
            pairs = [a.seconds / b.seconds for a, b in zip(by["klientel"], by[best], strict=False)]
            least = [min(r.seconds for r in by[e]) for e in ("klientel", best)]
            out.append(
                f"against the best of them by {what} ({best}): paired time {median(pairs):.2f}, least time "
                f"{least[0] / least[1]:.2f}, cpu {mid['klientel'][1] / peers[best][1]:.2f} ({len(pairs)} rounds)"
            )
    found = next((r.found for r in runs if r.engine == "klientel"), None)
    if found:
        out.append(f"all agree on: {found['grades']}, scores {found['scores'][:12]}, cells {found['cells']}")
    return "\n".join(out)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ("duckdb", "ibis-framework", "polars", "pandas", "pyarrow", "numpy")
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"\n{os.cpu_count()} processors, {memory:.0f} GB, Python {platform.python_version()}, "
        + ", ".join(f"{p} {version(p)}" for p in packages)
        + f"; load of the last 1, 5, 15 minutes {load}"
    )


if __name__ == "__main__":
    sys.exit(main())
