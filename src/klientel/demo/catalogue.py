"""What the firm sells: 12 product groups, 150 products, list prices and costs by year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, Floats, Ints, Texts, decimals, numbered, picked, texts
from klientel.demo.days import Span
from klientel.demo.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Goods:
    """A product group: names of its series in English, lowest and highest list price, cost share, unit."""

    name: str
    code: str
    series: tuple[str, ...]
    prices: tuple[float, float]
    cost: float
    unit: str = "pc"


GOODS = (
    Goods(
        "Gear motors", "GM", ("Helical gear motor", "Worm gear motor", "Bevel gear motor"), (180, 1_450), 0.62
    ),
    Goods("Bearings", "LG", ("Ball bearing", "Roller bearing", "Pillow block"), (6, 190), 0.58),
    Goods("Belts", "RI", ("Timing belt", "V-belt", "Flat belt"), (8, 95), 0.50),
    Goods("Chains", "KE", ("Roller chain", "Conveyor chain"), (14, 160), 0.60, "m"),
    Goods("Couplings", "KU", ("Claw coupling", "Bellows coupling"), (22, 310), 0.54),
    Goods("Sensors", "SE", ("Proximity switch", "Light barrier", "Encoder"), (28, 420), 0.42),
    Goods("Controls", "ST", ("Frequency inverter", "Control module"), (140, 1_900), 0.55),
    Goods("Pneumatics", "PN", ("Cylinder", "Valve terminal", "Filter regulator"), (24, 520), 0.52),
    Goods("Seals", "DI", ("Shaft seal", "O-ring set"), (2, 48), 0.40),
    Goods("Lubricants", "SM", ("Gear oil", "Bearing grease"), (9, 85), 0.57, "l"),
    Goods("Conveyor modules", "FM", ("Belt module", "Roller module"), (320, 2_600), 0.66),
)
SERVICE = Goods("Service", "SV", ("Maintenance flat rate", "Remote support"), (1, 1), 0.48, "flat")
GROUPS = tuple(g.name for g in (*GOODS, SERVICE))
PER_GROUP = 13
SERVICE_PRODUCTS = 7


@dataclass(frozen=True)
class Catalogue:
    """Products by index (group g holds PER_GROUP * g ...); prices and costs in cents, products x years.

    first_year: calendar year of column 0. gone: day from which the next product of the group replaces it.
    """

    table: pa.Table
    ids: Texts
    group: Ints
    base: Floats
    prices: Ints
    costs: Ints
    first_year: int
    gone: Ints

    @property
    def service(self) -> int:
        """Index of the first service product."""
        return PER_GROUP * len(GOODS)


def draw_catalogue(rng: np.random.Generator, span: Span, settings: Settings) -> Catalogue:
    """Prices log-spaced over the group's range, rising every January as stated; costs likewise."""
    years = span.years
    group = np.concatenate(
        [np.repeat(np.arange(len(GOODS)), PER_GROUP), np.full(SERVICE_PRODUCTS, len(GOODS))]
    )
    within = np.arange(len(group)) - PER_GROUP * group
    ids = np.array(
        [f"{g + 1:02d}-{w * 7 + 101:04d}" for g, w in zip(group.tolist(), within.tolist(), strict=True)],
        dtype=object,
    )
    low, high = (np.array([g.prices[k] for g in (*GOODS, SERVICE)], dtype=np.float64)[group] for k in (0, 1))
    place = np.where(group == len(GOODS), 0.0, (within + 0.3 + 0.4 * rng.random(len(group))) / PER_GROUP)
    base = np.maximum(np.round(low * (high / low) ** place, 1), 0.5)
    cost = (
        base
        * np.array([g.cost for g in (*GOODS, SERVICE)])[group]
        * rng.normal(1, 0.07, len(group)).clip(0.8, 1.2)
    )
    prices = np.round(base[:, None] * _rise(years, settings.price_increase, settings) * 100).astype(np.int64)
    costs = np.round(cost[:, None] * _rise(years, settings.cost_increase, settings) * 100).astype(np.int64)
    prices[group == len(GOODS)] = 100  # a service is sold as one flat rate whose price stands in the contract
    gone = np.full(len(group), NEVER)
    ended = rng.choice(PER_GROUP * len(GOODS), 8, replace=False)
    ended = ended[ended % PER_GROUP < PER_GROUP - 1]
    gone[ended] = rng.integers(span.start, span.end, len(ended))
    gone[ended] = np.where(np.isin(ended + 1, ended), NEVER, gone[ended])  # the successor must exist
    table = _table(ids, group, within, prices[:, -1], costs[:, -1], gone)
    return Catalogue(table, ids, group, base, prices, costs, years[0], gone)


def _rise(years: range, stated: tuple[float, ...], settings: Settings) -> Floats:
    usual = (settings.usual_increase,) * max(len(years) - len(stated), 0)
    rises = (*usual, *stated)[-len(years) :]  # one a year; the first year is where prices begin
    steps = [1.0] + [1.0 + rise for rise in rises[1:]]
    return np.cumprod(np.array(steps))


def _table(ids: Texts, group: Ints, within: Ints, price: Ints, cost: Ints, gone: Ints) -> pa.Table:
    import pyarrow as pa

    kinds = (*GOODS, SERVICE)
    names = []
    for g, w in zip(group.tolist(), within.tolist(), strict=True):
        series = kinds[g].series
        names.append(f"{series[w % len(series)]} {kinds[g].code} {20 + 15 * (w // len(series) + w)}")
    flat = group == len(GOODS)
    return pa.table(
        {
            "product_id": texts(ids),
            "name": pa.array(names),
            "product_group_id": picked(GROUPS, group),
            "uom": picked(tuple(k.unit for k in kinds), group),
            "list_price": decimals(price, missing=flat),
            "standard_cost": decimals(cost, missing=flat),
            "discontinued": pa.array(gone < NEVER),
        }
    )


def group_table() -> pa.Table:
    """Table `product_group`."""
    import pyarrow as pa

    numbers = numbered("", np.arange(1, len(GROUPS) + 1), 2)
    return pa.table({"product_group_id": texts(numbers), "name": pa.array(GROUPS)})
