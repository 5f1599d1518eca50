"""Sums over directions, term by term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected


def _over(term: Any, limit: Any) -> Any:
    return sp.Sum(term, *limit)


def _binds(statement: sp.Basic, index: sp.Basic) -> bool:
    return any(index in node.variables for node in statement.atoms(sp.Sum, sp.Integral))


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
        endless = len(limit[0]) == 3 and limit[0][2] is sp.oo
        if len(limit) != 1 or len(limit[0]) != 3 or not (endless or (limit[0][2] - limit[0][1] + 1).is_nonnegative):
            raise Rejected("the sums must have one index, from below to above")
        smaller = premises[0].args[1 if isinstance(says, sp.GreaterThan) else 0]
        if endless and (isinstance(says, sp.Equality) or not smaller.is_nonnegative):
            raise Rejected("a series with terms of unknown sign need not converge")
        if _binds(premises[0], limit[0][0]):
            raise Rejected("the running index is bound in the terms")
        sides: Any = premises[0].args
        whole = [_over(side, limit) if side != 0 else side for side in sides]
        split: list[Any] = [
            sp.Add(*[_over(term, limit) for term in sp.Add.make_args(side) if term != 0]) for side in sides
        ]
        wanted, other = (type(says)(*sides, evaluate=False) for sides in (whole, split))
        if wanted != says and not same(wanted, says) and not same(other, says):
            raise Rejected(f"summing the terms gives {wanted}")
        return "term by term"
