"""From tokens to weighted means, and from the extreme token to the extremum."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import A, a, b, c, holds, n, p, u, why_not, x, y, z

from theory.kernel.notation import Dot, MeanOf, Norm, Trace, at_most, below, equal
from theory.kernel.rules import Convex, Envelope

MEAN = MeanOf(y, x)
CONVEX = [
    at_most(Norm(x), p),
    at_most(Norm(A * x - z), a + n * Dot(x, u)),
    at_most(Norm(x - Dot(x, u) * u), a * Dot(x, u)),
    at_most(a, Dot(x, u)),
    equal(Dot(A * x, u), a),
    sp.Ge(Dot(x, u), p * Norm(x), evaluate=False),
    at_most(n * Norm(x) + Norm(x - z), b),
]
NOT_CONVEX = [
    at_most(p, Norm(x)),
    at_most(a * Norm(x), b),
    at_most(Dot(x, x), a),
    at_most(Dot(x, u) ** 2, a),
    at_most(Dot(x, u) * Norm(x), a),
    at_most(Norm(x) ** 2, a),
    equal(Norm(x), p),
    equal(Dot(x, A * x), p),
    equal(Dot(Dot(x, u) * x, z), 0),
    at_most(Norm(Dot(x, u) * x), p),
    at_most(Norm(Norm(x) * x), p),
    at_most(Norm(sp.Abs(Dot(x, u)) * u), p),
    at_most(Norm(x * x.T * z), p),
    at_most(sp.Abs(Dot(x, u)), p),
    at_most(sp.exp(Dot(x, u)), p),
    at_most(Trace(x * x.T), p),
    at_most(1 / Dot(x, u), p),
    at_most(sp.Max(Dot(x, u), 0), p),
    below(Dot(x, u), a),
]


@pytest.mark.parametrize("premise", CONVEX)
def test_convex_statements_pass_to_means(premise: sp.Basic) -> None:
    assert holds(Convex(), premise.xreplace({x: y}), premise, MEAN)


@pytest.mark.parametrize("premise", NOT_CONVEX)
def test_others_do_not(premise: sp.Basic) -> None:
    assert why_not(Convex(), premise.xreplace({x: y}), premise, MEAN)


def test_the_counterexample_of_the_sphere() -> None:
    """The mean of e1 and -e1 is 0, so that |x| = 1 for tokens says nothing of the mean's norm from below."""
    assert why_not(Convex(), at_most(1, Norm(y)), at_most(1, Norm(x)), MEAN)


def test_convex_says_the_same_of_the_mean_and_nothing_else() -> None:
    premise = at_most(Norm(x), p)
    assert why_not(Convex(), at_most(Norm(y), p / 2), premise, MEAN)
    assert why_not(Convex(), at_most(Norm(z), p), premise, MEAN)
    assert why_not(Convex(), at_most(Norm(y), p), premise)
    assert why_not(Convex(), at_most(Norm(y), p), premise, MEAN, MeanOf(z, x))
    assert why_not(Convex(), at_most(Norm(y), p), MEAN)


def test_a_quantity_of_the_token_is_not_one_of_the_mean() -> None:
    premise = at_most(Dot(x, u), a)
    assert holds(Convex(), at_most(Dot(y, u), a), premise, MEAN)
    assert "every token" in why_not(Convex(), at_most(Dot(y, u), a), premise, MEAN, given=[equal(a, Dot(x, z))])
    tied = [equal(b, Norm(x)), equal(a, b)]
    assert "every token" in why_not(Convex(), at_most(Dot(y, u), a), premise, MEAN, given=tied)


def test_envelope() -> None:
    rule = Envelope({a: b, p: n})
    assert holds(rule, at_most(b, 2 * n), at_most(a, 2 * p))
    assert not holds(rule, at_most(b, 3 * n), at_most(a, 2 * p))
    assert not holds(rule, at_most(b, 2 * n), at_most(a, 2 * p), at_most(a, c))
    assert not holds(rule, sp.Ge(b, 2 * n, evaluate=False), at_most(a, 2 * p))
    assert not holds(rule, at_most(b, 2 * n))
    assert not holds(rule, equal(b, 2 * n), equal(a, 2 * p))
