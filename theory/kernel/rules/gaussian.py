"""Expectations over independent Gaussian vectors: Isserlis' theorem, for general d."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.notation import Dot, Expect, dimension
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
        for part in parts(says):
            if not isinstance(part, sp.Equality):
                raise Rejected("says no equation")
            algebra = Algebra([p for p in premises if not _random(p, self.variances)])
            left, right = (self.mean(side, algebra, premises) for side in part.args)
            algebra.read()
            if not algebra.vanishes(left - right):
                raise Rejected(f"the mean is {sp.factor(left)}, not {sp.factor(right)}"[:300])
        return "all pairings (Isserlis)"

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
        hidden = [s for s in value.free_symbols if s not in symbols and _mentions(s, random, algebra)]
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
        if word[-1][0] not in random:
            word = algebra.words.transposed(word)
        name = word[-1][0]
        variance = next(v for g, v in self.variances.items() if g.name == name)
        total: Any = 0
        if word[0][0] == name:
            total += variance * self._trace(word[1:-1], algebra) * self._pairings(rest, algebra, random)
        for k, other in enumerate(rest):
            remaining = rest[:k] + rest[k + 1 :]
            for oriented in {other, algebra.words.transposed(other)} if other[0][0] != other[-1][0] else (other,):
                if oriented[0][0] != name:
                    continue
                merged = word[:-1] + oriented[1:]
                count = 2 if other[0][0] == other[-1][0] else 1
                total += count * variance * self._pairings([*remaining, merged], algebra, random)
        return total

    @staticmethod
    def _trace(inside: Word, algebra: Algebra) -> Any:
        if not inside:
            return dimension
        return algebra._new(("trace", min([inside, algebra.words.transposed(inside)])))[0]


def _random(premise: sp.Basic, variances: dict[Any, Any]) -> bool:
    return any(premise.has(g) for g in variances) and premise.has(Dot)


def _mentions(symbol: Any, random: set[str], algebra: Algebra) -> bool:
    for key, value in algebra.opaque.items():
        if value == symbol:
            text = str(key)
            return any(f"'{name}'" in text or f"{name}," in text or f"({name}" in text for name in random)
    return False
