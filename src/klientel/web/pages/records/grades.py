"""The class of each customer (ABC) for lists: from the answer that is kept, never computed for a list."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from klientel.web import results
from klientel.web.pages import shell

_KEPT: OrderedDict[str, dict[str, str]] = OrderedDict()  # place of the answer -> number -> class
_MOST = 4


def grades(request: Any) -> dict[str, str]:
    """Number -> A, B, C or N of the customers that a person sees; {} where no good answer is kept."""
    from klientel.analyses import ANALYSES

    asked = results.ask(shell.workspace(), ANALYSES["abc"], actor=shell.reach(request), today=shell.today())
    place = str(asked.place())
    if place not in _KEPT:
        found = results.kept(asked)
        if found is None:
            return {}
        table = found.tables["customers"].to_pyarrow()
        numbers, held = (table[name].to_pylist() for name in ("customer_id", "grade"))
        _KEPT[place] = {str(n): str(g) for n, g in zip(numbers, held, strict=True) if g is not None}
        while len(_KEPT) > _MOST:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(place)
    return _KEPT[place]
