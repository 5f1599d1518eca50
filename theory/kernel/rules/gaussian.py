"""Expectations over independent Gaussian vectors: Isserlis' theorem, for general d."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, name_of
from theory.kernel.notation import Dot, Expect
from theory.kernel.opaque import letters_within
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import Word

ISSERLIS = "L. Isserlis, Biometrika 12 (1918) 134-139 (moments of a Gaussian vector: the sum over all pairings)"


@dataclass(frozen=True)
class Wick:
    """``Expect(p) = value`` for a polynomial p in inner products with independent vectors ``g ~ N(0, variance I)``.

    ``variances`` maps each random vector to its variance (of one entry). Everything else is constant. The moments
    are the sums over all pairings (Isserlis), done exactly for general d.
    """

    variances: dict[Any, Any] = field(hash=False)
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        self._check_vectors(context.origins(), says, premises)
        for part in parts(says):
            if not isinstance(part, sp.Equality):
                raise Rejected("says no equation")
            algebra = Algebra([p for p in premises if not _random(p, self.variances)])
            left, right = (self.mean(side, algebra, premises) for side in part.args)
            algebra.read()
            if not algebra.vanishes(left - right):
                raise Rejected(f"the mean is {sp.factor(left)}, not {sp.factor(right)}"[:300])
        return "all pairings (Isserlis)"

    def _check_vectors(self, origins: Sequence[sp.Basic], says: sp.Basic, premises: Sequence[sp.Basic]) -> None:
        """The random vectors are free: nothing is given of them but names for what depends on them."""
        random = {name_of(g) for g in self.variances}
        if not all(isinstance(g, sp.MatrixSymbol) and g.shape[1] == 1 for g in self.variances):
            raise Rejected("only vectors are random")
        for value in map(sp.sympify, self.variances.values()):
            if letters(value) & random or not Algebra(premises).is_nonnegative(value):
                raise Rejected(f"{value} may be no variance")
        tied = dependents(origins, random)
        named: set[sp.Basic] = set()
        for part in (p for origin in origins for p in parts(origin)):
            if not letters(part.xreplace({e: sp.Integer(0) for e in part.atoms(Expect)})) & (random | tied):
                continue
            new = part.args[0] if isinstance(part, sp.Equality) else sp.true
            if _describes(part, letters(says, *premises) | random | tied):
                continue
            if name_of(new) not in tied or new in named:
                raise Rejected(f"{part} restricts the random vectors")
            named.add(new)
        given = {name_of(p.args[0]) for q in premises for p in parts(q) if isinstance(p, sp.Equality)}
        hidden = letters(*says.atoms(Expect)) & tied - given
        if hidden:
            raise Rejected(f"{min(hidden)} depends on the random vectors: its definition must be a premise")

    def mean(self, expr: Any, algebra: Algebra, premises: Sequence[sp.Basic]) -> Any:
        """The expression with every ``Expect`` replaced by its value."""
        full = Algebra(premises)
        found = {}
        for expectation in expr.atoms(Expect):
            value = sp.expand(sp.cancel(full.scalar(expectation.args[0])))
            found[expectation] = self._polynomial(value, full)
        names = {e: sp.Symbol(f"_E{k}", real=True) for k, e in enumerate(found)}
        plain = algebra.scalar(expr.xreplace(names))
        return plain.subs({names[e]: v for e, v in found.items()})

    def _polynomial(self, value: Any, algebra: Algebra) -> Any:
        random = {v.name for v in self.variances}
        symbols = [s for s in value.free_symbols if self._letters(algebra.words.brackets.get(s), random)]
        hidden = [s for s in value.free_symbols if s not in symbols and letters_within(s) & random]
        if hidden:
            raise Rejected(f"no polynomial in inner products with the random vectors: {hidden[0]}")
        if not symbols:
            return value
        total: Any = 0
        for powers, coefficient in sp.Poly(value, *symbols).terms():
            words = [algebra.words.brackets[s] for s, p in zip(symbols, powers, strict=True) for _ in range(p)]
            total += coefficient * self._pairings(words, algebra, random)
        return sp.expand(total)

    @staticmethod
    def _letters(word: Word | None, random: set[str]) -> bool:
        return word is not None and any(name in random for name, _ in word)

    def _pairings(self, words: list[Word], algebra: Algebra, random: set[str]) -> Any:
        """The mean of a product of closed words, by pairing off the first random letter with each of its kind."""
        index = next((k for k, w in enumerate(words) if w[0][0] in random or w[-1][0] in random), None)
        if index is None:
            return sp.Mul(*[algebra.words.bracket(w) for w in words])
        word, rest = words[index], words[:index] + words[index + 1 :]
        sign = 1
        if word[-1][0] not in random:
            word, sign = algebra.words.transposed(word), algebra.words.sign(word)
        name = word[-1][0]
        variance = algebra.scalar(next(v for g, v in self.variances.items() if g.name == name))
        total: Any = 0
        if word[0][0] == name:
            total += variance * algebra.trace(word[1:-1]) * self._pairings(rest, algebra, random)
        for k, other in enumerate(rest):
            remaining = rest[:k] + rest[k + 1 :]
            # with the first letter of the other word, and, turned round, with its last
            for oriented, turned in ((other, 1), (algebra.words.transposed(other), algebra.words.sign(other))):
                if oriented[0][0] == name:
                    merged = word[:-1] + oriented[1:]
                    total += turned * variance * self._pairings([*remaining, merged], algebra, random)
        return sign * total


def _describes(part: sp.Basic, known: set[str]) -> bool:
    """Whether an equation only says what a matrix does that occurs nowhere else (``<u, D v>`` in terms of others)."""
    if not isinstance(part, sp.Equality) or not isinstance(part.args[0], Dot):
        return False
    matrices = [m for m in part.args[0].atoms(sp.MatrixSymbol) if m.shape[1] != 1]
    return any(str(m) not in known for m in matrices)


def _random(premise: sp.Basic, variances: dict[Any, Any]) -> bool:
    return any(premise.has(g) for g in variances) and premise.has(Dot)
