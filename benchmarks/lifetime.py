"""Fit and one-year prediction of orders per customer: Klientel against lifetimes and pymc-marketing, as ratios.

python benchmarks/lifetime.py --customers cdnow 1e5 1e6 --repeat 3 --data ~/.cache/klientel-bench
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

import histories
from klientel.stats.purchases import BGNBD, ParetoNBD

HERE = Path(__file__).resolve().parent
# Library -> module and the ways it is written in; the fastest way of the first round is measured further.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "klientel": ("peers.klientel_fit", ("rows",)),
    "lifetimes": ("peers.lifetimes_fit", ("groups", "rows")),
    "pymc-marketing": ("peers.pymc_fit", ("flat", "default")),
}
MODELS = {"bgnbd": BGNBD, "pareto": ParetoNBD}
TITLES = {"bgnbd": "BG/NBD", "pareto": "Pareto/NBD"}
LESS = 0.05  # what our log-likelihood may be below that of any peer
APART = 0.01  # how far parameters and predicted orders may be from those of a peer that also maximises it


@dataclass(frozen=True)
class Run:
    """One fit in a process of its own: seconds from its start, without imports, of the processor; gigabytes."""

    engine: str
    way: str
    seconds: float
    work: float
    cpu: float = float("nan")
    memory: float = float("nan")
    parameters: list[float] = field(default_factory=list)
    predicted: list[float] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """False if the time limit ended it."""
        return bool(self.parameters)


def main() -> int:
    """Measure, check that all agree, print the tables; 1 if any answer differs."""
    given = _arguments()
    folder = Path(given.data).expanduser().resolve()
    pythons = {e: p for e in given.engines if (p := _python(folder, e)) is not None}
    agree = True
    for model in given.models:
        if not _warm(pythons, model, folder):
            return 1
        for size in given.customers:
            path = (
                histories.cdnow(folder)
                if size == "cdnow"
                else histories.table(folder, model, int(float(size)))
            )
            if path is None:
                print("CDNOW is left out: ../shared/data is not here.")
                continue
            runs = _measure(pythons, model, path, given)
            table = np.load(path)
            print(_table(f"{TITLES[model]}, {len(table):,} customers", runs, given.limit), flush=True)
            agree &= _agree(model, table, runs)
            if given.json:
                with Path(given.json).open("a") as out:
                    out.writelines(json.dumps({"model": model, "size": size, **vars(r)}) + "\n" for r in runs)
    print(_machine(pythons))
    return 0 if agree else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--customers", nargs="+", default=["cdnow", "1e5", "1e6"], help="cdnow, or numbers")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES, help="only these")
    parser.add_argument(
        "--data", default="~/.cache/klientel-bench", help="folder for tables and environments"
    )
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the libraries take turns in each")
    parser.add_argument("--limit", type=float, default=300, help="seconds after which a run is ended")
    parser.add_argument("--json", help="append every run to this file")
    return parser.parse_args()


def _python(folder: Path, engine: str) -> Path | None:
    """The Python of the library's own environment, made with its pinned versions if it is not there."""
    if engine == "klientel":
        return Path(sys.executable)
    home = folder / f"environment-{engine}"
    python, done = home / "bin" / "python", home / "installed"
    wanted = HERE / "peers" / f"{engine}.txt"
    if not done.exists() or done.read_text() != wanted.read_text():
        print(f"installing {engine} into {home.name}", file=sys.stderr, flush=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True, timeout=300)
            subprocess.run(install, check=True, timeout=1_800)
        except (subprocess.SubprocessError, OSError) as error:
            print(f"{engine} could not be installed, so it is not measured: {error}")
            return None
        done.write_text(wanted.read_text())
    return python


def _warm(pythons: dict[str, Path], model: str, folder: Path) -> bool:
    """One small run of each way, so that byte code and compiled functions are there as after a first use."""
    path = histories.table(folder, model, 2_000)
    for engine, python in pythons.items():
        for way in ENGINES[engine][1]:
            print(f"  warming {engine} ({way})", file=sys.stderr, flush=True)
            if not _run(python, engine, way, model, path, 900).ended:
                print(f"{engine} ({way}) did not end on 2,000 customers.")
                return False
    return True


def _measure(pythons: dict[str, Path], model: str, path: Path, given: argparse.Namespace) -> list[Run]:
    """All ways in the first round, then the quickest way of each library, libraries taking turns."""
    ways = {engine: ENGINES[engine][1] for engine in pythons}
    runs: list[Run] = []
    for _ in range(given.repeat):
        for engine, python in pythons.items():
            for way in ways[engine]:
                run = _run(python, engine, way, model, path, given.limit)
                runs.append(run)
                said = f"{run.seconds:.2f} s, {run.memory:.2f} GB" if run.ended else f"> {given.limit:.0f} s"
                print(f"  {model} {path.stem}: {engine} ({way}) {said}", file=sys.stderr, flush=True)
        for engine in pythons:
            own = [r for r in runs if r.engine == engine]
            best = min(own, key=lambda r: r.seconds)
            ways[engine] = (best.way,) if best.ended else ()
    return runs


def _run(python: Path, engine: str, way: str, model: str, path: Path, limit: float) -> Run:
    command = [python, HERE / "one_fit.py", ENGINES[engine][0], model, way, path, repr(time.time())]
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False, timeout=limit,
            env=_environment(path.parent), cwd=HERE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Run(engine, way, limit, limit)
    if done.returncode:
        raise SystemExit(f"{engine} ({way}) failed:\n{done.stderr[-2000:]}")
    return Run(engine, way, **json.loads(done.stdout.splitlines()[-1]))


def _environment(folder: Path) -> dict[str, str]:
    """Byte code and compiled functions are kept beside the data, so that they cost what they cost once installed."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return kept | {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}",
    }


def _best(runs: list[Run]) -> dict[str, list[Run]]:
    """Runs of the quickest way of each library."""
    out: dict[str, list[Run]] = {}
    for engine in dict.fromkeys(r.engine for r in runs):
        own = [r for r in runs if r.engine == engine]
        way = min(own, key=lambda r: r.seconds).way
        out[engine] = [r for r in own if r.way == way]
    return out


def _table(title: str, runs: list[Run], limit: float) -> str:
    """Medians, and each library divided by ours: above 1, Klientel needs less."""
    by = _best(runs)
    whats = ("seconds", "work", "cpu", "memory")
    mid = {e: [median(getattr(r, w) for r in own) for w in whats] for e, own in by.items()}
    ours = mid.get("klientel")
    out = [
        f"\n{title}",
        f"{'library':<26}{'time s':>9}{'work s':>9}{'cpu s':>9}{'GB':>7}   it / ours: time, work, cpu, memory",
    ]
    for engine, values in mid.items():
        ended = by[engine][0].ended
        label, over = f"{engine} ({by[engine][0].way})", "" if ended else "> "
        shown = [f"{over}{v:.2f}" for v in values[:2]] + [f"{v:.2f}" if ended else "-" for v in values[2:]]
        line = f"{label:<26}{shown[0]:>9}{shown[1]:>9}{shown[2]:>9}{shown[3]:>7}"
        if ours and engine != "klientel":
            ratios = [v / o for v, o in zip(values, ours, strict=True)]
            line += "   " + "  ".join(f"{over}{ratio:.1f}" if ratio == ratio else "-" for ratio in ratios)
        out.append(line)
    others = [r for r in runs if r.way != by[r.engine][0].way]
    out += [f"  slower: {r.engine} ({r.way}) {'' if r.ended else '> '}{r.seconds:.2f} s" for r in others]
    peers = {e: v for e, v in mid.items() if e != "klientel" and by[e][0].ended}
    if peers and ours:
        least = [min(v[i] for v in peers.values()) / ours[i] for i in range(3)]
        out.append(
            f"the best peer takes {least[0]:.1f} times our time, {least[1]:.1f} times our work, {least[2]:.1f} times "
            "our processor time (on a busy machine, processor time says most)"
        )
    elif ours and len(mid) > 1:
        out.append(
            f"no peer ended within {limit:.0f} s: the best takes more than {limit / ours[0]:.0f} times our time"
        )
    return "\n".join(out)


def _agree(model: str, table: np.ndarray, runs: list[Run]) -> bool:
    """True if our likelihood is not below that of any peer and results are those of peers with the same likelihood.

    All parameters are put into one likelihood (ours, which the tests hold against 40 digits).
    """
    ended = {(r.engine, r.way): r for r in runs if r.ended}
    logs = {key: MODELS[model].from_parameters(*r.parameters).loglik(*table.T) for key, r in ended.items()}
    ours = logs.get(("klientel", "rows"))
    same = True
    for key, run in ended.items():
        names = ", ".join(f"{v:.4f}" for v in run.parameters)
        print(
            f"  {' '.join(key)}: log-likelihood {logs[key]:.3f} at {names}; {run.predicted[0]:.1f} orders ahead"
        )
        if ours is None or key[0] == "klientel":
            continue
        mine = ended["klientel", "rows"]
        if ours < logs[key] - LESS:
            same = False
            print(f"  DIFFERENT: our log-likelihood is {logs[key] - ours:.3f} below")
        off = np.abs(np.array(run.parameters + run.predicted) / (mine.parameters + mine.predicted) - 1).max()
        if logs[key] > ours - LESS and off > APART:  # priors, or a search that stopped early, may differ
            same = False
            print(f"  DIFFERENT: parameters or predictions are {off:.1%} apart")
    return same


def _machine(pythons: dict[str, Path]) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    pinned = [(HERE / "peers" / f"{e}.txt").read_text().split() for e in pythons if e != "klientel"]
    peers = [line.replace("==", " ") for lines in pinned for line in lines if line.split("==")[0] in ENGINES]
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"\n{os.cpu_count()} processors, {memory:.0f} GB, Python {platform.python_version()}, "
        f"{', '.join(['NumPy ' + version('numpy'), *peers])}; load of the last 1, 5, 15 minutes {load}"
    )


if __name__ == "__main__":
    sys.exit(main())
