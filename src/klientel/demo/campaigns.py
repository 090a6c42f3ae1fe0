"""Fairs and other campaigns: when they ran, for which channel, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import Flags, Ints, Texts, dates, decimals, numbered, picked, texts
from klientel.demo.days import Span, number
from klientel.demo.selling import CHANNELS
from klientel.demo.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

FAIR, RECOMMENDATION, WEB, PHONE, PARTNER = range(5)
_FAIRS = ("Motion Days Leipzig", "Conveyor Fair Ulm", "Industry Days Linz")
_BEGIN = ((4, 16), (10, 8), (6, 11))  # month and day of each fair
_TITLES = ("", "Customers recommend customers", "Search ads", "Calling campaign", "Dealer programme")
_MONTHS = (0, 12, 3, 6, 12)  # how long a campaign of each channel runs


@dataclass(frozen=True)
class Campaigns:
    """Campaigns by index; cost in cents. A campaign of a fair takes three days, the others follow each other."""

    table: pa.Table
    ids: Texts
    channel: Ints
    start: Ints
    end: Ints
    cost: Ints

    def of(self, channel: Ints, day: Ints) -> Ints:
        """Campaign of a lead of that channel and day, -1 if none: the one that runs, or the fair before."""
        found = np.full(len(day), -1)
        for c in range(len(CHANNELS)):
            mine = np.flatnonzero(self.channel == c)
            rows = np.flatnonzero(channel == c)
            if not len(mine) or not len(rows):
                continue
            place = np.searchsorted(self.start[mine], day[rows], side="right") - 1
            last = self.end[mine][np.maximum(place, 0)] + (60 if c == FAIR else 0)
            found[rows] = np.where((place >= 0) & (day[rows] < last), mine[np.maximum(place, 0)], -1)
        return found


def draw_campaigns(rng: np.random.Generator, span: Span, settings: Settings) -> Campaigns:
    """Some fairs a year, quarterly web advertising, calling twice a year, programmes for a year."""
    import pyarrow as pa

    selling = settings.selling
    rows: list[tuple[int, int, int, str]] = []
    for year in span.years:
        for k in range(selling.fairs):
            begin = number(date(year, *_BEGIN[k % len(_BEGIN)]))
            if span.start <= begin < span.end - 2:
                rows.append((begin, FAIR, begin + 3, f"{_FAIRS[k % len(_FAIRS)]} {year}"))
    first = int(np.datetime64(span.start, "D").astype("datetime64[M]").astype(np.int64))
    last = int(np.datetime64(span.end - 1, "D").astype("datetime64[M]").astype(np.int64))
    for channel in (RECOMMENDATION, WEB, PHONE, PARTNER):
        for month in range(first, last + 1, _MONTHS[channel]):
            begin, end = (_month(m) for m in (month, month + _MONTHS[channel]))
            rows.append(
                (begin, channel, end, f"{_TITLES[channel]} {month // 12 + 1970}-{month % 12 + 1:02d}")
            )
    rows.sort()
    since = np.array([r[0] for r in rows], dtype=np.int64)
    source = np.array([r[1] for r in rows], dtype=np.int64)
    until = np.array([r[2] for r in rows], dtype=np.int64)
    pairs = (
        selling.fair_cost, selling.recommendation_cost, selling.web_cost, selling.phone_cost, selling.partner_cost
    )  # fmt: skip
    median, sigma = (np.array([p[k] for p in pairs])[source] for k in (0, 1))
    cost = np.round(median * np.exp(sigma * rng.standard_normal(len(rows))), -1).astype(np.int64) * 100
    ids = numbered("M", np.arange(1, len(rows) + 1), 3)
    table = pa.table(
        {
            "campaign_id": texts(ids),
            "name": pa.array([r[3] for r in rows]),
            "channel": picked(CHANNELS, source),
            "start": dates(since),
            "end": dates(until - 1),
            "cost": decimals(cost),
            "currency": pa.repeat(pa.scalar("EUR"), len(rows)),
        }
    )
    return Campaigns(table, ids, source, since, until, cost)


def on_fair(campaigns: Campaigns, channel: Ints, day: Ints, within: int) -> tuple[Ints, Flags]:
    """Move leads of the fair channel to a day of the last fair, if there was one at most `within` days before."""
    fairs = np.flatnonzero(campaigns.channel == FAIR)
    if not len(fairs):
        return day, np.zeros(len(day), dtype=np.bool_)
    place = np.searchsorted(campaigns.start[fairs], day, side="right") - 1
    begin = campaigns.start[fairs][np.maximum(place, 0)]
    moved = (channel == FAIR) & (place >= 0) & (day - begin <= within)
    return np.where(moved, np.minimum(begin + day % 3, day), day), moved


def _month(months: int) -> int:
    return int(np.datetime64(months, "M").astype("datetime64[D]").astype(np.int64))
