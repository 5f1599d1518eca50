"""Sequences over layers: recursions, with an equation or an inequality, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, name_of, restrictions
from theory.kernel.domain import Domain
from theory.kernel.notation import at_most
from theory.kernel.rules.entails import Entails
from theory.kernel.step import Context, Rejected


@dataclass(frozen=True)
class Recursion:
    """``value(n) = closed(n)`` (or ``<=``) for every n, by induction.

    The first premise is ``value(n + 1) = F(value(n), n)`` (or ``<=``), the second ``value(0) = start``. With ``<=``,
    F must be affine in the value, with a factor that is not negative. Further premises do not depend on n.
    """

    value: sp.Indexed
    number: sp.Symbol
    degree: int = 2
    kind: str = "induction"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if len(premises) < 2 or not isinstance(says, (sp.Equality, sp.LessThan)):
            raise Rejected("needs the recursion and the start, and says the closed form")
        if type(premises[0]) is not type(says) or not isinstance(premises[1], sp.Equality):
            raise Rejected("the recursion must be the same relation, the start an equation")
        following, step = premises[0].args
        first, start = premises[1].args
        named, closed = says.args
        n = self.number
        if (named, following, first) != (self.value, self.value.subs(n, n + 1), self.value.subs(n, 0)):
            raise Rejected("the left sides must be the value, the next one, and the one at the start")
        base = self.value.base
        others = [closed, start, *premises[2:]]
        if any(part.has(base) for part in others) or step.xreplace({self.value: sp.Integer(0)}).has(base):
            raise Rejected("the sequence itself occurs elsewhere")
        if start.has(n) or any(p.has(n) for p in premises[2:]):
            raise Rejected("a further premise, or the start, changes from step to step")
        self._check_number((closed, step, start, *premises[2:]), premises, context)
        Domain(premises[2:]).check_roots((closed,), premises)
        after = _exponentials(closed.subs(n, n + 1))
        before = _exponentials(step.xreplace({self.value: closed}))
        at_start = closed.subs(n, 0)
        if isinstance(says, sp.LessThan):
            slope = sp.diff(step.xreplace({self.value: (dummy := sp.Dummy(real=True))}), dummy)
            if slope.has(dummy):
                raise Rejected("the recursion is not affine in the value")
            rule = Entails(self.degree)
            rest = premises[2:]
            rule.check(at_most(0, slope), rest, context)
            rule.check(at_most(start, at_start), rest, context)
            return "at the start, and one step: " + rule.check(at_most(before, after), rest, context)
        algebra = Algebra(premises[2:])
        values = [algebra.scalar(part) for part in (at_start, start, after, before)]
        algebra.read()
        if not all(algebra.nonzero(algebra.fraction(value)[1]) for value in values):
            raise Rejected("a denominator may vanish")
        if not algebra.vanishes(values[0] - values[1]):
            raise Rejected("the closed form has another value at the start")
        if not algebra.vanishes(values[2] - values[3]):
            raise Rejected("the closed form does not satisfy the recursion")
        return "value at the start and one step"

    def _check_number(self, statements: Sequence[Any], premises: Sequence[sp.Basic], context: Context) -> None:
        """The recursion holds for every number, and nothing but the sequence changes with it."""
        n = self.number
        if not (isinstance(n, sp.Symbol) and n.is_real):
            raise Rejected(f"{n} is no number")
        tied = dependents(context.origins(), {str(n)}) & letters(*statements) - {name_of(self.value)}
        if tied:
            raise Rejected(f"{min(tied)} changes from step to step")
        basis = [given for premise in premises for given in context.basis(premise)]
        said = [part for part in restrictions(basis, n) if not part.has(self.value.base)]
        if said:
            raise Rejected(f"{said[0]} is known of {n}, so that the recursion need not hold from the start on")


def _exponentials(expr: Any) -> Any:
    """``exp`` of a sum as a product, and powers with a sum in the exponent, so that ``exp(log y)`` is seen to be y."""
    return sp.expand_power_exp(
        expr.replace(
            lambda e: isinstance(e, sp.exp),
            lambda e: sp.Mul(*[sp.exp(term) for term in sp.Add.make_args(sp.expand_mul(e.args[0]))]),
        )
    )
