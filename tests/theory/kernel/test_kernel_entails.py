"""Inequalities from inequalities: classical ones, and the same with one thing wrong."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, n, p, q, r, why_not, x, y

from theory.kernel.notation import Dot, Norm, at_most, below, both, equal
from theory.kernel.rules import Entails

CAUCHY = at_most(Dot(x, y), Norm(x) * Norm(y))
TRUE = [
    (at_most(2 * a * b, a**2 + b**2), (), Entails(squares=(a - b,))),
    (at_most(sp.sqrt(p * q), (p + q) / 2), (), Entails(degree=3, squares=(p - q,))),
    (at_most(Norm(x + y) ** 2, (Norm(x) + Norm(y)) ** 2), (CAUCHY,), Entails(degree=1)),
    (at_most(Norm(x + y), Norm(x) + Norm(y)), (CAUCHY,), Entails(degree=2)),
    (below(1 / (1 + p), 1), (), Entails()),
    (at_most(p / q, 1), (at_most(p, q),), Entails()),
    (at_most(a, sp.Abs(a)), (), Entails()),
    (at_most(sp.Max(a, b), c), (at_most(a, c), at_most(b, c)), Entails(degree=2)),
    (at_most(a, 0), (at_most(a * p, 0),), Entails()),
    (below(3, sp.pi), (), Entails(degree=1)),
    (below(0, sp.exp(a) + sp.exp(b)), (), Entails()),
    (both(at_most(0, p), below(0, p + q)), (), Entails()),
    (at_most(a**2, b**2), (at_most(a, b), at_most(-b, a)), Entails()),
]
FALSE = [
    (at_most(2 * a * b, a**2), (), Entails(squares=(a - b,))),
    (at_most((p + q) / 2, sp.sqrt(p * q)), (), Entails(degree=3, squares=(p - q,))),
    (at_most(Norm(x + y), Norm(x) + Norm(y)), (), Entails(degree=2)),
    (at_most(Norm(x), Norm(x + y)), (CAUCHY,), Entails(degree=2)),
    (below(1 / (1 + n), 1), (), Entails()),
    (at_most(a / q, 1), (at_most(p, q),), Entails()),
    (at_most(a / c, b / c), (at_most(a, b),), Entails()),
    (at_most(a * c, b * c), (at_most(a, b),), Entails(degree=3)),
    (at_most(1 / b, 1 / a), (at_most(a, b),), Entails(degree=3)),
    (at_most(sp.Abs(a), a), (), Entails()),
    (at_most(sp.Max(a, b), c), (at_most(a, c),), Entails(degree=2)),
    (at_most(sp.Min(a, b), c), (at_most(c, a),), Entails(degree=2)),
    (below(a, b), (at_most(a, b),), Entails(degree=3)),
    (below(sp.Rational(22, 7), sp.pi), (), Entails(degree=1)),
    (at_most(a**2, b**2), (at_most(a, b), at_most(0, b)), Entails()),
    (at_most(1, sp.exp(a)), (), Entails()),
    (at_most(0, sp.log(p)), (), Entails()),
    (at_most(0, sp.sin(a)), (), Entails()),
    (at_most(Norm(x) * Norm(y), Dot(x, y)), (CAUCHY,), Entails()),
    (both(at_most(0, p), below(p + q, 0)), (), Entails()),
    (at_most(0, a), (at_most(0, 1 / a),), Entails(degree=1)),
    (equal(a, a), (), Entails()),
    (sp.Ne(p, 0), (), Entails()),
    (sp.Tuple(), (), Entails()),
    (sp.true, (), Entails()),
]


@pytest.mark.parametrize(("says", "premises", "rule"), TRUE)
def test_true_inequalities_are_accepted(says, premises, rule) -> None:
    assert why_not(rule, says, *premises) == ""


@pytest.mark.parametrize(("says", "premises", "rule"), FALSE)
def test_false_ones_are_rejected(says, premises, rule) -> None:
    assert why_not(rule, says, *premises)


@pytest.mark.parametrize(("says", "premises", "rule"), [t for t in TRUE if t[1]])
def test_premises_are_needed(says, premises, rule) -> None:
    for k in range(len(premises)):
        assert not holds(rule, says, *premises[:k], *premises[k + 1 :])


def test_symbols_of_one_name_and_other_assumptions_are_other_symbols() -> None:
    plain = sp.Symbol("kt_p", real=True)
    assert not holds(Entails(), below(0, plain))
    assert not holds(Entails(), below(0, plain), below(0, p))
    assert holds(Entails(), below(0, r))
