"""Independent random streams, one per kind of record, so that a new kind leaves the others as they were."""

from __future__ import annotations

import numpy as np

# Only ever append: the place in this list is the identity of the stream.
NAMES = (
    "population",
    "behaviour",
    "names",
    "people",
    "catalogue",
    "orders",
    "lines",
    "contracts",
    "credits",
    "rates",
    "outside",
    "mergers",
    "contacts",
    "campaigns",
    "leads",
    "deals",
    "effort",
    "handovers",
    "surveys",
    "touchpoints",
    "usage",
    "costs",
)


def streams(seed: int) -> dict[str, np.random.Generator]:
    """One generator per name in `NAMES`; child k of the seed does not depend on how many there are."""
    children = np.random.SeedSequence(seed).spawn(len(NAMES))
    return {
        name: np.random.Generator(np.random.PCG64(child)) for name, child in zip(NAMES, children, strict=True)
    }
