"""Inequalities that follow from inequalities and equations, proved twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.certificate import certify, refute_with_z3
from theory.kernel.domain import Domain
from theory.kernel.signs import Fact
from theory.kernel.step import Context, Rejected, parts


@dataclass(frozen=True)
class Entails:
    """An inequality between rational functions that the premises entail.

    An exact Krivine-Stengle certificate with products of up to ``degree`` factors, ``squares`` of given expressions
    among them, and z3 on the premises that it uses.
    """

    degree: int = 2
    squares: tuple[sp.Expr, ...] = ()
    kind: str = "inequality"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        return "; ".join([self._check_one(part, premises, [*premises, *context.earlier()]) for part in parts(says)])

    def _check_one(self, part: sp.Basic, premises: Sequence[sp.Basic], known: Sequence[sp.Basic]) -> str:
        if not isinstance(part, (sp.LessThan, sp.StrictLessThan, sp.GreaterThan, sp.StrictGreaterThan)):
            raise Rejected(f"{part} is no inequality")
        algebra = Algebra(premises)
        left, right = (algebra.scalar(side) for side in part.args)
        squares = [algebra.scalar(q) for q in self.squares]
        algebra.read()
        plain = [q for q in self.squares if not q.has(sp.log) and all(r.exp.is_Integer for r in q.atoms(sp.Pow))]
        Domain(premises, self.degree, plain).check_roots((*part.args, *self.squares), known)
        difference = left - right if isinstance(part, (sp.GreaterThan, sp.StrictGreaterThan)) else right - left
        numerator, denominator = algebra.fraction(difference)
        sign = algebra.sign(denominator)
        if sign == 0:
            raise Rejected(f"the sign of the denominator {denominator} is not known")
        strict = isinstance(part, (sp.StrictLessThan, sp.StrictGreaterThan))
        target = Fact(sp.expand(sign * numerator), strict)
        found = certify(target, algebra.facts, algebra.equalities, self.degree, squares)
        refute_with_z3(target, found.facts, found.equalities)
        return f"certificate of degree {found.degree} with {found.terms} products, z3"
