"""The simulated firm of the demo, drawn once, and a larger one where shares must be close to their laws."""

import pytest

from klientel.demo.firm import Firm, simulate


@pytest.fixture(scope="session")
def firm() -> Firm:
    return simulate()


@pytest.fixture(scope="session")
def large() -> Firm:
    return simulate(seed=11, customers=12_000)
