"""The stated distributions: every number the simulated firm is drawn from (docs/demo.md explains them)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from klientel.demo.selling import SELLING, Selling

AS_OF = date(2024, 10, 1)
"""First day after the data unless `simulate` is told another; the firm never lives by the clock."""


@dataclass(frozen=True)
class Industry:
    """An industry: share of customers, order rate and value relative to the mean, lifetime scale, season.

    lifetime_scale: beta of the dropout distribution in years (larger = more faithful).
    season: relative order intensity January .. December, on top of the firm's own season.
    groups: affinity to the goods groups, in the order of `catalogue.GOODS`.
    """

    name: str
    weight: float
    rate: float
    value: float
    lifetime_scale: float
    groups: tuple[float, ...]
    season: tuple[float, ...] = (1.0,) * 12


@dataclass(frozen=True)
class Size:
    """A size class: share of customers, employees, orders a year, list value of an order, lines, discount."""

    name: str
    weight: float
    employees: tuple[int, int]
    rate: float
    value: float
    extra_lines: float
    discount: float


_COLD = (0.55, 0.65, 1.05, 1.2, 1.25, 1.25, 1.15, 1.05, 1.2, 1.15, 0.9, 0.6)
_SUMMER = (0.85, 0.9, 1.0, 1.1, 1.2, 1.2, 1.15, 1.1, 0.95, 0.9, 0.85, 0.8)

INDUSTRIES = (
    Industry("Mechanical engineering", 0.24, 1.10, 1.10, 9.5, (5, 4, 2, 2, 3, 3, 3, 2, 2, 1, 1)),
    Industry("Metal processing", 0.18, 0.95, 0.90, 8.5, (2, 4, 2, 3, 2, 2, 1, 2, 2, 3, 1)),
    Industry("Chemicals and plastics", 0.11, 1.00, 1.15, 10.5, (2, 2, 1, 1, 1, 3, 3, 3, 5, 2, 1)),
    Industry("Automotive supply", 0.10, 1.30, 1.30, 7.5, (3, 4, 2, 2, 2, 4, 4, 4, 2, 1, 2)),
    Industry("Food and beverages", 0.10, 1.05, 0.95, 10.5, (3, 2, 3, 3, 1, 3, 2, 2, 4, 3, 5), _SUMMER),
    Industry("Construction", 0.10, 0.80, 0.85, 5.0, (1, 3, 1, 4, 1, 1, 1, 1, 2, 4, 1), _COLD),
    Industry("Logistics", 0.07, 0.95, 1.00, 6.5, (3, 2, 3, 3, 1, 4, 3, 1, 1, 1, 5)),
    Industry("Medical technology", 0.05, 0.85, 1.05, 12.0, (1, 2, 1, 1, 2, 5, 4, 4, 3, 1, 1)),
    Industry("Technical trade", 0.05, 1.25, 1.10, 6.0, (2, 5, 4, 4, 3, 2, 1, 3, 4, 4, 1)),
)
SIZES = (
    Size("1-49", 0.50, (4, 49), 3.2, 850.0, 0.9, 0.03),
    Size("50-249", 0.31, (50, 249), 6.2, 1_950.0, 1.4, 0.08),
    Size("250-999", 0.14, (250, 999), 16.0, 2_650.0, 2.1, 0.14),
    Size("1000+", 0.05, (1_000, 12_000), 42.0, 3_450.0, 2.9, 0.20),
)


@dataclass(frozen=True)
class Settings:
    """Parameters of the firm. Times in years, money in EUR at list prices of the first year.

    Orders of customer i: a Poisson process with rate_i * season(day) while the customer lives,
    rate_i = industry rate * size rate * Gamma(shape `rate_shape`, mean 1).
    Lifetime: exponential with rate mu_i ~ Gamma(shape `drop_shape`, rate lifetime scale of the industry);
    given that a customer has lived for `a` years, mu_i ~ Gamma(drop_shape, scale + a) (Pareto/NBD).
    Value of an order: lognormal around value_i = industry value * size value * lognormal(`value_sigma`).
    """

    rate_shape: float = 2.2
    drop_shape: float = 1.5
    value_sigma: float = 0.82
    order_sigma: float = 0.5
    trend: tuple[float, float] = (0.020, 0.07)  # mean and standard deviation of the yearly log trend
    age: tuple[float, float] = (2.0, 4.0)  # Gamma shape and scale of the age of a customer at the start
    existing: float = 0.79  # share of customers who are customers at the start
    newcomer_value: float = 0.80  # a newcomer's orders against those of an old customer
    comeback: float = 0.16  # probability that a lost customer returns
    comeback_gap: tuple[float, float, float] = (0.7, 2.0, 0.25)  # years: minimum + Gamma(shape, scale)
    framework: tuple[float, float, float, float] = (0.04, 0.14, 0.38, 0.62)  # by size class
    service: tuple[float, float, float, float] = (0.09, 0.15, 0.17, 0.14)
    key_accounts: float = 0.006
    key_account_value: float = 2.2
    largest: float = 900_000.0  # EUR list value a year that no customer is expected to exceed
    loss_makers: float = 0.02
    loss_maker_discount: float = 0.45
    discount_step: float = 0.5  # per cent
    discount_sigma: float = 0.035
    price_increase: tuple[float, ...] = (0.042, 0.051, 0.034)  # of the last three years
    cost_increase: tuple[float, ...] = (0.058, 0.044, 0.026)
    usual_increase: float = 0.025  # of the years before those
    credit_share: float = 0.022  # of the order lines
    credit_reference: float = 0.80  # credit notes that name the order
    credit_full: float = 0.45  # credited in full, otherwise 5-60 % of the line
    month: tuple[float, ...] = (0.95, 1.02, 1.12, 1.01, 1.02, 1.07, 0.99, 0.74, 1.13, 1.11, 1.10, 0.76)
    weekday: tuple[float, ...] = (1.10, 1.06, 1.02, 1.0, 0.82, 0.0, 0.0)
    chf_start: float = 0.935  # EUR per CHF in the first month
    chf_drift: float = 0.0032  # a month
    chf_sigma: float = 0.009
    selling: Selling = SELLING  # marketing and sales


DEFAULT = Settings()
