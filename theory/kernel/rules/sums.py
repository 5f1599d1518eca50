"""Sums over directions, term by term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected


@dataclass(frozen=True)
class Termwise:
    """From ``f_j <= g_j`` (or ``=``, ``>=``) for every j to the sums over j."""

    kind: str = "sum"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if len(premises) != 1 or type(premises[0]) is not type(says):
            raise Rejected("needs the same relation between the terms")
        if not isinstance(says, (sp.LessThan, sp.GreaterThan, sp.Equality)):
            raise Rejected("says no relation between sums")
        limits = {s.limits for side in says.args for s in side.atoms(sp.Sum)}
        if len(limits) != 1:
            raise Rejected("the sums must have the same range")
        (limit,) = limits
        wanted = type(says)(*[sp.Sum(side, *limit) if side != 0 else side for side in premises[0].args], evaluate=False)
        if wanted != says and not same(wanted, says):
            raise Rejected(f"summing the terms gives {wanted}")
        return "term by term"
