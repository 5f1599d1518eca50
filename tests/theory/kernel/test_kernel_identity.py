"""Exact identities: the field of rational functions, ideals, and divisors that may vanish."""

from __future__ import annotations

import sympy as sp
from kernel_tools import A, a, b, c, holds, p, q, why_not, x, y

from theory.kernel.notation import Dot, MeanOf, Norm, at_most, below, both, equal
from theory.kernel.rules import Identity


def test_rational_functions() -> None:
    assert holds(Identity(), equal(1 / p - 1 / q, (q - p) / (p * q)))
    assert not holds(Identity(), equal(1 / p - 1 / q, (p - q) / (p * q)))
    assert "vanish" in why_not(Identity(), equal(1 / a - 1 / b, (b - a) / (a * b)))
    assert holds(Identity(), equal(1 / a - 1 / b, (b - a) / (a * b)), sp.Ne(a, 0), sp.Ne(b, 0))
    assert not holds(Identity(), equal(1 / a - 1 / b, (b - a) / (a * b)), sp.Ne(a, 0))


def test_ideals_of_premises() -> None:
    assert holds(Identity(), equal(a**4 - b**4, 0), equal(a**2, b**2))
    assert not holds(Identity(), equal(a, b), equal(a**2, b**2))
    assert not holds(Identity(), equal(a, b), equal(a * c, b * c))
    assert not holds(Identity(), equal(a, b), equal(p * c, q * c))


def test_inequalities_are_no_equations() -> None:
    assert not holds(Identity(), equal(a, b), at_most(a, b))
    assert not holds(Identity(), at_most(a, a))
    assert not holds(Identity(), both(equal(a, a + 0), at_most(a, a)))


def test_circular_definitions_are_rejected() -> None:
    assert "circular" in why_not(Identity(), equal(a, c), equal(a, b + 1), equal(b, a - 1))


def test_malformed_statements_are_rejected_and_do_not_crash() -> None:
    for odd in (
        sp.Tuple(),
        sp.true,
        sp.false,
        x,
        MeanOf(x, y),
        sp.Tuple(a),
        sp.Eq(x, y) & sp.Eq(a, b),
        sp.Or(a > 0, b > 0),
    ):
        assert why_not(Identity(), odd)
    assert why_not(Identity(), equal(A.det(), A.det() + 1))
    assert why_not(Identity(), equal(sp.Piecewise((a, a > 0), (0, True)), a))


def test_nothing_follows_from_a_division_by_zero() -> None:
    assert why_not(Identity(), equal(a * b, 1), equal(a, 1 / b), equal(b, 0))
    assert why_not(Identity(), equal(c * a * b, c), equal(a, 1 / b), equal(b, 0))


def test_norms_are_roots_of_inner_products() -> None:
    assert holds(Identity(), equal(Norm(x + y) ** 2, Norm(x) ** 2 + 2 * Dot(x, y) + Norm(y) ** 2))
    assert not holds(Identity(), equal(Norm(x + y) ** 2, Norm(x) ** 2 + Dot(x, y) + Norm(y) ** 2))
    assert not holds(Identity(), equal(Norm(A * x) ** 2, Dot(x, A * x)))
    assert holds(Identity(), equal(Dot(x, y) / Norm(x), 0), equal(Dot(x, y), 0), below(0, Norm(x)))
