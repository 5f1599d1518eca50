"""Limits between bounds, of functions of what has a limit, and under the expectation."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import Granted, a, b, c, g, holds, p, u, why_not

from theory.kernel.check import check_step
from theory.kernel.notation import Dot, Expect, LimitOf, at_most, below, equal, scalar
from theory.kernel.rules import Entails
from theory.kernel.rules.limits import Dominated, Sandwich, Through
from theory.kernel.step import Derivation, Step

h = scalar("kt_h", "h", positive=True)
k = scalar("kt_k", "k")
f = scalar("kt_f_of_h", "f")
LOW, HIGH = at_most(a - h, f), at_most(f, a + h**2)
LIMITS = equal(LimitOf(a - h, h), a), equal(LimitOf(a + h**2, h), a)


def test_between_two_bounds() -> None:
    assert holds(Sandwich(), equal(LimitOf(f, h), a), LOW, HIGH, *LIMITS)


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(LimitOf(f, h), -a), (LOW, HIGH, *LIMITS)),
        (equal(LimitOf(f, h), 2 * a), (LOW, HIGH, *LIMITS)),
        (equal(LimitOf(2 * f, h), a), (LOW, HIGH, *LIMITS)),
        (equal(LimitOf(f**2, h), a), (LOW, HIGH, *LIMITS)),
        (equal(LimitOf(f, h), a + h), (LOW, HIGH, *LIMITS)),
        (equal(LimitOf(f, p), a), (LOW, HIGH, *LIMITS)),
        (equal(LimitOf(f, h), a), (HIGH, *LIMITS)),
        (equal(LimitOf(f, h), a), (LOW, *LIMITS)),
        (equal(LimitOf(f, h), a), (LOW, HIGH, LIMITS[0])),
        (equal(LimitOf(f, h), a), (LOW, HIGH, LIMITS[1])),
        (equal(LimitOf(f, h), a), (LOW, HIGH, LIMITS[0], equal(LimitOf(a + h**2, h), b))),
        (equal(LimitOf(f, h), a), (at_most(f, a - h), HIGH, *LIMITS)),
        (at_most(LimitOf(f, h), a), (LOW, HIGH, *LIMITS)),
    ],
)
def test_between_no_others(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(Sandwich(), says, *premises)


def test_the_limit_does_not_change_with_the_variable() -> None:
    says = equal(LimitOf(f, h), a)
    assert "may change" in why_not(Sandwich(), says, LOW, HIGH, *LIMITS, given=[equal(a, b + h)])


@pytest.mark.parametrize(
    ("known", "fine"),
    [(below(h, 1), True), (at_most(0, h), True), (below(1, h), False), (at_most(h, -1), False), (equal(h, 1), False)],
)
def test_the_bounds_hold_near_zero(known: sp.Basic, fine: bool) -> None:
    low = Step("low", LOW, ("given", "known"), Entails(), "")
    rest = tuple(Step(f"{k}", says, (), Granted(), "") for k, says in enumerate((HIGH, *LIMITS)))
    last = Step("limit", equal(LimitOf(f, h), a), ("low", "0", "1", "2"), Sandwich(), "")
    found = check_step(Derivation("kt", (low, *rest, last), setting={"given": LOW, "known": known}), 4, {})
    assert found.ok == fine, found.error


THROUGH = Through(k, {f: k})
KNOWN = equal(LimitOf(f, h), a)


def test_a_function_of_what_has_a_limit() -> None:
    assert holds(THROUGH, equal(LimitOf(f**2 + h, h), a**2), KNOWN)
    assert holds(THROUGH, equal(LimitOf(sp.exp(f * (1 + h)), h), sp.exp(a)), KNOWN)
    scaled = Through(k, {f: 1 - h * k})
    assert holds(scaled, equal(LimitOf(f**2, h), 1), equal(LimitOf((1 - f) / h, h), a))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(LimitOf(f**2 + h, h), a), (KNOWN,)),
        (equal(LimitOf(f**2 + h, h), -(a**2)), (KNOWN,)),
        (equal(LimitOf(f**2 + h, h), 2 * a**2), (KNOWN,)),
        (equal(LimitOf(f**2 + 1, h), a**2), (KNOWN,)),
        (equal(LimitOf(f**2 + h, p), a**2), (KNOWN,)),
        (equal(LimitOf(f / h, h), a), (KNOWN,)),
        (equal(LimitOf(h / f, h), 0), (KNOWN,)),
        (equal(LimitOf(sp.sqrt(f), h), sp.sqrt(a)), (KNOWN,)),
        (equal(LimitOf(sp.log(f), h), sp.log(a)), (KNOWN,)),
        (equal(LimitOf(f**2, h), a**2), ()),
        (equal(LimitOf(f**2, h), b**2), (KNOWN,)),
        (equal(LimitOf(f + k, h), a + k), (KNOWN,)),
        (equal(LimitOf(f**2, h), a**2), (equal(LimitOf(2 * f, h), a),)),
        (at_most(LimitOf(f**2, h), a**2), (KNOWN,)),
    ],
)
def test_no_other_limit_of_it(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(THROUGH, says, *premises)


def test_what_else_changes_is_no_constant() -> None:
    says = equal(LimitOf(b * f, h), a * b)
    assert holds(THROUGH, says, KNOWN)
    assert "may change" in why_not(THROUGH, says, KNOWN, given=[equal(b, 1 / h)])


INSIDE = Dot(g, u) * sp.exp(-h)
POINTWISE = equal(LimitOf(INSIDE, h), Dot(g, u))
BOUND = at_most(INSIDE**2, c)


def test_dominated_convergence() -> None:
    assert holds(Dominated((g,)), equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), POINTWISE, BOUND)


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(LimitOf(Expect(INSIDE), h), Dot(g, u)), (POINTWISE, BOUND)),
        (equal(LimitOf(Expect(INSIDE), h), 2 * Expect(Dot(g, u))), (POINTWISE, BOUND)),
        (equal(LimitOf(Expect(INSIDE**2), h), Expect(Dot(g, u) ** 2)), (POINTWISE, BOUND)),
        (equal(LimitOf(Expect(INSIDE), p), Expect(Dot(g, u))), (POINTWISE, BOUND)),
        (equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), (POINTWISE,)),
        (equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), (POINTWISE, at_most(INSIDE, c))),
        (equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), (POINTWISE, at_most(INSIDE**2, c / h))),
        (equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), (POINTWISE, at_most(INSIDE**2, Dot(g, g)))),
        (equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), (POINTWISE, at_most(c, INSIDE**2))),
        (equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u))), (BOUND, POINTWISE)),
    ],
)
def test_nothing_else_converges(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(Dominated((g,)), says, *premises)


def test_the_bound_is_a_constant() -> None:
    says = equal(LimitOf(Expect(INSIDE), h), Expect(Dot(g, u)))
    assert "may change" in why_not(Dominated((g,)), says, POINTWISE, BOUND, given=[equal(c, b / h)])
    assert "random" in why_not(Dominated((g,)), says, POINTWISE, BOUND, given=[equal(c, Dot(g, g))])
