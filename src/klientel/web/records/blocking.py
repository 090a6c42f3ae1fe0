"""Which records may be the same at all: pairs that share something rare. Everything is numbers here, no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

GRAM = 3
RAREST = 10  # grams of a name that are looked at
CROWD = 60  # a gram or word that more records share than this tells nothing
TOGETHER = 3  # rare grams that two names must share


def pairs(cores: Sequence[str], keys: Sequence[Sequence[str]], places: Sequence[Sequence[str]]) -> np.ndarray:
    """Pairs of records worth a look, as rows (i, j) with i < j, each once.

    cores: names without legal form; keys: for each kind of key (VAT number, domain, address, ...) one text per
    record, "" where it has none; places: towns and postcodes likewise. A pair shares the name but for a letter, a
    key, a rare word, a word in one place, or several rare pieces of the name.
    """
    import numpy as np

    n = len(cores)
    found = [_by_key(values) for values in keys]
    found.append(_by_key_many(_one_less(core) for core in cores))
    found.append(_by_key_many((w for w in set(core.split()) if len(w) > 3) for core in cores))
    found += [_by_key_many(map(_local, cores, place)) for place in places]
    found.append(_by_grams(cores))
    codes = np.concatenate([f for f in found if len(f)] or [np.empty(0, dtype=np.int64)])
    codes = np.unique(codes[:, 0] * n + codes[:, 1]) if len(codes) else codes.astype(np.int64)
    return np.stack([codes // n, codes % n], axis=1) if n else np.empty((0, 2), dtype=np.int64)


def frequencies(texts: Iterable[str]) -> Counter[str]:
    """In how many names each word stands."""
    return Counter(word for text in texts for word in set(text.split()))


def _one_less(core: str) -> list[str]:
    """The name, its words in order, whole and with each letter left out: names but for one slip share one of these."""
    text = "".join(sorted(core.split()))[:30]
    return [text, *{text[:k] + text[k + 1 :] for k in range(len(text))}] if len(text) > 4 else [text]


def _local(core: str, place: str) -> list[str]:
    return [f"{place} {word}" for word in set(core.split())] if place else []


def _by_key(values: Sequence[str]) -> np.ndarray:
    return _by_key_many((v,) if v else () for v in values)


def _by_key_many(values: Iterable[Iterable[str]]) -> np.ndarray:
    """Pairs that share a key, unless a crowd does."""
    import numpy as np

    keys: list[int] = []
    owners: list[int] = []
    for i, own in enumerate(values):
        hashes = [hash(key) for key in own]  # two keys of one hash would only cost a look
        keys += hashes
        owners += [i] * len(hashes)
    return _within_groups(np.array(keys, dtype=np.int64), np.array(owners, dtype=np.int64))


def _within_groups(keys: Any, owners: Any) -> np.ndarray:
    """All pairs of owners with the same key, for keys of 2 to CROWD owners; a pair comes once per shared key."""
    import numpy as np

    if not len(keys):
        return np.empty((0, 2), dtype=np.int64)
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    found = []
    for size in range(2, CROWD + 1):
        begin = starts[sizes == size]
        if len(begin):
            a, b = np.triu_indices(size, 1)
            found.append(
                np.stack([owners[begin[:, None] + a].ravel(), owners[begin[:, None] + b].ravel()], axis=1)
            )
    return np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)


def _by_grams(cores: Sequence[str]) -> np.ndarray:
    """Pairs whose names share several of their rarest pieces of three letters."""
    import numpy as np

    ids: dict[str, int] = {}
    grams: list[int] = []
    owners: list[int] = []
    for i, core in enumerate(cores):
        text = f" {core} "
        for gram in {text[k : k + GRAM] for k in range(len(text) - GRAM + 1)}:
            grams.append(ids.setdefault(gram, len(ids)))
            owners.append(i)
    if not grams:
        return np.empty((0, 2), dtype=np.int64)
    g, o = np.array(grams, dtype=np.int64), np.array(owners, dtype=np.int64)
    count = np.bincount(g)
    several = count[g] > 1  # a piece that nobody shares is what a slip of the pen leaves
    g, o = g[several], o[several]
    order = np.lexsort((count[g], o))
    g, o = g[order], o[order]
    starts = np.flatnonzero(np.r_[True, o[1:] != o[:-1]]) if len(o) else np.empty(0, dtype=np.int64)
    place = np.arange(len(o)) - np.repeat(starts, np.diff(np.r_[starts, len(o)]))
    rare = place < RAREST
    found = _within_groups(g[rare], o[rare])
    if not len(found):
        return found
    n = len(cores)
    codes, times = np.unique(found[:, 0] * n + found[:, 1], return_counts=True)
    short = np.array([len(core) < 2 * GRAM + 1 for core in cores])
    first, second = codes // n, codes % n
    enough = np.where(short[first] | short[second], 2, TOGETHER)
    kept = times >= enough
    return np.stack([first[kept], second[kept]], axis=1)
