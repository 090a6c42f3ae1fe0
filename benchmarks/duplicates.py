"""How well duplicates are found in made lists, and how long it takes: python benchmarks/duplicates.py [sizes]"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "web" / "records"))

from duplicate_world import World

from klientel.web.records.likeness import alike


def main(sizes: list[int]) -> None:
    """Print a row of the table in docs/records.md for each size."""
    print("| companies | duplicates planted | precision | recall | seconds (CPU) |\n|---|---|---|---|---|")
    for size in sizes:
        world = World(size)
        start = time.process_time()
        found = {(x.first, x.second) for x in alike(world.firms)}
        seconds = time.process_time() - start
        right = found & world.truth
        print(
            f"| {size:,} | {len(world.truth)} | {len(right) / len(found):.2f} "
            f"| {len(right) / len(world.truth):.2f} | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [1_000, 6_000, 20_000, 100_000])
