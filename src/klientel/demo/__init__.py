"""A simulated firm with a known truth."""

from klientel.demo.dirt import Dirt, dirty_rows
from klientel.demo.firm import Firm, simulate
from klientel.demo.sales_truth import SalesTruth
from klientel.demo.selling import Selling
from klientel.demo.settings import Settings
from klientel.demo.truth import Truth
from klientel.demo.write import write

__all__ = ["Dirt", "Firm", "SalesTruth", "Selling", "Settings", "Truth", "dirty_rows", "simulate", "write"]
