"""Markov chains: the same transition law from two states, and laws that have a part in common from every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import dimension
from theory.kernel.step import Context, Rejected


class Minorised(sp.Basic):
    """``Minorised(x, y, c)``: from every state x the law of the next state y is at least c times one law."""

    def _latex(self, printer: Any) -> str:
        state, following, share = map(printer._print, self.args)
        return rf"\mathbb P({following}\in\cdot\mid {state})\ge {share}\,\nu\text{{ for every }}{state}"


class SameLaw(sp.Basic):
    """``SameLaw(x, x⁺, y, y⁺)``: two chains, x to x⁺ and y to y⁺, with one transition law."""

    def _latex(self, printer: Any) -> str:
        x, x_next, y, y_next = map(printer._print, self.args)
        return rf"{x}\mapsto {x_next}\text{{ and }}{y}\mapsto {y_next}\text{{ have the same transition law}}"


@dataclass(frozen=True)
class OneLaw:
    """``SameLaw(x, x⁺, y, y⁺)``: the premises give ``x⁺ = F(x)`` and ``y⁺ = F(y)``, with one function F.

    What else is in F, noise among it, is the same for both, and does not depend on the states.
    """

    kind: str = "chain"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, SameLaw) or len(premises) != 2:
            raise Rejected("needs the next states of two chains, and says that their law is the same")
        states = says.args
        if len(set(states)) != len(states) or not all(isinstance(s, (sp.Symbol, MatrixSymbol)) for s in states):
            raise Rejected("the states must be four symbols")
        x, x_next, y, y_next = states
        one, other = premises
        if not all(isinstance(p, sp.Equality) for p in premises) or one.args[0] != x_next or other.args[0] != y_next:
            raise Rejected("needs what the next states are")
        step = one.args[1]
        if step.has(x_next, y, y_next) or other.args[1] != step.xreplace({x: y}):
            raise Rejected("the two steps differ")
        names = letters(*states) - {str(dimension)}
        tied = dependents(context.origins(), names) & (letters(step) - letters(x))
        if tied:
            raise Rejected(f"{min(tied)} depends on the state")
        return "the same function of the state"
