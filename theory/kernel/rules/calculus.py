"""Derivatives, antiderivatives, monotone functions of one variable, and differential inequalities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatAdd, MatMul, MatrixExpr, MatrixSymbol, Transpose, ZeroMatrix

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.domain import Domain
from theory.kernel.notation import Dot, Norm, at_most, below
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected, parts

WALTER = "W. Walter, Ordinary Differential Equations, Springer 1998, §9 (differential inequalities)"

ROUGH = (sp.Abs, sp.Max, sp.Min, sp.Piecewise, sp.sign, sp.floor)
"""Functions that have kinks or jumps."""


@dataclass(frozen=True)
class Differentiate:
    """The first premise, an equation, differentiated; the other premises are put in.

    ``rates`` maps each symbol that moves to its rate; everything else is constant.
    """

    rates: dict[Any, Any] = field(hash=False)
    kind: str = "derivative"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(premises[0], sp.Equality) or not isinstance(says, sp.Equality):
            raise Rejected("needs an equation to differentiate, and says an equation")
        left, right = (derivative(side, self.rates) for side in premises[0].args)
        if isinstance(left, MatrixExpr):
            raise Rejected("only scalar equations are differentiated")
        algebra = Algebra(premises)
        derived = algebra.scalar(left) - algebra.scalar(right)
        stated = algebra.scalar(says.args[0]) - algebra.scalar(says.args[1])
        algebra.read()
        if not algebra.nonzero(algebra.fraction(stated)[1]):
            raise Rejected("a denominator may vanish")
        if not _proportional(derived, stated, algebra) and not algebra.vanishes(derived - stated):
            raise Rejected(f"the derivative differs: {sp.factor(algebra.fraction(derived - stated)[0])}"[:300])
        return "product and chain rule"


def _proportional(derived: Any, stated: Any, algebra: Algebra) -> bool:
    """Whether both vanish together: their quotient has neither zeros nor poles."""
    if stated == 0 or derived == 0:
        return derived == stated
    numerator, denominator = sp.fraction(sp.cancel(sp.together(derived / stated)))
    return algebra.nonzero(numerator) and algebra.nonzero(denominator)


def derivative(expr: Any, rates: dict[Any, Any]) -> Any:
    """The derivative of a scalar or matrix expression, given the rates of the symbols that move."""
    if isinstance(expr, MatrixExpr):
        return _matrix_derivative(expr, rates)
    inner = {f: sp.Dummy(real=True) for f in _closed(expr)}
    plain = expr.xreplace(inner)
    total: Any = sp.Integer(0)
    for opaque, dummy in inner.items():
        total += sp.diff(plain, dummy) * _closed_rate(opaque, rates)
    for symbol, rate in rates.items():
        if isinstance(symbol, MatrixSymbol):
            continue
        dummy = sp.Dummy(real=True)
        total += sp.diff(plain.xreplace({symbol: dummy}), dummy).xreplace({dummy: symbol}) * rate
    return total.xreplace({dummy: opaque for opaque, dummy in inner.items()})


def _closed(expr: Any) -> list[Any]:
    """Inner products and norms within a scalar, outermost ones only."""
    if isinstance(expr, (Dot, Norm)):
        return [expr]
    return list(dict.fromkeys(found for part in expr.args for found in _closed(part)))


def _closed_rate(expr: Any, rates: dict[Any, Any]) -> Any:
    if isinstance(expr, Dot):
        x, y = expr.args
        return _dot(derivative(x, rates), y) + _dot(x, derivative(y, rates))
    inside = expr.args[0]
    rate = derivative(inside, rates)
    if isinstance(rate, ZeroMatrix):
        return sp.Integer(0)
    if inside.shape[1] != 1:
        raise Rejected("the norm of a matrix that moves is not differentiated")
    return _dot(inside, rate) / expr


def _dot(x: Any, y: Any) -> Any:
    return sp.Integer(0) if isinstance(x, ZeroMatrix) or isinstance(y, ZeroMatrix) else Dot(x, y)


def _matrix_derivative(expr: Any, rates: dict[Any, Any]) -> Any:
    zero = ZeroMatrix(*expr.shape)
    if isinstance(expr, MatrixSymbol):
        return rates.get(expr, zero)
    if isinstance(expr, Transpose):
        inner = derivative(expr.arg, rates)
        return zero if isinstance(inner, ZeroMatrix) else Transpose(inner)
    if isinstance(expr, MatAdd):
        return _sum([derivative(a, rates) for a in expr.args], zero)
    if isinstance(expr, MatMul):
        terms = []
        for k, factor in enumerate(expr.args):
            rate = derivative(factor, rates)
            if isinstance(rate, ZeroMatrix) or rate == 0:
                continue
            terms.append(MatMul(*expr.args[:k], rate, *expr.args[k + 1 :]))
        return _sum(terms, zero)
    return zero


def _sum(terms: list[Any], zero: Any) -> Any:
    kept = [t for t in terms if not isinstance(t, ZeroMatrix)]
    return MatAdd(*kept) if len(kept) > 1 else (kept[0] if kept else zero)


@dataclass(frozen=True)
class Antiderivative:
    """``Integral(f, (x, lo, hi)) = value``: ``value`` is ``F(hi) - F(lo)`` and ``F' = f``.

    ``primitive`` is F, continuous on the whole interval (shown by certificates of ``degree``). Bounds at infinity are
    not read.
    """

    primitive: sp.Expr
    degree: int = 2
    kind: str = "integral"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, sp.Equality) or not isinstance(says.args[0], sp.Integral):
            raise Rejected("says no value of an integral")
        value = says.args[1]
        integral: Any = says.args[0]
        if len(integral.limits) != 1 or len(integral.limits[0]) != 3:
            raise Rejected("is no integral over one interval")
        variable, low, high = integral.limits[0]
        if low.is_infinite or high.is_infinite or any(bound.has(variable) for bound in (low, high)):
            raise Rejected("the bounds must be finite, and not depend on the variable")
        self._check_interval(integral.function, variable, low, high, premises, context)
        algebra = Algebra(premises)
        slope = algebra.scalar(sp.diff(self.primitive, variable)) - algebra.scalar(integral.function)
        total = self.primitive.subs(variable, high) - self.primitive.subs(variable, low)
        difference = algebra.scalar(total) - algebra.scalar(value)
        algebra.read()
        if not algebra.vanishes(slope):
            raise Rejected("the derivative of the primitive is not the integrand")
        if not algebra.vanishes(difference):
            raise Rejected("the value is not the difference of the primitive at the bounds")
        return "derivative of the primitive"

    def _check_interval(
        self, integrand: Any, variable: Any, low: Any, high: Any, premises: Sequence[sp.Basic], context: Context
    ) -> None:
        tied = dependents(context.origins(), {str(variable)}) & letters(integrand, self.primitive)
        if tied or any(variable in p.free_symbols for p in premises):
            raise Rejected(f"something else is said of {variable}, which runs over the interval")
        singular = (sp.Pow, sp.log, sp.tan)
        if not any(variable in node.free_symbols for f in (integrand, self.primitive) for node in _risky(f, singular)):
            return
        inside = sp.Dummy(real=True)
        if self._everywhere(integrand, {variable: inside}, premises):
            return
        if not Domain(premises).shows(sp.sympify(high - low), strict=False):
            raise Rejected("the bounds of the integral may be the wrong way round")
        domain = Domain([*premises, at_most(low, inside), at_most(inside, high)], self.degree)
        domain.check(f.xreplace({variable: inside}) for f in (integrand, self.primitive))

    def _everywhere(self, integrand: Any, at: dict[Any, Any], premises: Sequence[sp.Basic]) -> bool:
        try:
            Domain(premises).check(f.xreplace(at) for f in (integrand, self.primitive))
        except Rejected:
            return False
        return True


def _risky(expr: Any, kinds: tuple[Any, ...]) -> list[Any]:
    """The powers, logarithms and tangents that need not exist everywhere."""
    return [n for n in expr.atoms(*kinds) if not (isinstance(n, sp.Pow) and n.exp.is_Integer and n.exp > 0)]


@dataclass(frozen=True)
class Increasing:
    """``f(x) >= 0`` for all x >= start: ``f(start) >= 0``, and the premise says ``f'(x) >= 0`` there.

    ``variable`` is x. The premise and what is said may be any two-sided inequality; ``f`` is the larger side minus
    the smaller one. Further premises are put in.
    """

    variable: sp.Symbol
    start: sp.Expr = field(default_factory=lambda: sp.Integer(0))
    kind: str = "monotone"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises:
            raise Rejected("needs the inequality of the derivatives")
        algebra = Algebra(premises[1:])
        function = _excess(says)
        self._check_variable(says, premises, context)
        slope = algebra.scalar(sp.diff(function, self.variable)) - algebra.scalar(_excess(premises[0]))
        first = algebra.scalar(function.subs(self.variable, self.start))
        algebra.read()
        if not algebra.vanishes(slope):
            raise Rejected("the premise is not about the derivative")
        numerator, denominator = algebra.fraction(first)
        zero = algebra.vanishes(first)
        if isinstance(says, (sp.StrictLessThan, sp.StrictGreaterThan)) and zero:
            raise Rejected("strict, but equal at the start")
        if not zero and algebra.sign(numerator) * algebra.sign(denominator) != 1:
            raise Rejected(f"the value {first} at the start may be negative")
        return "derivative and value at the start"

    def _check_variable(self, says: Any, premises: Sequence[sp.Basic], context: Context) -> None:
        """The premise must hold from the start on: nothing else is known of the variable, and nothing moves with it."""
        x, start = self.variable, sp.sympify(self.start)
        if not isinstance(x, sp.Symbol) or x in start.free_symbols:
            raise Rejected("the variable must be a symbol that the start does not depend on")
        if x.is_nonnegative and not start.is_nonnegative:
            raise Rejected(f"{x} is known not to be negative, and the start may be")
        if not (x.is_nonnegative and start == 0) and not any(
            same(part, form(start, x)) for p in premises[1:] for part in parts(p) for form in (at_most, below)
        ):
            raise Rejected(f"not among the premises: {at_most(start, x)}")
        if dependents(context.origins(), {str(x)}) & letters(says):
            raise Rejected(f"a symbol in the statement depends on {x}")
        defined = [p for p in context.origins() if x in p.free_symbols]
        for part in (part for p in defined for part in parts(p)):
            if x in part.free_symbols and not self._harmless(part):
                raise Rejected(f"{part} is known of {x}, so that the premise need not hold from the start on")
        if says.has(*ROUGH):
            raise Rejected("the function may not be smooth")
        Domain([*premises[1:], at_most(start, x)]).check(says.args)

    def _harmless(self, part: Any) -> bool:
        x = self.variable
        if isinstance(part, sp.Equality):  # a name for what depends on the variable
            return isinstance(part.args[0], sp.Symbol) and part.args[0] != x
        if not isinstance(part, (sp.LessThan, sp.StrictLessThan)):
            return False
        low, high = part.args
        if high == x:  # from the start on, or from what lies before it
            return low == self.start or bool((self.start - low).is_nonnegative)
        return low == x and x not in high.free_symbols


def _excess(relation: Any) -> Any:
    if isinstance(relation, (sp.LessThan, sp.StrictLessThan, sp.GreaterThan, sp.StrictGreaterThan)):
        return relation.gts - relation.lts  # type: ignore[operator]
    raise Rejected(f"{relation} is no inequality")


@dataclass(frozen=True)
class Comparison:
    """From ``rate <= F(y, t)`` (first premise) to ``y(t) <= B(t)``, as ``B' = F(B, t)`` and ``B(0) = start = y(0)``.

    The first premise may be ``rate >= F`` for a lower bound. What is checked: B solves the equation and starts
    there, identically; F is a polynomial in y. What is cited: the comparison principle.
    """

    value: sp.Symbol
    rate: sp.Symbol
    time: sp.Symbol
    start: sp.Expr
    kind: str = "comparison"
    cited: str | None = WALTER

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        kinds = (sp.LessThan, sp.GreaterThan)
        if not premises or type(premises[0]) is not type(says) or not isinstance(says, kinds):
            raise Rejected("needs a differential inequality of the same direction")
        (rate, speed), (value, bound) = premises[0].args, says.args
        if rate != self.rate or value != self.value:
            raise Rejected(f"must bound {self.rate}, and then {self.value}")
        self._check_time(speed, bound, premises[1:], context)
        if not speed.is_polynomial(self.value):  # type: ignore[union-attr]
            raise Rejected("the right-hand side is no polynomial in the quantity")
        algebra = Algebra(premises[1:])
        slope = sp.diff(bound, self.time) - speed.subs(self.value, bound)  # type: ignore[union-attr]
        first = bound.subs(self.time, 0) - self.start  # type: ignore[union-attr]
        values = algebra.scalar(slope), algebra.scalar(first)
        algebra.read()
        if not algebra.vanishes(values[0]):
            raise Rejected("the bound does not solve the differential equation")
        if not algebra.vanishes(values[1]):
            raise Rejected("the bound does not start at the given value")
        return "the bound solves the equation"

    def _check_time(self, speed: Any, bound: Any, premises: Sequence[sp.Basic], context: Context) -> None:
        """Only the time and the quantity move; equation and bound make sense at all times from 0 on."""
        if not isinstance(self.start, sp.Symbol) or self.start in (self.time, self.value, self.rate):
            raise Rejected("the start is given by its symbol, what it is by a premise")
        if self.value in bound.free_symbols or self.rate in bound.free_symbols | speed.free_symbols:
            raise Rejected("the bound, or the right-hand side, is not explicit")
        moving = {str(self.time), str(self.value), str(self.rate)}
        tied = dependents(context.origins(), moving) & letters(speed, bound, self.start)
        if tied - moving or any(letters(p) & moving for p in premises):
            raise Rejected("a premise says more of what moves, or a symbol moves with it")
        if not self.time.is_nonnegative:
            raise Rejected("time must not be negative")
        if any(f.has(*ROUGH) and f.has(self.time) for f in (speed, bound)):
            raise Rejected("the right-hand side, or the bound, may not be smooth")
        risky = [node for f in (speed, bound) for node in f.atoms(sp.Pow, sp.log, sp.tan) if node.has(self.time)]
        Domain(premises).check(risky)
