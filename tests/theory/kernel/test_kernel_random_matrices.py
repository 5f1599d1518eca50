"""Gaussian matrices: pairings, rotations, and means of what holds surely."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, n, p, q, u, why_not, x, y

from theory.kernel.notation import Dot, Expect, Trace, at_most, dimension, equal, identity, matrix, vector
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past, Rotated

d = dimension
G, H, Q = (matrix(f"kt_m{k}", k) for k in "GHQ")
gauss = MatrixWick({G: p})


def test_pairings() -> None:
    assert holds(gauss, equal(Expect(Dot(x, G * y)), 0))
    assert holds(gauss, equal(Expect(Dot(x, G * y) ** 2), p * Dot(x, x) * Dot(y, y)))
    assert holds(gauss, equal(Expect(Dot(G * x, G * y)), p * d * Dot(x, y)))
    assert holds(gauss, equal(Expect(Dot(x, G * y) * Dot(u, G * y)), p * Dot(x, u) * Dot(y, y)))
    assert holds(gauss, equal(Expect(Dot(x, G * G * y)), p * Dot(x, y)))
    assert holds(gauss, equal(Expect(Dot(x, G * y) ** 4), 3 * p**2 * Dot(x, x) ** 2 * Dot(y, y) ** 2))
    two = MatrixWick({G: p, H: q})
    assert holds(two, equal(Expect(Dot(G * x, H * y) ** 2), p * q * d * Dot(x, x) * Dot(y, y)))


@pytest.mark.parametrize(
    "says",
    [
        equal(Expect(Dot(x, G * y)), Dot(x, y)),
        equal(Expect(Dot(x, G * y) ** 2), -p * Dot(x, x) * Dot(y, y)),
        equal(Expect(Dot(x, G * y) ** 2), 2 * p * Dot(x, x) * Dot(y, y)),
        equal(Expect(Dot(x, G * y) ** 2), p**2 * Dot(x, x) * Dot(y, y)),
        equal(Expect(Dot(x, G * y) ** 2), p * Dot(x, y) ** 2),
        equal(Expect(Dot(x, G * y) ** 2), p * Dot(x, x)),
        equal(Expect(Dot(G * x, G * y)), p * Dot(x, y)),
        equal(Expect(Dot(G * x, G * y)), p * d * Dot(x, x)),
        equal(Expect(Dot(x, G * G * y)), p * d * Dot(x, y)),
        equal(Expect(Dot(x, G * y) ** 4), p**2 * Dot(x, x) ** 2 * Dot(y, y) ** 2),
        equal(Expect(Dot(x, G * y)), Dot(x, G * y)),
        equal(Expect(1 / (1 + Dot(x, G * y) ** 2)), 1 / (1 + p * Dot(x, x) * Dot(y, y))),
        equal(Expect(sp.exp(Dot(x, G * y))), 1),
        at_most(Expect(Dot(x, G * y)), 0),
    ],
)
def test_no_other_moments(says: sp.Basic) -> None:
    assert why_not(gauss, says)


def test_what_is_random_is_not_restricted_and_nothing_depends_on_it() -> None:
    says = equal(Expect(a * Dot(x, G * y)), 0)
    assert holds(gauss, says)
    assert "depends on what is random" in why_not(gauss, says, given=[equal(a, Dot(x, G * x))])
    assert "restricts" in why_not(gauss, equal(Expect(Dot(x, G * y)), 0), equal(Dot(x, G * y), 1))
    assert "restricts" in why_not(gauss, equal(Expect(Dot(x, G * y)), 0), equal(G, identity))


@pytest.mark.parametrize("variance", [a, -p, sp.Integer(-1), p - q, Dot(x, G * x) ** 2])
def test_variances_are_not_negative_and_constant(variance: sp.Expr) -> None:
    says = equal(Expect(Dot(x, G * y) ** 2), variance * Dot(x, x) * Dot(y, y))
    assert "variance" in why_not(MatrixWick({G: variance}), says)


def test_a_variance_by_a_premise() -> None:
    says = equal(Expect(Dot(x, G * y) ** 2), a * Dot(x, x) * Dot(y, y))
    assert holds(MatrixWick({G: a}), says, at_most(0, a))
    assert "variance" in why_not(MatrixWick({G: a}), says, at_most(0, a), given=[equal(a, Dot(x, G * x) ** 2)])


TURN = Rotated((G,), Q)
ORTHOGONAL = equal(Q.T * Q, identity)
LENGTH = sp.sqrt(Dot(x + G * y, x + G * y))


def test_rotations() -> None:
    turned = sp.sqrt(Dot(x + Q * G * y, x + Q * G * y))
    assert holds(TURN, equal(Expect(LENGTH), Expect(turned)), ORTHOGONAL)
    mirror = Rotated((G,), identity - 2 * u * u.T)
    assert holds(mirror, equal(Expect(Dot(u, G * y) ** 3), Expect(-(Dot(u, G * y) ** 3))), equal(Dot(u, u), 1))


@pytest.mark.parametrize(
    ("rule", "says", "premises"),
    [
        (TURN, equal(Expect(Dot(x, G * y)), Expect(Dot(x, G * Q * y))), [ORTHOGONAL]),
        (TURN, equal(Expect(Dot(x, G * y)), Expect(2 * Dot(x, Q * G * y))), [ORTHOGONAL]),
        (TURN, equal(Expect(Dot(x, G * y)), Expect(-Dot(x, Q * G * y))), [ORTHOGONAL]),
        (TURN, equal(Expect(Dot(x, G * y)), Expect(Dot(x, Q * G * y))), []),
        (TURN, equal(Expect(Dot(x, G * y)), Expect(Dot(x, Q * G * y))), [equal(Q.T * Q, 2 * identity)]),
        (TURN, equal(Expect(Dot(x, G * y)), Expect(Dot(x, Q * G * y) ** 2)), [ORTHOGONAL]),
        (TURN, equal(Expect(Dot(x, G * y)), Dot(x, Q * G * y)), [ORTHOGONAL]),
        (TURN, at_most(Expect(Dot(x, G * y)), Expect(Dot(x, Q * G * y))), [ORTHOGONAL]),
        (Rotated((G,), G), equal(Expect(Dot(x, G * y)), Expect(Dot(x, G * G * y))), [equal(G.T * G, identity)]),
        (Rotated((G,), 2 * identity), equal(Expect(Dot(x, G * y)), Expect(2 * Dot(x, G * y))), []),
    ],
)
def test_no_other_rotations(rule: Rotated, says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(rule, says, *premises)


def test_a_rotation_does_not_depend_on_what_is_random() -> None:
    says = equal(Expect(Dot(x, G * y)), Expect(Dot(x, Q * G * y)))
    v = vector("kt_v_of_g", "v")
    mirror = Rotated((G,), identity - 2 * v * v.T)
    turned = equal(Expect(Dot(x, G * y)), Expect(Dot(x, G * y) - 2 * Dot(x, v) * Dot(v, G * y)))
    assert holds(mirror, turned, equal(Dot(v, v), 1))
    assert "depend" in why_not(mirror, turned, equal(Dot(v, v), 1), given=[equal(v, G * y)])
    assert "depends" in why_not(TURN, says.xreplace({x: a * x}), ORTHOGONAL, given=[equal(a, Dot(x, G * x))])


def test_means_of_what_holds_surely() -> None:
    f, g = Dot(x, G * y), Dot(u, G * y)
    assert holds(Mean((G,)), at_most(Expect(f), 2 * Expect(g)), at_most(f, 2 * g))
    assert holds(Mean((G,)), at_most(a * Expect(f), b), at_most(a * f, b))
    assert holds(Mean((G,), pointwise=False), equal(Expect(f + 3), Expect(f) + 3))
    assert holds(Mean((n,), Past), at_most(Past(n), c), at_most(n, c))


@pytest.mark.parametrize(
    ("says", "premise"),
    [
        (at_most(Expect(Dot(u, G * y)), Expect(Dot(x, G * y))), at_most(Dot(x, G * y), Dot(u, G * y))),
        (at_most(2 * Expect(Dot(x, G * y)), a), at_most(Dot(x, G * y), a)),
        (at_most(-Expect(Dot(x, G * y)), a), at_most(Dot(x, G * y), a)),
        (at_most(Expect(Dot(x, G * y)) ** 2, a), at_most(Dot(x, G * y) ** 2, a)),
        (at_most(Dot(x, G * y), a), at_most(Dot(x, G * y), a)),
        (at_most(Past(Dot(x, G * y)), a), at_most(Dot(x, G * y), a)),
        (at_most(Expect(Dot(x, G * y) * Dot(u, G * y)), a), at_most(Dot(x, G * y), a)),
        (at_most(1 / Expect(Dot(x, G * y)), a), at_most(1 / Dot(x, G * y), a)),
        (equal(Expect(Dot(x, G * y)), a), at_most(Dot(x, G * y), a)),
        (at_most(Expect(Dot(x, G * y)), a**2), at_most(Dot(x, G * y), a)),
    ],
)
def test_no_other_means(says: sp.Basic, premise: sp.Basic) -> None:
    assert why_not(Mean((G,)), says, premise)


@pytest.mark.parametrize(
    "says",
    [
        equal(Expect(Dot(x, G * y) ** 2), Expect(Dot(x, G * y)) ** 2),
        equal(Expect(Dot(x, G * y) * Dot(u, G * y)), Expect(Dot(x, G * y)) * Expect(Dot(u, G * y))),
        equal(Expect(1 / Dot(x, G * y)), 1 / Expect(Dot(x, G * y))),
        equal(Expect(Dot(x, G * y)), -Expect(Dot(x, G * y))),
        equal(Expect(a), a**2),
        equal(Expect(Dot(x, G * y) + 1), Expect(Dot(x, G * y))),
        equal(Expect(Trace(G)), Trace(G)),
    ],
)
def test_linear_and_nothing_more(says: sp.Basic) -> None:
    assert why_not(Mean((G,), pointwise=False), says)


def test_the_mean_of_a_hidden_random_number() -> None:
    says, premise = at_most(a * Expect(Dot(x, G * y)), b), at_most(a * Dot(x, G * y), b)
    assert holds(Mean((G,)), says, premise)
    assert "depends on what is random" in why_not(Mean((G,)), says, premise, given=[equal(a, Dot(x, G * x))])
