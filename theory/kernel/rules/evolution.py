"""What holds at the start and is kept by the rates holds at all times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, name_of
from theory.kernel.notation import at_most, dimension
from theory.kernel.rules.calculus import derivative
from theory.kernel.rules.entails import Entails
from theory.kernel.rules.identity import Identity
from theory.kernel.step import Context, Rejected


@dataclass(frozen=True)
class Along:
    """``left = right`` (or ``<=``) along a flow: true at the start, and kept by the rates.

    ``rates`` maps every symbol that moves to its rate, ``start`` each of them to its value at the start. The premises
    hold at all times; they must give ``left' = right'`` (or ``<=``, by a certificate of ``degree``), and at the start
    the relation itself.
    """

    rates: dict[Any, Any] = field(hash=False)
    start: dict[Any, Any] = field(hash=False)
    degree: int = 2
    squares: tuple[sp.Expr, ...] = ()
    kind: str = "flow"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, (sp.Equality, sp.LessThan)):
            raise Rejected("says neither an equation nor <=")
        if set(self.start) != set(self.rates):
            raise Rejected("everything that moves needs a value at the start")
        moving = _letters(*self.rates)
        if any(_letters(value) & moving for value in self.start.values()):
            raise Rejected("a value at the start moves")
        names = {name_of(symbol) for symbol in self.rates}
        if dependents(context.origins(), names) & letters(says) - names:
            raise Rejected("something else in the statement moves")
        left, right = says.args
        rates = tuple(derivative(side, self.rates) for side in (left, right))
        first = tuple(side.xreplace(self.start) for side in (left, right))
        relevant = [p for p in premises if not _letters(p) & moving]
        if isinstance(says, sp.Equality):
            self._finite(premises, left, right)
            algebra = Algebra(premises)
            slope = algebra.scalar(rates[0]) - algebra.scalar(rates[1])
            algebra.read()
            if not algebra.vanishes(slope):
                raise Rejected(f"the sides have different rates: {sp.factor(algebra.fraction(slope)[0])}"[:300])
            Identity().check(sp.Eq(*first, evaluate=False), relevant, context)
            return "equal at the start, equal rates"
        found = Entails(self.degree, self.squares).check(at_most(*rates), premises, context)
        self._finite(premises, left, right)
        Entails(self.degree).check(at_most(*first), relevant, context)
        return f"true at the start; rates: {found}"

    @staticmethod
    def _finite(premises: Sequence[sp.Basic], *sides: Any) -> None:
        algebra = Algebra(premises)
        values = [algebra.scalar(side) for side in sides]
        algebra.read()
        if not all(algebra.nonzero(algebra.fraction(value)[1]) for value in values):
            raise Rejected("a denominator may vanish on the way")


def _letters(*statements: Any) -> set[sp.Basic]:
    found: set[sp.Basic] = set()
    for statement in statements:
        found |= statement.atoms(sp.Symbol, MatrixSymbol)
    return found - {dimension}
