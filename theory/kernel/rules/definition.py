"""A new name for an expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Definition:
    """``symbol = expression``: true by choice of a symbol that occurs nowhere before."""

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
            if name in _names(value):
                raise Rejected(f"{symbol} is defined by itself")
            known |= {name} | _names(value)
        return "fresh symbol"


def _name(symbol: sp.Basic) -> str:
    return str(symbol.base if isinstance(symbol, sp.Indexed) else symbol)


def _names(statement: sp.Basic) -> set[str]:
    return {str(s) for s in statement.atoms(sp.Symbol, MatrixSymbol)}
