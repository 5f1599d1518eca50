"""Limits of what is known by bounds, of functions of what has a limit, and under the expectation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, restrictions
from theory.kernel.notation import Expect, LimitOf, at_most, equal
from theory.kernel.rules.apply import same
from theory.kernel.rules.random_matrices import LEBESGUE
from theory.kernel.rules.series import Germ, Series
from theory.kernel.step import Context, Rejected, parts


def _constant(exprs: Sequence[Any], variable: Any, premises: Sequence[sp.Basic], context: Context) -> None:
    """No symbol but the variable itself may change with it."""
    names = {str(s) for expr in exprs for s in sp.sympify(expr).atoms(sp.Symbol, MatrixSymbol)}
    tied = (dependents(context.origins(), {str(variable)}) - {str(variable)}) & names
    if tied:
        raise Rejected(f"{min(tied)} may change with {variable}")
    basis = [given for premise in premises for given in context.basis(premise)]
    said = [part for part in restrictions(basis, variable) if not _near_zero(part, variable)]
    if said:
        raise Rejected(f"{said[0]} is known of {variable}, which goes to zero")


def _near_zero(part: sp.Basic, variable: Any) -> bool:
    """Whether a statement holds for all small values of the variable, as far as it is one about the variable alone.

    What is given of others in terms of the variable is given for all its values.
    """
    if part.free_symbols != {variable} and variable not in part.args:
        return True
    bounded = isinstance(part, (sp.LessThan, sp.StrictLessThan)) and part.args[0] == variable
    return bool(bounded and part.args[1].is_positive and variable not in part.args[1].free_symbols)


@dataclass(frozen=True)
class Sandwich:
    """``LimitOf(f, x) = v`` where ``low <= f``, ``f <= high`` for all x > 0, and both bounds have the limit v."""

    kind: str = "limit"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, sp.Equality) or not isinstance(says.args[0], LimitOf):
            raise Rejected("says no limit")
        (inside, variable), value = says.args[0].args, says.args[1]
        known = [part for premise in premises for part in parts(premise)]
        lows = [p.args[0] for p in known if isinstance(p, sp.LessThan) and same(p, at_most(p.args[0], inside))]
        highs = [p.args[1] for p in known if isinstance(p, sp.LessThan) and same(p, at_most(inside, p.args[1]))]
        for bound in (lows, highs):
            if len(bound) != 1:
                raise Rejected("needs one lower and one upper bound")
            wanted = equal(LimitOf(bound[0], variable), value)
            if not any(p == wanted for p in known):
                raise Rejected(f"the limit of {bound[0]} is not among the premises")
        if len(known) != len({0, 1}) + len({lows[0], highs[0]}):
            raise Rejected("a premise is not used")
        if value.has(variable):  # type: ignore[union-attr]
            raise Rejected("the limit has the variable in it")
        _constant((inside, lows[0], highs[0]), variable, premises, context)
        return "between two bounds with the same limit"


@dataclass(frozen=True)
class Through:
    """``LimitOf(F(k(x), x), x) = v`` where the premise says ``LimitOf(k, x) = a``, F analytic at (a, 0).

    ``put`` maps parts of the expression to expressions in ``symbol`` and x, so that all of F is a function of both;
    the premise's ``k`` becomes ``symbol`` with the same replacement. Checked by the power series in x, with
    coefficients in ``symbol``; nothing that depends on it is divided by, or under a root or logarithm.
    """

    symbol: sp.Symbol
    put: dict[Any, Any] = field(hash=False)
    order: int = 4
    kind: str = "limit"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if len(premises) != 1 or not all(
            isinstance(p, sp.Equality) and isinstance(p.args[0], LimitOf) for p in (premises[0], says)
        ):
            raise Rejected("needs one limit, and says one")
        (inner, variable), limit = premises[0].args[0].args, premises[0].args[1]
        (outer, same_variable), value = says.args[0].args, says.args[1]
        if variable != same_variable or outer.has(self.symbol) or inner.has(self.symbol):
            raise Rejected("the two limits must be in the same variable, and the symbol fresh")
        _constant((inner, outer), variable, premises, context)
        replaced = sp.cancel(sp.together(inner.xreplace(self.put)))
        if replaced != self.symbol:
            raise Rejected(f"with the replacement the premise is about {replaced}")
        function = outer.xreplace(self.put)
        if function.has(*self.put):
            raise Rejected("a part of the expression is left")
        constant = _Guarded(variable, self.order, self.symbol).limit(function)
        algebra = Algebra(())
        difference = algebra.scalar(constant.subs(self.symbol, limit)) - algebra.scalar(value)
        algebra.read()
        if not algebra.vanishes(difference):
            raise Rejected(f"the limit is {constant.subs(self.symbol, limit)}"[:300])
        return f"power series to order {self.order}, continuous in {self.symbol}"


class _Guarded(Series):
    """Power series with coefficients that are entire in one more symbol."""

    def __init__(self, variable: Any, order: int, symbol: Any) -> None:
        super().__init__(variable, order)
        self.symbol = symbol

    def germ(self, expr: Any) -> Germ:
        """See :class:`Series`."""
        log = isinstance(expr, sp.log)
        if log or (isinstance(expr, sp.Pow) and not (expr.exp.is_Integer and expr.exp >= 0)):
            low, coefficients = super().germ(expr.args[0])
            if coefficients and (coefficients[0].has(self.symbol) or (log and low != 0)):
                raise Rejected(f"{expr.args[0]} may vanish at the limit")
        return super().germ(expr)


@dataclass(frozen=True)
class Dominated:
    """``LimitOf(Expect(f), x) = Expect(g)`` where surely ``LimitOf(f, x) = g``, and ``f² <= c`` for all x > 0.

    ``random`` are the matrices that the expectation is over; c is a constant.
    """

    random: tuple[Any, ...]
    kind: str = "limit"
    cited: str | None = LEBESGUE

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if len(premises) != 2 or not isinstance(premises[0], sp.Equality) or not isinstance(premises[1], sp.LessThan):
            raise Rejected("needs a limit and a bound")
        if not isinstance(premises[0].args[0], LimitOf):
            raise Rejected("needs a limit")
        inside: Any
        (inside, variable), value = premises[0].args[0].args, premises[0].args[1]
        wanted = equal(LimitOf(Expect(inside), variable), Expect(value))
        if says != wanted:
            raise Rejected(f"the limit gives {wanted}")
        bound = premises[1].args[1]
        if not same(premises[1], at_most(inside**2, bound)) or bound.has(variable, *self.random):
            raise Rejected("the bound is none of the square by a constant")
        names = {str(symbol) for symbol in self.random}
        if letters(bound) & (names | dependents(context.origins(), names)):
            raise Rejected("the bound is random")
        _constant((inside, value, bound), variable, premises, context)
        return "dominated convergence"
