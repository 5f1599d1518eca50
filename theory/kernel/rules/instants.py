"""What a quantity is at the start, from how it depends on time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import dimension
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import gather


@dataclass(frozen=True)
class AtStart:
    """``name = value``: a new name for what ``symbol`` is where ``variable`` is 0.

    The premises give the symbol in terms of the variable, perhaps through others; ``start`` maps what moves, and is
    not given by a premise, to its name at the start.
    """

    symbol: Any
    variable: sp.Symbol
    start: dict[Any, Any] = field(default_factory=dict, hash=False)
    kind: str = "definition"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, sp.Equality) or not isinstance(says.args[0], (sp.Symbol, MatrixSymbol)):
            raise Rejected("says no name for a value")
        name: Any = says.args[0]
        value: Any = says.args[1]
        if str(name) in letters(*context.earlier(), value):
            raise Rejected(f"{name} occurs already")
        if name.is_Symbol and not (name.is_real and name.is_positive is None and name.is_nonnegative is None):
            raise Rejected(f"{name} must be any real number")
        if not isinstance(self.variable, sp.Symbol) or self.variable.is_zero is False:
            raise Rejected(f"{self.variable} is never 0")
        first = self._explicit(premises).xreplace(self.start).xreplace({self.variable: sp.Integer(0)})
        moving = letters(self.symbol, self.variable, *self.start, *(p.args[0] for q in premises for p in parts(q)))
        moving -= {str(dimension)}
        moving |= dependents(context.origins(), moving)
        if moving & letters(first, *self.start.values()):
            raise Rejected("something in the value moves")
        if isinstance(first, MatrixExpr) != isinstance(value, MatrixExpr):
            raise Rejected("a vector is no number")
        algebra = Algebra(())
        gap = self._difference(algebra, first, value)
        algebra.read()
        if not all(algebra.vanishes(coefficient) for coefficient in gap):
            raise Rejected(f"at the start it is {first}"[:300])
        return "the value at the start"

    def _explicit(self, premises: Sequence[sp.Basic]) -> Any:
        """The symbol with what the premises give put in."""
        given = {}
        for part in (p for premise in premises for p in parts(premise)):
            if not isinstance(part, sp.Equality) or not isinstance(part.args[0], (sp.Symbol, MatrixSymbol)):
                raise Rejected(f"{part} gives nothing in terms of time")
            given[part.args[0]] = part.args[1]
        expr, used = self.symbol, set()
        for _ in range(20):
            present = {k: v for k, v in given.items() if expr.has(k)}
            if not present:
                break
            used |= set(present)
            expr = expr.xreplace(present)
        else:
            raise Rejected("the premises are circular")
        if used != set(given):
            raise Rejected("a premise is not used")
        return expr

    @staticmethod
    def _difference(algebra: Algebra, one: Any, other: Any) -> list[Any]:
        if isinstance(one, MatrixExpr):
            a, b = algebra.words.normal(one), algebra.words.normal(other)
            return list(gather([*a.items(), *((w, -c) for w, c in b.items())]).values())
        return [algebra.scalar(one) - algebra.scalar(other)]
