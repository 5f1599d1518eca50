"""Expectations of sums over an index: of uncorrelated terms, squared, and of sums over directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.dependence import dependents, letters
from theory.kernel.notation import Expect, equal
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected, parts


def _constant(exprs: Sequence[Any], random: Sequence[Any], context: Context) -> None:
    names = {str(vector) for vector in random}
    loose = (names | dependents(context.origins(), names)) & letters(*exprs)
    if loose:
        raise Rejected(f"{min(loose)} may be random")


def _random(expr: Any, random: Sequence[Any], context: Context) -> bool:
    names = {str(vector) for vector in random}
    return bool((names | dependents(context.origins(), names)) & letters(expr))


def _finite(total: Any) -> bool:
    """Whether the sum is over one index in a finite range."""
    return len(total.limits) == 1 and len(total.limits[0]) == 3 and not any(b.is_infinite for b in total.limits[0][1:])


@dataclass(frozen=True)
class Uncorrelated:
    """``E[(c Σ_k s_k X_k)²] = c² Σ_k s_k² v``: the premises say ``E[X_k X_l] = 0`` for k ≠ l, and ``E[X_k²] = v``.

    ``index`` and ``other`` are k and l, two different values of one index; ``random`` are the random vectors, all else
    is constant. Further premises (``symbol = c Σ_k s_k X_k``) are put in.
    """

    index: sp.Symbol
    other: sp.Symbol
    random: tuple[Any, ...]
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        known = [part for premise in premises for part in parts(premise)]
        moments = [p for p in known if isinstance(p, sp.Equality) and isinstance(p.args[0], Expect)]
        names = {p.args[0]: p.args[1] for p in known if isinstance(p, sp.Equality) and p not in moments}
        if len(moments) != 2 or len(moments) + len(names) != len(known) or not isinstance(says, sp.Equality):
            raise Rejected("needs the mean of the products and of the squares, and says an equation")
        if not all(isinstance(name, (sp.Symbol, sp.Indexed)) for name in names) or not isinstance(says.args[0], Expect):
            raise Rejected("says no expectation, or puts in what is no name")
        inside: Any = says.args[0].args[0].xreplace(names)
        outside: Any = sp.Integer(1)
        total: Any = None
        for factor in sp.Mul.make_args(inside):
            base, power = factor.as_base_exp()
            if isinstance(base, sp.Sum) and power == 2 and total is None:
                total = base
            else:
                outside *= factor
        if total is None or not _finite(total) or total.limits[0][0] != self.index:
            raise Rejected(f"says nothing about the square of a sum over {self.index}")
        factors: Any = sp.Mul.make_args(total.function)
        terms = [f for f in factors if _random(f, self.random, context)]
        weight = sp.Mul(*[f for f in factors if f not in terms])
        if len(terms) != 1 or not isinstance(terms[0], sp.Indexed) or self.index not in terms[0].indices:
            raise Rejected("the terms must be one random number of the index each, times a weight")
        (term,) = terms
        partner = term.xreplace({self.index: self.other})
        if self.index == self.other or partner == term or self.other in sp.sympify(weight).free_symbols:
            raise Rejected("the two indices must be different ones")
        square = [m for m in moments if m.args[0] == Expect(term**2)]
        cross = [m for m in moments if m.args[0] == Expect(term * partner) and m.args[1] == 0]
        if len(square) != 1 or len(cross) != 1:
            raise Rejected("the premises are not about the products and the squares of the terms")
        variance = square[0].args[1]
        _constant((outside, weight, variance, *total.limits[0][1:]), self.random, context)
        wanted = equal(says.args[0], outside * sp.Sum(weight**2 * variance, total.limits[0]))
        if not same(wanted, says):
            raise Rejected(f"the mean is {wanted.args[1]}")
        return "terms with mean products zero"


@dataclass(frozen=True)
class MeanOfSum:
    """``E[Σ_j c_j Y_j] = Σ_j c_j m_j`` where the premise says ``E[Y_j] = m_j``; ``random`` are the random vectors."""

    random: tuple[Any, ...]
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if len(premises) != 1 or not all(
            isinstance(p, sp.Equality) and isinstance(p.args[0], Expect) for p in (premises[0], says)
        ):
            raise Rejected("needs the mean of a term, and says that of a sum")
        outer, inner, mean = says.args[0], premises[0].args[0], premises[0].args[1]
        total: Any = outer.args[0]
        term: Any = inner.args[0]
        if not isinstance(total, sp.Sum) or not _finite(total):
            raise Rejected("says nothing about a sum over one index")
        weight = sp.cancel(total.function / term)
        _constant((weight, mean, *total.limits[0][1:]), self.random, context)
        wanted = equal(outer, sp.Sum(weight * mean, total.limits[0]))
        if not same(wanted, says):
            raise Rejected(f"the mean is {wanted.args[1]}")
        return "linearity of the expectation"
