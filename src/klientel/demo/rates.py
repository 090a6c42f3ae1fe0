"""Exchange rates of the Swiss franc, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import Ints, dates, decimals
from klientel.demo.days import Span
from klientel.demo.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

UNIT = 10_000
"""Rates are kept as integers of 1/UNIT EUR per CHF."""


@dataclass(frozen=True)
class Rates:
    """Average rate per month, EUR per CHF in 1/UNIT; first_month counts from 1970-01."""

    table: pa.Table
    average: Ints
    first_month: int

    def on(self, days: Ints) -> Ints:
        """Average rate of the month of each day, in 1/UNIT."""
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return self.average[months - self.first_month]


def draw_rates(rng: np.random.Generator, span: Span, settings: Settings) -> Rates:
    """A random walk with drift; the average of a month lies between two closings."""
    import pyarrow as pa

    first, last = (
        int(np.datetime64(d, "D").astype("datetime64[M]").astype(np.int64))
        for d in (span.start, span.end - 1)
    )
    months = np.arange(first, last + 1, dtype=np.int64)
    steps = rng.normal(settings.chf_drift, settings.chf_sigma, len(months))
    closing = np.round(settings.chf_start * np.exp(np.cumsum(steps)) * UNIT).astype(np.int64)
    opening = np.concatenate([[round(settings.chf_start * UNIT)], closing[:-1]])
    average = (opening + closing) // 2
    starts = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    table = pa.table(
        {
            "date": dates(starts),
            "from_currency": pa.repeat(pa.scalar("CHF"), len(starts)),
            "to_currency": pa.repeat(pa.scalar("EUR"), len(starts)),
            "rate": decimals(average, 4),
            "kind": pa.repeat(pa.scalar("average"), len(starts)),
        }
    )
    return Rates(table, average, first)
