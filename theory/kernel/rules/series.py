"""Limits as a variable goes to zero from above, by exact power series; never by ``sympy.limit``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.domain import Domain, near
from theory.kernel.notation import LimitOf
from theory.kernel.rules.evaluate import ball_sign
from theory.kernel.step import Context, Rejected, parts

Germ = tuple[int, list[Any]]
"""A Laurent series: valuation, and coefficients from there on."""


@dataclass(frozen=True)
class PowerSeries:
    """``LimitOf(f, x) = value``: f has a series at 0 (roots of even powers included), whose constant is the value.

    ``order`` is the number of coefficients that are carried. Premises put in definitions.
    """

    order: int = 6
    kind: str = "limit"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        relations = [p for q in premises for p in parts(q)]
        facts = [p for p in relations if not isinstance(p, sp.Equality)]
        given = {p.args[0]: p.args[1] for p in relations if isinstance(p, sp.Equality)}
        for part in parts(says):
            if not isinstance(part, sp.Equality) or not isinstance(part.args[0], LimitOf):
                raise Rejected("says no limit")
            expr, variable = part.args[0].args
            self._check_variable(variable, given, facts)
            used: set[Any] = set()
            expr = _put_in(expr, given, used)
            value = _put_in(part.args[1], given, used)
            unused = set(given) - used
            if unused:
                raise Rejected(f"the premise about {unused.pop()} is not used")
            if variable in value.free_symbols or dependents(context.origins(), {str(variable)}) & letters(expr, value):
                raise Rejected(f"what is said still depends on {variable}")
            constant = Series(variable, self.order, [*facts, *context.earlier()]).limit(expr)
            algebra = Algebra(())
            difference = algebra.scalar(constant) - algebra.scalar(value)
            algebra.read()
            if not algebra.vanishes(difference):
                raise Rejected(f"the limit is {sp.simplify(constant)}"[:300])
        return f"power series to order {self.order}"

    @staticmethod
    def _check_variable(variable: Any, given: dict[Any, Any], facts: Sequence[Any]) -> None:
        names = (sp.Symbol, sp.Indexed)
        if not isinstance(variable, sp.Symbol) or variable in given or not all(isinstance(k, names) for k in given):
            raise Rejected("the premises may give values to symbols other than the variable only")
        if any(variable in fact.free_symbols for fact in facts):
            raise Rejected(f"something else is said of {variable}, which goes to zero")


def _put_in(expr: Any, given: dict[Any, Any], used: set[Any]) -> Any:
    for _ in range(20):
        present = {k: v for k, v in given.items() if expr.has(k)}
        if not present:
            return expr
        used |= set(present)
        expr = expr.xreplace(present)
    raise Rejected("the definitions among the premises are circular")


class Series:
    """Truncated Laurent series in one variable, with exact coefficients."""

    def __init__(self, variable: Any, order: int, facts: Sequence[sp.Basic] = ()) -> None:
        self.variable, self.order, self.facts = variable, order, facts

    def _nonzero(self, value: Any) -> Any:
        """The value, which facts show not to vanish."""
        shown = abs(_sign(value)) if value.is_number else Domain(near(self.facts, value)).nonzero(value)
        if not shown:
            raise Rejected(f"{value} may be zero")
        return value

    def _positive(self, value: Any) -> Any:
        """The value, which facts show to be positive."""
        shown = _sign(value) > 0 if value.is_number else Domain(near(self.facts, value)).shows(value, strict=True)
        if not shown:
            raise Rejected(f"{value} may not be positive")
        return value

    def limit(self, expr: Any) -> Any:
        """The value at 0. Raises :class:`Rejected` where the series has a pole or too few coefficients."""
        low, coefficients = self.germ(sp.sympify(expr))
        if low > 0 or not coefficients:
            if not coefficients:
                raise Rejected("the series is zero as far as it is carried: raise the order")
            return sp.Integer(0)
        if low < 0:
            raise Rejected("the expression has a pole")
        return coefficients[0]

    def germ(self, expr: Any) -> Germ:
        """The series of the expression."""
        if not expr.has(self.variable):
            return self._trim((0, [expr, *[sp.Integer(0)] * (self.order - 1)]))
        if expr == self.variable:
            return (1, [sp.Integer(1), *[sp.Integer(0)] * (self.order - 1)])
        if isinstance(expr, sp.Add):
            total = self.germ(expr.args[0])
            for part in expr.args[1:]:
                total = self._add(total, self.germ(part))
            return total
        if isinstance(expr, sp.Mul):
            product = self.germ(expr.args[0])
            for part in expr.args[1:]:
                product = self._multiply(product, self.germ(part))
            return product
        if isinstance(expr, sp.Pow):
            return self._power(expr.base, expr.exp)
        if isinstance(expr, sp.exp):
            return self._compose(expr.args[0], lambda c, k: sp.exp(c) / sp.factorial(k))
        if isinstance(expr, sp.log):
            return self._compose(expr.args[0], lambda c, k: _log_coefficient(self._positive(c), k))
        if isinstance(expr, sp.sin):
            return self._compose(expr.args[0], lambda c, k: sp.sin(c + k * sp.pi / 2) / sp.factorial(k))
        if isinstance(expr, sp.cos):
            return self._compose(expr.args[0], lambda c, k: sp.cos(c + k * sp.pi / 2) / sp.factorial(k))
        if isinstance(expr, sp.tan):
            return self.germ(sp.sin(expr.args[0]) / sp.cos(expr.args[0]))
        if isinstance(expr, sp.atan):
            return self._arctangent(expr.args[0])
        raise Rejected(f"no power series of {expr.func}")

    def _trim(self, germ: Germ) -> Germ:
        low, c = germ
        while c and sp.cancel(sp.together(sp.expand(c[0]))) == 0:
            low, c = low + 1, c[1:]
        return low, c

    def _add(self, x: Germ, y: Germ) -> Germ:
        if not x[1]:
            x = (x[0], [])
        end = min(x[0] + len(x[1]), y[0] + len(y[1]))
        low = min(x[0], y[0])
        values = []
        for power in range(low, end):
            total = sp.Integer(0)
            for start, c in (x, y):
                if start <= power < start + len(c):
                    total += c[power - start]
            values.append(sp.expand(total))
        return self._trim((low, values))

    def _multiply(self, x: Germ, y: Germ) -> Germ:
        length = min(len(x[1]), len(y[1]))
        values = [sp.expand(sum((x[1][i] * y[1][k - i] for i in range(k + 1)), sp.Integer(0))) for k in range(length)]
        return self._trim((x[0] + y[0], values))

    def _inverse(self, x: Germ) -> Germ:
        low, c = x
        if not c:
            raise Rejected("division by what is zero as far as the series is carried")
        self._nonzero(c[0])
        values = [1 / c[0]]
        for k in range(1, len(c)):
            values.append(sp.cancel(-sum(c[i] * values[k - i] for i in range(1, k + 1)) / c[0]))
        return (-low, values)

    def _power(self, base: Any, exponent: Any) -> Germ:
        if exponent.is_Integer:
            germ = self.germ(base)
            if exponent < 0:
                germ = self._inverse(germ)
            result = germ
            for _ in range(abs(int(exponent)) - 1):
                result = self._multiply(result, germ)
            return result
        if isinstance(exponent, sp.Rational) and exponent.q == 2:
            return self._root(self.germ(base), exponent)
        return self.germ(sp.exp(exponent * sp.log(base)))

    def _root(self, x: Germ, exponent: Any) -> Germ:
        low, c = x
        if not c or low % 2:
            raise Rejected("a root of an odd power of the variable is no power series")
        lead = self._positive(c[0])
        unit = [sp.cancel(v / lead) for v in c]
        values: list[Any] = [sp.Integer(1)]
        # y = u^p: u y' = p u' y
        for k in range(1, len(unit)):
            total = sum(((exponent * i - (k - i)) * unit[i] * values[k - i] for i in range(1, k + 1)), sp.Integer(0))
            values.append(sp.cancel(total / k))
        return (int(low * exponent), [lead**exponent * v for v in values])

    def _compose(self, inner: Any, coefficient: Any) -> Germ:
        low, c = self.germ(inner)
        if low < 0:
            raise Rejected(f"essential singularity: {inner} has a pole")
        full = [sp.Integer(0)] * low + c
        constant = sp.cancel(sp.together(full[0])) if full else sp.Integer(0)
        rest: Germ = self._trim((1, full[1:]))
        total: Germ = (0, [coefficient(constant, 0), *[sp.Integer(0)] * (len(full) - 1)])
        power: Germ = (0, [sp.Integer(1), *[sp.Integer(0)] * (len(full) - 1)])
        for k in range(1, len(full)):
            if not rest[1]:
                break
            power = self._multiply(power, rest)
            if power[0] >= len(full):
                break
            total = self._add(total, (power[0], [coefficient(constant, k) * v for v in power[1]]))
        return self._trim(total)

    def _arctangent(self, inner: Any) -> Germ:
        germ = self.germ(inner)
        if germ[0] < 1:
            raise Rejected("the series of atan is used at 0 only")
        slope = lambda _c, k: sp.Integer(0) if k % 2 == 0 else sp.Integer(-1) ** ((k - 1) // 2) / k  # noqa: E731
        return self._compose(inner, slope)


def _sign(number: Any) -> int:
    return int(sp.sign(number)) if number.is_Rational else ball_sign(number)


def _log_coefficient(constant: Any, k: int) -> Any:
    return sp.log(constant) if k == 0 else sp.Integer(-1) ** (k - 1) / (k * constant**k)
