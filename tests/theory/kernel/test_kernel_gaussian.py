"""Gaussian moments: closed forms known for general d, and exact enumeration of moments of coordinates for d = 2."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import sympy as sp
from kernel_tools import A, B, a, b, g, holds, p, rational_matrix, u, w, why_not, x, y

from theory.kernel.notation import Dot, Expect, Norm, Trace, below, equal
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Wick
from theory.kernel.rules.evaluate import explicit

ONE = Wick({g: p})
TWO = Wick({g: p, w: sp.Integer(1)})
TRUE = [
    (equal(Expect(Dot(g, g)), d * p), ONE),
    (equal(Expect(Dot(g, g) ** 2), d * (d + 2) * p**2), ONE),
    (equal(Expect(Dot(g, g) ** 3), d * (d + 2) * (d + 4) * p**3), ONE),
    (equal(Expect(Dot(g, x)), 0), ONE),
    (equal(Expect(Dot(g, x) ** 2), p * Dot(x, x)), ONE),
    (equal(Expect(Dot(g, x) ** 4), 3 * p**2 * Dot(x, x) ** 2), ONE),
    (equal(Expect(Dot(g, x) * Dot(g, y)), p * Dot(x, y)), ONE),
    (equal(Expect(Dot(g, x) ** 3), 0), ONE),
    (equal(Expect(Dot(g, A * g)), p * Trace(A)), ONE),
    (equal(Expect(Dot(g, A * g) ** 2), p**2 * (Trace(A) ** 2 + Trace(A * A) + Trace(A * A.T))), ONE),
    (equal(Expect(Dot(g, A * g) * Dot(g, B * g)), p**2 * (Trace(A) * Trace(B) + Trace(A * B) + Trace(A * B.T))), ONE),
    (
        equal(
            Expect(Dot(x, g) * Dot(g, A * g) * Dot(g, y)),
            p**2 * (Trace(A) * Dot(x, y) + Dot(x, A * y) + Dot(x, A.T * y)),
        ),
        ONE,
    ),
    (equal(Expect(Dot(g, w) ** 2), d * p), TWO),
    (equal(Expect(Dot(g, A * w) ** 2), p * Trace(A * A.T)), TWO),
    (equal(Expect(Dot(x, g) * Dot(g, w) * Dot(w, y)), p * Dot(x, y)), TWO),
    (equal(Expect(a * Dot(g, g) + b), a * d * p + b), ONE),
    (equal(Expect(a), a), ONE),
]
FALSE = [
    (equal(Expect(Dot(g, g)), p), ONE),
    (equal(Expect(Dot(g, g) ** 2), d**2 * p**2), ONE),
    (equal(Expect(Dot(g, x) ** 4), p**2 * Dot(x, x) ** 2), ONE),
    (equal(Expect(Dot(g, A * g)), p * Trace(B)), ONE),
    (equal(Expect(Dot(g, A * g) ** 2), p**2 * (Trace(A) ** 2 + 2 * Trace(A * A))), ONE),
    (equal(Expect(Dot(x, g) * Dot(g, A * g) * Dot(g, y)), p**2 * (Trace(A) * Dot(x, y) + 2 * Dot(x, A * y))), ONE),
    (equal(Expect(Dot(g, x) * Dot(w, x)), Dot(x, x)), TWO),
    (equal(Expect(Norm(g)), Norm(g)), ONE),
    (equal(Expect(sp.Abs(Dot(g, x))), sp.Abs(Dot(g, x))), ONE),
    (equal(Expect(sp.exp(Dot(g, x))), sp.exp(Dot(g, x))), ONE),
    (equal(Expect(1 / Dot(g, g)), 1 / (d * p)), ONE),
    (below(Expect(Dot(g, g)), d * p + 1), ONE),
    (equal(Expect(Dot(g, g)), -d), Wick({g: sp.Integer(-1)})),
    (equal(Expect(Dot(g, g)), a * d), Wick({g: a})),
    (equal(Expect(Dot(g, g)), d), Wick({A: sp.Integer(1)})),
    (equal(Expect(Dot(g, g)), d * Dot(g, g)), Wick({g: Dot(g, g)})),
]


@pytest.mark.parametrize(("statement", "rule"), TRUE)
def test_moments_for_general_dimension(statement: sp.Basic, rule: Wick) -> None:
    assert why_not(rule, statement) == ""


@pytest.mark.parametrize(("statement", "rule"), FALSE)
def test_false_moments_are_rejected(statement: sp.Basic, rule: Wick) -> None:
    assert why_not(rule, statement)


def one_dimensional(power: int) -> int:
    """``E ξ^power`` of a standard normal number."""
    return 0 if power % 2 else int(sp.factorial2(power - 1))


def coordinatewise(expr: Any, values: dict[Any, Any]) -> sp.Expr:
    """The mean of a polynomial in standard normal vectors of the plane, coordinate by coordinate."""
    names = {v: sp.symbols(f"{v.name}_1:3", real=True) for v in (g, w)}
    at = {**values, **{v: sp.ImmutableMatrix(2, 1, list(s)) for v, s in names.items()}}
    entries = [s for pair in names.values() for s in pair]
    polynomial = sp.Poly(explicit(expr, at), *entries)
    return sum((c * sp.prod([one_dimensional(k) for k in powers]) for powers, c in polynomial.terms()), sp.Integer(0))


@pytest.mark.parametrize(("statement", "rule"), [t for t in TRUE if t[0].has(Dot)])
def test_moments_agree_with_those_of_the_coordinates(statement: sp.Equality, rule: Wick) -> None:
    values: dict[Any, Any] = {A: rational_matrix(1, 2, 2), B: rational_matrix(2, 2, 2), p: sp.Integer(1)}
    values |= {x: rational_matrix(3, 2, 1), y: rational_matrix(4, 2, 1), a: sp.Rational(2, 3), b: sp.Integer(5)}
    left, right = statement.args
    mean = coordinatewise(left.args[0], values)
    assert sp.simplify(mean - explicit(right, values).subs(d, 2)) == 0


def test_antisymmetric_matrices_between_random_vectors() -> None:
    flip = equal(A.T, -A)
    product_ = Expect(Dot(x, A * g) * Dot(g, y))
    assert holds(ONE, equal(product_, p * Dot(x, A * y)), flip)
    assert not holds(ONE, equal(product_, -p * Dot(x, A * y)), flip)
    assert holds(ONE, equal(Expect(Dot(g, A * x) * Dot(g, y)), p * Dot(A * x, y)), flip)
    assert not holds(ONE, equal(Expect(Dot(g, A * x) * Dot(g, y)), p * Dot(x, A * y)), flip)
    assert holds(ONE, equal(Expect(Dot(g, A * g)), 0), flip)


def test_what_depends_on_the_random_vector_must_be_put_in() -> None:
    named = equal(y, x + A * g)
    assert holds(ONE, equal(Expect(Dot(y, u)), Dot(x, u)), named, given=[named])
    assert "definition" in why_not(ONE, equal(Expect(Dot(y, u)), Dot(y, u)), given=[named])
    chain = [equal(b, a + 1), equal(a, Dot(g, x))]
    assert why_not(ONE, equal(Expect(b), b), given=chain)


def test_random_vectors_are_free() -> None:
    second = equal(Expect(Dot(g, u) ** 2), p * Dot(u, u))
    assert holds(ONE, second)
    assert "restricts" in why_not(ONE, second, given=[equal(Dot(g, u), 0)])
    assert "restricts" in why_not(ONE, second, given=[below(0, Dot(g, u))])
    assert "restricts" in why_not(ONE, second, given=[equal(y, A * g), equal(Dot(y, y), 1)])
    assert "restricts" in why_not(ONE, second, given=[equal(y, A * g), equal(y, x)])


def test_enumeration_of_a_rotation_invariant_law() -> None:
    """The fourth moment ``E g_i g_j g_k g_l`` is that of all pairings (d = 2)."""
    for i, j, k, m in product(range(2), repeat=4):
        pairings = (i == j) * (k == m) + (i == k) * (j == m) + (i == m) * (j == k)
        counts = [[i, j, k, m].count(entry) for entry in range(2)]
        assert pairings == one_dimensional(counts[0]) * one_dimensional(counts[1])
