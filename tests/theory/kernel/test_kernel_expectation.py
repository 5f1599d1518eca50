"""Means of polynomials in random numbers, by linearity alone."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, p, why_not

from theory.kernel.notation import Expect, at_most, equal, scalar
from theory.kernel.rules.expectation import Linearity

X, Y = scalar("kt_X", "X"), scalar("kt_Y", "Y")
RULE = Linearity((X, Y))


def test_linear() -> None:
    assert holds(RULE, equal(Expect(a * X + b), a * Expect(X) + b))
    assert holds(RULE, equal(Expect((X + Y) ** 2), Expect(X**2) + 2 * Expect(X * Y) + Expect(Y**2)))
    assert holds(RULE, equal(Expect((X + a) ** 2), p + a**2), equal(Expect(X), 0), equal(Expect(X**2), p))
    assert holds(RULE, equal(Expect(c), a * Expect(X)), equal(c, a * X))
    assert holds(RULE, equal(Expect(X / p), Expect(X) / p))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(Expect(X * Y), Expect(X) * Expect(Y)), []),
        (equal(Expect(X**2), Expect(X) ** 2), []),
        (equal(Expect(X), X), []),
        (equal(Expect(X), 0), []),
        (equal(Expect(a * X + b), a * Expect(X)), []),
        (equal(Expect(a * X + b), b - a * Expect(X)), []),
        (equal(Expect(a * X), a**2 * Expect(X)), []),
        (equal(Expect((X + Y) ** 2), Expect(X**2) + Expect(X * Y) + Expect(Y**2)), []),
        (equal(Expect((X + a) ** 2), p + a**2), [equal(Expect(X**2), p)]),
        (equal(Expect((X + a) ** 2), p - a**2), [equal(Expect(X), 0), equal(Expect(X**2), p)]),
        (equal(Expect(1 / X), 1 / Expect(X)), []),
        (equal(Expect(sp.exp(X)), sp.exp(Expect(X))), []),
        (equal(Expect(sp.Abs(X)), Expect(X)), []),
        (equal(Expect(X), Expect(Y)), []),
        (equal(Expect(X), a), [equal(X, a)]),
        (equal(Expect(X / c), Expect(X) / c), []),
        (at_most(Expect(X), a), [at_most(X, a)]),
    ],
)
def test_and_nothing_more(says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(RULE, says, *premises)


def test_what_depends_on_random_numbers_is_no_constant() -> None:
    says = equal(Expect(a * X), a * Expect(X))
    assert holds(RULE, says)
    assert "may be random" in why_not(RULE, says, given=[equal(a, X + 1)])
    assert "may be random" in why_not(RULE, says, given=[equal(b, 2 * X), equal(a, b**2)])
    assert "may be random" in why_not(RULE, says, given=[equal(X, a + Y)])
