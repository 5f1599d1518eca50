"""Symbols that only derivations use, the functions that statements are written with, and their LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr
from sympy.printing.latex import LatexPrinter

from theory.symbols import LATEX
from theory.symbols import d as dimension

NOTATION: dict[str, str] = {}
"""Name in code → LaTeX form, for the symbols of derivations that the claims do not have."""


def scalar(name: str, latex: str, **assumptions: bool) -> sp.Symbol:
    """A real symbol of a derivation; ``assumptions`` as for :class:`sympy.Symbol` (``positive``, ``nonnegative``)."""
    _register(name, latex)
    return sp.Symbol(name, real=True, **assumptions)


def vector(name: str, latex: str) -> Any:
    """A column vector of general dimension d."""
    _register(name, latex)
    return sp.MatrixSymbol(name, dimension, 1)


def matrix(name: str, latex: str) -> Any:
    """A square matrix of general dimension d."""
    _register(name, latex)
    return sp.MatrixSymbol(name, dimension, dimension)


def family(name: str, latex: str, **assumptions: bool) -> Any:
    """A real quantity with an index, ``family[j]``."""
    _register(name, latex)
    return sp.IndexedBase(sp.Symbol(name, real=True, **assumptions), real=True, **assumptions)  # type: ignore[arg-type]


def _register(name: str, latex: str) -> None:
    known = NOTATION.get(name, LATEX.get(name, latex))
    if known != latex:
        raise ValueError(f"the symbol {name} is already written {known}, not {latex}")
    if name not in LATEX:
        NOTATION[name] = latex


identity = sp.Identity(dimension)


class _Scalar(sp.Function):
    """A real, commuting function, whatever its arguments are (matrices among them)."""

    is_commutative = True  # type: ignore[assignment]
    is_real = True
    is_extended_real = True
    if TYPE_CHECKING:  # sympy's own signature says that a call gives a class

        def __new__(cls, *args: Any) -> Any: ...


class Dot(_Scalar):
    """The inner product of two vectors (columns)."""

    nargs = 2


class Norm(_Scalar):
    """The operator norm of a matrix, the Euclidean norm of a vector."""

    nargs = 1
    is_nonnegative = True


class Trace(_Scalar):
    """The trace of a matrix."""

    nargs = 1


class Expect(_Scalar):
    """The expectation over the random vectors that a derivation declares; linear."""

    nargs = 1


class LimitOf(_Scalar):
    """``LimitOf(expr, variable)``: the limit of ``expr`` as the variable goes to 0 from above."""

    nargs = 2


class MeanOf(sp.Basic):
    """The statement ``MeanOf(m, x_j)``: the vector m is a weighted mean of the tokens, of which x_j is any one."""


class AtSomeInstance(sp.Basic):
    """The statement ``AtSomeInstance(relation)``: the relation holds at some instance of the premises (sharpness)."""


class Whenever(sp.Basic):
    """``Whenever(variables, hypotheses, conclusion)``: for all values of the variables, where the hypotheses hold."""

    @property
    def variables(self) -> tuple[Any, ...]:
        """The symbols that are bound; empty where the statement is about the moment at hand."""
        return tuple(self.args[0].args)


def whenever(variables: tuple[Any, ...], hypotheses: tuple[sp.Basic, ...], conclusion: sp.Basic) -> Whenever:
    """For all values of the variables the hypotheses entail the conclusion."""
    return Whenever(sp.Tuple(*variables), sp.Tuple(*hypotheses), conclusion)


Relation = sp.Equality | sp.LessThan | sp.StrictLessThan | sp.GreaterThan | sp.StrictGreaterThan | sp.Unequality


def equal(left: Any, right: Any) -> sp.Equality:
    """``left = right`` as a statement that sympy does not decide on its own."""
    return sp.Eq(left, right, evaluate=False)  # type: ignore[return-value]


def at_most(left: Any, right: Any) -> sp.LessThan:
    """``left <= right`` as a statement that sympy does not decide on its own."""
    return sp.Le(left, right, evaluate=False)  # type: ignore[return-value]


def below(left: Any, right: Any) -> sp.StrictLessThan:
    """``left < right`` as a statement that sympy does not decide on its own."""
    return sp.Lt(left, right, evaluate=False)  # type: ignore[return-value]


def both(*statements: sp.Basic) -> sp.Tuple:
    """Several statements, all of which hold."""
    return sp.Tuple(*statements)


def _powered(text: str, exponent: str | None) -> str:
    return text if exponent is None else f"{{{text}}}^{{{exponent}}}"


class _Printer(LatexPrinter):
    """LaTeX with the symbols' own forms."""

    def _print_MatrixSymbol(self, expr: Any) -> str:
        return NOTATION.get(str(expr.name), str(expr.name))

    def _print_Identity(self, expr: Any) -> str:  # type: ignore[override] # noqa: ARG002
        return "I"

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
        name = str(expr)
        return LATEX.get(name) or NOTATION.get(name) or super()._print_Symbol(expr, style)

    def _print_Indexed(self, expr: Any) -> str:
        return "{" + self._print(expr.base) + "}_{" + ",".join(self._print(i) for i in expr.indices) + "}"

    def _print_IndexedBase(self, expr: Any) -> str:
        return self._print_Symbol(expr.label)

    def _print_Transpose(self, expr: Any) -> str:
        text = self._print(expr.arg)
        bare = isinstance(expr.arg, sp.MatrixSymbol) and "^" not in text
        return (text if bare else rf"\left({text}\right)") + r"^\top"

    def _print_MatAdd(self, expr: Any) -> str:
        terms = [self._print(term) for term in expr.args]
        terms.sort(key=lambda text: text.startswith("-"))
        return "".join(f" {t}" if t.startswith("-") else f" + {t}" for t in terms).removeprefix(" + ").strip()

    def _needs_mul_brackets(self, expr: Any, first: bool = False, last: bool = False) -> bool:
        return not isinstance(expr, _Scalar) and super()._needs_mul_brackets(expr, first=first, last=last)

    def _print_Dot(self, expr: Any, exp: str | None = None) -> str:
        return _powered(r"\langle " + ",".join(self._print(a) for a in expr.args) + r"\rangle", exp)

    def _print_Norm(self, expr: Any, exp: str | None = None) -> str:
        argument = expr.args[0]
        bar = "|" if isinstance(argument, MatrixExpr) and argument.shape[1] == 1 else r"\|"
        return _powered(bar + self._print(argument) + bar, exp)

    def _print_Trace(self, expr: Any, exp: str | None = None) -> str:
        return _powered(r"\operatorname{tr}\left(" + self._print(expr.args[0]) + r"\right)", exp)

    def _print_Expect(self, expr: Any, exp: str | None = None) -> str:
        return _powered(r"\mathbb E\left[" + self._print(expr.args[0]) + r"\right]", exp)

    def _print_LimitOf(self, expr: Any, exp: str | None = None) -> str:
        body = r"\left(" + self._print(expr.args[0]) + r"\right)"
        return _powered(r"\lim_{" + self._print(expr.args[1]) + r"\downarrow0}" + body, exp)

    def _print_MeanOf(self, expr: Any) -> str:
        mean, token = map(self._print, expr.args)
        return rf"{mean}=\sum_j s_{{ij}}{token},\quad s_{{ij}}\ge0,\quad \sum_j s_{{ij}}=1"

    def _print_AtSomeInstance(self, expr: Any) -> str:
        return r"\text{at some instance: }" + self._print(expr.args[0])

    def _print_Whenever(self, expr: Any) -> str:
        bound, hypotheses, conclusion = expr.args
        start = rf"\text{{for all }}{self._print(bound)}" if bound.args else r"\text{where }"
        if bound.args and hypotheses.args:
            start += r"\text{ with }"
        return rf"{start}{self._print(hypotheses)}:\quad {self._print(conclusion)}"

    def _print_Tuple(self, expr: Any) -> str:
        return r",\quad ".join(self._print(part) for part in expr.args)


def latex(expr: sp.Basic) -> str:
    """LaTeX of a statement or expression, with the symbols' own forms."""
    return _Printer({"inv_trig_style": "full"}).doprint(expr)
