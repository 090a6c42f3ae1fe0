"""The customer file: one row per customer, and the leads, prospects and partners who are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, Ints, Texts, dates, numbered, picked, texts
from klientel.demo.days import Span
from klientel.demo.names import PLACES, addresses, company_names, slug
from klientel.demo.population import CONTRACT_TYPES, SINGLE, Population
from klientel.demo.sellers import IDS
from klientel.demo.settings import INDUSTRIES, SIZES

if TYPE_CHECKING:
    import pyarrow as pa

CHANNELS = ("trade fair", "recommendation", "website", "cold call", "partner")
OUTSIDE = ("lead", "prospect", "partner")
FIRST_NUMBER = 100_001


def customer_ids(n: int) -> Texts:
    """Customer numbers of the first `n` customers."""
    return numbered("", np.arange(FIRST_NUMBER, FIRST_NUMBER + n))


def customer_table(
    rng: np.random.Generator, outside: np.random.Generator, people: Population, owner: Ints, span: Span
) -> pa.Table:
    """Table `customer`: the customers in order of their number, then about 7 % who are none."""
    import pyarrow as pa

    ids = customer_ids(len(people))
    parent = texts(ids[np.maximum(people.parent, 0)], people.parent < 0)
    inside = _attributes(rng, people.industry, people.size, people.place, people.parent, ids, span)
    channel = rng.choice(len(CHANNELS), len(people), p=[0.24, 0.26, 0.22, 0.18, 0.10])
    inside |= {
        "parent_customer_id": parent,
        "acquired_on": dates(people.acquired),
        "acquisition_channel": picked(CHANNELS, channel),
        "owner_rep_id": picked(IDS, owner),
        "contract_type": picked(CONTRACT_TYPES, people.contract),
        "relation_type": pa.repeat(pa.scalar("customer"), len(people)),
    }
    return pa.concat_tables([pa.table(inside), _outsiders(outside, len(people), inside, span)])


def _attributes(
    rng: np.random.Generator, industry: Ints, size: Ints, place: Ints, parent: Ints, ids: Texts, span: Span
) -> dict[str, pa.Array]:
    import pyarrow as pa

    towns, codes = addresses(rng, place)
    names, forms = company_names(rng, industry, size, place, towns, parent)
    low, high = (np.log(np.array([s.employees[k] for s in SIZES])) for k in (0, 1))
    employees = np.exp(low[size] + rng.random(len(size)) * (high - low)[size])
    founded = span.years[-1] - 4 - np.floor(rng.gamma(2.2, 17, len(size))).astype(np.int64)
    return {
        "customer_id": texts(ids),
        "name": pa.array(names),
        "legal_form": pa.array(forms),
        "industry_code": picked(tuple(i.name for i in INDUSTRIES), industry),
        "employees": pa.array(employees.astype(np.int64)),
        "size_class": picked(tuple(s.name for s in SIZES), size),
        "country": picked(tuple(p.country for p in PLACES), place),
        "region": picked(tuple(p.region for p in PLACES), place),
        "postcode": pa.array(codes),
        "city": pa.array(towns),
        "website": pa.array([f"www.{slug(n, f)}" for n, f in zip(names, forms, strict=True)]),
        "year_established": pa.array(np.maximum(founded, 1851)),
    }


def _outsiders(rng: np.random.Generator, customers: int, like: dict[str, pa.Array], span: Span) -> pa.Table:
    """Leads, prospects and partners: same columns, never an order, never a contract."""
    import pyarrow as pa

    n = max(3, round(0.07 * customers))
    industry = rng.integers(len(INDUSTRIES), size=n)
    size = rng.choice(len(SIZES), n, p=[s.weight for s in SIZES])
    place = rng.choice(len(PLACES), n, p=[p.weight for p in PLACES])
    ids = numbered("", np.arange(FIRST_NUMBER + customers, FIRST_NUMBER + customers + n))
    kind = rng.choice(3, n, p=[0.46, 0.36, 0.18])
    kind[:3] = (0, 1, 2)
    rows = _attributes(rng, industry, size, place, np.full(n, -1), ids, span)
    never = np.full(n, NEVER)
    rows |= {
        "parent_customer_id": texts(ids, never == NEVER),
        "acquired_on": dates(never),
        "acquisition_channel": picked(CHANNELS, rng.integers(len(CHANNELS), size=n)),
        "owner_rep_id": picked(IDS, rng.integers(len(IDS), size=n)),
        "contract_type": picked(CONTRACT_TYPES, np.full(n, SINGLE), missing=never == NEVER),
        "relation_type": picked(OUTSIDE, kind),
    }
    return pa.table({name: rows[name] for name in like})
