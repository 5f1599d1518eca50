"""A differential inequality that is known in a range only, and that keeps the quantity there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.domain import Domain
from theory.kernel.notation import Whenever
from theory.kernel.rules.apply import same
from theory.kernel.rules.calculus import ROUGH, WALTER
from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Barrier:
    """``y(t) <= max(low, B(t))`` at all times, from ``D⁺y <= F(y)`` at those times alone where y is in a range.

    The first premise is ``Whenever((), (low < y, f(y) < g(y), ...), D⁺y <= F(y))``. Checked: B solves the equation and
    starts at ``start = y(0)``; F(low) = 0; the other premises, which hold at all times, say that low and B are in the
    range, ends excluded. Then y, continuous (infinity allowed), cannot get above: just after it leaves
    ``max(low, B)`` it is in the range, and the comparison principle, which is cited, holds there.
    """

    value: sp.Symbol
    rate: sp.Symbol
    time: sp.Symbol
    start: sp.Symbol
    kind: str = "comparison"
    cited: str | None = WALTER

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(premises[0], Whenever) or premises[0].variables:
            raise Rejected("needs a differential inequality in a range")
        speed, low, ends = self._range(premises[0])
        bound = self._bound(says, low)
        rest = premises[1:]
        self._check_time(speed, low, bound, rest, context)
        known = [part for premise in rest for part in parts(premise)]
        for end in ends:
            for level in (low, bound):
                if not any(same(end.xreplace({self.value: level}), part) for part in known):
                    raise Rejected(f"not among the premises: {end.xreplace({self.value: level})}")
        algebra = Algebra(rest)
        slope = sp.diff(bound, self.time) - speed.xreplace({self.value: bound})
        wanted = (slope, bound.subs(self.time, 0) - self.start, speed.xreplace({self.value: low}))
        values = [algebra.scalar(value) for value in wanted]
        algebra.read()
        for value, fault in zip(
            values, ("does not solve the equation", "starts elsewhere", "meets no rest point below"), strict=True
        ):
            if not algebra.vanishes(value):
                raise Rejected(f"the bound {fault}")
        return "the bound solves the equation, and stays in the range"

    def _range(self, premise: Whenever) -> tuple[Any, Any, list[Any]]:
        conditions, claim = premise.args[1].args, premise.args[2]
        if not isinstance(claim, sp.LessThan) or claim.args[0] != self.rate:
            raise Rejected(f"must bound {self.rate}")
        if not all(isinstance(c, sp.StrictLessThan) for c in conditions):
            raise Rejected("the range must be open")
        lows = [c.args[0] for c in conditions if c.args[1] == self.value and not c.args[0].has(self.value)]
        ends = [c for c in conditions if c.args[1] != self.value]
        sides: list[Any] = [side for c in ends for side in c.args]
        polynomial = all(side.is_polynomial(self.value) for side in sides)
        if len(lows) != 1 or len(ends) != len(conditions) - 1 or not polynomial:
            raise Rejected("needs one lower end, and ends that are polynomials in the quantity")
        if not claim.args[1].is_polynomial(self.value):  # type: ignore[union-attr]
            raise Rejected("the right-hand side is no polynomial in the quantity")
        return claim.args[1], lows[0], ends

    def _bound(self, says: sp.Basic, low: Any) -> Any:
        if not isinstance(says, sp.LessThan) or says.args[0] != self.value or not isinstance(says.args[1], sp.Max):
            raise Rejected(f"says no bound of {self.value} by a maximum")
        others = [value for value in says.args[1].args if value != low]
        if low not in says.args[1].args or len(others) != 1:
            raise Rejected("the maximum is not one with the lower end of the range")
        return others[0]

    def _check_time(self, speed: Any, low: Any, bound: Any, rest: Sequence[sp.Basic], context: Context) -> None:
        """Only the time and the quantity move; what the premises say of the time they say of all times from 0 on."""
        if not isinstance(self.start, sp.Symbol) or self.start in (self.time, self.value, self.rate):
            raise Rejected("the start is given by its symbol")
        if {self.value, self.rate} & (bound.free_symbols | low.free_symbols) or self.rate in speed.free_symbols:
            raise Rejected("the bound, or the right-hand side, is not explicit")
        if self.time in speed.free_symbols | low.free_symbols or not self.time.is_nonnegative:
            raise Rejected("the right-hand side, or the lower end, depends on the time, or time may be negative")
        moving = {str(self.value), str(self.rate)}
        tied = dependents(context.origins(), {str(self.time), *moving}) & letters(speed, low, bound, self.start, *rest)
        if tied - moving or any(letters(p) & moving for p in rest):
            raise Rejected("a premise says more of what moves, or a symbol moves with it")
        if any(self.time in p.free_symbols for p in context.origins()):
            raise Rejected("something is supposed of the time")
        if bound.has(*ROUGH) or speed.has(*ROUGH):
            raise Rejected("the right-hand side, or the bound, may not be smooth")
        Domain(rest).check(node for node in bound.atoms(sp.Pow, sp.log, sp.tan) if node.has(self.time))
