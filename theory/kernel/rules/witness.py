"""Sharpness: an instance that meets the premises and violates a stronger statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from theory.kernel.notation import AtSomeInstance, equal
from theory.kernel.rules.evaluate import Evaluate
from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Witness:
    """``AtSomeInstance(relation)``: all premises and the relation hold at the values ``at``.

    ``at`` maps symbols, vectors and matrices to exact values.
    """

    at: dict[Any, Any] = field(hash=False)
    kind: str = "witness"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, AtSomeInstance):
            raise Rejected("says nothing about an instance")
        for symbol, value in self.at.items():
            wrong = (symbol.is_positive and not value > 0) or (symbol.is_nonnegative and not value >= 0)
            if wrong:
                raise Rejected(f"the symbol {symbol} does not have the value {value}")
        values = [equal(symbol, value) for symbol, value in self.at.items()]
        methods = [
            Evaluate().check(part, values, context)
            for statement in (*premises, says.args[0])
            for part in parts(statement)
        ]
        return ", ".join(dict.fromkeys(methods))
