"""How many requests a token may make: a bucket that refills, kept in the process that answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from klientel.errors import BadParameter
from klientel.web.settings import setting
from klientel.words import say


def rate() -> int:
    """Requests per minute: KLIENTEL_API_RATE, else 600. Raises BadParameter for what is no number above zero."""
    told = setting("KLIENTEL_API_RATE") or "600"
    if not (told.isascii() and told.isdecimal() and int(told)):
        raise BadParameter(say("KLIENTEL_API_RATE is a number of requests per minute, at least 1."))
    return int(told)


_MOST = 10_000  # buckets that are kept; the one that was not touched longest goes first


@dataclass(frozen=True)
class Left:
    """What is left to a token: how many of how many, and seconds until all are there again."""

    limit: int
    remaining: int
    reset: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """As headers of an answer."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return told if self.allowed else {**told, "Retry-After": str(max(1, -(-60 // self.limit)))}


class Buckets:
    """One bucket for each token or person: `rate` requests at once, refilled evenly within a minute."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._held: dict[str, tuple[float, float]] = {}  # key -> (left, when)
        self._lock = threading.Lock()

    def take(self, key: str, at: float) -> Left:
        """Take one from the bucket of `key`; at: seconds of a clock that never goes back."""
        with self._lock:
            left, since = self._held.pop(key, (float(self.rate), at))
            left = min(float(self.rate), left + (at - since) * self.rate / 60)
            allowed = left >= 1
            left -= 1 if allowed else 0
            self._held[key] = (left, at)
            if len(self._held) > _MOST:
                del self._held[next(iter(self._held))]
        reset = int((self.rate - left) * 60 / self.rate) + 1
        return Left(self.rate, int(left), reset, allowed)


buckets = Buckets(rate())
