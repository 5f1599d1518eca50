"""Instances of theorems: of derivations in this project, and of textbook theorems that are cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr

from theory.kernel.algebra import Algebra
from theory.kernel.notation import MeanOf
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import gather


@dataclass(frozen=True)
class Apply:
    """The statement of another derivation (``ID``, or one of its steps, ``ID#STEP``) with symbols replaced.

    ``at`` maps symbols to expressions. Every hypothesis of that derivation, with the same replacement, must be
    among the premises.
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
        conclusion, hypotheses = context.theorem(self.theorem)
        _check_instance(says, premises, conclusion, hypotheses, self.at)
        return self.theorem


@dataclass(frozen=True)
class Theorem:
    """A textbook theorem: for all values of its symbols the hypotheses entail the statement.

    ``source`` is None where the statement is a definition of notation (the operator norm, say).
    """

    name: str
    statement: sp.Basic
    source: str | None
    hypotheses: tuple[sp.Basic, ...] = ()


@dataclass(frozen=True)
class Textbook:
    """An instance of a textbook theorem; its hypotheses must be among the premises."""

    theorem: Theorem
    at: dict[Any, Any] = field(default_factory=dict, hash=False)

    @property
    def kind(self) -> str:
        """``textbook``, or ``notation`` where nothing is cited.

        :meta private:
        """
        return "textbook" if self.theorem.source else "notation"

    @property
    def cited(self) -> str | None:
        """The source.

        :meta private:
        """
        return self.theorem.source

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        _check_instance(says, premises, self.theorem.statement, self.theorem.hypotheses, self.at)
        return self.theorem.name


def _check_instance(
    says: sp.Basic,
    premises: Sequence[sp.Basic],
    conclusion: sp.Basic,
    hypotheses: Sequence[sp.Basic],
    at: dict[Any, Any],
) -> None:
    # first to fresh symbols, so that a replacement is not replaced again
    wanted, given = parts(_replaced(conclusion, at)), parts(says)
    if len(wanted) != len(given) or not all(same(w, g) for w, g in zip(wanted, given, strict=True)):
        raise Rejected(f"the theorem gives {wanted}")
    known = [part for premise in premises for part in parts(premise)]
    used = set()
    for hypothesis in hypotheses:
        for part in parts(_replaced(hypothesis, at)):
            match = next((k for k, candidate in enumerate(known) if same(part, candidate)), None)
            if match is None:
                raise Rejected(f"the hypothesis {part} of the theorem is not among the premises")
            used.add(match)
    position = 0
    for premise in premises:
        inner = range(position, position + len(parts(premise)))
        position += len(parts(premise))
        if not used & set(inner):
            raise Rejected(f"the premise {premise} is no hypothesis of the theorem")


def _replaced(statement: sp.Basic, at: dict[Any, Any]) -> sp.Basic:
    return statement.xreplace(at)


def same(one: sp.Basic, other: sp.Basic) -> bool:
    """Whether two relations are the same up to normal forms of their sides."""
    if one == other:
        return True
    if type(one) is not type(other) or isinstance(one, MeanOf):
        return False
    return all(_same_side(a, b) for a, b in zip(one.args, other.args, strict=True))


def _same_side(one: Any, other: Any) -> bool:
    algebra = Algebra(())
    matrices = isinstance(one, MatrixExpr), isinstance(other, MatrixExpr)
    if matrices == (True, True):
        a, b = algebra.words.normal(one), algebra.words.normal(other)
        return not gather([*a.items(), *((w, -c) for w, c in b.items())])
    if any(matrices):
        return False
    return algebra.fraction(algebra.scalar(one) - algebra.scalar(other))[0] == 0
