"""Sums over directions, term by term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected


def _binds(statement: sp.Basic, index: sp.Basic) -> bool:
    return any(index == limit[0] for node in statement.atoms(sp.Sum, sp.Integral) for limit in node.limits)


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
        if len(limit) != 1 or len(limit[0]) != 3 or not (limit[0][2] - limit[0][1] + 1).is_nonnegative:
            raise Rejected("the sums must have one index, from below to above")
        if _binds(premises[0], limit[0][0]):
            raise Rejected("the running index is bound in the terms")
        whole = [sp.Sum(side, *limit) if side != 0 else side for side in premises[0].args]
        split = [sp.Add(*[sp.Sum(term, *limit) for term in sp.Add.make_args(side) if term != 0]) for side in premises[0].args]
        wanted, other = (type(says)(*sides, evaluate=False) for sides in (whole, split))
        if wanted != says and not same(wanted, says) and not same(other, says):
            raise Rejected(f"summing the terms gives {wanted}")
        return "term by term"
