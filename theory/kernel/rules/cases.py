"""Case distinctions, and equations shown by two inequalities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy as sp

from theory.kernel.notation import at_most
from theory.kernel.rules.entails import Entails
from theory.kernel.step import Context, Rejected


@dataclass(frozen=True)
class Cases:
    """An inequality that is entailed in every case: each of ``split`` may be ``>= 0`` or ``<= 0``.

    Where one side of it is a :class:`sympy.Piecewise`, each branch is a case of its own, under its condition and the
    negations of the conditions before it.
    """

    split: tuple[sp.Expr, ...] = ()
    degree: int = 2
    squares: tuple[sp.Expr, ...] = ()
    kind: str = "case distinction"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        rule, count = Entails(self.degree, self.squares), 0
        for statement, conditions in _branches(says):
            if statement == sp.true and says != sp.true:  # both sides are the same in this branch
                continue
            for chosen in product(*[(at_most(0, f), at_most(f, 0)) for f in self.split]):
                rule.check(statement, [*premises, *conditions, *chosen], context)
                count += 1
        return f"certificates in {count} cases, z3"


def _branches(says: sp.Basic) -> list[tuple[sp.Basic, list[Any]]]:
    pieces = [side for side in says.args if isinstance(side, sp.Piecewise)]
    if not pieces:
        return [(says, [])]
    if len(pieces) > 1:
        raise Rejected("both sides have branches")
    found: list[tuple[sp.Basic, list[Any]]] = []
    before: list[Any] = []
    for value, condition in pieces[0].args:  # type: ignore[misc]
        holds = [] if condition == sp.true else [condition]
        if holds and not isinstance(condition, (sp.GreaterThan, sp.LessThan, sp.StrictGreaterThan, sp.StrictLessThan)):
            raise Rejected(f"{condition} is no inequality")
        found.append((says.xreplace({pieces[0]: value}), [*before, *holds]))
        before = [*before, *[c.negated for c in holds]]
    if pieces[0].args[-1][1] != sp.true:  # type: ignore[index]
        raise Rejected("the branches do not cover all cases")
    return found


@dataclass(frozen=True)
class Squeeze:
    """An equation: each side is at most the other, both by certificates."""

    degree: int = 2
    squares: tuple[sp.Expr, ...] = ()
    kind: str = "two inequalities"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, sp.Equality):
            raise Rejected("says no equation")
        rule = Entails(self.degree, self.squares)
        left, right = says.args
        found = [rule.check(at_most(a, b), premises, context) for a, b in ((left, right), (right, left))]
        return " and ".join(found)
