"""Rights: who may do what with whose customers; applied where lists and Books are narrowed, nowhere else."""

from klientel.web.rights.effective import Effective, explain
from klientel.web.rights.lists import demand, demand_all, rows, shown, visible
from klientel.web.rights.narrowing import narrow, only
from klientel.web.rights.reach import ACTIONS, SCOPES, Access, Reach, access

__all__ = [
    "ACTIONS",
    "SCOPES",
    "Access",
    "Effective",
    "Reach",
    "access",
    "demand",
    "demand_all",
    "explain",
    "narrow",
    "only",
    "rows",
    "shown",
    "visible",
]
