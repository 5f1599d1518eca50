"""Formulas of the theory in balls."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb

from numerics.enclosure.balls import rational
from theory import symbols as s
from theory.formula import Formula

Resolvent = Callable[[arb], arb]


def evaluate(formula: Formula, values: dict[str, arb], resolvent: Resolvent | None = None) -> arb:
    """The formula at the balls ``values`` (name in code → ball), at the current precision.

    ``resolvent``: x ↦ Σ_j (α_j/(x - μ_j))², for formulas that hold this sum. A root is taken of what is not negative:
    the caller sees to the formula's domain. Raises :class:`ValueError` for a function that is not known here.
    """
    return _ball(formula.closed, values, resolvent)


def _ball(node: Any, values: dict[str, arb], resolvent: Resolvent | None) -> arb:
    def inner(part: Any) -> arb:
        return _ball(part, values, resolvent)

    if isinstance(node, sp.Symbol):
        return values[str(node)]
    if isinstance(node, sp.Rational):
        return arb(rational(Fraction(int(node.p), int(node.q))))
    if node is sp.pi:
        return arb.pi()
    if isinstance(node, sp.Add):
        return sum((inner(x) for x in node.args), arb(0))
    if isinstance(node, sp.Mul):
        product = arb(1)
        for x in node.args:
            product = product * inner(x)
        return product
    if isinstance(node, sp.Pow):
        return _power(inner(node.base), node.exp)
    if isinstance(node, sp.Max):
        largest, *rest = [inner(x) for x in node.args]
        for x in rest:
            largest = largest.max(x)
        return largest
    if isinstance(node, sp.Sum) and resolvent is not None:
        return resolvent(inner(_level(node)))
    known = {sp.sin: arb.sin, sp.cos: arb.cos, sp.tan: arb.tan, sp.atan: arb.atan, sp.exp: arb.exp, sp.log: arb.log}
    for name, function in known.items():
        if isinstance(node, name):
            return function(inner(node.args[0]))
    raise ValueError(f"{node} cannot be evaluated in balls")


def _power(base: arb, exponent: Any) -> arb:
    if exponent == sp.Rational(1, 2):
        return base.nonnegative_part().sqrt()
    if not isinstance(exponent, sp.Integer):
        raise ValueError(f"a power {exponent} cannot be evaluated in balls")
    product = arb(1)
    for _ in range(abs(int(exponent))):
        product = product * base  # arb's own power of a ball about zero is NaN
    return product if exponent > 0 else 1 / product


def _level(node: sp.Sum) -> Any:
    """X of ``Σ_j (α_j/(X - μ_j))²``."""
    alpha: Any = s.alpha[s.j]
    mu: Any = s.mu[s.j]
    level = sp.Wild("level", exclude=[s.j])
    found = node.function.match((alpha / (level - mu)) ** 2)
    if found is None or node.limits != s.over_directions(alpha).limits:
        raise ValueError(f"{node} is no sum over the levels of Remark 3.4")
    return found[level]
