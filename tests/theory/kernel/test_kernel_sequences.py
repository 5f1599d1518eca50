"""Recursions in closed form, by induction."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, p, q, why_not

from theory.kernel.check import check_step
from theory.kernel.notation import at_most, equal, family
from theory.kernel.rules import Entails
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

k = sp.Symbol("kt_number", real=True, nonnegative=True)
seq = family("kt_seq", "s")
RULE = Recursion(seq[k], k)
LINEAR = equal(seq[k + 1], seq[k] + a)
POWER = equal(seq[k + 1], p * seq[k])
START = equal(seq[0], b)


def test_closed_forms() -> None:
    assert holds(RULE, equal(seq[k], b + k * a), LINEAR, START)
    assert holds(RULE, equal(seq[k], b * p**k), POWER, START)
    below_one = at_most(seq[k + 1], p * seq[k])
    assert holds(RULE, at_most(seq[k], b * p**k), below_one, START)
    assert holds(RULE, equal(seq[k], 3 * k), LINEAR, START, equal(a, 3), equal(b, 0))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(seq[k], b - k * a), (LINEAR, START)),
        (equal(seq[k], b + 2 * k * a), (LINEAR, START)),
        (equal(seq[k], b + k**2 * a), (LINEAR, START)),
        (equal(seq[k], b + (k + 1) * a), (LINEAR, START)),
        (equal(seq[k], c + k * a), (LINEAR, START)),
        (equal(seq[k], b * p ** (k + 1)), (POWER, START)),
        (equal(seq[k], b * p ** (2 * k)), (POWER, START)),
        (equal(seq[k], b + p**k), (POWER, START)),
        (equal(seq[k], b + k * a), (LINEAR,)),
        (equal(seq[k], b + k * a), (LINEAR, equal(seq[1], b))),
        (equal(seq[k], b + k * a), (equal(seq[k + 2], seq[k] + a), START)),
        (equal(seq[k + 1], b + k * a), (LINEAR, START)),
        (equal(seq[k], seq[0] + k * a), (LINEAR, START)),
        (equal(seq[k], b + k * a), (equal(seq[k + 1], seq[k] + seq[0]), START)),
        (at_most(seq[k], b + k * a), (LINEAR, START)),
        (equal(seq[k], b * p**k), (at_most(seq[k + 1], p * seq[k]), START)),
        (equal(seq[k], b + k * a), (LINEAR, equal(seq[0], b + k))),
        (equal(seq[k], b + k**2), (LINEAR, START, equal(a, 2 * k + 1))),
    ],
)
def test_no_other_closed_forms(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(RULE, says, *premises)


@pytest.mark.parametrize(
    ("says", "recursion"),
    [
        (at_most(seq[k], b * a**k), at_most(seq[k + 1], a * seq[k])),
        (at_most(seq[k], b), at_most(seq[k + 1], p * seq[k])),
        (at_most(seq[k], b * (-p) ** k), at_most(seq[k + 1], -p * seq[k])),
        (at_most(seq[k], b), at_most(seq[k + 1], seq[k] ** 2)),
        (at_most(seq[k], b + k * p), at_most(seq[k + 1], seq[k] + q)),
        (at_most(b * p**k, seq[k]), at_most(seq[k + 1], p * seq[k])),
        (at_most(seq[k], b * p**k), at_most(p * seq[k], seq[k + 1])),
    ],
)
def test_bounds_need_a_factor_that_is_not_negative(says: sp.Basic, recursion: sp.Basic) -> None:
    assert why_not(RULE, says, recursion, START)


def test_what_changes_with_the_number_is_no_constant() -> None:
    says = equal(seq[k], b + k * a)
    assert "step to step" in why_not(RULE, says, LINEAR, START, given=[equal(a, c * k)])
    assert "step to step" in why_not(RULE, says, LINEAR, START, given=[equal(b, k**2)])
    assert "step to step" in why_not(RULE, says, LINEAR, START, given=[equal(c, k), equal(a, 2 * c)])


@pytest.mark.parametrize(("known", "fine"), [(at_most(0, k), True), (at_most(3, k), False), (equal(k, 2), False)])
def test_the_recursion_holds_from_the_start_on(known: sp.Basic, fine: bool) -> None:
    recursion = at_most(seq[k + 1], p * seq[k])
    steps = (
        Step("recursion", recursion, ("given", "known"), Entails(), ""),
        Step("closed", at_most(seq[k], b * p**k), ("recursion", "start"), RULE, ""),
    )
    setting = {"given": recursion, "known": known, "start": START}
    found = check_step(Derivation("kt", steps, setting=setting), 1, {})
    assert found.ok == fine, found.error
