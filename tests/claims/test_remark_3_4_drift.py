"""remark-3.4/drift: with a in the denominator the sum per eigenvalue is an upper bound, of relative error O(ε²)."""

import numpy as np
import pytest
from claim_properties import holds_on, refuted_controls, sharp_constants

pytestmark = pytest.mark.claim("remark-3.4/drift")
ID = "remark-3.4/drift"


def test_holds() -> None:
    assert holds_on(ID, "spectral", examples=80) >= 0.4


def test_holds_on_converged_tokens() -> None:
    assert holds_on(ID, "converged", examples=15, n=4, d=3) >= 0.5


def test_one_percent_smaller_is_refuted() -> None:
    assert refuted_controls(ID, "spectral", coupling=1 / 64, collapse=0, update="blocks") == sharp_constants(ID)


def test_relative_error_is_second_order_with_a_and_first_order_without() -> None:
    # V = diag(1, 0), ΔV = ε [[1, 1], [1, 0]]: tan 2θ = 2ε/(1 + ε) in closed form.
    scales = np.array([1e-2, 1e-3])
    tan_squared = np.tan(0.5 * np.arctan2(2 * scales, 1 + scales)) ** 2
    corrected = (scales / (1 + scales)) ** 2 / tan_squared - 1
    quoted = scales**2 / tan_squared - 1
    assert np.log10(corrected[0] / corrected[1]) == pytest.approx(2, abs=0.05)
    assert np.log10(quoted[0] / quoted[1]) == pytest.approx(1, abs=0.05)
