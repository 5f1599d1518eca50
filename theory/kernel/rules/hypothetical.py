"""General statements: from a derivation with hypotheses, and instances of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import Whenever, dimension
from theory.kernel.rules.apply import _check_instance
from theory.kernel.step import Context, Rejected


@dataclass(frozen=True)
class Hypothetical:
    """The statement of another derivation under some of its hypotheses, for all values of some of its symbols.

    ``says`` is ``Whenever(variables, hypotheses, conclusion)``. Every hypothesis of that derivation must be among the
    premises or among those of the statement; what is generalised occurs in no premise.
    """

    theorem: str
    at: dict[Any, Any] = field(default_factory=dict, hash=False)
    kind: str = "application"
    cited: str | None = None

    @property
    def uses(self) -> str:
        """Id of the derivation that is applied."""
        return self.theorem.partition("#")[0]

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not isinstance(says, Whenever):
            raise Rejected("says no general statement")
        supposed, claim = says.args[1], says.args[2]
        bound = letters(*says.variables) - {str(dimension)}
        loose = bound | dependents(context.origins(), bound)
        if len(bound) != len(says.variables) or not all(
            isinstance(v, (sp.Symbol, MatrixSymbol)) for v in says.variables
        ):
            raise Rejected("what is generalised must be symbols")
        fixed = (loose & letters(*premises)) | ((loose - bound) & letters(says))
        if fixed:
            raise Rejected(f"{min(fixed)} is not any one: a premise speaks of it")
        conclusion, hypotheses = context.theorem(self.theorem)
        _check_instance(claim, [*premises, *supposed.args], conclusion, hypotheses, self.at)
        return self.theorem


@dataclass(frozen=True)
class Instance:
    """An instance of the first premise, a general statement; its hypotheses are the other premises."""

    at: dict[Any, Any] = field(hash=False)
    kind: str = "instance"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(premises[0], Whenever):
            raise Rejected("needs a general statement")
        if set(self.at) != set(premises[0].variables):
            raise Rejected("every variable of the general statement, and nothing else, is replaced")
        _check_instance(says, premises[1:], premises[0].args[2], premises[0].args[1].args, self.at)
        return "instance of a general statement"
