"""Closed forms of the sweeps: the AR(1) sum against the double sum, the escape time against its equation."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_bvp

from theory import sweep_laws
from theory import symbols as s


@pytest.mark.parametrize("rho", [Fraction(1, 3), Fraction(9, 10)])
@pytest.mark.parametrize("L", [1, 2, 7])
def test_the_ar1_sum_is_the_double_sum(rho: Fraction, L: int) -> None:
    exact = sum(rho ** abs(k - j) for k in range(L) for j in range(L))
    value = sweep_laws.AR1_FLAT_SUM.expr.subs({s.L: L, s.correlation: sp.Rational(rho.numerator, rho.denominator)})
    assert value == sp.Rational(exact.numerator, exact.denominator)


def test_the_ar1_sum_of_the_theorem_without_a_well_is_its_limit() -> None:
    """thm-4.2/critical's sum as ρ_j → 1."""
    from theory.thm_4_2 import _ar1_sum

    numbers: dict[Any, Any] = {s.L: 9, s.correlation: sp.Rational(2, 5), s.layer_ratio: 1 - sp.Float("1e-12", 40)}
    flat = sweep_laws.AR1_FLAT_SUM.expr.subs({s.L: 9, s.correlation: sp.Rational(2, 5)})
    assert float(_ar1_sum().subs(numbers)) == pytest.approx(float(flat), rel=1e-9)


@pytest.mark.parametrize(("gap", "sigma"), [(1.0, 1.0), (0.5, 0.4), (2.0, 1.1)])
def test_the_escape_time_solves_its_equation(gap: float, sigma: float) -> None:
    """scipy's collocation on (σ²/2)T'' - (g/2) sin 2θ T' = -1, T'(0) = 0, T(π/2) = 0."""

    def slope(theta: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([y[1], (gap / 2 * np.sin(2 * theta) * y[1] - 1) * 2 / sigma**2])

    grid = np.linspace(0, math.pi / 2, 200)
    solved = solve_bvp(
        slope, lambda a, b: np.array([a[1], b[0]]), grid, np.zeros((2, 200)), tol=1e-10, max_nodes=50_000
    )
    assert solved.success
    assert sweep_laws.escape_time(gap, sigma) == pytest.approx(float(solved.sol(0)[0]), rel=1e-7)


def test_a_free_token_leaves_after_the_time_of_brownian_motion() -> None:
    assert sweep_laws.escape_time(1e-12, 0.7) == pytest.approx((math.pi / 2) ** 2 / 0.49, rel=1e-9)


def test_the_rate_becomes_that_of_kramers() -> None:
    """The ratio tends to 1 at the speed σ²/gap."""
    off = []
    for barrier in (5.0, 10.0, 20.0):
        rate = 2 / math.pi * math.exp(-barrier)  # of thm-4.6/random, gap 1
        off.append(abs(rate * sweep_laws.escape_time(1.0, barrier**-0.5) - 1))
    assert off[0] > off[1] > off[2]
    assert off[2] < 0.06
    assert off[1] / off[2] == pytest.approx(2, abs=0.3)
