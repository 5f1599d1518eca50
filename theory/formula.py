"""A formula: one sympy expression with a name, written once and evaluated everywhere else by lowering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import sympy as sp

from theory.symbols import LATEX, SYMBOL_ASSUMPTIONS


@dataclass(frozen=True)
class Formula:
    """One formula of the theory.

    Attributes
    ----------
    name: name in code of the quantity, also the key under which commands print it.
    expr: the sympy expression, over the symbols of :mod:`theory.symbols`.
    lhs: LaTeX of the quantity.
    source: where the formula comes from.
    domain: where it is defined, and its exceptional set.
    where: formulas of quantities that ``expr`` uses by the symbol of their name.
    """

    name: str
    expr: sp.Expr
    lhs: str
    source: str
    domain: str = ""
    where: tuple[Formula, ...] = ()

    @cached_property
    def closed(self) -> sp.Expr:
        """The expression with the quantities of ``where`` replaced by their own expressions."""
        inner = {sp.Symbol(f.name, **SYMBOL_ASSUMPTIONS[f.name]): f.closed for f in self.where}
        return self.expr.subs(list(inner.items()))

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """Names in code of the symbols that an evaluation needs, sorted."""
        running = {total.limits[0][0] for total in self.closed.atoms(sp.Sum)}
        bodies = self.closed.replace(lambda e: isinstance(e, sp.Sum), lambda e: e.function)
        names = {str(s) for s in bodies.free_symbols - running if not isinstance(s, sp.Indexed)}
        return tuple(sorted(names))

    @property
    def latex(self) -> str:
        """``lhs = expression`` in LaTeX; what ``where`` defines stands by its own symbol."""
        names = {s: LATEX[str(s)] for s in self.expr.atoms(sp.Symbol) if str(s) in LATEX}
        return f"{self.lhs} = {sp.latex(self.expr, symbol_names=names, inv_trig_style='full')}"


@dataclass(frozen=True)
class Tightening:
    """The constant of a formula that is sharp, and the direction in which the claim gets stronger.

    ``symbol`` (or the whole expression where it is None) is multiplied by ``1 + direction * amount``. A claim
    made 1 % stronger in this way must be refuted: that is the claim's negative control.
    """

    name: str
    formula: Formula
    direction: int
    symbol: sp.Symbol | None = None

    def apply(self, amount: float | sp.Rational) -> Formula:
        """The formula with its constant made stronger by the relative ``amount`` (0.01 is one per cent)."""
        return _tightened(self, sp.Rational(str(amount)))


@dataclass(frozen=True)
class WrongForm:
    """A negative control that is no constant: the formula with another expression (a wrong exponent, a lost term).

    It stands where the formula is known not to be sharp, so that a constant made stronger need not be refuted.
    """

    name: str
    formula: Formula
    wrong: sp.Expr

    def apply(self, _amount: float | sp.Rational = 0) -> Formula:
        """The formula with the wrong expression."""
        return replace(self.formula, expr=self.wrong)


@lru_cache(maxsize=256)
def _tightened(tightening: Tightening, amount: sp.Rational) -> Formula:
    factor, expr = 1 + tightening.direction * amount, tightening.formula.expr
    if tightening.symbol is None:
        return replace(tightening.formula, expr=factor * expr)
    return replace(tightening.formula, expr=expr.subs(tightening.symbol, factor * tightening.symbol))
