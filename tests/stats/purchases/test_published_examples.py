"""Examples that others print, beyond the handbook's vectors: BTYD's walkthrough, BTYDplus."""

from __future__ import annotations

import pytest
import simulated_purchases as simulated

from klientel.stats.purchases import BGBB, BGNBD, MBGNBD, ParetoNBD

BUSIEST = (26, 30.86, 31)  # customer 1516 of CDNOW in the walkthrough of BTYD


@pytest.mark.real
def test_mbg_nbd_of_cdnow_as_in_btydplus(real):
    model = MBGNBD().fit(*simulated.cdnow(real))
    assert list(model.parameters_.values()) == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=1e-3)
    assert model.loglik_ == pytest.approx(-9582.133, abs=0.01)  # computed anew


@pytest.mark.real
def test_bg_nbd_of_cdnow_as_in_the_walkthrough(real):
    model = BGNBD().fit(*simulated.cdnow(real))
    assert model.expected_purchases(52) == pytest.approx(1.444, abs=5e-4)
    assert model.predict_purchases(52, *BUSIEST) == pytest.approx(25.76, abs=5e-3)
    assert model.probability_alive(*BUSIEST) == pytest.approx(0.9689, abs=5e-5)


@pytest.mark.real
def test_pareto_nbd_of_cdnow_as_in_the_walkthrough(real):
    model = ParetoNBD().fit(*simulated.cdnow(real))
    assert model.expected_purchases(52) == pytest.approx(1.4734, abs=5e-4)
    assert model.predict_purchases(52, *BUSIEST) == pytest.approx(25.46, abs=5e-3)
    assert model.probability_alive(*BUSIEST) == pytest.approx(0.9979, abs=5e-5)


def test_bg_bb_of_the_donors_as_in_the_walkthrough():
    model = BGBB.from_parameters(1.2035, 0.7497, 0.6567, 2.7834)
    assert model.expected_purchases(10) == pytest.approx(3.1799, abs=5e-4)
    assert model.predict_purchases(10, 0, 0, 6) == pytest.approx(0.1302169, rel=1e-4)
    assert model.predict_purchases(10, 4, 5, 6) == pytest.approx(3.627858, rel=1e-4)
