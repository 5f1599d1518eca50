"""Scalars: opaque functions keep their meaning, and nothing is assumed of signs."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import A, a, b, c, holds, n, p, q, r, why_not, x, y

from theory.kernel.algebra import Algebra
from theory.kernel.notation import Dot, Expect, LimitOf, Norm, Trace, at_most, below, equal, family, identity
from theory.kernel.rules import Entails, Identity

j, k = sp.Symbol("j", integer=True), sp.Symbol("k", integer=True)
d = sp.Symbol("d", integer=True, positive=True)
alpha, beta = family("kt_alpha", "alpha"), family("kt_beta", "beta")


def over(term: Any, index: sp.Symbol = j) -> Any:
    return sp.Sum(term, (index, 2, d))


@pytest.mark.parametrize(
    "statement",
    [
        equal(sp.sqrt(p) ** 2, p),
        equal(sp.sqrt(p) * sp.sqrt(p) ** 3, p**2),
        equal(sp.exp(a + b), sp.exp(a) * sp.exp(b)),
        equal(sp.exp(2 * a) * sp.exp(-a), sp.exp(a)),
        equal(sp.log(p * q / r), sp.log(p) + sp.log(q) - sp.log(r)),
        equal(sp.log(p**3), 3 * sp.log(p)),
        equal(sp.cos(a) ** 2 + sp.sin(a) ** 2, 1),
        equal(sp.Abs(a) ** 2, a**2),
        equal(Norm(x) ** 2, Dot(x, x)),
        equal(Norm(-p * x), p * Norm(x)),
        equal(Norm(A.T), Norm(A)),
        equal(Norm(p * identity), p),
        equal(Dot(x, A * y), Dot(A.T * x, y)),
        equal(over(3 * a * alpha[j]), 3 * a * over(alpha[j])),
        equal(over(alpha[j] + beta[j]), over(alpha[j]) + over(beta[j])),
        equal(Trace(A * A.T), Trace(A.T * A)),
        equal(Trace(identity), d),
        equal(p ** (a + b), p**a * p**b),
        equal(p ** (2 * a), (p**a) ** 2),
    ],
)
def test_identities_that_hold(statement: sp.Basic) -> None:
    assert holds(Identity(), statement)


@pytest.mark.parametrize(
    "statement",
    [
        equal(sp.sqrt(p), p),
        equal(sp.sqrt(p**2 + q**2), p + q),
        equal(sp.log(a**2), 2 * sp.log(a)),
        equal(sp.log(a * b), sp.log(a) + sp.log(b)),
        equal(sp.log(1 / a), -sp.log(a)),
        equal(sp.exp(a) + sp.exp(b), sp.exp(a + b)),
        equal(p ** sp.Rational(1, 3), p ** sp.Rational(2, 3)),
        equal(p ** (a / 3), p ** (2 * a / 3)),
        equal(Norm(a * x), a * Norm(x)),
        equal(Norm(x + y), Norm(x) + Norm(y)),
        equal(Norm(A * x), Norm(A) * Norm(x)),
        equal(Norm(A * A), Norm(A) ** 2),
        equal(sp.Abs(a + b), sp.Abs(a) + sp.Abs(b)),
        equal(sp.Max(a, b), a),
        equal(Trace(A), Trace(A * A)),
        equal(Dot(x, A * y), Dot(A * x, y)),
        equal(over(sp.exp(alpha[j])), sp.exp(alpha[j]) * over(sp.Integer(1))),
        equal(over(Norm(alpha[j] * x)), Norm(alpha[j] * x) * over(sp.Integer(1))),
        equal(over(alpha[j] * beta[j]), over(alpha[j]) * over(beta[j])),
        equal(over(alpha[j]), sp.Sum(alpha[j], (j, 1, d))),
        equal(over(alpha[j] * beta[k]), over(alpha[k] * beta[j])),
        equal(sp.Sum(alpha[j], (j, 2, d), (k, 2, d)), over(alpha[j])),
        equal((a**2 - b**2) / (a - b) / (a - c), (a + b) / (a - c)),
        equal(Expect(a), Expect(b)),
        equal(LimitOf(a, p), LimitOf(b, p)),
        equal(sp.Integral(a, (a, 0, 1)), sp.Integral(b, (b, 0, 2))),
    ],
)
def test_false_identities_are_rejected(statement: sp.Basic) -> None:
    assert not holds(Identity(), statement)


def test_sums_over_different_indices_of_one_family_differ() -> None:
    pair = family("kt_pair", "pair")
    assert not holds(Identity(), equal(over(pair[j, k], j), over(pair[j, k], k)))


def test_a_premise_about_the_running_index_is_not_put_into_a_sum() -> None:
    assert not holds(Identity(), equal(over(j * alpha[j]), 2 * over(alpha[j])), equal(j, 2))
    assert not holds(Identity(), equal(over(a * beta[j]), over(alpha[j] * beta[j])), equal(a, alpha[j]))
    assert holds(Identity(), equal(over(alpha[j]), over(2 * beta[j])), equal(alpha[j], 2 * beta[j]))


def test_a_root_says_nothing_of_the_sign_below_it() -> None:
    assert not holds(Entails(squares=(sp.sqrt(a),)), at_most(0, a))
    assert not holds(Entails(), at_most(0, a + sp.sqrt(a)))
    assert not holds(Entails(degree=3, squares=(sp.sqrt(a),)), below(b, c), equal(a, -1))
    assert not holds(Entails(squares=(a**sp.pi,)), at_most(0, a ** (2 * sp.pi)))
    assert holds(Entails(), at_most(0, a + sp.sqrt(a)), at_most(0, a))


def test_a_denominator_that_vanishes_is_no_number() -> None:
    assert why_not(Identity(), equal(b / a, 3 * b / a), equal(a, 0))
    assert why_not(Entails(), at_most(0, 1 / a), equal(a, 0))
    assert not holds(Identity(), equal(a / n, a / n + 0 * b), at_most(0, n))


def test_names_of_the_algebra_are_not_for_quantities() -> None:
    bracket = sp.Symbol("<kt_vx'|kt_vforeign>", real=True)
    assert "names" in why_not(Identity(), equal(bracket, bracket + 0 * a))
    assert not holds(Identity(), equal(sp.Symbol("_12ab34:norm", real=True), Norm(x)))


@pytest.mark.parametrize("odd", [sp.I, sp.oo, sp.nan, sp.Float("0.5"), sp.zoo, sp.Symbol("N", commutative=False)])
def test_what_is_no_real_number_is_not_read(odd: sp.Expr) -> None:
    assert not holds(Identity(), equal(a * odd, odd * a + 0))
    assert not holds(Entails(), at_most(odd, odd + 1))


def test_opaque_symbols_mean_the_same_in_every_algebra() -> None:
    one, other = Algebra(()), Algebra(())
    first, second = one.scalar(sp.exp(a)), other.scalar(sp.exp(b))
    assert first != second
    assert other.scalar(sp.exp(a)) == first


def test_signs_need_reasons() -> None:
    algebra = Algebra([below(b, a)])
    assert algebra.sign(p * q) == 1
    assert algebra.sign(a - b) == 1
    assert algebra.sign(b - a) == -1
    assert algebra.sign(a) == 0
    assert algebra.sign((a + b) ** 2) == 0
    assert algebra.sign(a**2 + 1) == 1
    assert algebra.nonzero(a - b)
    assert not algebra.nonzero(a + b)
    assert Algebra([sp.Ne(a, b)]).nonzero(2 * a - 2 * b)
    assert not Algebra(()).is_nonnegative(a * b)
    assert Algebra(()).is_nonnegative(a**2 + n)
