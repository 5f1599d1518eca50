"""Limits by power series: known ones, series against mpmath, and what has no series."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, p, q, why_not

from theory.kernel.notation import LimitOf, at_most, below, equal, scalar
from theory.kernel.rules import PowerSeries
from theory.kernel.rules.series import Series

e = scalar("kt_e", "e", positive=True)
TRUE = [
    (sp.sin(e) / e, 1),
    ((1 - sp.cos(e)) / e**2, sp.Rational(1, 2)),
    ((sp.exp(a * e) - 1) / e, a),
    (sp.log(1 + a * e) / e, a),
    (sp.atan(3 * e) / sp.tan(e), 3),
    ((sp.sqrt(1 + e) - 1) / e, sp.Rational(1, 2)),
    (sp.sqrt(e**2 + e**4) / e, 1),
    (sp.sqrt(p * e**2 + e**3) / e, sp.sqrt(p)),
    ((p + e) ** (1 / e) / p ** (1 / e) * 0 + e, 0),
    (e / (p + e), 0),
    ((p + e) ** q, sp.exp(q * sp.log(p))),
    ((e - sp.sin(e)) / e**3, sp.Rational(1, 6)),
    (1 / e - 1 / sp.sin(e), 0),
]
FALSE = [
    (sp.sin(e) / e, 0),
    ((1 - sp.cos(e)) / e**2, 1),
    ((sp.exp(a * e) - 1) / e, b),
    (1 / e, 0),
    (sp.sin(e) / e**2, 1),
    (sp.exp(1 / e), 0),
    (sp.exp(-1 / e), 0),
    (sp.log(e), 0),
    (e * sp.log(e), 0),
    (sp.sqrt(e), 0),
    (sp.sqrt(e) / sp.sqrt(e**3), 1),
    (e / (a + e), 0),
    (sp.log(a + e), sp.log(a)),
    (sp.sqrt(a + e), sp.sqrt(a)),
    ((a + e) ** b, a**b),
    (e / (e + sp.log(2) + sp.log(3) - sp.log(6)), 0),
    (sp.Abs(e - 1), 1),
    (sp.atan(1 / e), sp.pi / 2),
    (sp.atan(1 + e), sp.pi / 4),
    ((e - sp.sin(e)) / e**9, 0),
    (sp.exp(e) - sp.exp(e), 1),
]


@pytest.mark.parametrize(("expr", "value"), TRUE)
def test_limits(expr: sp.Expr, value: sp.Expr) -> None:
    assert why_not(PowerSeries(), equal(LimitOf(expr, e), value)) == ""


@pytest.mark.parametrize(("expr", "value"), FALSE)
def test_wrong_limits_and_what_has_no_series(expr: sp.Expr, value: sp.Expr) -> None:
    assert why_not(PowerSeries(), equal(LimitOf(expr, e), value))


@pytest.mark.parametrize(
    "expr",
    [
        sp.exp(sp.sin(e)) / (1 + e),
        sp.log(2 + e + e**2),
        sp.sqrt(4 + e) * sp.tan(e),
        sp.cos(1 + e) / sp.sin(e),
        sp.atan(e / (1 - e)),
        (2 + e) ** sp.Rational(3, 2) / e**2,
        1 / sp.sqrt(e**2 + e**3),
        sp.exp(3 + e) - 1 / (e - e**2),
    ],
)
def test_series_agree_with_mpmath_at_small_arguments(expr: sp.Expr) -> None:
    order = 7
    low, coefficients = Series(e, order).germ(expr)
    function = sp.lambdify(e, expr, "mpmath")
    with mpmath.workdps(60):
        for tenth in (6, 8):
            at = mpmath.mpf(10) ** -tenth
            series = sum(mpmath.mpf(sp.N(v, 60)) * at ** (low + k) for k, v in enumerate(coefficients))
            assert abs(function(at) - series) < 1000 * at ** (low + len(coefficients))


def test_a_cancellation_that_eats_all_coefficients_is_no_zero() -> None:
    assert "order" in why_not(PowerSeries(order=3), equal(LimitOf(sp.exp(e) - 1 - e - e**2 / 2 - e**3 / 6, e), 0))
    assert why_not(PowerSeries(order=3), equal(LimitOf((sp.sin(e) - e + e**3 / 6) / e**5, e), 0))
    assert holds(PowerSeries(order=8), equal(LimitOf((sp.sin(e) - e + e**3 / 6) / e**5, e), sp.Rational(1, 120)))


def test_premises_are_definitions_of_other_symbols() -> None:
    assert holds(PowerSeries(), equal(LimitOf(a / e, e), 2), equal(a, 2 * e + e**2))
    assert why_not(PowerSeries(), equal(LimitOf(a / e, e), 2), equal(a, 2 * e + e**2), equal(b, 1))
    assert why_not(PowerSeries(), equal(LimitOf(1 + e, e), 3), equal(e, 2))
    assert why_not(PowerSeries(), equal(LimitOf(a, e), 3), equal(a, b), equal(b, a))
    assert holds(PowerSeries(), equal(LimitOf(e / (a + e), e), 0), below(0, a))
    assert why_not(PowerSeries(), equal(LimitOf(e / (a + e), e), 0), at_most(0, a))


def test_what_depends_on_the_variable_is_no_constant() -> None:
    assert holds(PowerSeries(), equal(LimitOf(c, e), c))
    assert "depends" in why_not(PowerSeries(), equal(LimitOf(c, e), c), given=[equal(c, e)])
    assert "depends" in why_not(PowerSeries(), equal(LimitOf(1 + e, e), 1 + e))


@pytest.mark.parametrize("odd", [equal(a, b), at_most(LimitOf(e, e), 0), equal(LimitOf(e, a + b), 0), sp.true])
def test_malformed_statements(odd: sp.Basic) -> None:
    assert why_not(PowerSeries(), odd)
