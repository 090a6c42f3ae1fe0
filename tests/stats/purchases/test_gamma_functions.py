"""Log-gamma and digamma against 30 digits, and the fits that rest on them need no SciPy."""

from __future__ import annotations

import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest

from klientel.stats.purchases.gamma_functions import gammaln, psi

VALUES = np.concatenate(
    [10.0 ** np.linspace(-6, 5, 400), [1, 2, 1.4616321449683622, 9.999999, 10, 10.000001]]
)


@pytest.mark.parametrize(("ours", "exact"), [(gammaln, mp.loggamma), (psi, mp.digamma)])
def test_fourteen_digits(ours, exact):
    wanted = np.array([float(exact(mp.mpf(v))) for v in VALUES])
    assert np.abs(ours(VALUES) - wanted).max() < 1e-9  # of values up to a million
    assert (np.abs(ours(VALUES) - wanted) <= 2e-14 * np.maximum(1, np.abs(wanted))).all()


def test_fitting_and_predicting_imports_no_scipy():
    """Importing it takes longer than a fit to a million customers."""
    program = """
import sys
from klientel.stats.purchases import BGNBD, MBGNBD, ParetoNBD
for model in (BGNBD(), MBGNBD(k=2), ParetoNBD()):
    model.fit([0, 1, 2, 5] * 40, [0, 3, 4, 9] * 40, [8, 9, 10, 11] * 40)
    model.predict_purchases(52, [0, 3], [0, 5], [9, 9])
    model.probability_alive([0, 3], [0, 5], [9, 9])
assert not [name for name in sys.modules if name.split(".")[0] in ("scipy", "pandas")]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
