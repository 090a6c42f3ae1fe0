"""The people at the customers: how many, what they do, what part they play when something is bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, Ints, Texts, dates, numbered, picked, texts
from klientel.demo.days import Span
from klientel.demo.names import PLACES
from klientel.demo.persons import addresses, people, phones
from klientel.demo.population import Population
from klientel.demo.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

ROLES = (
    ("Managing director", "Management", "decision maker"),
    ("Head of purchasing", "Purchasing", "buyer"),
    ("Purchaser", "Purchasing", "buyer"),
    ("Production manager", "Production", "influencer"),
    ("Maintenance technician", "Maintenance", "user"),
    ("Design engineer", "Engineering", "influencer"),
    ("Plant manager", "Production", "decision maker"),
    ("Accountant", "Accounting", "gatekeeper"),
)
# Who is known first: in a small firm the owner, in a large one somebody in purchasing.
_FIRST = (
    (0.75, 0.05, 0.15, 0.05),
    (0.40, 0.30, 0.20, 0.10),
    (0.05, 0.45, 0.40, 0.10),
    (0.0, 0.45, 0.45, 0.10),
)


@dataclass(frozen=True)
class Contacts:
    """Contacts by index, those of a customer in a row. company: row of the customer table; left: day or NEVER.

    first, count: where the contacts of customer i begin and how many there are (the main contact first).
    """

    table: pa.Table
    ids: Texts
    company: Ints
    first: Ints
    count: Ints
    left: Ints


def draw_contacts(
    rng: np.random.Generator, customers: pa.Table, crowd: Population, span: Span, settings: Settings
) -> Contacts:
    """1 to 6 contacts per customer by size class, one for everybody who is none."""
    selling, n = settings.selling, len(crowd)
    low, high = (np.array([c[k] for c in selling.contacts])[crowd.size] for k in (0, 1))
    count = np.concatenate([rng.integers(low, high + 1), np.ones(customers.num_rows - n, dtype=np.int64)])
    company = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    main = np.zeros(len(company), dtype=np.bool_)
    main[first] = True
    size = np.concatenate([crowd.size, np.zeros(customers.num_rows - n, dtype=np.int64)])[company]
    lead = (rng.random(len(company))[:, None] > np.cumsum(np.array(_FIRST), axis=1)[size]).sum(axis=1)
    role = np.where(main, np.minimum(lead, 3), rng.integers(1, len(ROLES), len(company)))
    left = span.start + rng.integers(0, span.end - span.start, len(company))
    left = np.where((rng.random(len(company)) < selling.contact_left) & ~main, left, NEVER)
    given, withdrawn = _consent(rng, len(company), span, settings)
    ids = numbered("K", np.arange(1, len(company) + 1), 5)
    forenames, families = people(rng, len(company))
    website = np.array(customers["website"].to_pylist(), dtype=object)[company]
    country = np.array(customers["country"].to_pylist(), dtype=object)[company]
    home = np.isin(country, [p.country for p in PLACES if p.country in ("DE", "AT", "CH")])
    table = _table(
        customers, ids, company, forenames, families, addresses(forenames, families, website),
        phones(rng, (country == "DE") & (rng.random(len(company)) < 0.8)), role, given, withdrawn, home, left,
    )  # fmt: skip
    return Contacts(table, ids, company, first, count, left)


def _consent(rng: np.random.Generator, n: int, span: Span, settings: Settings) -> tuple[Ints, Ints]:
    """Day of the consent to marketing and of its withdrawal; NEVER where there is none."""
    selling = settings.selling
    day = span.start + rng.integers(0, span.end - span.start, n)
    given = np.where(rng.random(n) < selling.consent, day, NEVER)
    later = day + 1 + np.floor(rng.random(n) * (span.end - day - 1)).astype(np.int64)
    back = (given < NEVER) & (rng.random(n) < selling.consent_withdrawn) & (later < span.end)
    return given, np.where(back, later, NEVER)


def _table(
    customers: pa.Table,
    ids: Texts,
    company: Ints,
    forenames: Texts,
    families: Texts,
    mails: Texts,
    numbers: Texts,
    role: Ints,
    given: Ints,
    withdrawn: Ints,
    home: Texts,
    left: Ints,
) -> pa.Table:
    import pyarrow as pa

    agreed = pa.array((given < NEVER) & (withdrawn >= NEVER))
    return pa.table(
        {
            "contact_id": texts(ids),
            "customer_id": customers["customer_id"].take(pa.array(company)),
            "customer_name": customers["name"].take(pa.array(company)),
            "first_name": texts(forenames),
            "name": texts(families),
            "role": picked(tuple(r[0] for r in ROLES), role),
            "department": picked(tuple(r[1] for r in ROLES), role),
            "buying_role": picked(tuple(r[2] for r in ROLES), role),
            "email": texts(mails),
            "phone": pa.array(numbers.tolist(), type=pa.string()),
            "language": picked(("English", "German"), home.astype(np.int64)),
            "consent_marketing": agreed,
            "consent_on": dates(given),
            "consent_withdrawn_on": dates(withdrawn),
            "active_to": dates(left),
        }
    )
