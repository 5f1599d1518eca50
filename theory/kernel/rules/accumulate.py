"""From the rate of a quantity to the quantity, and several statements taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, name_of, restrictions
from theory.kernel.domain import Domain
from theory.kernel.notation import at_most, below
from theory.kernel.rules.apply import same
from theory.kernel.rules.calculus import derivative
from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Accumulated:
    """``Q(T) - Q(0) <= ∫_0^T f`` (or ``>=``), where the first premise says ``dQ/dt <= f`` (or ``>=``) for 0 <= t <= T.

    ``quantity`` is Q; ``rates`` maps the symbols in it that move to their rates, ``start`` and ``end`` to their values
    at 0 and at ``upper``. That the premise is about dQ/dt is checked. Where f does not move the integral is ``f · T``.
    """

    quantity: Any
    variable: sp.Symbol
    upper: Any
    rates: dict[Any, Any] = field(default_factory=dict, hash=False)
    start: dict[Any, Any] = field(default_factory=dict, hash=False)
    end: dict[Any, Any] = field(default_factory=dict, hash=False)
    kind: str = "integral"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(premises[0], sp.LessThan) or not isinstance(says, sp.LessThan):
            raise Rejected("needs a bound of the rate")
        moving = {*self.rates} - {self.variable}
        if not moving <= {*self.start} or (self.quantity.atoms(sp.Symbol) & {*self.rates.values()}):
            raise Rejected("what moves must have a value at the start, and rates are no part of the quantity")
        self._check_ends(moving, premises, context)
        tied = self._tied(says, context)
        algebra = Algebra(premises[1:])
        slope = algebra.scalar(derivative(self.quantity, {**self.rates, self.variable: sp.Integer(1)}))
        last = self.quantity.xreplace(self.end).xreplace({self.variable: self.upper})
        first = self.quantity.xreplace(self.start).xreplace({self.variable: sp.Integer(0)})
        rise = algebra.scalar(last) - algebra.scalar(first)
        values = [tuple(algebra.scalar(side) for side in relation.args) for relation in (premises[0], says)]
        algebra.read()
        for side, other in ((0, 1), (1, 0)):
            if algebra.vanishes(values[0][side] - slope) and algebra.vanishes(values[1][side] - rise):
                self._compare(premises[0].args[other], says.args[other], algebra, tied)
                return "fundamental theorem of calculus"
        raise Rejected("the premise is not about the rate of the quantity, or the quantity rises by another amount")

    def _check_ends(self, moving: set[Any], premises: Sequence[sp.Basic], context: Context) -> None:
        """What moves has a value at the end, too, which lies after the start; the rate is bounded all the way."""
        upper = sp.sympify(self.upper)
        if upper != self.variable and (upper.has(self.variable, *moving) or not moving <= {*self.end}):
            raise Rejected("what moves must have a value at the end")
        if not upper.is_nonnegative and not Domain(premises[1:]).shows(upper, strict=False):
            raise Rejected("the end may lie before the start")
        allowed = [form(self.variable, upper) for form in (at_most, below)]
        basis = [given for premise in premises for given in context.basis(premise)]
        said = [part for part in restrictions(basis, self.variable) if part not in allowed]
        if said:
            raise Rejected(f"{said[0]} is known of {self.variable}, so that the bound need not hold all the way")

    def _tied(self, says: sp.Basic, context: Context) -> set[str]:
        """What moves with what moves; it must not be in the quantity, nor in its values at the ends."""
        moving = {name_of(symbol) for symbol in (self.variable, *self.rates)}
        rates = {name_of(rate) for rate in self.rates.values() if isinstance(rate, sp.Symbol)}
        ends = letters(*self.start.values(), *self.end.values())
        tied = dependents(context.origins(), moving | rates) - moving
        if tied & (letters(self.quantity, says) | ends) or ends & (moving | rates):
            raise Rejected("something else in the statement moves")
        return tied | rates | {name_of(symbol) for symbol in self.rates}

    def _compare(self, density: Any, total: Any, algebra: Algebra, tied: set[str]) -> None:
        if letters(density) & (tied - {str(self.variable)}):
            raise Rejected("the bound of the rate moves")
        wanted = sp.Integral(density, (self.variable, 0, self.upper))
        if total == wanted:
            return
        if density.has(self.variable) or not algebra.vanishes(
            algebra.scalar(total) - algebra.scalar(density * self.upper)
        ):
            raise Rejected(f"the integral is {wanted}")


@dataclass(frozen=True)
class Together:
    """Statements that were all shown, in one."""

    kind: str = "summary"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        said, known = parts(says), [part for premise in premises for part in parts(premise)]
        if len(said) != len(known) or not all(same(k, part) for k, part in zip(known, said, strict=True)):
            raise Rejected("is not what the premises say, one after the other")
        return "the premises"
