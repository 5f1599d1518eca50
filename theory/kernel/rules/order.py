"""Monotone functions reflect the order of their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.notation import at_most, below
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected, parts

# function → (sign, lower end, upper end) of a closed interval on which it is strictly monotone: sign +1 or -1
MONOTONE: dict[Any, tuple[int, Any, Any]] = {
    sp.cos: (-1, sp.Integer(0), sp.pi),
    sp.sin: (1, -sp.pi / 2, sp.pi / 2),
    sp.exp: (1, None, None),
    sp.atan: (1, None, None),
}


@dataclass(frozen=True)
class Injective:
    """From the order of ``f(α)`` and ``f(β)`` to that of α and β, f strictly monotone on an interval with both.

    The first premise is the relation of the values, ``says`` that of the arguments (turned round where f decreases).
    Further premises say that the arguments lie in the interval, as far as that is not known from the symbols.
    """

    function: Any
    kind: str = "monotone"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(says, (sp.LessThan, sp.StrictLessThan)):
            raise Rejected("needs the order of the values, and says the order of the arguments with < or <=")
        sign, low, high = MONOTONE[self.function]
        sides = says.args if sign > 0 else says.args[::-1]
        wanted = type(says)(*[self.function(side) for side in sides], evaluate=False)
        if not same(wanted, premises[0]):
            raise Rejected(f"needs {wanted}")
        known = [part for premise in premises[1:] for part in parts(premise)]
        used: set[int] = set()
        for side in says.args:
            for end, forms in ((low, (at_most, below)), (high, (at_most, below))):
                if end is None:
                    continue
                pair = (low, side) if end is low else (side, high)
                if self._obvious(*pair):
                    continue
                found = [k for k, part in enumerate(known) for form in forms if same(part, form(*pair))]
                if not found:
                    raise Rejected(f"not among the premises: {at_most(*pair)}")
                used |= set(found)
        if len(used) != len(known):
            raise Rejected("a premise says nothing about where the function is monotone")
        return f"{self.function.__name__} is strictly monotone"

    @staticmethod
    def _obvious(low: Any, high: Any) -> bool:
        return bool((high - low).is_nonnegative)
