"""Attention averages: means over the tokens with softmax weights, their positivity, linearity and rates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.dependence import dependents, letters, name_of
from theory.kernel.notation import dimension, scalar, vector
from theory.kernel.rules.calculus import derivative
from theory.kernel.rules.running import TokenScalar, TokenVector, free_indices
from theory.kernel.step import Context, Rejected, parts

I = sp.Symbol("i", integer=True)  # noqa: E741
J = sp.Symbol("j", integer=True)
"""Indices that run over tokens. What is said of a symbol with an index holds for every token."""


def token_vector(name: str, latex: str) -> Any:
    """A vector of every token; its name ends in ``_j`` or ``_i``, the index that runs."""
    vector(name, latex)
    return TokenVector(name, dimension, 1)


def token_scalar(name: str, latex: str, **assumptions: bool) -> Any:
    """A number of every token; its name ends in ``_j`` or ``_i``, the index that runs."""
    scalar(name, latex)
    return TokenScalar(name, real=True, **assumptions)


class Average(sp.Function):
    """``Average(f, l, j)``: the mean of ``f_j`` over tokens, weights proportional to ``exp(l_j)``; l = 0: uniform."""

    nargs = 3
    is_commutative = True  # type: ignore[assignment]
    is_real = True
    is_extended_real = True
    binds = True
    if TYPE_CHECKING:  # sympy's own signature says that a call gives a class

        def __new__(cls, *args: Any) -> Any: ...  # noqa: D102

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside, logit, index = map(printer._print, self.args)
        weight = index if self.args[1] == 0 else rf"{index}\propto e^{{{logit}}}"
        text = rf"\mathbb E_{{{weight}}}\left[{inside}\right]"
        return text if exp is None else f"{{{text}}}^{{{exp}}}"


class AttentionMean(sp.Basic):
    """The statement ``AttentionMean(m, x_j, l, j)``: m is the mean of the ``x_j`` with softmax weights of ``l_j``."""

    binds = True

    def _latex(self, printer: Any) -> str:
        mean, token, logit, index = map(printer._print, self.args)
        return rf"{mean}=\mathbb E_{{{index}\propto e^{{{logit}}}}}\left[{token}\right]"


class _Averages:
    """Normal forms of scalars with averages in them: sums of averages of monomials in what depends on the token."""

    def __init__(self, premises: Sequence[sp.Basic], letters: Iterable[sp.Basic]) -> None:
        relations = [p for premise in premises for p in parts(premise)]
        self.means = [p for p in relations if isinstance(p, AttentionMean)]
        self.given = {
            p.args[0]: p.args[1]
            for p in relations
            if isinstance(p, sp.Equality) and p.has(Average) and isinstance(p.args[0], sp.Symbol)
        }
        plain = [p for p in relations if not p.has(Average) and not isinstance(p, AttentionMean)]
        self.algebra = Algebra(plain)
        self.index = {v.name: v.index for e in (*relations, *letters) for v in e.atoms(TokenVector)}
        self.names: dict[tuple[Any, ...], sp.Symbol] = {}
        self.depends: dict[sp.Symbol, set[str]] = {}

    def value(self, expr: Any) -> sp.Expr:
        """The scalar expression with every average in normal form."""
        for _ in range(20):
            new = expr.xreplace(self.given)
            if new == expr:
                break
            expr = new
        inner = {node: self._average(*node.args) for node in _outermost(expr)}
        return sp.expand(self.algebra.scalar(expr.xreplace(inner)))

    def _average(self, inside: Any, logit: Any, index: Any) -> sp.Expr:
        return self.mean(self.value(inside), self.value(logit), str(index))

    def mean(self, inside: sp.Expr, logit: sp.Expr, index: str) -> sp.Expr:
        """The average of a value in normal form: linear, and 1 of 1."""
        total: sp.Expr = sp.Integer(0)
        for term in sp.Add.make_args(sp.expand(inside)):
            factors = sp.Mul.make_args(term)
            runs = [f for f in factors if index in self.runs_in(f)]
            rest = sp.Mul(*[f for f in factors if index not in self.runs_in(f)])
            total += rest * (self._monomial(sp.Mul(*runs), logit, index) if runs else sp.Integer(1))
        return total

    def _monomial(self, monomial: sp.Expr, logit: sp.Expr, index: str) -> sp.Expr:
        word = self.algebra.words.brackets.get(monomial)  # type: ignore[call-overload]
        mean: Any
        token: Any
        for mean, token, weight, over in (m.args for m in self.means):
            names = [name for name, _ in word or () if self.index.get(name) == index]
            if str(over) == index and names == [token.name] and self._equal(self.value(weight), logit):
                swapped = tuple((mean.name if n == token.name else n, flag) for n, flag in word or ())
                self.algebra.words.columns.add(mean.name)
                reduced = self.algebra.words.reduced({swapped: sp.Integer(1)})
                return reduced.get((), sp.Integer(0))
        logit = sp.cancel(sp.together(logit))
        symbol = self.names.setdefault((monomial, logit, index), sp.Symbol(f"_mean{len(self.names)}", real=True))
        self.depends[symbol] = (self.runs_in(monomial) | self.runs_in(logit)) - {index}
        return symbol

    def _equal(self, one: sp.Expr, other: sp.Expr) -> bool:
        return sp.cancel(sp.together(one - other)) == 0

    def runs_in(self, expr: Any) -> set[str]:
        """The indices of tokens on which a value in normal form depends."""
        if isinstance(expr, str):
            return {self.index[expr]} if expr in self.index else set()
        if isinstance(expr, tuple | list):
            return set().union(*(self.runs_in(part) for part in expr))
        if not isinstance(expr, sp.Basic):
            return set()
        if not isinstance(expr, sp.Symbol):
            return set().union(*(self.runs_in(s) for s in expr.free_symbols))
        if isinstance(expr, TokenScalar):
            return {expr.index}
        if expr in self.depends:
            return self.depends[expr]
        if expr in self.algebra.words.brackets:
            return self.runs_in(self.algebra.words.brackets[expr])
        for key, symbol in self.algebra.opaque.items():
            if symbol == expr:
                return self.runs_in(key[1:])
        return set()

    def vanishes(self, expr: sp.Expr) -> bool:
        """Whether a value in normal form is zero under the premises."""
        self.algebra.read()
        return self.algebra.vanishes(expr)


def _outermost(expr: Any) -> list[Any]:
    if isinstance(expr, Average):
        return [expr]
    return list(dict.fromkeys(node for part in expr.args for node in _outermost(part)))


def _check_tokens(context: Context, *statements: Any) -> None:
    """No symbol without an index is tied to what runs over the tokens."""
    said = letters(*statements)
    for part in (p for origin in context.origins() for p in parts(origin)):
        if not isinstance(part, sp.Equality):
            continue
        for one, other in (part.args, part.args[::-1]):
            named = isinstance(one, (sp.Symbol, MatrixSymbol)) and str(one) in said
            if named and free_indices(other) - free_indices(one):
                raise Rejected(f"{one} is another one for every token")


def _difference(relation: sp.Basic) -> Any:
    if not isinstance(relation, (sp.Equality, sp.LessThan, sp.GreaterThan)):
        raise Rejected(f"{relation} is no equation and no inequality")
    return relation.args[1] - relation.args[0]  # type: ignore[operator]


@dataclass(frozen=True)
class Averaged:
    """The first premise, which holds for every token, averaged with the weights of ``logit`` over ``index``.

    The average is linear, positive, and 1 of 1; what has no index is constant. Further premises are put in.
    """

    logit: Any
    index: sp.Symbol = J
    kind: str = "average"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or type(premises[0]) is not type(says):
            raise Rejected("needs the same relation for every token")
        _check_tokens(context, says, self.logit, *premises)
        averages = _Averages(premises[1:], (premises[0], says, sp.sympify(self.logit)))
        inside, logit = averages.value(_difference(premises[0])), averages.value(sp.sympify(self.logit))
        wanted = averages.mean(inside, logit, str(self.index))
        if not averages.vanishes(wanted - averages.value(_difference(says))):
            raise Rejected("the average of the premise is another statement")
        return "linear, positive, normalised"


@dataclass(frozen=True)
class AverageIdentity:
    """An equation between averages: by linearity, or because ``AttentionMean`` statements name the means."""

    kind: str = "average"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        _check_tokens(context, says, *premises)
        averages = _Averages(premises, (says,))
        for part in parts(says):
            if not isinstance(part, sp.Equality):
                raise Rejected(f"{part} is no equation")
            if not averages.vanishes(averages.value(_difference(part))):
                raise Rejected("the two sides are different averages")
        return "linear, normalised"


@dataclass(frozen=True)
class Reweighted:
    """``Average(f, l, j) · Average(e^l, 0, j) = Average(e^l f, 0, j)``: softmax weights are ``e^l`` over their sum."""

    kind: str = "softmax"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if premises or not isinstance(says, sp.Equality):
            raise Rejected("is an equation without premises")
        left: Any = says.args[0]
        factors = [f for f in sp.Mul.make_args(left) if isinstance(f, Average) and f.args[1] != 0]
        if len(factors) != 1:
            raise Rejected("the left side must have one average with softmax weights")
        inside, logit, index = factors[0].args
        weight = sp.exp(logit)
        wanted = sp.Eq(
            Average(inside, logit, index) * Average(weight, 0, index),
            Average(weight * inside, 0, index),
            evaluate=False,
        )
        if says != wanted:
            raise Rejected(f"the weights give {wanted}")
        return "definition of the softmax weights"


def rate_of(expr: Any, rates: dict[Any, Any]) -> Any:
    """The derivative of a scalar with averages in it: quotient rule for ``Σ e^l f / Σ e^l``."""
    nodes = {node: sp.Dummy(real=True) for node in _outermost(expr)}
    plain = expr.xreplace(nodes)
    total = derivative(plain, rates)
    for node, dummy in nodes.items():
        inside, logit, index = node.args
        moved, tilt = rate_of(inside, rates), rate_of(logit, rates)
        slope = Average(moved + inside * tilt, logit, index) - Average(inside, logit, index) * Average(
            tilt, logit, index
        )
        total += sp.diff(plain, dummy) * slope
    return total.xreplace({dummy: node for node, dummy in nodes.items()})


def _stem(symbol: Any) -> str:
    """The name without the index."""
    return str(symbol.name).rpartition("_")[0]


@dataclass(frozen=True)
class AverageRate:
    """The first premise, an equation with averages, differentiated; ``rates`` maps what moves to its rate."""

    rates: dict[Any, Any] = field(hash=False)
    kind: str = "derivative"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(premises[0], sp.Equality) or not isinstance(says, sp.Equality):
            raise Rejected("needs an equation to differentiate, and says an equation")
        _check_tokens(context, says, *premises, *self.rates)
        self._check_family(premises[0])
        averages = _Averages(premises[1:], (premises[0], says, *self.rates, *self.rates.values()))
        left, right = (averages.value(rate_of(side, self.rates)) for side in premises[0].args)
        if not averages.vanishes(right - left - averages.value(_difference(says))):
            raise Rejected("the derivative differs")
        return "quotient rule for softmax weights"

    def _check_family(self, premise: sp.Basic) -> None:
        """What runs over the tokens under another index moves too."""
        tokens = premise.atoms(TokenScalar, TokenVector)
        moving = {_stem(symbol) for symbol in self.rates if isinstance(symbol, (TokenScalar, TokenVector))}
        still = [symbol for symbol in tokens if _stem(symbol) in moving and symbol not in self.rates]
        if still:
            raise Rejected(f"{still[0]} moves too")


@dataclass(frozen=True)
class Rise:
    """``Q(1) - Q(0) <= B`` where the first premise says ``dQ/ds <= B`` for 0 <= s <= 1, and B does not move.

    ``quantity`` is Q, in symbols that move; ``rates`` maps them to their rates. The premises have the path of each
    of them, ``symbol = function of s``; whether it moves at that rate is checked. Further premises are put in.
    """

    quantity: Any
    variable: sp.Symbol
    rates: dict[Any, Any] = field(default_factory=dict, hash=False)
    kind: str = "mean value"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if not premises or not isinstance(premises[0], sp.LessThan) or not isinstance(says, sp.LessThan):
            raise Rejected("needs an upper bound of the rate")
        equations = [p for q in premises[1:] for p in parts(q)]
        paths = {p.args[0]: p.args[1] for p in equations if isinstance(p, sp.Equality) and p.args[0] in self.rates}
        others = [p for p in equations if not (isinstance(p, sp.Equality) and p.args[0] in self.rates)]
        if set(paths) != set(self.rates):
            raise Rejected("the path of what moves is not among the premises")
        for symbol, rate in self.rates.items():
            self._moves(paths[symbol], rate.xreplace(paths))
        names = {name_of(symbol) for symbol in (self.variable, *self.rates)}
        if (dependents(context.origins(), names) - names) & letters(self.quantity, premises[0], says):
            raise Rejected("something else in the statement moves")
        slope, bound = premises[0].args
        moving = {*self.rates, self.variable}
        if any(bound.has(symbol) for symbol in moving) or any(said.has(self.variable) for said in others):
            raise Rejected("the bound moves")
        plain = _Averages((), (self.quantity, *self.rates.values(), slope))
        actual = rate_of(self.quantity, {**self.rates, self.variable: sp.Integer(1)})
        if not plain.vanishes(plain.value(actual) - plain.value(slope)):
            raise Rejected("the premise is not about the rate of the quantity")
        last, first = (self._at(self.quantity, paths, end) for end in (1, 0))
        averages = _Averages(others, (last, first, says))
        wanted = averages.value(bound) - averages.value(last) + averages.value(first)
        if not averages.vanishes(wanted - averages.value(_difference(says))):
            raise Rejected("the ends of the path give another statement")
        return "mean value theorem along the path"

    def _at(self, expr: Any, paths: dict[Any, Any], end: int) -> Any:
        return expr.xreplace({symbol: _put(path, self.variable, end) for symbol, path in paths.items()}).xreplace(
            {self.variable: sp.Integer(end)}
        )

    def _moves(self, path: Any, rate: Any) -> None:
        algebra = Algebra(())
        slope = derivative(path, {self.variable: sp.Integer(1)})
        if isinstance(path, MatrixExpr):
            gap = algebra.words.normal(slope - rate)
            fits = all(algebra.vanishes(c) for c in gap.values())
        else:
            fits = algebra.vanishes(algebra.scalar(slope - rate))
        if not fits:
            raise Rejected(f"the path {path} has another rate")


def _put(expr: Any, variable: sp.Symbol, value: int) -> Any:
    """The expression at a value of the variable; functions are evaluated, matrix expressions rebuilt."""
    if not expr.has(variable):
        return expr
    if isinstance(expr, MatrixExpr) and not isinstance(expr, MatrixSymbol):
        return expr.func(*[_put(a, variable, value) for a in expr.args])
    return expr.subs(variable, value)
