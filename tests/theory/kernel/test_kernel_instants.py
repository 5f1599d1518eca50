"""Values at the start."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import A, a, b, c, holds, p, q, u, w, why_not, x, y, z

from theory.kernel.check import check
from theory.kernel.notation import Norm, at_most, equal, scalar, vector
from theory.kernel.rules import Differentiate
from theory.kernel.rules.instants import AtStart
from theory.kernel.step import Derivation, Step

t = scalar("kt_t", "t", nonnegative=True)
first, first_vector, x0 = scalar("kt_first", "a_0"), vector("kt_first_vector", "x_0"), vector("kt_x_begin", "x_0")
GROWTH = equal(a, b * sp.exp(p * t))
LINE = equal(x, a * u + w)


def test_values_at_the_start() -> None:
    assert holds(AtStart(a, t), equal(first, b), GROWTH)
    assert holds(AtStart(x, t), equal(first_vector, b * u + w), LINE, GROWTH)
    assert holds(AtStart(y, t), equal(first_vector, x0 / Norm(x0)), equal(y, x / Norm(x)), equal(x, x0 + t * u))
    assert holds(AtStart(y, t, {x: x0}), equal(first_vector, A * x0), equal(y, A * x))


@pytest.mark.parametrize(
    ("rule", "says", "premises"),
    [
        (AtStart(a, t), equal(first, -b), [GROWTH]),
        (AtStart(a, t), equal(first, 2 * b), [GROWTH]),
        (AtStart(a, t), equal(first, b**2), [GROWTH]),
        (AtStart(a, t), equal(first, b * sp.exp(p)), [GROWTH]),
        (AtStart(a, t), equal(first, c), [GROWTH]),
        (AtStart(a, p), equal(first, b), [GROWTH]),
        (AtStart(c, t), equal(first, b), [GROWTH]),
        (AtStart(a, t), equal(b, b), [GROWTH]),
        (AtStart(a, t), equal(q, b), [GROWTH]),
        (AtStart(a, t), at_most(first, b), [GROWTH]),
        (AtStart(a, t), equal(first, b), [GROWTH, equal(c, t)]),
        (AtStart(a, t), equal(first, b), [at_most(a, b)]),
        (AtStart(x, t), equal(first_vector, b * u - w), [LINE, GROWTH]),
        (AtStart(x, t), equal(first_vector, b * w + u), [LINE, GROWTH]),
        (AtStart(y, t), equal(first_vector, A * x0), [equal(y, A * x)]),
        (AtStart(y, t, {x: x}), equal(first_vector, A * x), [equal(y, A * x)]),
        (AtStart(y, t, {x: z}), equal(first_vector, A * x0), [equal(y, A * x)]),
    ],
)
def test_no_other_values(rule: AtStart, says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(rule, says, *premises)


def test_names_are_new_and_what_is_left_does_not_move() -> None:
    assert "already" in why_not(AtStart(a, t), equal(first, b), GROWTH, given=[at_most(0, first)])
    assert "moves" in why_not(AtStart(a, t), equal(first, b), GROWTH, given=[equal(b, c * t)])
    assert "moves" in why_not(AtStart(a, t), equal(first, b), GROWTH, given=[equal(b, a**2)])
    assert "moves" in why_not(AtStart(x, t), equal(first_vector, a * u + w), LINE, given=[GROWTH])


def test_what_moves_by_a_rate_has_a_start_of_its_own() -> None:
    x_rate, a_rate = vector("kt_x_rate", "x'"), scalar("kt_a_rate", "a'")
    setting = {"height": equal(a, Norm(x)), "image": equal(y, A * x)}
    rate = Step("rate", equal(a * a_rate, sp.Rational(1, 2)), ("height",), Differentiate({x: x_rate, a: a_rate}), "")
    start = Step("start", equal(first_vector, A * x), ("image",), AtStart(y, t), "")
    found = check(Derivation("kt", (rate, start), setting=setting, states=start.says), None, {})
    assert any("it moves" in fault for fault in found.broken)
