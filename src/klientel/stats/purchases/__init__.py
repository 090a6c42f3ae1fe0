"""Models of orders over time: who is still a customer, and how many orders to expect (handbook B11)."""

from klientel.stats.purchases.bgbb import BGBB
from klientel.stats.purchases.bgnbd import BGNBD, MBGNBD
from klientel.stats.purchases.pareto import ParetoNBD
from klientel.stats.purchases.regularity import Regularity, regularity

__all__ = ["BGBB", "BGNBD", "MBGNBD", "ParetoNBD", "Regularity", "regularity"]
