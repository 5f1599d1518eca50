"""General statements: from a derivation with hypotheses, instances of them, and objects that a theorem provides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import Whenever, dimension
from theory.kernel.rules.apply import Theorem, _check_instance
from theory.kernel.step import Context, Rejected


class Dominant(sp.Basic):
    """``Dominant(λ, M)``: λ is a simple eigenvalue of M; all others, complex ones too, have a smaller modulus."""

    def _latex(self, printer: Any) -> str:
        value, matrix = map(printer._print, self.args)
        return rf"{value}\text{{ is a simple eigenvalue of }}{matrix}\text{{, and the others have a smaller modulus}}"


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


@dataclass(frozen=True)
class Obtain:
    """What a textbook theorem says to exist, under names that occur nowhere before.

    The objects are the symbols of the theorem's statement that its hypotheses do not have; they keep their names.
    """

    theorem: Theorem
    at: dict[Any, Any] = field(default_factory=dict, hash=False)
    kind: str = "choice"

    @property
    def cited(self) -> str | None:
        """The source.

        :meta private:
        """
        return self.theorem.source

    @property
    def fresh(self) -> frozenset[Any]:
        """The symbols that are brought in."""
        said = self.theorem.statement.atoms(sp.Symbol, MatrixSymbol)
        given = set().union(*(h.atoms(sp.Symbol, MatrixSymbol) for h in self.theorem.hypotheses))
        bound = {v for node in self.theorem.statement.atoms(Whenever) for v in node.variables}
        names = letters(*given, *bound) | {str(dimension)}
        return frozenset(s for s in said if str(s) not in names)

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        names = letters(*self.fresh)
        if not names:
            raise Rejected("the theorem brings in nothing")
        if names & letters(*self.at, *self.at.values()):
            raise Rejected("what the theorem brings in keeps its name")
        known = names & letters(*context.earlier())
        if known:
            raise Rejected(f"{min(known)} occurs already")
        _check_instance(says, premises, self.theorem.statement, self.theorem.hypotheses, self.at, schema=True)
        return self.theorem.name
