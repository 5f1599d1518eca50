"""Sums over directions, term by term."""

from __future__ import annotations

from typing import Any

import sympy as sp
from kernel_tools import a, holds, why_not

from theory.kernel.notation import at_most, below, equal, family
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Termwise

j, k = sp.Symbol("j", integer=True), sp.Symbol("k", integer=True)
f, h = family("kt_f", "f"), family("kt_h", "h")
TERMS = at_most(f[j], h[j])


def over(term: sp.Expr, low: object = 2, high: object = d, index: sp.Symbol = j) -> Any:
    return sp.Sum(term, (index, low, high))


def test_the_same_relation_between_sums() -> None:
    assert holds(Termwise(), at_most(over(f[j]), over(h[j])), TERMS)
    assert holds(Termwise(), equal(over(f[j]), over(h[j])), equal(f[j], h[j]))
    assert holds(Termwise(), at_most(0, over(h[j])), at_most(0, h[j]))
    assert holds(Termwise(), at_most(over(f[j], 1, 5), over(h[j], 1, 5)), TERMS)


def test_other_relations_are_rejected() -> None:
    assert not holds(Termwise(), at_most(over(h[j]), over(f[j])), TERMS)
    assert not holds(Termwise(), below(over(f[j]), over(h[j])), below(f[j], h[j]))
    assert not holds(Termwise(), at_most(over(f[j] ** 2), over(h[j] ** 2)), TERMS)
    assert not holds(Termwise(), at_most(over(f[j]), 2 * over(h[j])), TERMS)
    assert not holds(Termwise(), at_most(over(f[j]), a), at_most(f[j], a))
    assert not holds(Termwise(), at_most(over(f[j]), over(h[j])))
    assert not holds(Termwise(), at_most(f[j], h[j]), TERMS)


def test_ranges() -> None:
    assert not holds(Termwise(), at_most(over(f[j]), over(h[j], 1)), TERMS)
    assert not holds(Termwise(), at_most(over(f[k], index=k), over(h[k], index=k)), TERMS)
    # from above to below, a sum counts negatively
    assert why_not(Termwise(), at_most(over(f[j], 5, 2), over(h[j], 5, 2)), TERMS)
    assert why_not(Termwise(), at_most(over(f[j], 3, d), over(h[j], 3, d)), TERMS)
    double = sp.Sum(f[j], (j, 2, d), (k, 2, d)), sp.Sum(h[j], (j, 2, d), (k, 2, d))
    assert why_not(Termwise(), at_most(*double), TERMS)


def test_indices_that_are_bound_already() -> None:
    assert why_not(Termwise(), at_most(over(over(f[j])), over(over(h[j]))), at_most(over(f[j]), over(h[j])))
