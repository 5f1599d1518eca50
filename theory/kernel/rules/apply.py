"""Instances of theorems: of derivations in this project, and of textbook theorems that are cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from theory.kernel.algebra import Algebra
from theory.kernel.certificate import certify
from theory.kernel.notation import LimitOf, MeanOf, Whenever, dimension, equal
from theory.kernel.rules.running import free_indices, indices
from theory.kernel.signs import Fact
from theory.kernel.step import Context, Rejected, parts
from theory.kernel.words import gather

BINDERS = (sp.Sum, sp.Integral, sp.Derivative, LimitOf, Whenever)


@dataclass(frozen=True)
class Apply:
    """The statement of another derivation (``ID``, or one of its steps, ``ID#STEP``) with symbols replaced.

    ``at`` maps symbols to expressions. Every hypothesis of that derivation, with the same replacement, must be
    among the premises.
    """

    theorem: str
    at: dict[Any, Any] = field(default_factory=dict, hash=False)
    kind: str = "application"
    cited: str | None = None

    @property
    def uses(self) -> str:
        """Id of the derivation that is applied."""
        return self.theorem.partition("#")[0]

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        conclusion, hypotheses = context.theorem(self.theorem)
        _check_instance(says, premises, conclusion, hypotheses, self.at)
        return self.theorem


@dataclass(frozen=True)
class Theorem:
    """A textbook theorem: for all values of its symbols the hypotheses entail the statement.

    ``source`` is None where the statement is a definition of notation (the operator norm, say).
    """

    name: str
    statement: sp.Basic
    source: str | None
    hypotheses: tuple[sp.Basic, ...] = ()


@dataclass(frozen=True)
class Textbook:
    """An instance of a textbook theorem; its hypotheses must be among the premises."""

    theorem: Theorem
    at: dict[Any, Any] = field(default_factory=dict, hash=False)

    @property
    def kind(self) -> str:
        """``textbook``, or ``notation`` where nothing is cited.

        :meta private:
        """
        return "textbook" if self.theorem.source else "notation"

    @property
    def cited(self) -> str | None:
        """The source.

        :meta private:
        """
        return self.theorem.source

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        _check_instance(says, premises, self.theorem.statement, self.theorem.hypotheses, self.at, bool(self.cited))
        return self.theorem.name


def _check_instance(
    says: sp.Basic,
    premises: Sequence[sp.Basic],
    conclusion: sp.Basic,
    hypotheses: Sequence[sp.Basic],
    at: dict[Any, Any],
    schema: bool = False,
) -> None:
    _check_indices(at, (conclusion, *hypotheses))
    _check_replacement(at, (conclusion, *hypotheses), schema)
    wanted, given = parts(_replaced(conclusion, at)), parts(says)
    if len(wanted) != len(given) or not all(same(w, g) for w, g in zip(wanted, given, strict=True)):
        raise Rejected(f"the theorem gives {wanted}")
    known = [part for premise in premises for part in parts(premise)]
    used = _check_signs(at, known)
    for hypothesis in hypotheses:
        for part in parts(_replaced(hypothesis, at)):
            if part == sp.true:
                continue  # what replaces the symbols is known to be positive, say
            match = next((k for k, candidate in enumerate(known) if same(part, candidate)), None)
            if match is None:
                raise Rejected(f"the hypothesis {part} of the theorem is not among the premises")
            used.add(match)
    position = 0
    for premise in premises:
        inner = range(position, position + len(parts(premise)))
        position += len(parts(premise))
        if not used & set(inner):
            raise Rejected(f"the premise {premise} is no hypothesis of the theorem")


def _check_indices(at: dict[Any, Any], statements: Sequence[sp.Basic]) -> None:
    """What replaces a symbol must not run over tokens with an index of the theorem, unless the symbol does so."""
    taken = set().union(*(indices(statement) for statement in statements))
    renamed = {str(k): str(v) for k, v in at.items() if isinstance(k, sp.Symbol) and k.is_integer and str(k) in taken}
    bound = {renamed.get(index, index) for index in taken}
    for symbol, value in at.items():
        runs = {renamed.get(index, index) for index in free_indices(symbol)}
        caught = (free_indices(sp.sympify(value)) - runs) & bound
        if caught:
            raise Rejected(f"{value} runs over the index {min(caught)} of the theorem, and {symbol} does not")


def _check_replacement(at: dict[Any, Any], statements: Sequence[sp.Basic], schema: bool) -> None:
    """Symbols are replaced by what is of their sort; a bound variable is renamed at most, and nothing becomes bound.

    In a cited theorem (``schema``) a symbol may stand for a function of the bound variable.
    """
    bound = {v for s in statements for node in s.atoms(*BINDERS) for v in _bound(node)}
    families = {str(i.base) for s in statements for i in s.atoms(sp.Indexed)}
    for symbol, value in ((k, sp.sympify(v)) for k, v in at.items()):
        if not isinstance(symbol, (sp.Symbol, sp.Indexed, sp.IndexedBase, MatrixSymbol)) or symbol == dimension:
            raise Rejected(f"{symbol} is nothing that may be replaced")
        if isinstance(symbol, MatrixSymbol) != isinstance(value, MatrixExpr) or (
            isinstance(symbol, MatrixSymbol) and symbol.shape != value.shape
        ):
            raise Rejected(f"{value} is of another sort than {symbol}")
        if symbol in bound and isinstance(value, sp.Symbol):
            elsewhere = [*statements, *(sp.sympify(v) for k, v in at.items() if k != symbol)]
            if not schema and any(value in s.free_symbols for s in elsewhere):
                raise Rejected(f"the replacement of {symbol} touches a bound variable")
        elif symbol in bound or (value.free_symbols - symbol.free_symbols) & bound:
            raise Rejected(f"the replacement of {symbol} touches a bound variable")
        if isinstance(symbol, sp.Indexed):
            others = {i for s in statements for i in s.atoms(sp.Indexed) if i.base == symbol.base} - {symbol}
            if others:
                raise Rejected(f"{symbol} and {min(others, key=str)} are of one family")
        if isinstance(symbol, sp.Symbol) and symbol.is_integer and not value.is_integer:
            raise Rejected(f"{value} is no integer")
        if isinstance(symbol, sp.Symbol) and str(symbol) in families:
            raise Rejected(f"{symbol} names a family")


def _bound(node: Any) -> set[Any]:
    """The variables that a sum, integral, limit, derivative or general statement binds."""
    if isinstance(node, (sp.Sum, sp.Integral, Whenever)):
        return set(node.variables)
    if isinstance(node, LimitOf):
        return node.args[1].free_symbols
    return {v.args[0] for v in node.args[1:]} if isinstance(node, sp.Derivative) else set()


def _check_signs(at: dict[Any, Any], known: Sequence[Any]) -> set[int]:
    """What replaces a positive symbol must be positive; the premises that say so, by position."""
    used: set[int] = set()
    for symbol, value in ((k, sp.sympify(v)) for k, v in at.items() if not isinstance(k, MatrixSymbol)):
        strict, weak = bool(symbol.is_positive), bool(symbol.is_nonnegative)
        if not (strict or weak) or value.is_positive or (value.is_nonnegative and not strict):
            continue
        said = [k for k, part in enumerate(known) if _says_sign(part, value, strict)]
        used |= set(said)
        if not said and not _has_sign(value, strict):
            raise Rejected(f"{symbol} is {'positive' if strict else 'not negative'}, and {value} may not be")
    return used


def _says_sign(part: Any, value: Any, strict: bool) -> bool:
    if not isinstance(part, sp.StrictLessThan if strict else (sp.StrictLessThan, sp.LessThan)):
        return False
    low, high = part.args
    return same(equal(high - low, value), equal(value, value))  # type: ignore[operator]


def _has_sign(value: Any, strict: bool) -> bool:
    algebra = Algebra(())
    numerator, denominator = algebra.fraction(algebra.scalar(value))
    algebra.read()
    sign = algebra.sign(denominator)
    if sign == 0:
        return False
    try:
        certify(Fact(sp.expand(sign * numerator), strict), algebra.facts, algebra.equalities, 2)
    except Rejected:
        return False
    return True


def _replaced(statement: sp.Basic, at: dict[Any, Any]) -> sp.Basic:
    return statement.xreplace(at)


def same(one: sp.Basic, other: sp.Basic) -> bool:
    """Whether two relations are the same up to normal forms of their sides."""
    if one == other:
        return True
    if type(one) is not type(other) or isinstance(one, MeanOf):
        return False
    return all(_same_side(a, b) for a, b in zip(one.args, other.args, strict=True))


def _same_side(one: Any, other: Any) -> bool:
    algebra = Algebra(())
    matrices = isinstance(one, MatrixExpr), isinstance(other, MatrixExpr)
    if matrices == (True, True):
        a, b = algebra.words.normal(one), algebra.words.normal(other)
        return not gather([*a.items(), *((w, -c) for w, c in b.items())])
    if any(matrices):
        return False
    return algebra.fraction(algebra.scalar(one) - algebra.scalar(other))[0] == 0
