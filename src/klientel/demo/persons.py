"""Invented people: names from the firm's syllables, addresses for mail under .example, numbers kept for fiction."""

from __future__ import annotations

import unicodedata

import numpy as np

from klientel.demo import names
from klientel.demo.columns import Flags, Texts

_ENDINGS = ("mann", "er", "ing", "meyer", "berg", "feld", "hof", "bach")
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def people(rng: np.random.Generator, n: int) -> tuple[Texts, Texts]:
    """First names and family names of `n` people; names come again, as they do in life."""
    u, v, w, x = rng.random((4, n))
    first = np.array(names.FIRST_NAMES, dtype=object)[(u * len(names.FIRST_NAMES)).astype(np.int64)]
    heads, middles = np.array(names.HEADS, dtype=object), np.array(names.MIDDLES, dtype=object)
    tails = np.array(_ENDINGS, dtype=object)
    last = (
        heads[(v * len(heads)).astype(np.int64)]
        + middles[(w * len(middles)).astype(np.int64)]
        + tails[(x * len(tails)).astype(np.int64)]
    )
    return first, last


def addresses(first: Texts, last: Texts, website: Texts) -> Texts:
    """E-mail addresses at the company's website, all different."""
    seen: set[str] = set()
    made = []
    for given, family, site in zip(first.tolist(), last.tolist(), website.tolist(), strict=True):
        domain = plain(str(site).removeprefix("www."))
        address = f"{plain(given[0])}.{plain(family)}@{domain}"
        number = 2
        while address in seen:
            address = f"{plain(given)}.{plain(family)}{'' if number == 2 else number}@{domain}"
            number += 1
        seen.add(address)
        made.append(address)
    return np.array(made, dtype=object)


def plain(text: str) -> str:
    """A text as it may stand in an address: small ASCII letters, digits, dots and hyphens."""
    folded = unicodedata.normalize("NFKD", text.lower().translate(_ASCII))
    return "".join(c for c in folded if c.isascii() and (c.isalnum() or c in ".-"))


def phones(rng: np.random.Generator, known: Flags) -> Texts:
    """Numbers out of the blocks that are never given to anybody (Berlin 23125 xxx, Munich 99998 xxx)."""
    n = len(known)
    block, number = rng.integers(2, size=n), rng.integers(1_000, size=n)
    prefixes = ("+49 30 23125", "+49 89 99998")
    return np.array(
        [
            f"{prefixes[b]} {k:03d}" if there else None
            for b, k, there in zip(block.tolist(), number.tolist(), known.tolist(), strict=True)
        ],
        dtype=object,
    )
