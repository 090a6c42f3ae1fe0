"""The eight sales people in three teams, and which customers are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import Ints, decimals, picked, texts
from klientel.demo.names import FIRST_NAMES, PLACES, surnames
from klientel.demo.population import Population

if TYPE_CHECKING:
    import pyarrow as pa

IDS = ("V11", "V12", "V13", "V21", "V22", "V23", "V31", "V32")
TEAMS = ("Team North", "Team South", "Team Key Accounts and Abroad")
_TEAM = np.array([0, 0, 0, 1, 1, 1, 2, 2])
_LEAD = ("V11", "V21", "V31")
_AREAS = ("North", "West", "West", "South", "South", "East", "Key accounts", "Abroad")


def sellers(rng: np.random.Generator) -> pa.Table:
    """Table `rep`: number, name, team, who leads them, area, hours and cost."""
    import pyarrow as pa

    first = np.array(FIRST_NAMES, dtype=object)[rng.permutation(len(FIRST_NAMES))[: len(IDS)]]
    leads = np.array([_LEAD[t] for t in _TEAM.tolist()], dtype=object)
    hours = np.where(np.arange(len(IDS)) == 5, 90, 130)  # one of them works part time
    return pa.table(
        {
            "rep_id": texts(np.array(IDS, dtype=object)),
            "first_name": texts(first),
            "name": texts(surnames(rng, len(IDS))),
            "team_id": picked(TEAMS, _TEAM),
            "reports_to": texts(leads, leads == np.array(IDS, dtype=object)),
            "region": texts(np.array(_AREAS, dtype=object)),
            "capacity_hours_month": pa.array(hours),
            "cost_hour": decimals(5_000 + 250 * rng.integers(0, 12, len(IDS))),
        }
    )


def owners(rng: np.random.Generator, people: Population) -> Ints:
    """Index into IDS: key accounts and abroad to team 3, the rest by region."""
    regions = np.array([PLACES[p].region for p in people.place.tolist()])
    u = rng.random(len(people))
    north = np.where(regions == "North", 0, np.where(u < 0.5, 1, 2))
    south = np.where(regions == "East", 5, np.where(u < 0.45, 3, np.where(u < 0.9, 4, 5)))
    home = np.where(np.isin(regions, ["North", "West"]), north, south)
    abroad = np.isin(regions, ["Benelux", "France", "Great Britain"])
    top = people.key_account | (people.yearly() > 250_000)
    return np.where(top, 6, np.where(abroad, 7, home)).astype(np.int64)
