"""Numbers of records that nobody gave: what the database tells them apart by is nothing for people to read."""

from __future__ import annotations

import re
from typing import Any

# "~" and letters: made of what a file says (`imports.matching`); sixteen letters: `models.new_number`. Sixteen digits
# alone may well be somebody's customer number.
_MADE = re.compile(r"~[0-9a-f]{20}|(?=.*[a-f])[0-9a-f]{16}")


def own(number: Any) -> str:
    """The number of a record as people know it; "" where it has none of its own."""
    text = "" if number is None else str(number)
    return "" if _MADE.fullmatch(text) else text
