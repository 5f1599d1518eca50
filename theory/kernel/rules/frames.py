"""Orthonormal bases of one given vector and the rest: Parseval's identity; linear combinations of vector equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatAdd, MatMul, MatrixExpr

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import Dot, dimension, equal
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import gather


class Frame(sp.Basic):
    """The statement ``Frame(z_j, u, j)``: u and ``z_2, ..., z_d`` are an orthonormal basis; ``z_j`` is any of them."""

    def _latex(self, printer: Any) -> str:
        rest, first, index = map(printer._print, self.args)
        return rf"({first},{rest})_{{2\le {index}\le d}}\text{{ an orthonormal basis}}"


class Largest(sp.Basic):
    """The statement ``Largest(λ, M)``: λ is the largest eigenvalue of M, whose eigenvalues are all real."""

    def _latex(self, printer: Any) -> str:
        value, matrix = map(printer._print, self.args)
        return rf"{value}\text{{ is the largest eigenvalue of }}{matrix}"


class LargestBeside(sp.Basic):
    """``LargestBeside(λ, M, u)``: λ is the largest eigenvalue of the symmetric M beside that of its eigenvector u."""

    def _latex(self, printer: Any) -> str:
        value, matrix, first = map(printer._print, self.args)
        return rf"{value}\text{{ is the largest eigenvalue of }}{matrix}\text{{ across }}{first}"


class LargestModulusBeside(sp.Basic):
    """``LargestModulusBeside(κ, M, u)``: the same for the largest modulus of an eigenvalue."""

    def _latex(self, printer: Any) -> str:
        value, matrix, first = map(printer._print, self.args)
        return rf"{value}\text{{ is the largest modulus of an eigenvalue of }}{matrix}\text{{ across }}{first}"


@dataclass(frozen=True)
class Parseval:
    """``<f,g> = <u,f><u,g> + Σ_j p_j q_j`` in a frame; the premises say ``p_j = <z_j,f>`` and ``q_j = <z_j,g>``."""

    kind: str = "basis"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        known = [part for premise in premises for part in parts(premise)]
        frames = [p for p in known if isinstance(p, Frame)]
        rest = [p for p in known if not isinstance(p, Frame)]
        if len(frames) != 1 or not isinstance(says, sp.Equality) or not isinstance(says.args[0], Dot):
            raise Rejected("needs one orthonormal basis, and says what an inner product is")
        vector, first, index = frames[0].args
        left, right = says.args[0].args
        running = {str(vector), str(index)}
        tied = (dependents(context.origins(), running) | running) & letters(left, right, first)
        if tied:
            raise Rejected(f"{min(tied)} may change with {index}")
        found = [self._coordinate(rest, vector, side, index) for side in (left, right)]
        if len(rest) != len({one for one, _ in found}):
            raise Rejected("a premise is none of the coordinates")
        total = sp.Sum(found[0][1] * found[1][1], (index, 2, dimension))
        wanted = equal(says.args[0], Dot(first, left) * Dot(first, right) + total)
        if not same(wanted, says):
            raise Rejected(f"the basis gives {wanted}")
        return "orthonormal basis"

    @staticmethod
    def _coordinate(rest: Sequence[Any], vector: Any, side: Any, index: Any) -> tuple[int, Any]:
        for number, premise in enumerate(rest):
            if not isinstance(premise, sp.Equality):
                continue
            symbol, value = premise.args
            if (
                isinstance(symbol, sp.Indexed)
                and index in symbol.indices
                and same(premise, equal(symbol, Dot(vector, side)))
            ):
                return number, symbol
            if value == 0 and same(premise, equal(Dot(vector, side), 0)):
                return number, sp.Integer(0)
        raise Rejected(f"the coordinates of {side} are not among the premises")


@dataclass(frozen=True)
class Combine:
    """A vector or matrix equation that is the sum of the first premises, times the ``factors`` (scalars or matrices).

    One factor a premise; the premises after those are put in.
    """

    factors: tuple[Any, ...] = (sp.Integer(1),)
    kind: str = "combination"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        count = len(self.factors)
        equations = [*premises[:count], says]
        if len(premises) < count or not all(
            isinstance(e, sp.Equality) and isinstance(e.args[0], MatrixExpr) for e in equations
        ):
            raise Rejected("needs as many vector equations as factors, and says one")
        algebra = Algebra(premises[count:])
        forms = [self._difference(algebra, says, sp.Integer(1))]
        forms += [self._difference(algebra, e, -sp.sympify(f)) for f, e in zip(self.factors, premises, strict=False)]
        algebra.read()
        for form in forms:
            for coefficient in form.values():
                if not algebra.nonzero(algebra.fraction(coefficient)[1]):
                    raise Rejected(f"the denominator of {coefficient} may vanish")
        for word, coefficient in gather(item for form in forms for item in form.items()).items():
            if not algebra.vanishes(coefficient):
                raise Rejected(f"differs in {'·'.join(n for n, _ in word) or '1'} by {coefficient}")
        return "words"

    @staticmethod
    def _difference(algebra: Algebra, equation: Any, factor: Any) -> dict[Any, Any]:
        left, right = equation.args
        return algebra.words.normal(MatMul(factor, MatAdd(left, MatMul(-1, right))))
