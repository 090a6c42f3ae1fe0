"""What no purchase model can answer is refused with a sentence, by every model and every question alike."""

from __future__ import annotations

import numpy as np
import pytest

from klientel.errors import BadParameter
from klientel.stats.purchases import BGBB, BGNBD, MBGNBD, ParetoNBD
from klientel.stats.purchases.model import PurchaseModel

MODELS = [
    BGNBD.from_parameters(0.8, 5.0, 1.5, 4.0),
    BGNBD.from_parameters(0.8, 5.0, 1.5, 4.0, k=2),
    MBGNBD.from_parameters(0.8, 5.0, 1.5, 4.0),
    ParetoNBD.from_parameters(0.8, 5.0, 1.5, 4.0),
    BGBB.from_parameters(0.8, 5.0, 1.5, 4.0),
]
NAMES = ["BGNBD", "BGNBD k=2", "MBGNBD", "ParetoNBD", "BGBB"]
EVERY = pytest.mark.parametrize("model", MODELS, ids=NAMES)
QUESTIONS = {
    "alive": lambda m, x, t_x, T: m.probability_alive(x=x, t_x=t_x, T=T),
    "orders": lambda m, x, t_x, T: m.predict_purchases(t=5, x=x, t_x=t_x, T=T),
    "none": lambda m, x, t_x, T: m.probability_of_none(t=5, x=x, t_x=t_x, T=T),
    "discounted": lambda m, x, t_x, T: m.discounted_expected_purchases(rate=0.1, x=x, t_x=t_x, T=T),
    "fit": lambda m, x, t_x, T: type(m)().fit(x=x, t_x=t_x, T=T),
}
WRONG = [
    ([1, 2], [1, 2, 3], [4, 5, 6]),  # lengths
    (["many"], [1], [2]),
    ([1, 2], [1, float("nan")], [4, 5]),
    ([1], [1], [float("inf")]),
    ([-1], [1], [2]),
    ([1.5], [2], [3]),
    ([1], [-1], [2]),
    ([1], [3], [2]),  # last order after the end
    ([0], [1], [2]),  # a last order without an order
    ([1], [0], [2]),
    ([1], [1], [-2]),
]


@EVERY
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("history", WRONG, ids=str)
def test_histories_that_cannot_be(model, question, history):
    with pytest.raises(BadParameter):
        QUESTIONS[question](model, *history)


@EVERY
@pytest.mark.parametrize("t", [-1, float("nan"), float("inf"), "soon", [1, 2, 3]])
def test_times_that_cannot_be_looked_ahead(model, t):
    two = ([1, 2], [1, 2], [3, 3])
    for question in (model.predict_purchases, model.probability_of_none):
        with pytest.raises(BadParameter):
            question(t, *two)
    if not isinstance(t, list):
        with pytest.raises(BadParameter):
            model.expected_purchases(t)


@EVERY
@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf"), "much", [0.1, 0.2]])
def test_rates_that_give_no_sum(model, rate):
    with pytest.raises(BadParameter, match=r"discount rate|numbers"):
        model.discounted_expected_purchases(rate, [1], [1], [3])


@EVERY
def test_weights_that_count_nobody(model):
    kind = type(model)
    for weights in ([1], [1, -1], [0, 0], [1, float("nan")], ["a", "b"]):
        with pytest.raises(BadParameter):
            kind().fit([1, 2], [1, 2], [3, 3], weights)


@EVERY
def test_the_edges_are_answered(model):
    """No time ahead, no time behind, no orders, no customers, one customer as a plain number, columns as rows."""
    assert model.predict_purchases(0, [0, 2], [0, 2], [0, 4]) == pytest.approx([0, 0], abs=0)
    assert model.probability_of_none(0, [0, 2], [0, 2], [3, 4]) == pytest.approx([1, 1], rel=1e-14)
    assert np.shape(model.predict_purchases(5, [], [], [])) == (0,)
    assert np.shape(model.discounted_expected_purchases(0.1, [], [], [])) == (0,)
    assert np.shape(model.probability_alive(1, 2, 3)) == ()
    many = model.predict_purchases([[4], [9]], [0, 1, 2], [0, 2, 3], 5)
    assert many.shape == (2, 3)
    assert many[1, 2] == model.predict_purchases(9, 2, 3, 5)
    assert (model.predict_purchases(2_000, [0, 1], [0, 2], 5) > many[1, :2]).all()


def test_a_model_answers_all_questions():
    """Whoever adds a model is told what is missing."""
    asked = {"probability_alive", "predict_purchases", "expected_purchases", "probability_of_none"}
    assert asked | {"discounted_expected_purchases"} <= PurchaseModel.__abstractmethods__
    with pytest.raises(TypeError, match="abstract"):
        PurchaseModel()
