"""From rates to what is gained in a time, and several statements in one."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, n, p, q, why_not

from theory.kernel.check import check_step
from theory.kernel.notation import at_most, below, both, equal, scalar
from theory.kernel.rules import Entails
from theory.kernel.rules.accumulate import Accumulated, Together
from theory.kernel.step import Derivation, Step

t = scalar("kt_t", "t", nonnegative=True)
T = scalar("kt_T", "T", nonnegative=True)
a_rate, start, last = scalar("kt_a_rate", "a'"), scalar("kt_gain_start", "a_0"), scalar("kt_gain_last", "a_1")
GAIN = Accumulated(a, t, T, {a: a_rate}, {a: start}, {a: last})
FLAT = at_most(a_rate, b)


def test_what_is_gained() -> None:
    assert holds(GAIN, at_most(last - start, b * T), FLAT)
    assert holds(GAIN, at_most(b * T, last - start), at_most(b, a_rate))
    assert holds(GAIN, at_most(last - start, sp.Integral(b * t, (t, 0, T))), at_most(a_rate, b * t))
    squares = Accumulated(a**2, t, T, {a: a_rate}, {a: start}, {a: last})
    assert holds(squares, at_most(last**2 - start**2, b * T), at_most(2 * a * a_rate, b))
    now = Accumulated(a, t, t, {a: a_rate}, {a: start})
    assert holds(now, at_most(a - start, b * t), FLAT)


@pytest.mark.parametrize(
    ("says", "premise"),
    [
        (at_most(start - last, b * T), FLAT),
        (at_most(last - start, -b * T), FLAT),
        (at_most(last - start, 2 * b * T), FLAT),
        (at_most(last - start, b * T**2), FLAT),
        (at_most(last - start, b), FLAT),
        (at_most(last, b * T), FLAT),
        (at_most(b * T, last - start), FLAT),
        (at_most(last - start, b * T), at_most(a_rate, b * t)),
        (at_most(last - start, sp.Integral(b * t, (t, 0, 1))), at_most(a_rate, b * t)),
        (at_most(last - start, sp.Integral(b * t, (t, 1, T))), at_most(a_rate, b * t)),
        (at_most(last - start, a * T), at_most(a_rate, a)),
        (at_most(last - start, b * T), at_most(2 * a_rate, b)),
        (at_most(last**2 - start**2, b * T), FLAT),
        (below(last - start, b * T), below(a_rate, b)),
        (equal(last - start, b * T), equal(a_rate, b)),
    ],
)
def test_no_other_gain(says: sp.Basic, premise: sp.Basic) -> None:
    assert why_not(GAIN, says, premise)


def test_the_end_is_after_the_start_and_has_its_own_values() -> None:
    says = at_most(last - start, b * c)
    assert "before the start" in why_not(Accumulated(a, t, c, {a: a_rate}, {a: start}, {a: last}), says, FLAT)
    assert holds(Accumulated(a, t, c, {a: a_rate}, {a: start}, {a: last}), says, FLAT, at_most(0, c))
    assert "at the end" in why_not(Accumulated(a, t, T, {a: a_rate}, {a: start}), at_most(a - start, b * T), FLAT)
    assert "at the start" in why_not(Accumulated(a, t, T, {a: a_rate}, {}, {a: last}), at_most(last - a, b * T), FLAT)


def test_what_moves_is_no_constant() -> None:
    says = at_most(last - start, b * T)
    assert "moves" in why_not(GAIN, says, FLAT, given=[equal(b, c * t)])
    assert "moves" in why_not(GAIN, says, FLAT, given=[equal(b, a**2)])
    assert "moves" in why_not(GAIN, says, FLAT, given=[equal(last, 2 * a)])


@pytest.mark.parametrize("known", [at_most(1, t), at_most(t, 1), below(2 * t, b), equal(t**2, b)])
def test_the_bound_holds_all_the_way(known: sp.Basic) -> None:
    """A bound of the rate that was shown for some times alone."""
    steps = (
        Step("rate", FLAT, ("given", "known"), Entails(), ""),
        Step("gain", at_most(last - start, b * T), ("rate",), GAIN, ""),
    )
    at_some_times = Derivation("kt", steps, setting={"given": FLAT, "known": known})
    assert "all the way" in check_step(at_some_times, 1, {}).error
    at_all = Derivation("kt", steps, setting={"given": FLAT, "known": at_most(0, t)})
    assert check_step(at_all, 1, {}).ok


def test_together() -> None:
    one, other = at_most(a, b), equal(p, q)
    assert holds(Together(), both(one, other), one, other)
    assert holds(Together(), both(at_most(a, b + c - c), other), both(one, other))


@pytest.mark.parametrize(
    "says",
    [
        both(at_most(a, b), equal(p, n)),
        both(at_most(b, a), equal(p, q)),
        both(below(a, b), equal(p, q)),
        both(at_most(a, 2 * b), equal(p, q)),
        both(equal(p, q), at_most(a, b)),
        both(at_most(a, b), equal(p, q), at_most(0, q)),
        at_most(a, b),
        both(at_most(a, b), equal(q**2, p**2)),
    ],
)
def test_no_more_than_was_shown(says: sp.Basic) -> None:
    assert why_not(Together(), says, at_most(a, b), equal(p, q))
