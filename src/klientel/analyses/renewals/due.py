"""The contracts of an answer apart: those that end soon, and those that ended without a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def due(contracts: pa.Table, days: int) -> tuple[pa.Table, pa.Table]:
    """(contracts that end today or within `days` days, contracts that ended already), the soonest first.

    contracts: the table "contracts" of an answer of renewals; contracts without an end are in neither.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    left = pc.cast(contracts.column("days_left"), pa.int64())
    over = pc.less(left, 0)
    near = pc.and_(pc.invert(over), pc.less_equal(left, days))
    coming, ended = (contracts.filter(pc.fill_null(chosen, False)).sort_by("end") for chosen in (near, over))
    return coming, ended
