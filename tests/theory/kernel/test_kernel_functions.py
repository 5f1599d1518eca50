"""Increasing functions where they increase, and identities of angles."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import a, b, holds, n, p, q, why_not

from theory.kernel.notation import at_most, below, both, equal
from theory.kernel.rules import Monotone, Trigonometry
from theory.kernel.rules.order import Injective


def test_monotone_keeps_the_direction() -> None:
    assert holds(Monotone(sp.exp), at_most(sp.exp(a), sp.exp(b)), at_most(a, b))
    assert not holds(Monotone(sp.exp), at_most(sp.exp(b), sp.exp(a)), at_most(a, b))
    assert not holds(Monotone(sp.exp), below(sp.exp(a), sp.exp(b)), at_most(a, b))
    assert holds(Monotone(sp.atan), below(sp.atan(a), sp.atan(b)), below(a, b))
    assert not holds(Monotone(sp.exp), at_most(sp.exp(a), sp.exp(b)))
    assert not holds(Monotone(sp.exp), at_most(sp.exp(a), sp.exp(b)), at_most(a, b), below(0, a))
    assert why_not(Monotone(sp.cos), at_most(sp.cos(a), sp.cos(b)), at_most(a, b))


def test_monotone_needs_the_domain() -> None:
    assert holds(Monotone(sp.log), at_most(sp.log(p), sp.log(q)), at_most(p, q))
    assert why_not(Monotone(sp.log), at_most(sp.log(a), sp.log(b)), at_most(a, b))
    assert why_not(Monotone(sp.log), at_most(sp.log(n), sp.log(q)), at_most(n, q))
    assert holds(Monotone(sp.log), at_most(sp.log(a), sp.log(b)), at_most(a, b), below(0, a), below(0, b))
    assert why_not(Monotone(sp.log), at_most(sp.log(a), sp.log(b)), at_most(a, b), at_most(0, a), below(0, b))
    assert why_not(Monotone(sp.sqrt), at_most(sp.sqrt(a), sp.sqrt(b)), at_most(a, b))
    assert holds(Monotone(sp.sqrt), at_most(sp.sqrt(n), sp.sqrt(q)), at_most(n, q))


def test_monotone_of_angles() -> None:
    quarter = sp.pi / 2
    assert why_not(Monotone(sp.tan), at_most(sp.tan(n), sp.tan(p)), at_most(n, p))
    assert why_not(Monotone(sp.tan), at_most(sp.tan(n), sp.tan(p)), at_most(n, p), below(n, quarter))
    assert holds(Monotone(sp.tan), at_most(sp.tan(n), sp.tan(p)), at_most(n, p), below(n, quarter), below(p, quarter))
    closed = at_most(n, quarter), at_most(p, quarter)
    assert why_not(Monotone(sp.tan), at_most(sp.tan(n), sp.tan(p)), at_most(n, p), *closed)
    assert holds(Monotone(sp.sin), at_most(sp.sin(n), sp.sin(p)), at_most(n, p), *closed)
    assert holds(Monotone(sp.tan), at_most(sp.tan(sp.atan(p) / 2), q), at_most(sp.atan(p) / 2, sp.atan(q)))
    assert why_not(Monotone(sp.sin), at_most(sp.sin(-5 * sp.atan(a)), sp.sin(1)), at_most(-5 * sp.atan(a), 1),
                   at_most(0, -5 * sp.atan(a)))  # fmt: skip


def test_inverse_functions() -> None:
    quarter = sp.pi / 2
    assert holds(Monotone(sp.log), at_most(a, sp.log(p)), at_most(sp.exp(a), p))
    assert holds(Monotone(sp.exp), at_most(p, sp.exp(a)), at_most(sp.log(p), a))
    # atan(tan y) is y between -π/2 and π/2 only
    assert why_not(Monotone(sp.atan), at_most(n, sp.atan(p)), at_most(sp.tan(n), p))
    assert holds(Monotone(sp.atan), at_most(n, sp.atan(p)), at_most(sp.tan(n), p), below(n, quarter))
    assert why_not(Monotone(sp.atan), at_most(a, sp.atan(p)), at_most(sp.tan(a), p), below(a, quarter))
    assert holds(
        Monotone(sp.atan), at_most(a, sp.atan(p)), at_most(sp.tan(a), p), below(a, quarter), below(-quarter, a)
    )


def test_injective() -> None:
    assert holds(Injective(sp.exp), at_most(a, b), at_most(sp.exp(a), sp.exp(b)))
    assert not holds(Injective(sp.exp), at_most(b, a), at_most(sp.exp(a), sp.exp(b)))
    upper = at_most(p, sp.pi), at_most(q, sp.pi)
    assert holds(Injective(sp.cos), at_most(p, q), at_most(sp.cos(q), sp.cos(p)), *upper)
    assert not holds(Injective(sp.cos), at_most(p, q), at_most(sp.cos(q), sp.cos(p)), upper[0])
    assert not holds(Injective(sp.cos), at_most(p, q), at_most(sp.cos(p), sp.cos(q)), *upper)
    assert not holds(Injective(sp.tan), at_most(p, q), at_most(sp.tan(p), sp.tan(q)))


ANGLES = [
    (equal(sp.sin(2 * a), 2 * sp.sin(a) * sp.cos(a)), 1),
    (equal(sp.cos(2 * a), 1 - 2 * sp.sin(a) ** 2), 1),
    (equal(sp.sin(a) ** 2, (1 - sp.cos(2 * a)) / 2), 1),
    (equal(sp.tan(a / 2), sp.sin(a) / (1 + sp.cos(a))), 2),
    (equal(sp.tan(a / 2), (1 - sp.cos(a)) / sp.sin(a)), 2),
    (equal(sp.cos(a + b), sp.cos(a) * sp.cos(b) - sp.sin(a) * sp.sin(b)), 1),
    (equal(sp.sin(3 * a), 3 * sp.sin(a) - 4 * sp.sin(a) ** 3), 1),
]
WRONG = [
    (equal(sp.sin(2 * a), 2 * sp.sin(a)), 1),
    (equal(sp.cos(2 * a), 1 - sp.sin(a) ** 2), 1),
    (equal(sp.tan(a / 2), sp.sin(a) / (1 - sp.cos(a))), 2),
    (equal(sp.cos(a + b), sp.cos(a) * sp.cos(b) + sp.sin(a) * sp.sin(b)), 1),
    (equal(sp.sqrt(1 - sp.cos(a) ** 2), sp.sin(a)), 1),
    (equal(sp.sqrt(sp.cos(a) ** 2), sp.cos(a)), 1),
    (equal(sp.sin(a / 3), sp.sin(a) / 3), 2),
    (equal(sp.sin(a), a), 1),
    (at_most(sp.sin(a), 1), 1),
]


@pytest.mark.parametrize(("statement", "divisor"), ANGLES)
def test_identities_of_angles_hold_and_agree_with_numbers(statement: Any, divisor: int) -> None:
    assert why_not(Trigonometry(divisor), statement) == ""
    at = {a: sp.Float("0.7321", 30), b: sp.Float("-1.123", 30)}
    assert abs((statement.lhs - statement.rhs).subs(at)) < 1e-25


@pytest.mark.parametrize(("statement", "divisor"), WRONG)
def test_wrong_ones_are_rejected(statement: sp.Basic, divisor: int) -> None:
    assert why_not(Trigonometry(divisor), statement)


def test_trigonometry_has_no_premises() -> None:
    assert why_not(Trigonometry(1), ANGLES[0][0], equal(a, b))
    assert holds(Trigonometry(1), both(ANGLES[0][0], ANGLES[1][0]))
