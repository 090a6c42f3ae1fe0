"""Columns of fixed width: where every line has blanks, one column ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RULE = re.compile(r"[\s=_+|-]+")
_GAP = 2  # blanks between two columns; single ones stand inside names
_FEWEST = 3  # lines


def find_cuts(lines: Sequence[str]) -> tuple[int, ...]:
    """Positions at which columns begin, the first of them 0; empty if the lines have no common blanks.

    lines: without titles above the table. Rules of dashes and blank lines do not count.
    """
    texts = [
        text for line in lines if (text := line.rstrip("\r\n").expandtabs()) and not _RULE.fullmatch(text)
    ]
    if len(texts) < _FEWEST:
        return ()
    width = max(map(len, texts))
    blank = [all(at >= len(text) or text[at] == " " for text in texts) for at in range(width)]
    cuts, run = [0], 0
    for at, empty in enumerate(blank):
        if not empty and run >= _GAP and at - run > 0:
            cuts.append(at)
        run = run + 1 if empty else 0
    return tuple(cuts) if len(cuts) >= 3 else ()


def _begin(line: str, cut: int) -> int:
    """Where the column begins in this line: a figure wider than those seen begins further left, at its blank."""
    if cut and cut < len(line) and line[cut] != " ":
        while cut and line[cut - 1] != " ":
            cut -= 1
    return cut


def sliced(text: str, cuts: Sequence[int]) -> str:
    """Lines with a tab between the columns; line ends stay. Rules of dashes become blank lines."""
    made = []
    for line in text.split("\n"):
        bare = line.rstrip("\r").expandtabs()
        if not bare or _RULE.fullmatch(bare):
            made.append("")
            continue
        begins = [_begin(bare, cut) for cut in cuts]
        ends = [*begins[1:], None]
        made.append("\t".join(bare[a:b].strip() for a, b in zip(begins, ends, strict=True)))
    return "\n".join(made)
