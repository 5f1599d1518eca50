"""Symbols that run over the tokens: what is said of them holds for every token of their index."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol


class TokenScalar(sp.Symbol):
    """A number of every token; the end of its name, after the last ``_``, is its index."""

    @property
    def index(self) -> str:
        """The index that runs."""
        return str(self.name).rpartition("_")[2]


class TokenVector(MatrixSymbol):
    """A vector of every token; the end of its name, after the last ``_``, is its index."""

    @property
    def index(self) -> str:
        """The index that runs."""
        return str(self.name).rpartition("_")[2]


def indices(expr: Any) -> set[str]:
    """The indices that occur in a statement or expression, free or bound."""
    found = {symbol.index for symbol in expr.atoms(TokenScalar, TokenVector)}
    bound = [node.args[-1] for node in sp.preorder_traversal(expr) if getattr(node, "binds", False)]
    return found | {str(index) for index in bound}


def free_indices(expr: Any) -> set[str]:
    """The indices of tokens on which an expression depends."""
    if isinstance(expr, TokenScalar | TokenVector):
        return {expr.index}
    found: set[str] = set().union(*(free_indices(part) for part in expr.args)) if expr.args else set()
    return found - {str(expr.args[-1])} if getattr(expr, "binds", False) else found
