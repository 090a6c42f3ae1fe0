"""The latent customers: who they are, how often they buy, how much, and when they leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from klientel.demo.columns import NEVER, Flags, Floats, Ints
from klientel.demo.days import YEAR, Span
from klientel.demo.settings import INDUSTRIES, SIZES, Settings

CONTRACT_TYPES = ("single orders", "framework contract", "service contract")
SINGLE, FRAMEWORK, SERVICE = range(3)


@dataclass
class Population:
    """Latent values, one entry per customer; every kind of record is drawn from these.

    industry, size, contract: index into INDUSTRIES, SIZES, CONTRACT_TYPES. place: index into names.PLACES.
    acquired, pause_start, pause_end, dropout: day numbers. A customer lives in [acquired, pause_start) and
    [pause_end, dropout); without a comeback pause_start = pause_end = dropout.
    rate: orders a year; rate_mean: its mean given industry and size. value: list value of an order.
    drop_rate: yearly hazard of leaving; lifetime_scale: beta it was drawn with, with the age at the
    start already added. trend: yearly log change of the order value.
    parent: index of the head of the group, -1 without one. merged_into: index or -1, merged_on: day.
    """

    industry: Ints
    size: Ints
    place: Ints
    contract: Ints
    newcomer: Flags
    key_account: Flags
    loss_maker: Flags
    acquired: Ints
    pause_start: Ints
    pause_end: Ints
    dropout: Ints
    rate: Floats
    rate_mean: Floats
    value: Floats
    drop_rate: Floats
    lifetime_scale: Floats
    trend: Floats
    parent: Ints
    merged_into: Ints
    merged_on: Ints

    def __len__(self) -> int:
        """Number of customers."""
        return len(self.industry)

    def yearly(self) -> Floats:
        """Expected list value of a year, EUR."""
        return self.rate * self.value


def draw_population(
    rng: np.random.Generator,
    behaviour: np.random.Generator,
    mergers: np.random.Generator,
    n: int,
    span: Span,
    clocks: Floats,
    settings: Settings,
) -> Population:
    """Draw `n` customers; `rng` for what they are, `behaviour` for how they act, `mergers` for who merges."""
    from klientel.demo.names import PLACES

    industry = rng.choice(len(INDUSTRIES), n, p=_shares([i.weight for i in INDUSTRIES]))
    size = rng.choice(len(SIZES), n, p=_shares([s.weight for s in SIZES]))
    place = rng.choice(len(PLACES), n, p=_shares([p.weight for p in PLACES]))
    newcomer = rng.random(n) >= settings.existing
    contract = _contracts(rng, size, settings)
    loss_maker = (rng.random(n) < settings.loss_makers) & (size < len(SIZES) - 1)

    rate_mean = _of(INDUSTRIES, "rate", industry) * _of(SIZES, "rate", size)
    rate = rate_mean * behaviour.gamma(settings.rate_shape, 1 / settings.rate_shape, n)
    spread = behaviour.lognormal(-(settings.value_sigma**2) / 2, settings.value_sigma, n)
    value = _of(INDUSTRIES, "value", industry) * _of(SIZES, "value", size) * spread
    value = np.where(newcomer, value * settings.newcomer_value, value)
    key_account = _largest(rate * value * ~newcomer, max(1, round(settings.key_accounts * n)))
    value = np.where(key_account, value * settings.key_account_value, value)
    value = np.minimum(value, settings.largest / rate)
    contract = np.where(key_account, FRAMEWORK, contract)

    age = np.where(newcomer, 0.0, np.minimum(behaviour.gamma(*settings.age, n), 25.0))
    began = _first_days(behaviour, industry, clocks, span)
    acquired = np.where(newcomer, began, span.start - 1 - np.floor(age * YEAR).astype(np.int64))
    scale = _of(INDUSTRIES, "lifetime_scale", industry) + age
    drop_rate = behaviour.gamma(settings.drop_shape, 1.0, n) / scale
    since = np.where(newcomer, acquired + 1, span.start)
    pause_start, pause_end, dropout = _lives(behaviour, since, drop_rate, span, clocks, settings)
    mean, deviation = settings.trend
    people = Population(
        industry,
        size,
        place,
        contract,
        newcomer,
        key_account,
        loss_maker & ~key_account,
        acquired,
        pause_start,
        pause_end,
        dropout,
        rate,
        rate_mean,
        value,
        drop_rate,
        scale,
        behaviour.normal(mean, deviation, n),
        _groups(rng, size),
        np.full(n, -1),
        np.full(n, NEVER),
    )
    _merge(mergers, people, span)
    return people


def _shares(weights: list[float]) -> Floats:
    shares = np.array(weights, dtype=np.float64)
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _of(kinds: tuple[object, ...], attribute: str, index: Ints) -> Floats:
    return np.array([getattr(kind, attribute) for kind in kinds], dtype=np.float64)[index]


def _contracts(rng: np.random.Generator, size: Ints, settings: Settings) -> Ints:
    u = rng.random(len(size))
    framework, service = np.array(settings.framework)[size], np.array(settings.service)[size]
    return np.where(u < framework, FRAMEWORK, np.where(u < framework + service, SERVICE, SINGLE))


def _largest(values: Floats, k: int) -> Flags:
    chosen = np.zeros(len(values), dtype=np.bool_)
    chosen[np.argsort(-values, kind="stable")[:k]] = True
    return chosen


def _first_days(rng: np.random.Generator, industry: Ints, clocks: Floats, span: Span) -> Ints:
    """A first order day for everybody (used for newcomers): uniform in business time of the industry."""
    u = rng.random(len(industry))
    days = np.empty(len(industry), dtype=np.int64)
    for k, elapsed in enumerate(clocks):
        mine = industry == k
        days[mine] = np.searchsorted(elapsed, u[mine] * elapsed[-1], side="right") - 1
    return np.minimum(days, span.end - span.start - 1) + span.start


def _lives(
    rng: np.random.Generator, since: Ints, drop_rate: Floats, span: Span, clocks: Floats, settings: Settings
) -> tuple[Ints, Ints, Ints]:
    """First end, comeback (a working day in the span) and final end; equal where there is no comeback."""
    n = len(since)
    first = since + np.floor(rng.exponential(1.0, n) / drop_rate * YEAR).astype(np.int64)
    minimum, shape, scale = settings.comeback_gap
    gap = np.floor((minimum + rng.gamma(shape, scale, n)) * YEAR).astype(np.int64)
    again = np.floor(rng.exponential(1.0, n) / drop_rate * YEAR).astype(np.int64)
    open_days = np.append(np.flatnonzero(np.diff(clocks[0]) > 0), span.end - span.start) + span.start
    home = open_days[np.minimum(np.searchsorted(open_days, first + gap), len(open_days) - 1)]
    back = (rng.random(n) < settings.comeback) & (first + gap < span.end) & (home < span.end)
    first = np.minimum(first, NEVER - 1)
    second = np.minimum(home + 1 + again, NEVER - 1)
    return first, np.where(back, home, first), np.where(back, second, first)


def _groups(rng: np.random.Generator, size: Ints) -> Ints:
    """Groups of companies: about one per hundred customers, 2-5 members, headed by the largest of them."""
    n = len(size)
    parent = np.full(n, -1, dtype=np.int64)
    members = rng.integers(2, 6, max(1, n // 100))
    if members.sum() > n:
        return parent
    chosen = rng.permutation(n)[: members.sum()]
    group = np.repeat(np.arange(len(members)), members)
    order = np.lexsort((chosen, -size[chosen], group))
    chosen, group = chosen[order], group[order]
    heads = chosen[np.concatenate([[0], np.cumsum(members)[:-1]])]
    parent[chosen] = heads[group]
    parent[heads] = -1
    return parent


def _merge(rng: np.random.Generator, people: Population, span: Span) -> None:
    """One merger per 400 customers: a smaller customer is taken over by a larger one of its industry."""
    merged_on = (
        span.start + (span.end - span.start) * 2 // 3 + rng.integers(-90, 90, max(1, len(people) // 400))
    )
    free = (~people.newcomer) & (people.dropout > span.end) & (people.pause_start == people.dropout)
    free &= (
        (people.parent < 0) & (people.contract == SINGLE) & ~np.isin(np.arange(len(people)), people.parent)
    )
    small = np.flatnonzero(free & (people.size <= 1) & (people.rate > 4))
    large = np.flatnonzero(free & (people.size >= 1))
    for day in merged_on.tolist():
        if not len(small):
            return
        a = small[int(rng.integers(len(small)))]
        takers = large[(large != a) & (people.industry[large] == people.industry[a])]
        small = small[small != a]
        if not len(takers):
            continue
        taker = takers[int(rng.integers(len(takers)))]
        people.merged_into[a], people.merged_on[a] = taker, day
        small, large = small[small != taker], large[(large != taker) & (large != a)]
