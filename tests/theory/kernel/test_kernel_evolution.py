"""What holds at the start and is kept by the rates."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import A, a, b, c, holds, p, q, u, why_not, x

from theory.kernel.notation import Dot, at_most, below, equal, scalar, vector
from theory.kernel.rules.evolution import Along

t = scalar("kt_t", "t", nonnegative=True)
a_rate, b_rate = scalar("kt_a_rate", "a'"), scalar("kt_b_rate", "b'")
a0, b0 = scalar("kt_a_start", "a_0"), scalar("kt_b_start", "b_0")
x_rate, x0 = vector("kt_x_rate", "x'"), vector("kt_x_start", "x_0")
ONE = Along({a: a_rate}, {a: a0})
BOTH = Along({a: a_rate, b: b_rate}, {a: a0, b: b0})
CLOCK = Along({a: a_rate, t: sp.Integer(1)}, {a: a0, t: sp.Integer(0)})


def test_what_is_kept() -> None:
    assert holds(ONE, equal(a, c), equal(a_rate, 0), equal(a0, c))
    assert holds(BOTH, equal(a, 2 * b), equal(a_rate, 2 * b_rate), equal(a0, 2 * b0))
    assert holds(CLOCK, equal(a, c + p * t), equal(a_rate, p), equal(a0, c))
    assert holds(CLOCK, at_most(a, c + p * t), at_most(a_rate, p), at_most(a0, c))
    sphere = Along({x: x_rate}, {x: x0})
    assert holds(sphere, equal(Dot(x, x), 1), equal(Dot(x, x_rate), 0), equal(Dot(x0, x0), 1))


@pytest.mark.parametrize(
    ("rule", "says", "premises"),
    [
        (ONE, equal(a, c), [equal(a_rate, 0)]),
        (ONE, equal(a, c), [equal(a0, c)]),
        (ONE, equal(a, -c), [equal(a_rate, 0), equal(a0, c)]),
        (ONE, equal(a, c), [equal(a_rate, 1), equal(a0, c)]),
        (ONE, equal(a**2, c), [equal(a_rate, 0), equal(a0, c)]),
        (BOTH, equal(a, b), [equal(a_rate, 2 * b_rate), equal(a0, b0)]),
        (BOTH, equal(a, 2 * b), [equal(a_rate, b_rate), equal(a0, 2 * b0)]),
        (BOTH, equal(a, 2 * b), [equal(a_rate, 2 * b_rate), equal(a0, b0)]),
        (CLOCK, equal(a, c + p * t), [equal(a_rate, q), equal(a0, c)]),
        (CLOCK, equal(a, c + p * t**2), [equal(a_rate, p), equal(a0, c)]),
        (CLOCK, equal(a, c + p * t), [at_most(a_rate, p), equal(a0, c)]),
        (CLOCK, at_most(c + p * t, a), [at_most(a_rate, p), at_most(a0, c)]),
        (CLOCK, at_most(a, c + p * t), [at_most(p, a_rate), at_most(a0, c)]),
        (CLOCK, at_most(a, c + p * t), [at_most(a_rate, p), at_most(c, a0)]),
        (CLOCK, below(a, c + p * t), [below(a_rate, p), below(a0, c)]),
        (CLOCK, equal(a, c), [equal(a, c), equal(a_rate, 0)]),
        (Along({a: a_rate}, {}), equal(a, c), [equal(a_rate, 0), equal(a0, c)]),
        (Along({a: a_rate}, {a: 2 * a}), equal(a, 2 * a), [equal(a_rate, 0)]),
        (Along({x: x_rate}, {x: x0}), equal(Dot(x, x), 1), [equal(Dot(x, x_rate), 1), equal(Dot(x0, x0), 1)]),
        (Along({x: x_rate}, {x: x0}), equal(Dot(x, u), 1), [equal(Dot(x, x_rate), 0), equal(Dot(x0, u), 1)]),
    ],
)
def test_what_is_not(rule: Along, says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(rule, says, *premises)


def test_everything_that_moves_has_a_rate() -> None:
    says, rate, start = equal(a, c), equal(a_rate, 0), equal(a0, c)
    assert "moves" in why_not(ONE, says, rate, start, given=[equal(c, a**2)])
    assert "moves" in why_not(ONE, says, rate, start, given=[equal(b, 2 * a), equal(c, b)])
    assert "moves" in why_not(Along({x: x_rate}, {x: A * x}), equal(Dot(x, u), c), equal(Dot(x_rate, u), 0))


def test_denominators_do_not_vanish_on_the_way() -> None:
    says = equal(1 / a, c)
    premises = [equal(a_rate, 0), equal(1 / a0, c)]
    assert why_not(ONE, says, *premises)
    assert holds(ONE, says, *premises, below(0, a), below(0, a0))
