"""Exact identities: of rational functions modulo known relations, of words in vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.matrices.expressions import MatrixExpr

from theory.kernel.algebra import Algebra
from theory.kernel.domain import Domain
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import gather


@dataclass(frozen=True)
class Identity:
    """An equation that holds identically once the equations among the premises are put in.

    Scalars: zero in the field of rational functions, or in the ideal that the premises span (Groebner basis); no
    denominator may vanish. Vectors and matrices of general d: equal normal forms in the algebra of words.
    """

    kind: str = "identity"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        methods = [_check_one(part, premises, [*premises, *context.earlier()]) for part in parts(says)]
        return ", ".join(dict.fromkeys(methods))


def _check_one(part: sp.Basic, premises: Sequence[sp.Basic], known: Sequence[sp.Basic]) -> str:
    if not isinstance(part, sp.Equality):
        raise Rejected(f"{part} is no equation")
    left, right = part.args
    algebra = Algebra(premises)
    if isinstance(left, MatrixExpr):
        return _check_words(algebra, left, right)
    values = algebra.scalar(left), algebra.scalar(right)
    algebra.read()
    for value in values:
        _, denominator = algebra.fraction(value)
        if not algebra.nonzero(denominator):
            raise Rejected(f"the denominator {denominator} may vanish")
    Domain(premises).check_roots((left, right), known)
    if not algebra.vanishes(values[0] - values[1]):
        difference = algebra.fraction(values[0] - values[1])[0]
        raise Rejected(f"the two sides differ by {str(difference)[:200]}")
    return "words" if part.atoms(sp.MatrixSymbol) else "field of rational functions"


def _check_words(algebra: Algebra, left: MatrixExpr, right: sp.Basic) -> str:
    a, b = algebra.words.normal(left), algebra.words.normal(right)
    algebra.read()
    for coefficient in [*a.values(), *b.values()]:
        if not algebra.nonzero(algebra.fraction(coefficient)[1]):
            raise Rejected(f"the denominator of {coefficient} may vanish")
    for word, coefficient in gather([*a.items(), *((w, -c) for w, c in b.items())]).items():
        if not algebra.vanishes(coefficient):
            raise Rejected(f"the two sides differ in {'·'.join(n for n, _ in word) or '1'} by {coefficient}")
    return "words"
