"""Where an expression makes sense: divisors that do not vanish, roots and logarithms of what has the right sign."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp

from theory.kernel.algebra import Algebra
from theory.kernel.certificate import certify
from theory.kernel.signs import Fact
from theory.kernel.step import Rejected, parts

INEQUALITIES = (sp.LessThan, sp.StrictLessThan, sp.GreaterThan, sp.StrictGreaterThan, sp.Unequality)


def near(known: Iterable[Any], expr: Any) -> list[Any]:
    """The inequalities among known statements that speak of the symbols of an expression alone."""
    found = [part for statement in known for part in parts(statement)]
    return [p for p in found if isinstance(p, INEQUALITIES) and p.free_symbols <= expr.free_symbols]


def _counts(exponent: Any) -> bool:
    """Whether an exponent is a whole number, and one that is not negative where it is no constant."""
    return bool(exponent.is_Integer or (exponent.is_integer and exponent.is_nonnegative))


class Domain:
    """What the premises show of signs."""

    def __init__(self, premises: Sequence[sp.Basic], degree: int = 3, squares: Sequence[Any] = ()) -> None:
        self.premises, self.degree, self.squares = premises, degree, squares

    def check(self, expressions: Iterable[Any], known: Iterable[Any] = ()) -> None:
        """Raise :class:`Rejected` where a part of an expression need not exist; those in ``known`` are taken to."""
        exempt = {node for expr in known for node in sp.preorder_traversal(expr)}
        for node in {n for expr in expressions for n in sp.preorder_traversal(sp.sympify(expr))} - exempt:
            if isinstance(node, sp.log):
                self._needs(self.shows(node.args[0], strict=True), f"{node.args[0]} may not be positive")
            elif isinstance(node, sp.tan):
                self._needs(self.nonzero(sp.cos(node.args[0])), f"{node} may not exist")
            elif isinstance(node, sp.Pow) and not node.is_number:
                self._power(node.base, node.exp)

    def check_roots(self, expressions: Iterable[Any], known: Sequence[Any]) -> None:
        """The same for roots, powers and logarithms alone; what is ``known`` may show that they exist, too."""
        exempt = {node for expr in known for node in sp.preorder_traversal(expr)}
        for node in {n for expr in expressions for n in sp.preorder_traversal(sp.sympify(expr))} - exempt:
            more = self._with(near(known, node))
            if isinstance(node, sp.log):
                self._needs(more.shows(node.args[0], strict=True), f"{node.args[0]} may not be positive")
            elif isinstance(node, sp.Pow) and not _counts(node.exp) and not node.is_number:
                root = isinstance(node.exp, sp.Rational) and node.exp.q == 2
                if not (root and node.base in {n.base for n in exempt if isinstance(n, sp.Pow) and n.exp.is_Rational}):
                    more._power(node.base, abs(node.exp) if root else node.exp)

    def _with(self, more: Sequence[sp.Basic]) -> Domain:
        """The same with further premises, those that can be read."""
        kept = []
        for part in more:
            try:
                Algebra([*self.premises, part]).read()
            except Rejected:
                continue
            kept.append(part)
        return Domain([*self.premises, *kept], self.degree, self.squares)

    def _power(self, base: Any, exponent: Any) -> None:
        if _counts(exponent):
            self._needs(bool(exponent.is_nonnegative) or self.nonzero(base), f"{base} may be zero")
        else:
            strict = not exponent.is_positive
            self._needs(self.shows(base, strict), f"{base} may be negative")

    @staticmethod
    def _needs(shown: bool, otherwise: str) -> None:
        if not shown:
            raise Rejected(otherwise)

    def shows(self, expr: Any, strict: bool) -> bool:
        """Whether ``expr > 0`` (or ``>= 0``) follows from the premises."""
        if (expr.is_positive if strict else expr.is_nonnegative) or (not strict and self.shows_quickly(expr)):
            return True
        algebra = Algebra(self.premises)
        value = algebra.scalar(expr)
        algebra.read()
        numerator, denominator = algebra.fraction(value)
        sign = algebra.sign(denominator)
        if sign and algebra.sign(sign * numerator) == 1:
            return True
        try:
            if not sign:
                # the sign of a quotient is that of the product
                numerator, sign = sp.expand(numerator * denominator), 1
                strict = True
            hints = [sp.diff(numerator, v) for v in numerator.atoms(sp.Dummy) if sp.Poly(numerator, v).degree() == 2]
            hints += [algebra.scalar(q) for q in self.squares]
            target = Fact(sp.expand(sign * numerator), strict)
            certify(target, algebra.facts, algebra.equalities, self.degree, hints)
        except Rejected:
            return False
        return True

    def shows_quickly(self, expr: Any) -> bool:
        """Whether ``expr >= 0`` is seen from its terms."""
        return Algebra(self.premises).is_nonnegative(expr)

    def nonzero(self, expr: Any) -> bool:
        """Whether ``expr ≠ 0`` follows from the premises."""
        if expr.is_nonzero:
            return True
        algebra = Algebra(self.premises)
        value = algebra.fraction(algebra.scalar(expr))[0]
        algebra.read()
        return algebra.nonzero(value) or self.shows(expr, strict=True) or self.shows(-expr, strict=True)
