"""Case distinctions, and equations by two inequalities."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, n, p, why_not, x

from theory.kernel.notation import Dot, Norm, at_most, below, equal
from theory.kernel.rules.cases import Cases, Squeeze

BRANCHES = sp.Piecewise((a, sp.Ge(b, 0, evaluate=False)), (a - b, True), evaluate=False)
SPLIT = Cases((a,), degree=2)


def test_every_case() -> None:
    bound = at_most(c, n), at_most(-c, n)
    assert holds(SPLIT, at_most(a * c, n * p), at_most(a, p), at_most(-a, p), *bound)
    assert why_not(Cases((), degree=1), at_most(a * c, n * p), at_most(a, p), at_most(-a, p), *bound)
    assert holds(Cases(), at_most(a, BRANCHES))
    assert holds(Cases(), at_most(c, BRANCHES), at_most(c, a), at_most(0, n))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (at_most(BRANCHES, a), []),
        (below(a, BRANCHES), []),
        (at_most(a + 1, BRANCHES), []),
        (at_most(2 * a, BRANCHES), []),
        (at_most(a + b, BRANCHES), []),
        (at_most(c, BRANCHES), [at_most(c, a + b)]),
        (at_most(c, BRANCHES), [below(c, a + 1)]),
        (at_most(BRANCHES, BRANCHES), []),
        (equal(BRANCHES, a), [at_most(0, b)]),
        (at_most(a, sp.Piecewise((a, sp.Ge(b, 0, evaluate=False)), evaluate=False)), []),
        (at_most(a, sp.Piecewise((a, sp.Eq(b, 0, evaluate=False)), (a + 1, True), evaluate=False)), []),
    ],
)
def test_one_case_fails(says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(Cases(), says, *premises)


@pytest.mark.parametrize(
    "says",
    [
        at_most(a, 0),
        at_most(a**2, a),
        at_most(0, a),
        at_most(a * b, p),
        below(0, a**2),
        equal(a, 0),
    ],
)
def test_a_split_gives_no_sign_away(says: sp.Basic) -> None:
    assert why_not(SPLIT, says)


def test_squeeze() -> None:
    assert holds(Squeeze(degree=2), equal(n, 1), equal(n**2, 1))
    assert holds(Squeeze(degree=1), equal(a, b), at_most(a, b), at_most(b, a))
    assert holds(Squeeze(degree=2), equal(Norm(x), 1), equal(Dot(x, x), 1))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(a, 1), [equal(a**2, 1)]),
        (equal(n, -1), [equal(n**2, 1)]),
        (equal(n, 2), [equal(n**2, 2)]),
        (equal(n, 1), [at_most(n**2, 1)]),
        (equal(a, b), [at_most(a, b)]),
        (equal(a, b), [at_most(b, a)]),
        (equal(a, 2 * b), [at_most(a, b), at_most(b, a)]),
        (equal(a, b), [equal(a**2, b**2)]),
        (at_most(a, b), [at_most(a, b)]),
        (equal(Norm(x), p), [equal(Dot(x, x), p)]),
    ],
)
def test_one_side_is_not_enough(says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(Squeeze(degree=2), says, *premises)
