"""Statements about given numbers and matrices: exact rationals, or ball arithmetic where roots and functions occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from theory.kernel.notation import Dot, Norm, Trace, dimension
from theory.kernel.step import Context, Rejected, parts

BITS = 256


@dataclass(frozen=True)
class Evaluate:
    """Relations that hold at the numbers, vectors and matrices that the premises give (``symbol = value``)."""

    kind: str = "evaluation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        values = {}
        for premise in premises:
            for part in parts(premise):
                if not isinstance(part, sp.Equality):
                    raise Rejected(f"{part} gives no value")
                self._check_value(part, values)
                values[part.args[0]] = part.args[1]
        methods = [self._one(part, values) for part in parts(says)]
        return ", ".join(dict.fromkeys(methods))

    @staticmethod
    def _check_value(part: Any, values: dict[Any, Any]) -> None:
        """A value is that of a symbol, exact, of its sort and sign, and the only one."""
        symbol, value = part.args
        if not isinstance(symbol, (sp.Symbol, sp.Indexed, MatrixSymbol)):
            raise Rejected(f"{symbol} is no symbol")
        if value.has(sp.Float):
            raise Rejected(f"{value} is not exact")
        if symbol in values and values[symbol] != value:
            raise Rejected(f"{symbol} has two values")
        if isinstance(symbol, MatrixSymbol) or not value.is_number:
            return
        if (symbol.is_positive and value.is_nonpositive) or (symbol.is_nonnegative and value.is_negative):
            raise Rejected(f"{symbol} cannot have the value {value}")

    def _one(self, part: sp.Basic, values: dict[Any, Any]) -> str:
        if part.has(sp.Float):
            raise Rejected("a number that is not exact")
        left, right = (explicit(side, values) for side in part.args)
        if isinstance(left, sp.MatrixBase):
            if isinstance(right, sp.MatrixBase) and isinstance(part, sp.Equality) and _same_entries(left, right):
                return "exact arithmetic"
            raise Rejected(f"{left} is not {right}")
        difference = sp.expand(left - right)
        if not difference.is_number:
            raise Rejected(f"{difference} is no number: a value is missing")
        if isinstance(part, sp.Equality):
            if sp.radsimp(difference) != 0:
                raise Rejected(f"the sides differ by {difference}")
            return "exact arithmetic"
        if difference.is_Rational:
            if not _holds(part, difference):
                raise Rejected(f"the difference of the sides is {difference}")
            return "exact arithmetic"
        sign = ball_sign(difference)
        if not _holds(part, sp.Integer(sign)):
            raise Rejected(f"the difference of the sides has the sign {sign}")
        return f"ball arithmetic, {BITS} bits"


def _same_entries(left: Any, right: Any) -> bool:
    """Whether two matrices are equal, roots of rationals among their entries."""
    return left.shape == right.shape and all(sp.radsimp(sp.expand(entry)) == 0 for entry in left - right)


def _holds(part: sp.Basic, difference: sp.Rational) -> bool:
    tests = {
        sp.LessThan: difference <= 0,
        sp.StrictLessThan: difference < 0,
        sp.GreaterThan: difference >= 0,
        sp.StrictGreaterThan: difference > 0,
        sp.Unequality: difference != 0,
    }
    if type(part) not in tests:
        raise Rejected(f"{part} is no relation")
    return bool(tests[type(part)])  # type: ignore[index]


def explicit(expr: Any, values: dict[Any, Any]) -> Any:
    """The expression with values put in (values may use other symbols with values), matrices multiplied out."""
    size = next((v.shape[0] for v in values.values() if isinstance(v, sp.MatrixBase)), None)
    for _ in range(20):
        if isinstance(expr, MatrixExpr) or expr.has(MatrixExpr, Dot, Norm, Trace):
            expr = _matrices(expr, values, size)
        new = expr.xreplace({k: v for k, v in values.items() if not isinstance(k, MatrixSymbol)})
        if size is not None and not new.has(MatrixSymbol):
            new = new.xreplace({dimension: sp.Integer(size)})
        if new == expr:
            return new.doit() if isinstance(new, sp.Basic) and new.has(sp.Sum) else new
        expr = new
    raise Rejected("the values are circular")


def _matrices(expr: Any, values: dict[Any, Any], size: int | None) -> Any:
    if isinstance(expr, MatrixSymbol):
        value = values.get(expr)
        if value is None:
            raise Rejected(f"no value for {expr}")
        return value if isinstance(value, sp.MatrixBase) else _matrices(value, values, size)
    if isinstance(expr, sp.Identity):
        if size is None:
            raise Rejected("no matrix gives the dimension")
        return sp.eye(size).as_immutable()
    if isinstance(expr, sp.MatrixBase) or not expr.args:
        return expr
    arguments = [_matrices(a, values, size) for a in expr.args]
    if isinstance(expr, Dot):
        return (arguments[0].T * arguments[1])[0, 0]
    if isinstance(expr, Norm):
        return _norm(arguments[0])
    if isinstance(expr, Trace):
        return arguments[0].trace()
    if isinstance(expr, sp.MatMul):
        product = arguments[0]
        for factor in arguments[1:]:
            product = product * factor
        return product
    if isinstance(expr, sp.MatPow) and isinstance(expr.exp, sp.Integer) and expr.exp > 0:
        return arguments[0] ** int(expr.exp)
    if isinstance(expr, sp.MatAdd):
        total = arguments[0]
        for term in arguments[1:]:
            total = total + term
        return total
    if isinstance(expr, sp.Transpose):
        return arguments[0].T
    return expr.func(*arguments)


def _norm(value: Any) -> Any:
    if value.shape[1] == 1:
        return sp.sqrt((value.T * value)[0, 0])
    if value.shape != (2, 2):
        raise Rejected("operator norms are evaluated for 2x2 matrices only")
    gram = value.T * value
    trace, determinant = gram.trace(), gram.det()
    return sp.sqrt((trace + sp.sqrt(trace**2 - 4 * determinant)) / 2)


def ball_sign(number: Any) -> int:
    """The sign of a number, by ball arithmetic. Raises :class:`Rejected` where the ball contains zero."""
    import flint

    before, flint.ctx.prec = flint.ctx.prec, BITS
    try:
        ball = _ball(sp.sympify(number), flint)
    finally:
        flint.ctx.prec = before
    if ball > 0:
        return 1
    if ball < 0:
        return -1
    raise Rejected("the ball contains zero: undecided at this precision")


def _ball(expr: Any, flint: Any) -> Any:
    if isinstance(expr, sp.Rational):
        return flint.arb(flint.fmpq(int(expr.p), int(expr.q)))
    if expr is sp.pi:
        return flint.arb.pi()
    if expr is sp.E:
        return flint.arb(1).exp()
    inner = [_ball(a, flint) for a in expr.args]
    if isinstance(expr, sp.Add):
        return sum(inner[1:], inner[0])
    if isinstance(expr, sp.Mul):
        product = inner[0]
        for x in inner[1:]:
            product = product * x
        return product
    if isinstance(expr, sp.Pow):
        if expr.exp.is_Integer:
            return inner[0] ** int(expr.exp)
        if expr.exp == sp.Rational(1, 2):
            return inner[0].sqrt()
        if expr.exp == -sp.Rational(1, 2):
            return 1 / inner[0].sqrt()
        return (inner[1] * inner[0].log()).exp()
    names = {sp.exp: "exp", sp.log: "log", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan", sp.atan: "atan"}
    name = names.get(expr.func)
    if name is None:
        raise Rejected(f"ball arithmetic has no {expr.func}")
    return getattr(inner[0], name)()
