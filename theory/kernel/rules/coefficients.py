"""Power series with a general index: their coefficients, their tails, and sums with an end taken off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.domain import Domain
from theory.kernel.notation import equal
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected, parts


class Analytic(sp.Basic):
    """The statement ``Analytic(c_i, i, radius, bound)`` on the series of ``c_i z^i``, i >= 1.

    It converges for ``|z| < radius``, and its sum has modulus at most ``bound`` there.
    """

    def _latex(self, printer: Any) -> str:
        term, index, radius, bound = map(printer._print, self.args)
        return rf"\Big|\sum_{{{index}\ge1}}{term}\,z^{{{index}}}\Big|\le {bound}\text{{ for all complex }}|z|<{radius}"


@dataclass(frozen=True)
class Coefficients:
    """From an equation of power series in ``variable``, for all small values of it, to that of the n-th coefficients.

    Power series are written ``Sum(x**i * f(i), (i, 0, oo))``. They may be multiplied by constants and powers of the
    variable, added, summed over a finite range, and two of them multiplied (Cauchy's product).
    """

    variable: sp.Symbol
    number: sp.Expr
    kind: str = "coefficient"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if len(premises) != 1 or not isinstance(premises[0], sp.Equality) or not isinstance(says, sp.Equality):
            raise Rejected("needs an equation of power series, and says an equation")
        tied = dependents(context.origins(), {str(self.variable)}) & letters(*premises, says)
        if tied or says.has(self.variable):
            raise Rejected("a symbol may change with the variable of the series")
        if not (self.number.is_integer and self.number.is_nonnegative):
            raise Rejected(f"{self.number} is no number of a coefficient")
        wanted = equal(*[self._coefficient(side, self.number) for side in premises[0].args])
        if not same(wanted, says):
            raise Rejected(f"the coefficients give {wanted}")
        return "Cauchy product"

    def _series(self, expr: Any) -> Any:
        """The term of a power series as a function of its index, or None."""
        if not isinstance(expr, sp.Sum) or len(expr.limits) != 1 or expr.limits[0][2] is not sp.oo:
            return None
        index, low, _ = expr.limits[0]
        term = sp.powsimp(expr.function / self.variable**index)
        if low != 0 or term.has(self.variable) or index in self.number.free_symbols:
            raise Rejected(f"{expr} is no power series in {self.variable}")
        return index, term

    def _coefficient(self, expr: Any, number: Any) -> Any:
        if not expr.has(self.variable):
            return self._delta(number) * expr
        if isinstance(expr, sp.Add):
            return sp.Add(*[self._coefficient(part, number) for part in expr.args])
        series = self._series(expr)
        if series:
            return series[1].xreplace({series[0]: number})
        if isinstance(expr, sp.Sum):
            if len(expr.limits) != 1 or any(bound.has(self.variable) for bound in expr.limits[0]):
                raise Rejected(f"{expr} is no sum over one index")
            if expr.limits[0][0] in number.free_symbols:
                raise Rejected(f"{expr.limits[0][0]} is the number of the coefficient")
            return sp.Sum(self._coefficient(expr.function, number), *expr.limits)
        return self._product(expr, number)

    def _product(self, expr: Any, number: Any) -> Any:
        constant, power, rest = sp.Integer(1), 0, []
        for factor in sp.Mul.make_args(expr):
            base, exponent = factor.as_base_exp()
            if not factor.has(self.variable):
                constant *= factor
            elif base == self.variable and exponent.is_Integer and exponent > 0:
                power += int(exponent)
            else:
                rest.append(factor)
        number = number - power
        if number.is_negative:
            return sp.Integer(0)
        if not number.is_nonnegative:
            raise Rejected(f"{number} may be negative")
        if not rest:
            return constant * self._delta(number)
        if len(rest) == 1 and isinstance(rest[0], sp.Sum):
            return constant * self._coefficient(rest[0], number)
        factors = [self._series(factor) for factor in rest]
        if len(rest) != 2 or not all(factors):
            raise Rejected(f"{expr} is no product of two power series")
        (index, one), (other_index, other) = factors
        if index in other.free_symbols - {other_index}:
            raise Rejected(f"{index} runs in one series and is free in the other")
        return constant * sp.Sum(one * other.xreplace({other_index: number - index}), (index, 0, number))

    @staticmethod
    def _delta(number: Any) -> Any:
        if number == 0:
            return sp.Integer(1)
        if number.is_positive:
            return sp.Integer(0)
        raise Rejected(f"{number} may be zero")


@dataclass(frozen=True)
class Geometric:
    """``Sum(f(i), (i, m, oo)) = value``, with ``f(i + 1) = r f(i)``, ``0 <= r < 1``: the value is ``f(m)/(1 - r)``."""

    ratio: sp.Expr
    kind: str = "geometric series"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, sp.Equality) or not isinstance(says.args[0], sp.Sum):
            raise Rejected("says no value of a sum")
        total: Any = says.args[0]
        value: Any = says.args[1]
        if len(total.limits) != 1 or total.limits[0][2] is not sp.oo or not total.limits[0][1].is_nonnegative:
            raise Rejected("needs a series over one index")
        index, low, _ = total.limits[0]
        if any(index in s.free_symbols for s in (low, value, self.ratio, *premises)):
            raise Rejected("the running index is not free")
        domain = Domain(premises)
        if not domain.shows(self.ratio, strict=False) or not domain.shows(1 - self.ratio, strict=True):
            raise Rejected(f"{self.ratio} may not lie in [0, 1)")
        term = total.function
        algebra = Algebra(premises)
        step = algebra.scalar(term.xreplace({index: index + 1})) - algebra.scalar(self.ratio) * algebra.scalar(term)
        closed = algebra.scalar(value) * (1 - algebra.scalar(self.ratio)) - algebra.scalar(term.xreplace({index: low}))
        algebra.read()
        if not algebra.vanishes(step):
            raise Rejected(f"the terms do not fall by the factor {self.ratio}")
        if not algebra.vanishes(closed):
            raise Rejected("the value is not the first term over one minus the ratio")
        return "geometric series"


@dataclass(frozen=True)
class Ends:
    """``Sum(f, (i, m, n)) = f(m) + Sum(f, (i, m + 1, n))``: ``first`` and ``last`` say which ends are taken off."""

    first: bool = True
    last: bool = False
    kind: str = "sum"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if premises or not isinstance(says, sp.Equality) or not isinstance(says.args[0], sp.Sum):
            raise Rejected("says what a sum is, without premises")
        total: Any = says.args[0]
        if len(total.limits) != 1 or len(total.limits[0]) != 3:
            raise Rejected("needs a sum over one index")
        index, low, high = total.limits[0]
        ends = int(self.first) + int(self.last)
        length = high - low + 1
        if not ends or not length.is_integer or not (length - ends).is_nonnegative:
            raise Rejected("the sum may have too few terms")
        if any(index in node.variables for node in total.function.atoms(sp.Sum)):
            raise Rejected("the running index is bound in the terms")
        inner = sp.Sum(total.function, (index, low + int(self.first), high - int(self.last)))
        middle: Any = sp.Integer(0) if length == ends else inner
        taken = [total.function.xreplace({index: end}) for end, off in ((low, self.first), (high, self.last)) if off]
        wanted = equal(total, sp.Add(middle, *taken))
        if not same(wanted, says):
            raise Rejected(f"taking off the ends gives {wanted}")
        return "ends of the sum"


@dataclass(frozen=True)
class OnlyTerm:
    """``Sum(f, (j, m, n)) = f(m)`` where the premise says ``n = m``, or both are the same number."""

    kind: str = "sum"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, sp.Equality) or not isinstance(says.args[0], sp.Sum):
            raise Rejected("says no value of a sum")
        total: Any = says.args[0]
        if len(total.limits) != 1 or len(total.limits[0]) != 3:
            raise Rejected("needs a sum over one index")
        index, low, high = total.limits[0]
        known = [part for premise in premises for part in parts(premise)]
        if low != high and not (len(known) == 1 and known[0] == equal(high, low)):
            raise Rejected("the sum may have several terms")
        if any(index in node.variables for node in total.function.atoms(sp.Sum)):
            raise Rejected("the running index is bound in the term")
        wanted = equal(total, total.function.xreplace({index: low}))
        if not same(wanted, says):
            raise Rejected(f"the term is {wanted.args[1]}")
        return "one term"
