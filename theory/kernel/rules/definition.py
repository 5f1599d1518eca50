"""A new name for an expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.domain import Domain, near
from theory.kernel.notation import LimitOf, dimension
from theory.kernel.rules.running import free_indices
from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Definition:
    """``symbol = expression``: true by choice of a symbol that occurs nowhere before.

    Where the symbol is positive, not negative or an integer by its own assumptions, the value must be known to be so.
    """

    kind: str = "definition"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if premises:
            raise Rejected("a definition has no premises")
        known = {s for statement in context.earlier() for s in _names(statement)}
        for part in parts(says):
            if not isinstance(part, sp.Equality):
                raise Rejected(f"{part} is no definition: it must be an equation")
            symbol, value = part.args
            if not isinstance(symbol, (sp.Symbol, sp.Indexed, MatrixSymbol)):
                raise Rejected(f"{symbol} is no symbol")
            name = _name(symbol)
            if name in known:
                raise Rejected(f"{symbol} occurs already")
            if free_indices(value) - free_indices(symbol):
                raise Rejected(f"{value} is another one for every token, {symbol} is not")
            if _running(value) - symbol.free_symbols:
                raise Rejected(f"{value} is another one for every index, {symbol} is not")
            if name in _names(value):
                raise Rejected(f"{symbol} is defined by itself")
            _check_value(value, context)
            _check_sort(symbol, value, context)
            known |= {name} | _names(value)
        return "fresh symbol"


def _running(value: sp.Basic) -> set[sp.Basic]:
    """The indices of families that run freely in a value."""
    indices = set().union(*(index.free_symbols for member in value.atoms(sp.Indexed) for index in member.indices))
    return (indices & value.free_symbols) - {dimension}


def _check_value(value: sp.Basic, context: Context) -> None:
    """The value exists: nothing is divided by what may be zero."""
    plain = value.xreplace({node: sp.Dummy() for node in value.atoms(sp.Integral, LimitOf)})
    divisors = [p.base for p in plain.atoms(sp.Pow) if p.exp.could_extract_minus_sign() and p.base.free_symbols]
    Domain(()).check_roots((value,), context.earlier())
    if not divisors:
        return
    for divisor in divisors:
        if not any(_nonzero(divisor, known) for known in ((), near(context.earlier(), divisor), context.earlier())):
            raise Rejected(f"{divisor} may be zero")


def _check_sort(symbol: sp.Basic, value: Any, context: Context) -> None:
    """The value is what the symbol is by its assumptions: of its shape, positive, an integer."""
    if isinstance(symbol, MatrixSymbol) != isinstance(value, MatrixExpr | sp.MatrixBase):
        raise Rejected(f"{value} is of another sort than {symbol}")
    if isinstance(symbol, MatrixSymbol):
        if symbol.shape != value.shape:
            raise Rejected(f"{value} is of another shape than {symbol}")
        return
    if symbol.is_integer and not value.is_integer:
        raise Rejected(f"{value} may be no integer")
    if symbol.is_negative or symbol.is_nonpositive or (symbol.is_zero is False and not symbol.is_positive):
        raise Rejected(f"{symbol} has a sign that cannot be checked")
    strict = bool(symbol.is_positive)
    if not (strict or symbol.is_nonnegative) or value.is_positive or (value.is_nonnegative and not strict):
        return
    for known in ((), near(context.earlier(), value)):
        if Domain(known).shows(value, strict):
            return
    raise Rejected(f"{symbol} is {'positive' if strict else 'not negative'}, and {value} may not be")


def _nonzero(divisor: sp.Expr, known: Sequence[sp.Basic]) -> bool:
    algebra = Algebra(known)
    return algebra.nonzero(algebra.fraction(algebra.scalar(divisor))[0])


def _name(symbol: sp.Basic) -> str:
    return str(symbol.base if isinstance(symbol, sp.Indexed) else symbol)


def _names(statement: sp.Basic) -> set[str]:
    return {str(s) for s in statement.atoms(sp.Symbol, MatrixSymbol)}
