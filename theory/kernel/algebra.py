"""Exact algebra of scalars: everything that is no polynomial becomes an opaque generator with known facts.

Inner products go through the algebra of words; square roots, absolute values, norms, exponentials, sines, maxima,
sums over directions and so on become symbols. What is always true of them (``√x >= 0``, ``(√x)² = x``,
``|x| >= ±x``, ``cos² + sin² = 1``, ...) is kept beside, as polynomial facts. After that a statement is a relation
between rational functions over the rationals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr

from theory.kernel.notation import Dot, Expect, LimitOf, Norm, Trace, dimension
from theory.kernel.opaque import OPAQUE, RESERVED, depends, opaque_symbol
from theory.kernel.signs import Fact, Signs
from theory.kernel.step import Rejected, parts
from theory.kernel.words import BRACKETS, Form, Word, Words, gather

HALF = sp.Rational(1, 2)


class Algebra(Signs):
    """Normal forms of scalars and matrix expressions under the equations among ``premises``.

    Attributes
    ----------
    equalities: polynomial expressions that vanish.
    facts: polynomial expressions that are not negative, or positive.
    """

    def __init__(self, premises: Sequence[sp.Basic]) -> None:
        statements = [part for premise in premises for part in parts(premise)]
        super().__init__([p for p in statements if isinstance(p, sp.core.relational.Relational)])
        equations = [r for r in self.relations if isinstance(r, sp.Equality)]
        self.definitions: dict[sp.Basic, sp.Expr] = {}
        for e in equations:
            left, right = e.args
            named = isinstance(left, (sp.Symbol, sp.Indexed)) and not isinstance(left, MatrixExpr)
            if named and left not in self.definitions and not right.has(left):
                self.definitions[left] = right  # type: ignore[assignment]
        self.equalities: list[sp.Expr] = []
        self.opaque: dict[tuple[Any, ...], sp.Symbol] = {}
        self._memo: dict[sp.Basic, sp.Expr] = {}
        self._seen_symbols: set[sp.Symbol] = set()
        self.words = Words(equations, self.scalar)

    # ---- reading premises

    def read(self) -> None:
        """Turn all premises into facts and equalities. What cannot be read is left out: it can only help."""
        for relation in self.relations:
            left, right = relation.args
            if isinstance(left, MatrixExpr):
                continue
            if isinstance(relation, sp.Equality) and left in self.definitions and self.definitions[left] == right:
                continue
            if isinstance(relation, sp.Unequality):
                continue
            self._add(relation, self.scalar(left) - self.scalar(right))

    def _add(self, relation: sp.Basic, difference: sp.Expr) -> None:
        numerator, denominator = self.fraction(difference)
        if isinstance(relation, sp.Equality):
            if numerator != 0:
                self.equalities.append(numerator)
            return
        sign = self.sign(denominator)
        if sign == 0:
            raise Rejected(f"the sign of the denominator {denominator} in a premise is not known")
        numerator = sign * numerator
        if isinstance(relation, (sp.LessThan, sp.StrictLessThan)):
            numerator = -numerator
        self.facts.append(Fact(sp.expand(numerator), isinstance(relation, (sp.StrictLessThan, sp.StrictGreaterThan))))

    # ---- scalars

    def scalar(self, expr: Any) -> sp.Expr:
        """The scalar expression as a rational function in symbols."""
        expr = sp.sympify(expr)
        if expr not in self._memo:
            try:
                self._memo[expr] = self._scalar(expr)
            except RecursionError as error:
                raise Rejected("the definitions among the premises are circular") from error
        return self._memo[expr]

    def _scalar(self, expr: Any) -> sp.Expr:
        if expr in self.definitions:
            return self.scalar(self.definitions[expr])
        if isinstance(expr, sp.Rational):
            return expr
        if isinstance(expr, sp.Symbol):
            return self._symbol(expr)
        if isinstance(expr, (sp.Add, sp.Mul)):
            return expr.func(*[self.scalar(a) for a in expr.args])
        if isinstance(expr, sp.Pow):
            return self._power(expr.base, expr.exp)
        if isinstance(expr, sp.exp):
            return self._exponential(expr.args[0])
        if isinstance(expr, Dot):
            return self._replace_brackets(self.words.inner(*expr.args))
        if isinstance(expr, Norm):
            return self._norm(expr.args[0])
        if isinstance(expr, sp.log):
            return self._logarithm(expr.args[0])
        if isinstance(expr, (sp.Max, sp.Min)):
            return self._extremum(expr)
        if isinstance(expr, sp.Sum):
            return self._sum(expr)
        if isinstance(expr, sp.tan):
            angle = self._canonical(expr.args[0])
            for key, symbol in self.opaque.items():
                if symbol == angle and key[0] == "atan":
                    return key[1]
            return self.scalar(sp.sin(expr.args[0])) / self.scalar(sp.cos(expr.args[0]))
        if expr is sp.pi:
            return self._pi()
        if isinstance(expr, MatrixExpr):
            raise Rejected(f"{expr} is no scalar")
        return self._function(expr)

    def _symbol(self, symbol: sp.Symbol) -> sp.Expr:
        if symbol not in self._seen_symbols:
            self._check_symbol(symbol)
            self._seen_symbols.add(symbol)
            if symbol.is_positive:
                self.facts.append(Fact(symbol, strict=True))
            elif symbol.is_nonnegative:
                self.facts.append(Fact(symbol))
        return symbol

    def _check_symbol(self, symbol: sp.Symbol) -> None:
        if RESERVED.match(symbol.name) and symbol not in OPAQUE and symbol not in BRACKETS:
            raise Rejected(f"{symbol} cannot be the name of a quantity: such names are those of the algebra")
        if not symbol.is_commutative or symbol.is_real is False:
            raise Rejected(f"{symbol} is no real number")

    def _new(self, key: tuple[Any, ...]) -> tuple[sp.Symbol, bool]:
        """The symbol of an opaque expression, and whether it is new."""
        if key in self.opaque:
            return self.opaque[key], False
        self.opaque[key] = symbol = opaque_symbol(key)
        return symbol, True

    def _canonical(self, expr: Any) -> sp.Expr:
        return sp.cancel(sp.together(self.scalar(expr)))

    def _replace_brackets(self, value: sp.Expr) -> sp.Expr:
        for symbol in value.free_symbols:
            word = self.words.brackets.get(symbol)  # type: ignore[call-overload]
            if word is not None and self.words.transposed(word) == word and len(word) == 2:
                self._square(symbol)  # type: ignore[arg-type]
        return value

    def _square(self, symbol: sp.Symbol) -> None:
        if symbol not in self._seen_symbols:
            self._seen_symbols.add(symbol)
            self.facts.append(Fact(symbol))

    def _power(self, base: Any, exponent: Any) -> sp.Expr:
        if exponent in self.definitions:
            return self._power(base, self.definitions[exponent])
        if exponent.is_Integer:
            value = self.scalar(base)
            if exponent < 0 and self.fraction(value)[0] == 0:
                raise Rejected(f"{base} is zero and stands in a denominator")
            return value**exponent
        if isinstance(exponent, sp.Rational) and exponent.q == 2:
            return self._root(base) ** exponent.p
        rest = sp.expand(exponent)
        if isinstance(rest, sp.Add):
            return sp.Mul(*[self._power(base, term) for term in rest.args])
        number, term = rest.as_coeff_Mul()
        if number.is_Integer and number != 1:
            return self._power(base, term) ** number
        symbol, new = self._new(("power", self._canonical(base), self._canonical(rest)))
        if new and base.is_positive:
            self.facts.append(Fact(symbol, strict=True))
        return symbol

    def _root(self, base: Any) -> sp.Expr:
        inside = self._canonical(base)
        number, rest = sp.factor_terms(inside).as_coeff_Mul()
        if number.is_positive and sp.sqrt(number).is_Rational:
            outside, inside = sp.sqrt(number), rest
        else:
            outside = sp.Integer(1)
        if inside.is_Rational and inside >= 0 and sp.sqrt(inside).is_Rational:
            return outside * sp.sqrt(inside)
        if isinstance(inside, sp.Pow) and inside.exp == 2 and inside.base.is_nonnegative:
            return outside * inside.base
        if inside.is_negative:
            raise Rejected(f"the root of {inside}, which is negative")
        symbol, new = self._new(("root", inside))
        if new:
            self.facts.append(Fact(symbol))
            self.equalities.append(self.fraction(symbol**2 - inside)[0])
            if inside.is_Rational:
                self.facts.append(Fact(symbol, strict=True))
        return outside * symbol

    def _exponential(self, argument: Any) -> sp.Expr:
        """``exp`` of each term on its own; half a term is the generator, so that squares are seen."""
        value = sp.expand(sp.cancel(sp.together(self.scalar(argument))))
        result: sp.Expr = sp.Integer(1)
        for term in sp.Add.make_args(value):
            number, rest = term.as_coeff_Mul()
            if not (2 * number).is_Integer:
                number, rest = sp.Integer(1), term
            if rest == 1:
                rest, number = sp.Integer(1), number
            symbol, new = self._new(("exp", rest))
            if new:
                self.facts.append(Fact(symbol, strict=True))
            result *= symbol ** (2 * number)
        return result

    def _norm(self, argument: Any) -> sp.Expr:
        form = self.words.normal(argument)
        if not form:
            return sp.Integer(0)
        if set(form) == {()}:  # a multiple of the identity matrix
            return self.scalar(sp.Abs(form[()]))
        column = argument.shape[1] == 1
        content = sp.gcd_list([sp.fraction(sp.together(c))[0] for c in form.values()])
        number, factors = sp.Integer(1), sp.Integer(1)
        for factor in sp.Mul.make_args(sp.factor(content)):
            if factor.is_Rational:
                number *= sp.Abs(factor)
            elif factor.is_nonnegative or self.sign(factor) > 0:
                factors *= factor
        form = gather((w, sp.cancel(c / (number * factors))) for w, c in form.items())
        first = form[min(form)]
        if first.could_extract_minus_sign():
            form = gather((w, -c) for w, c in form.items())
        if not column:
            other = gather((self.words.transposed(w), c * self.words.sign(w)) for w, c in form.items())
            form = min(form, other, key=lambda f: sorted(map(str, f)))
        symbol, new = self._new(("norm", tuple(sorted((w, c) for w, c in form.items()))) if column else
                                ("opnorm", tuple(sorted((w, c) for w, c in form.items()))))  # fmt: skip
        if new:
            self.facts.append(Fact(symbol))
            if column:
                self._vector_norm(symbol, form)
        return number * factors * symbol

    def _vector_norm(self, symbol: sp.Symbol, form: Form) -> None:
        square = self.words.reduced(
            gather(
                (self.words.transposed(w) + v, c * k * self.words.sign(w))
                for w, c in form.items()
                for v, k in form.items()
            )
        )
        self.equalities.append(self.fraction(symbol**2 - self._replace_brackets(square.get((), sp.Integer(0))))[0])

    def _logarithm(self, argument: Any) -> sp.Expr:
        """``log`` of a product of positive factors as a sum."""
        value = sp.factor(self._canonical(argument))
        total: sp.Expr = sp.Integer(0)
        for factor in sp.Mul.make_args(value):
            base, power = factor.as_base_exp()
            alone = power == 1 and len(sp.Mul.make_args(value)) == 1
            if not alone and not (base.is_positive or self.sign(base) > 0):
                return self._new(("log", value))[0]
            total += power * (sp.Integer(0) if base == 1 else self._log_of(base))
        return total

    def _log_of(self, base: sp.Expr) -> sp.Expr:
        for key, symbol in self.opaque.items():
            if symbol == base and key[0] == "exp":
                return HALF * key[1]
        return self._new(("log", base))[0]

    def _extremum(self, expr: Any) -> sp.Expr:
        values = sorted({self._canonical(a) for a in expr.args}, key=sp.default_sort_key)
        symbol, new = self._new((expr.func.__name__, tuple(values)))
        if new:
            sign = 1 if isinstance(expr, sp.Max) else -1
            self.facts += [Fact(sp.expand(sign * (symbol - v))) for v in values if self.fraction(v)[1] == 1]
            self.equalities.append(sp.expand(sp.fraction(sp.together(sp.Mul(*[symbol - v for v in values])))[0]))
        return symbol

    def _sum(self, expr: sp.Sum) -> sp.Expr:
        """A sum over directions: split into terms, constant factors in front."""
        if len(expr.limits) != 1 or len(expr.limits[0]) != 3:
            raise Rejected(f"{expr} is no sum over one index")
        running = expr.limits[0][0]
        if any(running in v.free_symbols and running not in k.free_symbols for k, v in self.definitions.items()):
            raise Rejected(f"a premise ties a symbol to the running index {running}")
        if running in self.definitions:
            raise Rejected(f"a premise gives the running index {running} a value")
        body = sp.expand(sp.together(self.scalar(expr.function)))
        total: sp.Expr = sp.Integer(0)
        for term in sp.Add.make_args(body):
            outside, inside = sp.Integer(1), sp.Integer(1)
            for factor in sp.Mul.make_args(sp.factor(term)):
                if any(running in a.free_symbols or depends(a, running) for a in factor.free_symbols):
                    inside *= factor
                else:
                    outside *= factor
            ends = tuple(x if x.is_infinite else self._canonical(x) for x in expr.limits[0][1:])
            if inside == 1 and not any(x.is_infinite for x in ends):
                total += outside * (ends[1] - ends[0] + 1)
            else:
                total += outside * self._new(("sum", running, inside, ends))[0]
        return total

    def _pi(self) -> sp.Expr:
        symbol, new = self._new(("pi",))
        if new:
            self.facts += [
                Fact(symbol, strict=True),
                Fact(symbol - sp.Rational(223, 71), strict=True),
                Fact(sp.Rational(22, 7) - symbol, strict=True),
            ]
        return symbol

    def _function(self, expr: Any) -> sp.Expr:
        """Any other function: opaque, by its canonical arguments."""
        if isinstance(expr, sp.Indexed):
            symbol, new = self._new(("indexed", expr))
            if new and expr.is_positive:
                self.facts.append(Fact(symbol, strict=True))
            elif new and expr.is_nonnegative:
                self.facts.append(Fact(symbol))
            return symbol
        if isinstance(expr, (sp.Integral, sp.Derivative, LimitOf, Expect)):
            return self._new((type(expr).__name__, expr))[0]
        if isinstance(expr, Trace):
            return self._trace(expr.args[0])
        if not isinstance(expr, sp.Function):
            raise Rejected(f"the algebra of scalars cannot read {expr}")
        arguments = tuple(self._canonical(a) for a in expr.args)
        symbol, new = self._new((expr.func.__name__, *arguments))
        if not new:
            return symbol
        if isinstance(expr, sp.Abs):
            self.facts.append(Fact(symbol))
            if self.fraction(arguments[0])[1] == 1:
                self.facts += [Fact(sp.expand(symbol - arguments[0])), Fact(sp.expand(symbol + arguments[0]))]
            self.equalities.append(self.fraction(symbol**2 - arguments[0] ** 2)[0])
        elif isinstance(expr, sp.atan):
            quarter = self._pi() / 2
            self.facts += [Fact(quarter - symbol, strict=True), Fact(quarter + symbol, strict=True)]
        elif isinstance(expr, (sp.sin, sp.cos)):
            other = sp.cos if isinstance(expr, sp.sin) else sp.sin
            partner = self._new((other.__name__, *arguments))[0]
            self.equalities.append(symbol**2 + partner**2 - 1)
        return symbol

    def _trace(self, argument: Any) -> sp.Expr:
        form = self.words.normal(argument)
        if argument.shape[0] != argument.shape[1] or (argument.shape[0] != dimension and () in form):
            raise Rejected(f"the trace of {argument}, which is no square matrix of a known size")
        return sp.Add(*[c * self.trace(word) for word, c in form.items()])

    def trace(self, word: Word) -> sp.Expr:
        """The trace of a word: d where it is empty, the same for all turns and, up to sign, for the transposed word."""
        if not word:
            return dimension
        turns = [word[i:] + word[:i] for i in range(len(word))]
        closed = next((turn for turn in turns if self.words.closed(turn)), None)
        if closed is not None:
            return self.scalar(self.words.reduced({closed: sp.Integer(1)}).get((), sp.Integer(0)))
        sign = self.words.sign(word)
        other = min(self.words.transposed(turn) for turn in turns)
        if sign < 0 and other == min(turns):
            return sp.Integer(0)
        if other < min(turns):
            return sign * self._new(("trace", other))[0]
        return self._new(("trace", min(turns)))[0]

    # ---- comparison

    def vanishes(self, expr: sp.Expr) -> bool:
        """Whether the rational function is zero by itself, or in the ideal of the equalities."""
        numerator, _ = self.fraction(expr)
        if numerator == 0:
            return True
        relevant = _linked(numerator, self.equalities)
        if not relevant:
            return False
        symbols = sorted(set().union(*(e.free_symbols for e in [numerator, *relevant])), key=str)
        try:
            basis = sp.groebner(relevant, *symbols, order="grevlex", domain=sp.QQ)
            return bool(basis.contains(sp.Poly(numerator, *symbols, domain=sp.QQ).as_expr()))
        except (sp.PolynomialError, sp.polys.polyerrors.CoercionFailed) as error:
            raise Rejected(f"no polynomial: {error}") from error


def _linked(target: sp.Expr, equalities: Iterable[sp.Expr]) -> list[sp.Expr]:
    """The equalities that share symbols with the target, directly or through each other."""
    symbols = set(target.free_symbols)
    chosen: list[sp.Expr] = []
    rest = [e for e in equalities if e != 0]
    while True:
        near = [e for e in rest if e.free_symbols & symbols]
        if not near:
            return chosen
        chosen += near
        rest = [e for e in rest if e not in near]
        for e in near:
            symbols |= e.free_symbols
