"""Signs of rational functions from the facts at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.step import Rejected


@dataclass(frozen=True)
class Fact:
    """``expr >= 0`` (or ``> 0`` where strict)."""

    expr: sp.Expr
    strict: bool = False


class Signs:
    """What is known of signs: ``facts`` (polynomials not negative, or positive) and the ``relations`` of premises."""

    def __init__(self, relations: list[sp.core.relational.Relational]) -> None:
        self.relations = relations
        self.facts: list[Fact] = []
        self._strict: set[sp.Expr] | None = None

    def scalar(self, expr: Any) -> sp.Expr:
        """The scalar expression as a rational function in symbols."""
        raise NotImplementedError

    def fraction(self, expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """Numerator (expanded) and denominator of a rational function in lowest terms."""
        if not expr.is_number and expr.is_polynomial(*expr.free_symbols):
            return sp.expand(expr), sp.Integer(1)
        numerator, denominator = sp.fraction(sp.cancel(sp.together(expr)))
        return sp.expand(numerator), denominator

    def sign(self, expr: sp.Expr) -> int:
        """+1 or -1 where facts at hand show the sign of ``expr`` (never zero), else 0."""
        whole = self._sign_of_factor(expr)  # a sum of positive terms may have factors of unknown sign
        if whole:
            return whole
        result = 1
        for factor in sp.Mul.make_args(sp.factor(expr)):
            base, power = factor.as_base_exp()
            sign = self._sign_of_factor(base)
            if power.is_Integer and power % 2 == 0:
                sign = abs(sign)
            result *= sign
        return result

    def _sign_of_factor(self, base: sp.Expr) -> int:
        if base.is_positive:
            return 1
        if base.is_negative:
            return -1
        positive = {f.expr for f in self.facts if f.strict} | self._strict_premises()
        expanded = sp.expand(base)
        for known in positive:
            ratio = sp.cancel(expanded / known) if known.free_symbols == expanded.free_symbols else None
            if ratio is not None and ratio.is_Rational and ratio != 0:
                return 1 if ratio > 0 else -1
        if isinstance(expanded, sp.Add):
            grades = [self._grade(term, positive) for term in expanded.args]
            return 1 if min(grades) >= 1 and max(grades) == 2 else 0
        return 0

    def _grade(self, term: sp.Expr, positive: set[sp.Expr]) -> int:
        """2 for a positive product, 1 for one that is not negative, 0 where that is not known."""
        weak = {f.expr for f in self.facts}
        lowest = 2
        for factor in sp.Mul.make_args(term):
            base, power = factor.as_base_exp()
            if base in positive or base.is_positive:
                continue
            if not (base in weak or base.is_nonnegative or (power.is_Integer and power % 2 == 0)):
                return 0
            lowest = 1
        return lowest

    def _strict_premises(self) -> set[sp.Expr]:
        """Differences that premises say to be positive, without denominators."""
        if self._strict is None:
            self._strict = set()
            for relation in self.relations:
                if isinstance(relation, (sp.StrictLessThan, sp.StrictGreaterThan)):
                    sign = 1 if isinstance(relation, sp.StrictGreaterThan) else -1
                    difference = sign * self._difference(relation)
                    if difference != 0 and difference.is_polynomial(*difference.free_symbols):
                        self._strict.add(sp.expand(difference))
        return self._strict

    def is_nonnegative(self, expr: Any) -> bool:
        """Whether facts at hand show that the scalar expression is not negative."""
        numerator, denominator = self.fraction(self.scalar(expr))
        if numerator == 0:
            return True
        sign = self.sign(denominator)
        if sign == 0:
            return False
        positive = {f.expr for f in self.facts if f.strict} | self._strict_premises()
        terms = sp.Add.make_args(sp.expand(sign * numerator))
        whole = sp.Mul.make_args(sp.factor(sign * numerator))
        return all(self._grade(t, positive) >= 1 for t in terms) or all(self._grade(f, positive) >= 1 for f in whole)

    def _difference(self, relation: sp.Basic) -> sp.Expr:
        """Left minus right side of a relation; 0, which says nothing of signs, where they cannot be read."""
        try:
            return self.scalar(relation.args[0]) - self.scalar(relation.args[1])
        except Rejected:
            return sp.Integer(0)

    def nonzero(self, expr: sp.Expr) -> bool:
        """Whether facts at hand, or a premise ``... ≠ 0``, show that ``expr`` does not vanish."""
        unequal = []
        for relation in self.relations:
            if isinstance(relation, sp.Unequality):
                unequal.append(self.fraction(self._difference(relation))[0])
        if self._sign_of_factor(expr):
            return True
        for factor in sp.Mul.make_args(sp.factor(expr)):
            base = factor.as_base_exp()[0]
            if self._sign_of_factor(base):
                continue
            if any(u != 0 and (r := sp.cancel(sp.expand(base) / u)).is_Rational and r != 0 for u in unequal):
                continue
            return False
        return True
