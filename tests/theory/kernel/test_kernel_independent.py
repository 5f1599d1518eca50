"""Means of sums: of uncorrelated terms, squared, and by linearity."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import a, c, g, holds, p, u, why_not, x

from theory.kernel.notation import Dot, Expect, at_most, equal, family
from theory.kernel.rules.independent import MeanOfSum, Uncorrelated

k, m, n = (sp.Symbol(f"kt_{n}", integer=True) for n in ("k", "m", "top"))
s, X = family("kt_s", "s"), family("kt_X", "X")
v = family("kt_v", "v")
TOTAL: Any = sp.Sum(s[k] * X[k], (k, 1, n))
ENDLESS: Any = sp.Sum(s[k] * X[k], (k, 1, sp.oo))
SQUARES, PRODUCTS = equal(Expect(X[k] ** 2), p), equal(Expect(X[k] * X[m]), 0)
RULE = Uncorrelated(k, m, (g,))
TIED = [equal(X[k], Dot(g, u))]
MEAN = equal(Expect(a**2 * TOTAL**2), a**2 * sp.Sum(s[k] ** 2 * p, (k, 1, n)))


def test_the_square_of_a_sum_of_uncorrelated_terms() -> None:
    assert holds(RULE, MEAN, SQUARES, PRODUCTS, given=TIED)
    named = equal(Expect(c**2), a**2 * sp.Sum(s[k] ** 2 * p, (k, 1, n)))
    assert holds(RULE, named, SQUARES, PRODUCTS, equal(c, a * TOTAL), given=TIED)


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(Expect(a**2 * TOTAL**2), a * sp.Sum(s[k] ** 2 * p, (k, 1, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a**2 * TOTAL**2), a**2 * sp.Sum(s[k] * p, (k, 1, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a**2 * TOTAL**2), 2 * a**2 * sp.Sum(s[k] ** 2 * p, (k, 1, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a**2 * TOTAL**2), -(a**2) * sp.Sum(s[k] ** 2 * p, (k, 1, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a**2 * TOTAL**2), a**2 * sp.Sum(s[k] ** 2 * p, (k, 0, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a**2 * TOTAL**2), a**2 * sp.Sum(s[k] ** 2 * p**2, (k, 1, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a**2 * TOTAL**3), a**2 * sp.Sum(s[k] ** 2 * p, (k, 1, n))), (SQUARES, PRODUCTS)),
        (equal(Expect(a * TOTAL), 0), (SQUARES, PRODUCTS)),
        (MEAN, (SQUARES,)),
        (MEAN, (PRODUCTS,)),
        (MEAN, (SQUARES, equal(Expect(X[k] * X[m]), p))),
        (MEAN, (SQUARES, equal(Expect(X[k] * X[k]), 0))),
        (MEAN, (equal(Expect(X[k]), p), PRODUCTS)),
        (at_most(*MEAN.args), (SQUARES, PRODUCTS)),
        (
            equal(Expect(ENDLESS**2), sp.Sum(s[k] ** 2 * p, (k, 1, sp.oo))),
            (SQUARES, PRODUCTS),
        ),
    ],
)
def test_no_other_square(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(RULE, says, *premises, given=TIED)


def test_weights_are_constant_and_the_indices_differ() -> None:
    assert "random" in why_not(RULE, MEAN, SQUARES, PRODUCTS, given=[*TIED, equal(a, Dot(g, x))])
    assert why_not(RULE, MEAN, SQUARES, PRODUCTS, given=[*TIED, equal(s[k], Dot(g, x))])
    assert "random" in why_not(RULE, MEAN, SQUARES, PRODUCTS, given=[*TIED, equal(p, Dot(g, x) ** 2)])
    assert why_not(Uncorrelated(k, k, (g,)), MEAN, SQUARES, PRODUCTS, given=TIED)
    assert why_not(RULE, MEAN, SQUARES, PRODUCTS)


SUM_RULE = MeanOfSum((g,))
TERM = equal(Expect(Dot(g, u) ** 2), v[k])
MEANS: Any = sp.Sum(s[k] * v[k], (k, 1, n))
SUM = equal(Expect(sp.Sum(s[k] * Dot(g, u) ** 2, (k, 1, n))), sp.Sum(s[k] * v[k], (k, 1, n)))


def test_the_mean_of_a_sum() -> None:
    assert holds(SUM_RULE, SUM, TERM)


@pytest.mark.parametrize(
    ("says", "premise"),
    [
        (equal(SUM.args[0], sp.Sum(v[k], (k, 1, n))), TERM),
        (equal(SUM.args[0], -1 * MEANS), TERM),
        (equal(SUM.args[0], 2 * MEANS), TERM),
        (equal(SUM.args[0], sp.Sum(s[k] ** 2 * v[k], (k, 1, n))), TERM),
        (equal(SUM.args[0], sp.Sum(s[k] * v[k], (k, 0, n))), TERM),
        (equal(SUM.args[0], sp.Sum(s[k] * v[m], (k, 1, n))), TERM),
        (equal(Expect(sp.Sum(s[k] * Dot(g, u), (k, 1, n))), sp.Sum(s[k] * v[k], (k, 1, n))), TERM),
        (equal(Expect(sp.Sum(s[k] * Dot(g, u) ** 3, (k, 1, n))), sp.Sum(s[k] * v[k], (k, 1, n))), TERM),
        (equal(Expect(sp.Sum(Dot(g, x) * Dot(g, u) ** 2, (k, 1, n))), sp.Sum(Dot(g, x) * v[k], (k, 1, n))), TERM),
        (equal(Expect(sp.Sum(Dot(g, u) ** 2, (k, 1, sp.oo))), sp.Sum(v[k], (k, 1, sp.oo))), TERM),
        (at_most(*SUM.args), TERM),
        (SUM, at_most(*TERM.args)),
    ],
)
def test_no_other_mean_of_a_sum(says: sp.Basic, premise: sp.Basic) -> None:
    assert why_not(SUM_RULE, says, premise)


def test_weights_of_a_sum_are_constant() -> None:
    assert "random" in why_not(SUM_RULE, SUM, TERM, given=[equal(s[k], Dot(g, x))])
    assert "random" in why_not(SUM_RULE, SUM, TERM, given=[equal(v[k], Dot(g, g))])
