"""What tests read off the lists of pages."""

from __future__ import annotations

import re
from typing import Any


def names(answer: Any) -> list[str]:
    """The names of a list, in its order."""
    return re.findall(r'<th scope="row"><a class="row"[^>]*>([^<]*)</a>', answer.content.decode())
