"""Statements about given numbers and matrices, exactly."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp
from kernel_tools import A, B, a, b, holds, n, p, rational_matrix, why_not, x, y

from theory.kernel.notation import (
    AtSomeInstance,
    Dot,
    Expect,
    LimitOf,
    Norm,
    Trace,
    at_most,
    below,
    both,
    equal,
    identity,
)
from theory.kernel.rules import Evaluate
from theory.kernel.rules.evaluate import ball_sign
from theory.kernel.rules.witness import Witness
from theory.kernel.step import Rejected

MATRIX = sp.ImmutableMatrix([[1, 2], [0, -1]])
VECTOR = sp.ImmutableMatrix([3, 4])
GIVEN = (equal(A, MATRIX), equal(x, VECTOR))


def test_exact_matrices() -> None:
    assert holds(Evaluate(), equal(Norm(x), 5), GIVEN[1])
    assert holds(Evaluate(), equal(Dot(x, A * x), 9 + 24 - 16), *GIVEN)
    assert holds(Evaluate(), equal(A * x, sp.ImmutableMatrix([11, -4])), *GIVEN)
    assert holds(Evaluate(), equal(Trace(A + 2 * identity), 4), *GIVEN)
    assert holds(Evaluate(), equal((A * A).T, identity), *GIVEN)
    assert not holds(Evaluate(), equal(A.T * x, sp.ImmutableMatrix([11, -4])), *GIVEN)
    assert not holds(Evaluate(), equal(Dot(x, A * x), 18), *GIVEN)
    assert not holds(Evaluate(), equal(Trace(identity), 0))
    assert not holds(Evaluate(), equal(Trace(identity), 0), equal(a, 1))


@pytest.mark.parametrize("seed", range(5))
def test_operator_norms_agree_with_singular_values(seed: int) -> None:
    matrix = rational_matrix(seed, 2, 2)
    largest = mpmath.svd_r(mpmath.matrix(matrix.tolist()), compute_uv=False)[0]
    lower, upper = (sp.Rational(str(mpmath.nstr(largest * f, 14))) for f in (1 - 1e-9, 1 + 1e-9))
    assert holds(Evaluate(), both(below(lower, Norm(A)), below(Norm(A), upper)), equal(A, matrix))
    assert not holds(Evaluate(), below(upper, Norm(A)), equal(A, matrix))


def test_operator_norms_of_larger_matrices_are_not_evaluated() -> None:
    assert "2x2" in why_not(Evaluate(), at_most(Norm(A), 100), equal(A, rational_matrix(1)))


def test_irrational_numbers() -> None:
    assert holds(Evaluate(), equal(sp.sqrt(a) * sp.sqrt(b), 4), equal(a, 2), equal(b, 8))
    assert holds(Evaluate(), equal(1 / (1 + sp.sqrt(a)), sp.sqrt(a) - 1), equal(a, 2))
    assert not holds(Evaluate(), equal(sp.sqrt(a), sp.Rational(141421356237, 10**11)), equal(a, 2))
    assert holds(Evaluate(), below(sp.exp(a), sp.Rational(2718281829, 10**9)), equal(a, 1))
    assert not holds(Evaluate(), below(sp.exp(a), sp.Rational(2718281828, 10**9)), equal(a, 1))
    assert holds(Evaluate(), sp.Ne(sp.exp(a), 2, evaluate=False), equal(a, 1))
    # equal numbers: never decided by a ball
    assert not holds(Evaluate(), below(sp.log(a), 2 * sp.log(2)), equal(a, 4))
    assert "undecided" in why_not(Evaluate(), at_most(sp.log(6), sp.log(a) + sp.log(3)), equal(a, 2))


@pytest.mark.parametrize(
    "number",
    [sp.sqrt(2) - 1, sp.pi - sp.Rational(355, 113), sp.exp(1) - 3, sp.sin(4), 2 ** sp.sqrt(2) - 3, sp.atan(-2)],
)
def test_balls_have_the_sign_of_the_number(number: sp.Expr) -> None:
    with mpmath.workdps(50):
        assert ball_sign(number) == int(mpmath.sign(mpmath.mpf(sp.N(number, 50))))


@pytest.mark.parametrize("odd", [sp.sqrt(-2), sp.log(-3), sp.nan, sp.zoo, sp.oo, sp.I, sp.zeta(3) - 1, sp.Float(1)])
def test_balls_of_what_is_no_real_number(odd: sp.Expr) -> None:
    with pytest.raises(Rejected):
        ball_sign(odd)


def test_zero_over_zero() -> None:
    for statement in (equal(a / b, 1), equal(a / b, 0), at_most(a / b, 1), at_most(0, 1 / b), sp.Ne(a / b, 2)):
        assert why_not(Evaluate(), statement, equal(a, 0), equal(b, 0))


def test_floats_are_not_exact() -> None:
    assert "exact" in why_not(Evaluate(), equal(a + 1, 1), equal(a, sp.Float("1e-30")))
    assert "exact" in why_not(Evaluate(), equal(a, sp.Float(0.1) + sp.Float(0.2)), equal(a, sp.Rational(3, 10)))


def test_values_fit_their_symbols() -> None:
    assert why_not(Evaluate(), at_most(p, 0), equal(p, -1))
    assert why_not(Evaluate(), at_most(p, 0), equal(p, 0))
    assert why_not(Evaluate(), below(n, 0), equal(n, -1))
    assert why_not(Evaluate(), equal(a, 1), equal(a, 1), equal(a, 2))
    assert why_not(Evaluate(), equal(a, 1), equal(a, b), equal(b, a))
    assert why_not(Evaluate(), equal(a, 1), equal(a**2, 1))
    assert why_not(Evaluate(), equal(a, 1), at_most(a, 1))
    assert holds(Evaluate(), equal(a, 5), equal(a, b + 2), equal(b, 3))


@pytest.mark.parametrize(
    "odd",
    [at_most(a, 1), equal(y, VECTOR), equal(LimitOf(a, b), 1), equal(Expect(sp.Integer(2)), 2), sp.true, sp.Tuple()],
)
def test_missing_values_and_malformed_statements(odd: sp.Basic) -> None:
    assert why_not(Evaluate(), odd, equal(n, 1))
    assert why_not(Evaluate(), equal(A * x, B * x), *GIVEN)


def test_witness() -> None:
    rule = Witness({a: sp.Integer(2), p: sp.Integer(3)})
    assert holds(rule, AtSomeInstance(below(6, a * p + 1)), at_most(a, p))
    assert not holds(rule, AtSomeInstance(below(6, a * p)), at_most(a, p))
    assert not holds(rule, AtSomeInstance(below(6, a * p + 1)), at_most(p, a))
    assert not holds(rule, below(6, a * p + 1))
    assert not holds(Witness({p: sp.Integer(-3)}), AtSomeInstance(below(p, 0)))
