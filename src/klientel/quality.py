"""Quality of an answer: how many it rests on, what was left out, how far to trust it (handbook G8, G9)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from klientel.words import Sentence, Share, mark, say

Flag = Literal["green", "amber", "red"]
_ORDER: dict[Flag, int] = {"green": 0, "amber": 1, "red": 2}

FLAGS: dict[Flag, str] = {
    "green": mark("sound"),
    "amber": mark("read with care"),
    "red": mark("not usable"),
}


@dataclass(frozen=True)
class Quality:
    """What an answer rests on.

    n: customers (or the unit named by the analysis) in the answer; excluded: those left out;
    coverage: share of revenue that had the needed inputs, 0-1, None where the question makes no sense;
    reasons: sentences, the gravest first is not required.
    """

    n: int = 0
    excluded: int = 0
    coverage: float | None = None
    flag: Flag = "green"
    reasons: tuple[str, ...] = field(default=())

    def because(self, flag: Flag, *reasons: str) -> Quality:
        """The same quality with reasons added and the flag lowered to `flag` if that is worse."""
        worst = max(self.flag, flag, key=_ORDER.__getitem__)
        return replace(self, flag=worst, reasons=(*self.reasons, *reasons))


def covered(n: int, excluded: int, coverage: float | None, what: str) -> Quality:
    """Quality by coverage (G8): under 80 % amber, under 50 % red; `what` names the missing input."""
    quality = Quality(n=n, excluded=excluded, coverage=coverage)
    if coverage is None or coverage >= 0.8:
        return quality
    sentence: Sentence = say(
        "Only {coverage} of the revenue has the needed input ({what}).", coverage=Share(coverage), what=what
    )
    return quality.because("amber" if coverage >= 0.5 else "red", sentence)


def small_sample(n: int) -> tuple[Flag, Sentence | None]:
    """Flag and reason for a rate over n cases (G9): under 5 only the fraction, 5-19 indicative."""
    if n >= 20:
        return "green", None
    if n >= 5:
        return "amber", say("Only {n} cases: indicative.", n=n)
    return "red", say("Only {n} cases: too few for a rate.", n=n)
