"""Expectations of polynomials in random numbers, by linearity alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, name_of
from theory.kernel.notation import Expect, dimension
from theory.kernel.opaque import letters_within
from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Linearity:
    """An equation between expectations of polynomials in the random numbers ``random``; all else is constant.

    The expectation is linear, and 1 of 1. What is known of single moments, or of products (independence), must be
    among the premises; equations of random numbers are put in before the expectation is taken.
    """

    random: tuple[sp.Symbol, ...]
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        known = [part for premise in premises for part in parts(premise)]
        inside = [p for p in known if not p.has(Expect)]
        if any(isinstance(p, sp.Equality) and p.args[0] in self.random for p in inside):
            raise Rejected("a premise gives a random number of the list by others")
        related = self._related(context.origins())
        algebra = Algebra(inside)
        algebra.read()
        names: dict[Any, sp.Symbol] = {}
        for premise in (p for p in known if p.has(Expect)):
            left, right = (self._value(side, algebra, names, related) for side in self._equation(premise).args)
            algebra.equalities.append(algebra.fraction(left - right)[0])
        for part in parts(says):
            left, right = (self._value(side, algebra, names, related) for side in self._equation(part).args)
            if not all(algebra.nonzero(algebra.fraction(value)[1]) for value in (left, right)):
                raise Rejected("a denominator may vanish")
            if not algebra.vanishes(left - right):
                raise Rejected(f"the sides differ by {algebra.fraction(left - right)[0]}"[:300])
        return "linearity of the expectation"

    def _related(self, origins: Sequence[sp.Basic]) -> set[str]:
        """The names of what depends on the random numbers, and of what they are made of."""
        names = {name_of(symbol) for symbol in self.random}
        found = dependents(origins, names)
        for part in (p for origin in origins for p in parts(origin)):
            if isinstance(part, sp.Equality) and name_of(part.args[0]) in names:
                found |= letters(part.args[1])
        return found - {str(dimension)}

    @staticmethod
    def _equation(relation: sp.Basic) -> sp.Equality:
        if not isinstance(relation, sp.Equality):
            raise Rejected(f"{relation} is no equation")
        return relation

    def _value(self, side: Any, algebra: Algebra, names: dict[Any, sp.Symbol], related: set[str]) -> Any:
        """The side with every expectation split into moments, each of them a symbol."""
        found = {node: sp.Dummy(f"mean{number}", real=True) for number, node in enumerate(side.atoms(Expect))}
        plain = algebra.scalar(side.xreplace(found))
        if plain.has(*self.random):
            raise Rejected("a random number outside of every expectation")
        return plain.xreplace(
            {symbol: self._moments(node.args[0], algebra, names, related) for node, symbol in found.items()}
        )

    def _moments(self, expr: Any, algebra: Algebra, names: dict[Any, sp.Symbol], related: set[str]) -> Any:
        value = sp.cancel(sp.together(algebra.scalar(expr)))
        hidden = [k for k in algebra.opaque if any(isinstance(a, sp.Basic) and a.has(*self.random) for a in k[1:])]
        if hidden:
            raise Rejected(f"no polynomial in the random numbers: {hidden[0][0]}")
        try:
            polynomial = sp.Poly(value, *self.random)
        except sp.PolynomialError as error:
            raise Rejected(f"no polynomial in the random numbers: {error}") from error
        total: Any = sp.Integer(0)
        for powers, coefficient in polynomial.terms():
            loose = {letter for symbol in coefficient.free_symbols for letter in letters_within(symbol)} & related
            if loose:
                raise Rejected(f"{min(loose)} may be random: its definition must be a premise")
            name = names.setdefault(powers, sp.Dummy(f"moment{len(names)}", real=True))
            total += coefficient * (name if any(powers) else 1)
        return total
