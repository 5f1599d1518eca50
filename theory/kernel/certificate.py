"""Polynomial inequalities, proved twice: an exact certificate, and z3.

To show ``f >= 0`` (or ``f > 0``) where ``g_i >= 0``, ``e_k = 0``: suppose the contrary. A certificate is an identity

    Σ_α c_α p_α + Σ_k q_k e_k = 0,   c_α >= 0 rational, some c_α > 0 whose p_α > 0,

with products ``p_α`` of the ``g_i`` and of ``-f``: a contradiction (Krivine 1964, Stengle 1974). It is found by
linear programming in floating point; the rational coefficients are then solved for exactly, and the identity is
checked in exact arithmetic, so that nothing rests on the search. Independently z3 has to find ``g_i >= 0, e_k = 0,
not f >= 0`` unsatisfiable (nlsat, cylindrical algebraic decomposition).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import linprog
from scipy.sparse import csc_matrix
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import ring

from theory.kernel.signs import Fact
from theory.kernel.step import Rejected

LARGEST_SEARCH = 6_000
Z3_MILLISECONDS = 20_000


@dataclass(frozen=True)
class Certificate:
    """A checked identity.

    Attributes
    ----------
    facts, equalities: those that occur in it.
    terms: how many products have a coefficient.
    degree: the largest number of factors.
    """

    facts: tuple[Fact, ...]
    equalities: tuple[sp.Expr, ...]
    terms: int
    degree: int


def certify(
    target: Fact, facts: Sequence[Fact], equalities: Sequence[sp.Expr], degree: int, squares: Sequence[sp.Expr] = ()
) -> Certificate:
    """A certificate that the facts and equalities entail ``target``; raises :class:`Rejected` where none is found.

    ``squares`` are polynomials whose squares may be used as factors too; products have up to ``degree`` factors.
    """
    denied = Fact(sp.expand(-target.expr), strict=not target.strict)
    facts = [f for f in dict.fromkeys([*facts, *(Fact(sp.expand(q**2)) for q in squares)]) if f.expr.free_symbols]
    facts, equalities = _relevant(target.expr, facts, list(dict.fromkeys(equalities)))
    for wide in (False, True):
        for size in range(1, degree + 1):
            found = _search(denied, facts, equalities, size, wide)
            if found is not None:
                return found
    raise Rejected("no certificate: the premises do not show the inequality with products of this degree")


def _relevant(target: sp.Expr, facts: Sequence[Fact], equalities: Sequence[sp.Expr]) -> tuple[list[Fact], list[Any]]:
    symbols = set(target.free_symbols)
    while True:
        near = [e for e in [*(f.expr for f in facts), *equalities] if e.free_symbols & symbols]
        wider = symbols.union(*(e.free_symbols for e in near))
        if wider == symbols:
            break
        symbols = wider
    return (
        [f for f in facts if f.expr.free_symbols & symbols],
        [e for e in equalities if e.free_symbols & symbols],
    )


def _search(denied: Fact, facts: list[Fact], equalities: list[sp.Expr], size: int, wide: bool) -> Certificate | None:
    expressions = [denied.expr, *(f.expr for f in facts), *equalities]
    symbols = sorted(set().union(*(e.free_symbols for e in expressions)), key=str)
    if not symbols:
        return Certificate((), (), 1, 0) if _contradiction(denied) else None
    try:
        polynomials, *_ = ring(symbols, QQ)
        base = [denied, *facts]
        values = [polynomials.from_expr(f.expr) for f in base]
        zeros = [polynomials.from_expr(e) for e in equalities]
    except ValueError as error:
        raise Rejected(f"no polynomial over the rationals: {error}") from error
    products: list[tuple[tuple[int, ...], Any]] = [((), polynomials.one)]
    layer = products
    for _ in range(size):
        layer = [
            ((*index, k), value * values[k])
            for index, value in layer
            for k in range(index[-1] if index else 0, len(base))
            if not (k == 0 and index and index.count(0) >= 2)
        ]
        products = products + layer
        if len(products) > LARGEST_SEARCH:
            raise Rejected(f"more than {LARGEST_SEARCH} products: give the step fewer premises or a smaller degree")
    strict = np.array([all(base[k].strict for k in index) for index, _ in products])
    monomials = set().union(*(value.keys() for _, value in products))
    multiples = _multiples(zeros, polynomials, size, monomials, wide)
    columns = [value for _, value in products] + [value for _, value in multiples]
    solution = _solve(columns, len(products), strict)
    if solution is None:
        return None
    used = [products[i][0] for i, c in enumerate(solution[: len(products)]) if c]
    zero_used = {multiples[i][0] for i, c in enumerate(solution[len(products) :]) if c}
    total = sum((columns[i] * c for i, c in enumerate(solution) if c), polynomials.zero)
    positive = any(c > 0 and strict[i] for i, c in enumerate(solution[: len(products)]))
    if total != 0 or not positive or any(c < 0 for c in solution[: len(products)]):
        return None
    names = sorted({k for index in used for k in index if k})
    return Certificate(tuple(base[k] for k in names), tuple(equalities[k] for k in sorted(zero_used)), len(used), size)


def _contradiction(denied: Fact) -> bool:
    value = denied.expr
    return bool(value <= 0) if denied.strict else bool(value < 0)


def _multiples(zeros: list[Any], polynomials: Any, size: int, monomials: set[Any], wide: bool) -> list[tuple[int, Any]]:
    """Multiples of the equalities by monomials that share a monomial with the products.

    Where ``wide``, also those that share one with another such multiple, and so on.
    """
    top = max((sum(m) for m in monomials), default=0)
    waiting = [
        (k, zero * factor)
        for k, zero in enumerate(zeros)
        for factor in _monomials(polynomials, min(max(0, top - max(sum(m) for m in zero)), size + 1))
    ]
    result: list[tuple[int, Any]] = []
    reached = set(monomials)
    while True:
        near = [(k, value) for k, value in waiting if any(m in reached for m in value)]
        if not near or len(result) > 4 * LARGEST_SEARCH:
            return result
        result += near
        if not wide:
            return result
        waiting = [(k, value) for k, value in waiting if not any(m in reached for m in value)]
        reached |= {m for _, value in near for m in value}


def _monomials(polynomials: Any, degree: int) -> list[Any]:
    """All monomials of at most this degree."""
    found = []
    for count in range(degree + 1):
        for chosen in combinations_with_replacement(polynomials.gens, count):
            factor = polynomials.one
            for generator in chosen:
                factor = factor * generator
            found.append(factor)
    return found


def _solve(columns: list[Any], nonnegative: int, strict: np.ndarray) -> list[Any] | None:
    """Rational coefficients of a vanishing combination with strict part 1, or None."""
    rows: dict[Any, int] = {}
    data, row_index, column_index = [], [], []
    for k, column in enumerate(columns):
        for monomial, coefficient in column.items():
            data.append(float(coefficient))
            row_index.append(rows.setdefault(monomial, len(rows)))
            column_index.append(k)
    normal = len(rows)
    for k in np.flatnonzero(strict):
        data.append(1.0)
        row_index.append(normal)
        column_index.append(int(k))
    matrix = csc_matrix((data, (row_index, column_index)), shape=(normal + 1, len(columns)))
    right = np.zeros(normal + 1)
    right[normal] = 1.0
    bounds = [(0, None)] * nonnegative + [(None, None)] * (len(columns) - nonnegative)
    cost = np.array([1.0] * nonnegative + [0.0] * (len(columns) - nonnegative))
    found = linprog(cost, A_eq=matrix, b_eq=right, bounds=bounds, method="highs-ds")
    if found.status != 0 or found.x is None:
        return None
    support = [k for k, value in enumerate(found.x) if abs(value) > 1e-9]
    return _exact(columns, support, rows, strict)


def _exact(columns: list[Any], support: list[int], rows: dict[Any, int], strict: np.ndarray) -> list[Any] | None:
    """The coefficients on the support, exactly."""
    zero = QQ(0)
    dense = [[zero] * (len(support) + 1) for _ in range(len(rows) + 1)]
    for position, k in enumerate(support):
        for monomial, coefficient in columns[k].items():
            dense[rows[monomial]][position] = coefficient
        if k < len(strict) and strict[k]:
            dense[-1][position] = QQ(1)
    dense[-1][-1] = QQ(1)
    kept = [row for row in dense if any(row)]
    reduced, pivots = DomainMatrix(kept, (len(kept), len(support) + 1), QQ).rref()
    if len(support) in pivots:
        return None
    values = [zero] * len(columns)
    table = reduced.to_list()
    for row, pivot in enumerate(pivots):
        values[support[pivot]] = table[row][-1]
    return values


def refute_with_z3(target: Fact, facts: Sequence[Fact], equalities: Sequence[sp.Expr]) -> None:
    """Have z3 show that the facts and the contrary of ``target`` exclude each other; raises :class:`Rejected`."""
    import z3

    solver = z3.Solver()
    solver.set("timeout", Z3_MILLISECONDS)
    names: dict[sp.Symbol, Any] = {}

    def real(symbol: Any) -> Any:
        return names.setdefault(symbol, z3.Real(f"v{len(names)}"))

    def translate(expr: sp.Expr) -> Any:
        symbols = sorted(expr.free_symbols, key=str)
        if not symbols:
            return z3.RealVal(str(expr))
        total = z3.RealVal(0)
        for powers, coefficient in sp.Poly(expr, *symbols, domain=sp.QQ).terms():
            term = z3.RealVal(str(coefficient))
            for symbol, power in zip(symbols, powers, strict=True):
                for _ in range(power):
                    term = term * real(symbol)
            total = total + term
        return total

    for fact in facts:
        value = translate(fact.expr)
        solver.add(value > 0 if fact.strict else value >= 0)
    for zero in equalities:
        solver.add(translate(zero) == 0)
    value = translate(target.expr)
    solver.add(value <= 0 if target.strict else value < 0)
    answer = solver.check()
    if answer != z3.unsat:
        raise Rejected(f"z3 says {answer}")
