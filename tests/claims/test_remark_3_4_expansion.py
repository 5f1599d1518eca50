"""remark-3.4/expansion: the series of the leading eigenpair to order k, its error bound and its order."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from claim_properties import holds_on, refuted_controls, sharp_constants
from mpmath import mp

from proofs_checks.families_perturbation import PERTURBATIVE
from theory.expansion import coefficients, eigenvalue_series

pytestmark = pytest.mark.claim("remark-3.4/expansion")
ID = "remark-3.4/expansion"


def test_holds() -> None:
    assert holds_on(ID, PERTURBATIVE) >= 0.3


def test_a_higher_order_is_refuted() -> None:
    assert refuted_controls(ID, PERTURBATIVE, update="blocks") == sharp_constants(ID)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_error_falls_with_the_next_power(symmetric: bool, order: int) -> None:
    rng = np.random.default_rng(order)
    with mp.workdps(60):
        levels = [mp.mpf(x) for x in (2, 1, -0.5, 0.25)]
        m = mp.matrix(rng.normal(size=(4, 4)).tolist())
        m = m + m.T if symmetric else m
        rows = [[m[i, j] for j in range(4)] for i in range(4)]
        values, _ = coefficients(levels, rows, order)
        errors = []
        for exponent in (4, 5):
            eps = mp.mpf(10) ** -exponent
            exact = max(mp.re(x) for x in mp.eig(mp.diag(levels) + eps * m)[0])
            errors.append(abs(exact - levels[0] - mp.fsum(v * eps ** (k + 1) for k, v in enumerate(values))))
        assert float(mp.log10(errors[0] / errors[1])) == pytest.approx(order + 1, abs=0.02)


def test_batched_series_is_the_exact_one() -> None:
    levels = [Fraction(2), Fraction(1), Fraction(1, 2)]
    one = Fraction(1)
    rows = [[one / 3, one * 2, one * 0], [one * 2, -one, one], [one * 0, one, one]]
    exact, vectors = coefficients(levels, rows, 5)
    assert vectors[1] == [0, Fraction(2), 0]
    found = eigenvalue_series(
        torch.tensor([[float(x) for x in levels]], dtype=torch.float64),
        torch.tensor([[[float(x) for x in r] for r in rows]], dtype=torch.float64),
        5,
    )
    np.testing.assert_allclose(found[0].numpy(), [float(x) for x in exact], rtol=1e-13)


def test_two_level_series_is_the_binomial_one() -> None:
    # [[1, α], [α, 0]]: λ̃1 = (1 + sqrt(1 + 4α²))/2 = 1 + α² - α⁴ + 2α⁶ - ...
    values, _ = coefficients([1, 0], [[0, 1], [1, 0]], 6)
    assert values == [0, 1, 0, -1, 0, 2]
