"""Expectations over Gaussian matrices: pairings for general sizes, rotations, and means of what holds surely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters
from theory.kernel.domain import Domain, near
from theory.kernel.notation import Expect
from theory.kernel.opaque import letters_within
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import Word

LEBESGUE = "W. Rudin, Real and Complex Analysis, 3rd ed., McGraw-Hill 1987, Thm. 1.34 (dominated convergence)"


class Past(sp.Function):
    """The mean over what happened in earlier layers (and over the tokens); ``Expect`` is that over the current one."""

    nargs = 1
    is_commutative = True  # type: ignore[assignment]
    is_real = True
    is_extended_real = True

    def _latex(self, printer: Any) -> str:
        return r"\mathbb E_{<l}\left[" + printer._print(self.args[0]) + r"\right]"


def _relations(statements: Iterable[sp.Basic]) -> list[sp.Basic]:
    return [part for statement in statements for part in parts(statement)]


def _check_premises(premises: Sequence[sp.Basic], random: Iterable[Any]) -> None:
    """A premise with a random object in it may only give something else by it."""
    names = {str(g) for g in random}
    for relation in _relations(premises):
        if not any(relation.has(g) for g in random):
            continue
        left = relation.args[0]
        named = isinstance(left, (sp.Symbol, sp.Indexed, MatrixSymbol)) and str(left) not in names
        if not (isinstance(relation, sp.Equality) and named):
            raise Rejected(f"the premise {relation} restricts what is random")


def _hidden(letters: set[str], random: Iterable[Any], premises: Sequence[sp.Basic], context: Context) -> None:
    """Nothing may depend on what is random unless a premise says how."""
    names = {str(g) for g in random}
    tied = dependents([*context.origins(), *premises], names) & letters
    if tied:
        raise Rejected(f"{min(tied)} depends on what is random, and no premise says how")


@dataclass(frozen=True)
class MatrixWick:
    """``Expect(p) = value``, p a polynomial in inner products with matrices of i.i.d. N(0, variance) entries.

    ``variances`` maps each random matrix, of any shape, to its variance. The moments are the sums over all pairings
    (Isserlis): ``E X_ij X_kl`` is the variance where i = k and j = l. Everything else is constant.
    """

    variances: dict[Any, Any] = field(hash=False)
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        _check_premises(premises, self.variances)
        names = {g.name for g in self.variances}
        for variance in map(sp.sympify, self.variances.values()):
            known = Domain([*premises, *near(context.earlier(), variance)])
            tied = letters(variance) & (names | dependents(context.origins(), names))
            if tied or not known.shows(variance, strict=False):
                raise Rejected(f"{variance} may be no variance")
        for part in parts(says):
            if not isinstance(part, sp.Equality):
                raise Rejected("says no equation")
            algebra = Algebra(premises)
            left, right = (self._side(side, algebra, context) for side in part.args)
            algebra.read()
            if not all(algebra.nonzero(algebra.fraction(value)[1]) for value in (left, right)):
                raise Rejected("a denominator may vanish")
            if not algebra.vanishes(left - right):
                raise Rejected(f"the mean is {sp.factor(left)}, not {sp.factor(right)}"[:300])
        return "all pairings (Isserlis)"

    def _side(self, side: Any, algebra: Algebra, context: Context) -> Any:
        found = {node: sp.Symbol(f"E{k}", real=True) for k, node in enumerate(side.atoms(Expect))}
        plain = algebra.scalar(side.xreplace(found))
        if letters_within(plain) & {g.name for g in self.variances}:
            raise Rejected("a random matrix outside of every expectation")
        return plain.xreplace({symbol: self._mean(node.args[0], algebra, context) for node, symbol in found.items()})

    def _mean(self, expr: Any, algebra: Algebra, context: Context) -> Any:
        random = {g.name for g in self.variances}
        value = sp.expand(sp.cancel(algebra.scalar(expr)))
        _hidden(letters_within(value), self.variances, (), context)
        brackets = algebra.words.brackets
        symbols = [s for s in value.free_symbols if any(name in random for name, _ in brackets.get(s, ()))]  # type: ignore[call-overload]
        if any(letters_within(s) & random for s in value.free_symbols if s not in symbols):
            raise Rejected("no polynomial in inner products with the random matrices")
        if not symbols:
            return value
        total: Any = sp.Integer(0)
        for powers, coefficient in sp.Poly(value, *symbols).terms():
            words = [brackets[s] for s, p in zip(symbols, powers, strict=True) for _ in range(p)]  # type: ignore[index]
            total += coefficient * self._pairings(words, algebra)
        return sp.expand(total)

    def _pairings(self, words: list[Word], algebra: Algebra) -> Any:
        """The mean of a product of traces (a closed word is the trace of itself)."""
        names = {g.name: variance for g, variance in self.variances.items()}
        first = next(((k, p) for k, w in enumerate(words) for p, (n, _) in enumerate(w) if n in names), None)
        if first is None:
            return sp.Mul(*[algebra.trace(word) for word in words])
        k, p = first
        letter, word, rest = words[k][p], words[k][p + 1 :] + words[k][:p], words[:k] + words[k + 1 :]
        turn, sign = algebra.words.transposed, algebra.words.sign
        rows, columns = algebra.words.shapes[letter[0]][:: -1 if letter[1] else 1]
        total: Any = sp.Integer(0)
        for q, other in enumerate(word):
            if other[0] != letter[0]:
                continue
            b, c = word[:q], word[q + 1 :]
            if other[1] == letter[1]:  # tr(X b X c): tr(bᵀ c)
                total += sign(b) * self._go_on([(turn(b) + c, rows)], rest, algebra)
            else:  # tr(X b Xᵀ c): tr(b) tr(c)
                total += self._go_on([(b, columns), (c, rows)], rest, algebra)
        for m, second in enumerate(rest):
            for q, other in enumerate(second):
                if other[0] != letter[0]:
                    continue
                c = second[q + 1 :] + second[:q]
                turned = other[1] == letter[1]  # tr(X b) tr(X c): tr(bᵀ c); tr(X b) tr(Xᵀ c): tr(b c)
                joined = turn(word) + c if turned else word + c
                factor = sign(word) if turned else 1
                total += factor * self._go_on([(joined, rows)], rest[:m] + rest[m + 1 :], algebra)
        return names[letter[0]] * total

    def _go_on(self, new: list[tuple[Word, Any]], rest: list[Word], algebra: Algebra) -> Any:
        """The empty word is the identity, whose trace is its size."""
        sizes = [size for word, size in new if not word]
        return sp.Mul(*sizes) * self._pairings([*rest, *[word for word, _ in new if word]], algebra)


@dataclass(frozen=True)
class Rotated:
    """``Expect(f) = Expect(g)``, where g is f with ``Q X`` for every X in ``random``, Q orthogonal.

    The matrices ``random`` have i.i.d. centred Gaussian entries, so that ``Q X`` has the law of X. Premises give what
    depends on them, and that Q is orthogonal.
    """

    random: tuple[Any, ...]
    by: Any
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        _check_premises(premises, self.random)
        if not isinstance(says, sp.Equality) or not all(isinstance(side, Expect) for side in says.args):
            raise Rejected("says no equation of two expectations")
        algebra = Algebra(premises)
        names = {g.name for g in self.random}
        if letters_within(self.by) & (names | dependents(context.origins(), names)):
            raise Rejected("the rotation must not depend on what is random")
        square = algebra.words.normal(self.by.T * self.by)
        if set(square) != {()} or sp.expand(square[()] - 1) != 0:
            raise Rejected(f"{self.by} is not known to be orthogonal")
        one, other = (side.args[0].xreplace(self._given(premises)) for side in says.args)
        for side in (one, other):
            _hidden({str(s) for s in side.atoms(sp.Symbol, MatrixSymbol)}, self.random, (), context)
        turned = one.xreplace({g: self.by * g for g in self.random})
        difference = algebra.scalar(turned) - algebra.scalar(other)
        algebra.read()
        if not algebra.vanishes(difference):
            raise Rejected("the right side is not the left one with the rotated matrices")
        return "Gaussian matrices are invariant under rotations"

    def _given(self, premises: Sequence[sp.Basic]) -> dict[Any, Any]:
        given = {}
        for relation in _relations(premises):
            if isinstance(relation, sp.Equality) and isinstance(relation.args[0], MatrixSymbol):
                given[relation.args[0]] = relation.args[1]
        for _ in range(20):
            wider = {k: v.xreplace(given) for k, v in given.items()}
            if wider == given:
                break
            given = wider
        return {k: v for k, v in given.items() if any(v.has(g) for g in self.random)}


@dataclass(frozen=True)
class Mean:
    """The first premise, which holds surely, averaged; or an equation by linearity alone (``pointwise=False``).

    ``over`` is :class:`Expect` or :class:`Past`; ``random`` are the symbols, vectors and matrices that it averages
    over, everything else is constant. The mean is linear, positive and 1 of 1; further premises are put in.
    """

    random: tuple[Any, ...]
    over: Any = Expect
    pointwise: bool = True
    kind: str = "expectation"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        first = premises[0] if premises and self.pointwise else None
        if self.pointwise and (first is None or type(first) is not type(says)):
            raise Rejected("needs the same relation, that holds surely")
        if not isinstance(says, (sp.Equality, sp.LessThan)) or (first is None and not isinstance(says, sp.Equality)):
            raise Rejected("says no equation and no inequality with <=")
        rest = premises[1:] if self.pointwise else premises
        algebra = Algebra(rest)
        names: dict[Any, sp.Symbol] = {}
        wanted: Any = sp.Integer(0)
        if first is not None:
            if first.has(self.over):
                raise Rejected("the first premise has a mean in it")
            wanted = self._split(first.args[0] - first.args[1], algebra, names, context)  # type: ignore[operator]
        said = self._value(says.args[0] - says.args[1], algebra, names, context)  # type: ignore[operator]
        algebra.read()
        if not algebra.vanishes(wanted - said):
            raise Rejected("the mean of the premise is another statement")
        return "linear, positive, normalised"

    def _names(self) -> set[str]:
        return {str(g) for g in self.random}

    def _value(self, expr: Any, algebra: Algebra, names: dict[Any, sp.Symbol], context: Context) -> Any:
        found = {node: sp.Symbol(f"M{k}", real=True) for k, node in enumerate(_outermost(expr, self.over))}
        plain = algebra.scalar(expr.xreplace(found))
        if letters_within(plain) & self._names():
            raise Rejected("something random outside of every mean")
        return plain.xreplace(
            {symbol: self._split(node.args[0], algebra, names, context) for node, symbol in found.items()}
        )

    def _split(self, expr: Any, algebra: Algebra, names: dict[Any, sp.Symbol], context: Context) -> Any:
        value = sp.cancel(sp.together(algebra.scalar(expr)))
        numerator, denominator = sp.fraction(value)
        random = self._names()
        _hidden(letters_within(value) - {str(k) for k in algebra.definitions}, self.random, (), context)
        below, base = self._apart(denominator, random)
        total: Any = sp.Integer(0)
        for term in sp.Add.make_args(sp.expand(numerator)):
            inside, outside = self._apart(term, random)
            monomial = sp.cancel(inside / below)
            name = (
                sp.Integer(1)
                if monomial == 1
                else names.setdefault(monomial, sp.Symbol(f"mean{len(names)}", real=True))
            )
            total += outside / base * name
        return total

    @staticmethod
    def _apart(product: Any, random: set[str]) -> tuple[Any, Any]:
        factors = sp.Mul.make_args(sp.factor(product))
        inside = [f for f in factors if letters_within(f) & random]
        return sp.Mul(*inside), sp.Mul(*[f for f in factors if f not in inside])


def _outermost(expr: Any, kind: Any) -> list[Any]:
    if isinstance(expr, kind):
        return [expr]
    return list(dict.fromkeys(node for part in expr.args for node in _outermost(part, kind)))
