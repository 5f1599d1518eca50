"""Exact algebra of vectors and matrices of general dimension: linear combinations of words.

A matrix expression is brought to a normal form ``{word: coefficient}``. A letter is a matrix or vector, perhaps
transposed; a word is a product of letters. A word that is closed (a row times ... times a column) is a scalar and
becomes a bracket, a commuting symbol that equals its own transpose. Equations act as rewrite rules from left to
right: ``V u = λ u``, ``<x,x> = 1``, ``Vᵀ = V``, ``ẋ = ...``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatAdd, MatMul, MatPow, MatrixExpr, MatrixSymbol, Transpose, ZeroMatrix
from sympy.matrices.expressions.special import Identity as Unit

from theory.kernel.notation import Dot
from theory.kernel.step import Rejected

Letter = tuple[str, bool]
Word = tuple[Letter, ...]
Form = dict[Word, sp.Expr]
ROUNDS = 60
BRACKETS: dict[sp.Basic, Word] = {}
"""Bracket → its word, of all algebras: a bracket means the same in each."""


def gather(items: Iterable[tuple[Word, Any]]) -> Form:
    """The sum of ``(word, coefficient)`` pairs, coefficients expanded, vanishing ones dropped."""
    total: Form = {}
    for word, coefficient in items:
        total[word] = total.get(word, sp.Integer(0)) + coefficient
    expanded = {w: sp.expand(c) for w, c in total.items()}
    return {w: c for w, c in expanded.items() if c != 0}


class Words:
    """Normal forms under equations between vectors, matrices and inner products.

    ``scalar_of`` normalises the scalar coefficients, after all rules on words have been applied.
    """

    def __init__(self, equations: Sequence[sp.Equality], scalar_of: Callable[[Any], sp.Expr]) -> None:
        self.scalar_of = scalar_of
        self.symmetric: set[str] = set()
        self.antisymmetric: set[str] = set()
        self.columns: set[str] = set()
        self.shapes: dict[str, tuple[Any, ...]] = {}
        self.rules: dict[Word, Form] = {}
        self.brackets: dict[sp.Symbol, Word] = {}
        for equation in equations:
            self.columns |= {s.name for s in equation.atoms(MatrixSymbol) if s.shape[1] == 1}
        flips = [e for e in equations if self._flip(e)]
        for equation in equations:
            if equation not in flips:
                self._rule(equation)

    def _flip(self, equation: sp.Equality) -> bool:
        """Whether the equation says that a matrix is symmetric or antisymmetric; notes it."""
        left, right = equation.args
        if not (isinstance(left, Transpose) and isinstance(left.arg, MatrixSymbol)):
            return False
        if right == left.arg:
            self.symmetric.add(left.arg.name)
        elif right == -left.arg:
            self.antisymmetric.add(left.arg.name)
        else:
            return False
        return True

    def _rule(self, equation: sp.Equality) -> None:
        """Make a rewrite rule of an equation whose left side is one word."""
        left, right = equation.args
        if any(isinstance(node, sp.MatrixBase) for node in sp.preorder_traversal(right)):
            return  # a value, not a relation between letters
        if isinstance(left, Dot):
            if right.has(Dot, MatrixSymbol):
                return  # closed words are scalars: such an equation is one between them, not a rule
            form = self.raw(Transpose(left.args[0]) * left.args[1])
            target: Form = {(): right}  # type: ignore[dict-item]
        elif isinstance(left, MatrixExpr):
            form, target = self.raw(left), self.raw(right)
        else:
            return
        if len(form) != 1:
            return
        ((word, coefficient),) = form.items()
        if coefficient != 1 or not word or word in target:
            return
        self.rules[word] = target
        flipped = self.transposed(word)
        if flipped != word:
            sign = self.sign(word)
            self.rules[flipped] = gather((self.transposed(w), sign * c * self.sign(w)) for w, c in target.items())

    # ---- words

    def is_column(self, letter: Letter) -> bool:
        """Whether the letter is a column vector, not transposed."""
        return letter[0] in self.columns and not letter[1]

    def is_row(self, letter: Letter) -> bool:
        """Whether the letter is a transposed column vector."""
        return letter[0] in self.columns and letter[1]

    def closed(self, word: Word) -> bool:
        """Whether the word is a scalar."""
        return bool(word) and self.is_row(word[0]) and self.is_column(word[-1])

    def transposed(self, word: Word) -> Word:
        """The transposed word (up to :meth:`sign`)."""
        return tuple(
            (name, False) if name in self.symmetric | self.antisymmetric else (name, not flag)
            for name, flag in reversed(word)
        )

    def sign(self, word: Word) -> int:
        """The sign that transposing a word takes: antisymmetric letters."""
        return -1 if sum(letter[0] in self.antisymmetric for letter in word) % 2 else 1

    def raw(self, expr: Any) -> Form:
        """``{word: coefficient}`` before any rule. Raises :class:`Rejected` for what is no polynomial in letters."""
        if isinstance(expr, ZeroMatrix):
            return {}
        if isinstance(expr, Unit):
            return {(): sp.Integer(1)}
        if isinstance(expr, MatrixSymbol):
            return {((self._letter(expr), False),): sp.Integer(1)}
        if isinstance(expr, Transpose):
            return gather((self.transposed(w), c * self.sign(w)) for w, c in self.raw(expr.arg).items())
        if isinstance(expr, MatAdd):
            return gather(item for part in expr.args for item in self.raw(part).items())
        if isinstance(expr, MatMul):
            product: Form = {(): sp.Integer(1)}
            for part in expr.args:
                factor = self.raw(part)
                product = gather((w + v, c * k) for w, c in product.items() for v, k in factor.items())
            return product
        if isinstance(expr, MatPow) and isinstance(expr.exp, sp.Integer) and expr.exp > 0:
            return self.raw(MatMul(*[expr.base] * int(expr.exp)))
        if isinstance(expr, MatrixExpr):
            raise Rejected(f"the algebra of words cannot read {expr}")
        return {(): expr}

    def _letter(self, symbol: MatrixSymbol) -> str:
        """The name of a matrix or vector: one shape a name, and nothing in it that words are written with."""
        name = str(symbol.name)
        if any(mark in name for mark in "<|>'"):
            raise Rejected(f"{name} cannot be the name of a vector or matrix")
        if self.shapes.setdefault(name, symbol.shape) != symbol.shape:
            raise Rejected(f"{name} is both a vector and a matrix")
        if symbol.shape[1] == 1:
            self.columns.add(name)
        return name

    def split(self, word: Word) -> tuple[list[Word], Word]:
        """The closed pieces of a word, and what stays open."""
        pieces: list[Word] = []
        current: list[Letter] = []
        for letter in word:
            if current and self.is_column(current[-1]) and self.is_row(letter):
                pieces.append(tuple(current))
                current = []
            current.append(letter)
        if current:
            pieces.append(tuple(current))
        closed = [p for p in pieces if self.closed(p)]
        # what is left between closed pieces: a column (or a matrix) before, a row after
        return closed, tuple(x for p in pieces if not self.closed(p) for x in p)

    def bracket(self, word: Word) -> sp.Expr:
        """The commuting symbol of a closed word; it equals that of the transposed word."""
        other, sign = self.transposed(word), 1
        if other < word:
            sign, word = self.sign(word), other
        elif other == word and self.sign(word) < 0:
            return sp.Integer(0)
        symbol = sp.Symbol("<" + "|".join(n + ("'" if f else "") for n, f in word) + ">", real=True)
        self.brackets[symbol] = BRACKETS[symbol] = word
        return sign * symbol

    # ---- normal form

    def _rewritten(self, word: Word) -> Form | None:
        for left, right in self.rules.items():
            span = len(left)
            for start in range(len(word) - span + 1):
                if word[start : start + span] == left:
                    head, tail = word[:start], word[start + span :]
                    return gather((head + middle + tail, c) for middle, c in right.items())
        return None

    def normal(self, expr: Any) -> Form:
        """The normal form of a matrix expression; scalars stand under the empty word."""
        return self.reduced(self.raw(expr))

    def reduced(self, form: Form) -> Form:
        """The form with all rules applied, closed words as brackets."""
        done: list[tuple[Word, sp.Expr]] = []
        for _ in range(ROUNDS):
            waiting: list[tuple[Word, sp.Expr]] = []
            for word, coefficient in form.items():
                rewritten = self._rewritten(word)
                if rewritten is None:
                    closed, rest = self.split(word)
                    scalar = self.scalar_of(coefficient)
                    done.append((rest, scalar * sp.Mul(*[self.bracket(piece) for piece in closed])))
                else:
                    waiting += [(w, coefficient * c) for w, c in rewritten.items()]
            if not waiting:
                return gather(done)
            form = gather(waiting)
        raise Rejected("the rewrite rules do not come to an end")

    def inner(self, left: Any, right: Any) -> sp.Expr:
        """The inner product of two column expressions as a scalar in brackets."""
        form = self.normal(Transpose(left) * right)
        if set(form) - {()}:
            raise Rejected(f"<{left}, {right}> is no scalar")
        return form.get((), sp.Integer(0))
