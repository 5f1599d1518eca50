"""What holds of every token holds of a weighted mean; what bounds the extreme token's rate bounds the extremum's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import Dot, MeanOf, Norm, Whenever
from theory.kernel.opaque import letters_within
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected
from theory.kernel.words import BRACKETS

DANSKIN = "J. M. Danskin, The Theory of Max-Min, Springer 1967, ch. I (derivative of a maximum)"

RELATIONS = (sp.LessThan, sp.GreaterThan)


@dataclass(frozen=True)
class Convex:
    """A convex inequality that holds of every token holds of a weighted mean of them (Jensen).

    Premises: the inequality of the token, and ``MeanOf(mean, token)``. Checked: the smaller side minus the larger
    one is affine in the token, plus norms of linear functions of it with coefficients that are not negative.
    """

    kind: str = "convexity"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        means = [p for p in premises if isinstance(p, MeanOf)]
        relations = [p for p in premises if isinstance(p, (sp.LessThan, sp.GreaterThan, sp.Equality))]
        if len(means) != 1 or len(relations) != 1 or len(premises) != 2:
            raise Rejected("needs one inequality of the token and one weighted mean")
        mean: Any
        token: Any
        mean, token = means[0].args
        if not same(relations[0].xreplace({token: mean}), says):
            raise Rejected("is not the token's inequality with the mean in place of the token")
        tied = dependents(context.origins(), {token.name}) & letters(relations[0])
        if tied - {token.name}:
            raise Rejected(f"{min(tied)} is another one for every token")
        low, high = relations[0].args
        if isinstance(relations[0], sp.GreaterThan):
            low, high = high, low
        both = isinstance(relations[0], sp.Equality)
        self._convex(sp.expand(low - high), token, both)  # type: ignore[operator]
        return "affine plus norms"

    def _convex(self, difference: Any, token: MatrixSymbol, affine_only: bool) -> None:
        for term in sp.Add.make_args(difference):
            factors = [f for f in sp.Mul.make_args(term) if f.has(token)]
            rest = sp.Mul(*[f for f in sp.Mul.make_args(term) if not f.has(token)])
            if not factors:
                continue
            if len(factors) > 1:
                raise Rejected(f"{term} is not affine in the token")
            (factor,) = factors
            if isinstance(factor, Dot):
                if all(a.has(token) for a in factor.args) or not all(_linear(a, token) for a in factor.args):
                    raise Rejected(f"{factor} is not linear in the token")
            elif isinstance(factor, Norm) and not affine_only:
                if not _linear(factor.args[0], token):
                    raise Rejected(f"{factor} is no norm of a linear function of the token")
                if not (rest.is_nonnegative or Algebra(()).sign(rest) > 0):
                    raise Rejected(f"the coefficient {rest} of a norm may be negative")
            else:
                raise Rejected(f"{factor} is not convex in the token")


def _linear(expr: Any, token: MatrixSymbol) -> bool:
    """Whether a column expression has the token at most once in each of its words."""
    algebra = Algebra(())
    for word, coefficient in algebra.words.normal(expr).items():
        inside = sum(name == token.name for name, _ in word)
        moving = {s: BRACKETS.get(s) for s in coefficient.free_symbols if token.name in letters_within(s)}
        if any(letters is None or sum(n == token.name for n, _ in letters) != 1 for letters in moving.values()):
            return False
        polynomial = coefficient.is_polynomial(*moving)
        if not polynomial or inside + (sp.Poly(coefficient, *moving).total_degree() if moving else 0) > 1:
            return False
    return True


@dataclass(frozen=True)
class Envelope:
    """From the token that attains the extremum to the extremum: the same inequality, for its Dini derivative.

    ``at`` maps the token's value and rate to those of the extremum. The inequality may be one that holds where the
    value is in some range (``Whenever``, without variables).
    """

    at: dict[Any, Any] = field(hash=False)
    kind: str = "extremum"
    cited: str | None = DANSKIN

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        said = says.args[-1] if isinstance(says, Whenever) and not says.variables else says
        if len(premises) != 1 or not isinstance(said, RELATIONS) or not same(premises[0].xreplace(self.at), says):
            raise Rejected("is not the extreme token's inequality")
        return "extreme token"
