"""Models of orders over time: who is still a customer, and how many orders to expect (handbook B11)."""

from klientel.stats.purchases.bgnbd import BGNBD, MBGNBD
from klientel.stats.purchases.pareto import ParetoNBD

__all__ = ["BGNBD", "MBGNBD", "ParetoNBD"]
