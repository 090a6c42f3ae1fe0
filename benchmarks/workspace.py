"""A workspace by the command line: import, undo, import again, upsert into many lines, ABC cold and warm.

python benchmarks/workspace.py --data ~/.cache/klientel-bench [--stored 1e7] [--steps import,upsert,abc]

Every step is a process of its own; time, processor time and peak memory are those of the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

TARGETS = {"import of 1 million lines": (60, 2.0), "undo": (60, 2.0)}
PROBE = """
import json, sys, time
began = time.perf_counter()
import klientel
times = []
for _ in range(3):
    began = time.perf_counter()
    book = klientel.open_book(sys.argv[1])
    klientel.analyse(book, "abc").tables["customers"].to_pyarrow()
    times.append(round(time.perf_counter() - began, 2))
print(json.dumps(times))
"""


def main() -> int:
    """Run the steps and print what each took; 1 if a step failed or missed its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="~/.cache/klientel-bench", help="folder for files and workspaces")
    parser.add_argument("--stored", default="1e7", help="lines in the workspace that the upsert meets")
    parser.add_argument("--steps", default="import,upsert,abc")
    given = parser.parse_args()
    folder = Path(given.data).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    steps = given.steps.split(",")
    failed = _importing(folder) if "import" in steps else False
    stored = int(float(given.stored))
    if {"upsert", "abc"} & set(steps):
        failed |= _large(folder, stored, steps)
    return int(failed)


def _importing(folder: Path) -> bool:
    million = order_lines(folder, 0, 1_000_000, customers=50_000)
    home = _fresh(folder, "small")
    failed = _step("import of 1 million lines", ["import", home, str(million)])
    failed |= _step("the same file again", ["import", home, str(million)])
    failed |= _step("undo", ["undo", home, "1"])
    failed |= _step("import of 1 million lines", ["import", home, str(million)])
    failed |= _step("backup", ["backup", home, str(folder / "backup.zip")])
    shutil.rmtree(folder / "restored", ignore_errors=True)
    return failed | _step("restore", ["restore", str(folder / "backup.zip"), str(folder / "restored")])


def _large(folder: Path, stored: int, steps: list[str]) -> bool:
    name = f"large-{stored}"
    home = str(folder / name)
    whole = order_lines(folder, 0, stored, ending="parquet")
    failed = False
    if not (Path(home) / "workspace.json").exists() or "fill" in steps:
        home = _fresh(folder, name)
        failed = _step(f"import of {stored:,} lines (Parquet)", ["import", home, str(whole)])
    if "upsert" in steps:
        again = order_lines(folder, stored - 100_000, 200_000, changed=True)
        failed |= _step("upsert of 200,000 lines, half of them known", ["import", home, str(again)])
        last = json.loads(_output(["imports", home, "--format", "json"]))[-1]
        print(f"  {last['tables']}")
        failed |= _step("undo of the upsert", ["undo", home, str(last["id"])])
        spread = order_lines(folder, 0, 200_000, every=stored // 200_000, changed=True)
        failed |= _step("upsert of 200,000 lines from all years", ["import", home, str(spread)])
        last = json.loads(_output(["imports", home, "--format", "json"]))[-1]
        failed |= _step("undo of that", ["undo", home, str(last["id"])])
    if "abc" in steps:
        _step(
            "ABC of the workspace", ["analyse", "abc", home, "--format", "json", "-o", str(folder / "a.json")]
        )
        _step(
            "ABC of plain Parquet",
            ["analyse", "abc", str(whole), "--format", "json", "-o", str(folder / "b.json")],
        )
        for what, source in (("workspace", home), ("plain Parquet", str(whole))):
            out = subprocess.run(
                [sys.executable, "-c", PROBE, source], capture_output=True, text=True, check=True
            )
            found = out.stdout.strip().splitlines()[-1]
            print(f"open and ABC three times in one process, {what}: {found} s", flush=True)
        a, b = (json.loads((folder / f"{n}.json").read_text())["tables"]["customers"]["rows"] for n in "ab")
        same = [r[0:1] + r[2:] for r in a] == [r[0:1] + r[2:] for r in b]
        print(f"the same answer: {same}")
        failed |= not same
    return failed


def order_lines(
    folder: Path,
    first: int,
    rows: int,
    *,
    every: int = 1,
    changed: bool = False,
    customers: int = 500_000,
    ending: str = "csv",
) -> Path:
    """A file of order lines: three lines an order, orders in the order of time, five years, 20 lines a customer."""
    import duckdb

    path = folder / f"order-lines-{first}-{rows}-{every}-{customers}{'-changed' if changed else ''}.{ending}"
    if path.exists():
        return path
    con = duckdb.connect()
    con.execute("SET memory_limit = '2GB'")
    more = "1.5" if changed else "0"
    con.execute(
        f"COPY (SELECT 'A' || (100000000 + i // 3) AS order_id, i % 3 + 1 AS line_no, "
        f"DATE '2019-01-01' + CAST(i // 3 * 1825 // 3400000 AS INTEGER) AS order_date, "
        f"CAST(100000 + hash(i // 3) % {customers} AS INTEGER) AS customer_id, "
        f"'P' || hash(i + 1) % 2000 AS product_id, CAST(hash(i + 2) % 20 + 1 AS INTEGER) AS qty, "
        f"CAST(hash(i + 3) % 100000 / 100 + 1 + {more} AS DECIMAL(18,2)) AS net_amount "
        f"FROM (SELECT {first} + r * {every} AS i FROM range({rows}) t(r))) TO '{path}.part' "
        f"(FORMAT {ending})"
    )
    Path(f"{path}.part").rename(path)
    return path


def _fresh(folder: Path, name: str) -> str:
    shutil.rmtree(folder / name, ignore_errors=True)
    _output(["init", str(folder / name), "--currency", "EUR"])
    return str(folder / name)


def _output(arguments: list[str]) -> str:
    command = [str(Path(sys.executable).parent / "klientel"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _step(what: str, arguments: list[str]) -> bool:
    """Run klientel; print time and peak; True if it failed or missed its target."""
    began = time.time()
    command = [str(Path(sys.executable).parent / "klientel"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took, peak = time.time() - began, used.ru_maxrss * 1024 / 1e9
    seconds, memory = TARGETS.get(what, (10**9, 2.0))
    print(
        f"{what}: {took:.1f} s, processor {used.ru_utime + used.ru_stime:.1f} s, peak {peak:.2f} GB"
        + (f"; failed with {process.returncode}" if process.returncode else "")
        + ("; MISSED" if took > seconds or peak > memory else ""),
        flush=True,
    )
    return bool(process.returncode) or took > seconds or peak > memory


if __name__ == "__main__":
    sys.exit(main())
