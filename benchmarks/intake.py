"""Intake of large text files by the command line: time and peak memory of the whole process.

python benchmarks/intake.py --rows 1e7 --data ~/.cache/klientel-bench
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from generate import german_csv

LIMIT = 2.0  # gigabytes for a CSV of 10 million rows
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "online_retail"


def main() -> int:
    """Run the command on both files and print what it took; 1 if it failed or took too much memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", default="1e7", help="rows of the generated CSV file")
    parser.add_argument("--data", default="~/.cache/klientel-bench", help="folder for the generated files")
    given = parser.parse_args()
    folder = Path(given.data).expanduser()
    made = german_csv(folder, int(float(given.rows)))
    answer = folder / "abc.json"
    failed = not _told(
        "ABC of a German CSV", made, ["analyse", "abc", str(made), "--format", "json", "-o", str(answer)]
    )
    figures = json.loads(answer.read_text())["figures"] if not failed else {}
    print(f"  {', '.join(f'{k} {figures[k]:,.2f}' for k in ('customers', 'total_value') if k in figures)}")
    for real in sorted(REAL.glob("*.csv.gz")):
        out = folder / "report.html"
        failed |= not _told("Report of Online Retail", real, ["report", str(real), "-o", str(out)])
    return int(failed)


def _told(what: str, path: Path, arguments: list[str]) -> bool:
    """Run klientel with the arguments; print size, time and peak; True if it worked within the limit."""
    started = time.time()
    command = [str(Path(sys.executable).parent / "klientel"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss * 1024 / 1e9
    print(
        f"{what} ({path.name}, {path.stat().st_size / 1e6:,.0f} MB): {time.time() - started:.1f} s, "
        f"processor {used.ru_utime + used.ru_stime:.1f} s, peak {peak:.2f} GB"
        + (f"; failed with {process.returncode}" if process.returncode else "")
        + (f"; more than {LIMIT:g} GB" if peak > LIMIT else ""),
        flush=True,
    )
    return not process.returncode and peak <= LIMIT


if __name__ == "__main__":
    sys.exit(main())
