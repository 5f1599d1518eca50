"""The recursion of theory.expansion against the characteristic polynomial, exactly, and its cost."""

from __future__ import annotations

import random
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from mpmath import mp
from sympy.polys.matrices import DomainMatrix

from theory.expansion import (
    Eigenpair,
    Expansion,
    IrrationalLeadingEigenvalue,
    coefficients,
    exact_eigenpair,
    leading_expansion,
    leading_expansion_mp,
    numerical_eigenpair,
    rational_eigenpair,
)

GENEROUS_SECONDS = 60
"""Against a recursion that has become hopelessly slow; what it takes is of the order of a second."""


def rational_matrix(rng: random.Random, size: int, symmetric: bool = False) -> list[list[Fraction]]:
    rows = [[Fraction(rng.randint(-6, 6), rng.randint(1, 5)) for _ in range(size)] for _ in range(size)]
    return [[rows[min(i, j)][max(i, j)] if symmetric else rows[i][j] for j in range(size)] for i in range(size)]


def with_leading(rng: random.Random, size: int, leading: int = 3) -> list[list[Any]]:
    """A rational matrix, not symmetric, with the given eigenvalue and others in [-1, 1]."""
    while True:
        basis = sp.Matrix(rational_matrix(rng, size))
        if basis.det() != 0:
            break
    levels = [leading, *(Fraction(rng.randint(-10, 10), 10) for _ in range(size - 1))]
    return (basis * sp.diag(*levels) * basis.inv()).tolist()


def implicit_series(base: list[list[Any]], update: list[list[Any]], value: Any, order: int) -> list[Any]:
    """λ_0 ... λ_order from det(V + εM - λ) = 0 alone: Newton's iteration on truncated power series."""
    e, x = sp.symbols("e x")
    size = range(len(base))
    rows = [[sp.sympify(base[i][j]) + e * sp.sympify(update[i][j]) - (x if i == j else 0) for j in size] for i in size]
    polynomial = DomainMatrix.from_Matrix(sp.Matrix(rows)).convert_to(sp.QQ[e, x]).charpoly()[-1]
    powers = {(int(m[0]), int(m[1])): c for m, c in polynomial.terms()}

    def times(p: list[Any], q: list[Any]) -> list[Any]:
        return [sum((p[i] * q[k - i] for i in range(k + 1)), sp.QQ(0)) for k in range(order + 1)]

    def at(series: list[Any], derivative: bool) -> list[Any]:
        top = max(n for _, n in powers)
        ladder = [[sp.QQ(1)] + [sp.QQ(0)] * order]
        for _ in range(top):
            ladder.append(times(ladder[-1], series))
        total = [sp.QQ(0)] * (order + 1)
        for (m, n), c in powers.items():
            if derivative and n == 0:
                continue
            term, factor = (ladder[n - 1], n * c) if derivative else (ladder[n], c)
            for k in range(order + 1 - m):
                total[k + m] += factor * term[k]
        return total

    known = [sp.QQ.from_sympy(sp.sympify(value))] + [sp.QQ(0)] * order
    for _ in range(order + 1):  # each round gives at least one more coefficient
        slope, shift = at(known, True), at(known, False)
        quotient: list[Any] = []
        for k in range(order + 1):
            rest = sum((slope[k - i] * quotient[i] for i in range(k)), sp.QQ(0))
            quotient.append((shift[k] - rest) / slope[0])
        known = [a - b for a, b in zip(known, quotient, strict=True)]
    return [sp.QQ.to_sympy(c) for c in known]


def solves_the_equation(base: Any, update: Any, found: Expansion) -> bool:
    """Whether every coefficient of (V + εM) x - λ x vanishes, exactly."""
    v, m = sp.Matrix(base), sp.Matrix(update)
    vectors = [sp.Matrix(x) for x in found.vectors]
    for k in range(len(vectors)):
        rest = v * vectors[k] + (m * vectors[k - 1] if k else sp.zeros(len(found.left), 1))
        rest -= sum((found.values[i] * vectors[k - i] for i in range(k + 1)), sp.zeros(len(found.left), 1))
        if not all(sp.cancel(entry) == 0 for entry in rest):
            return False
    return True


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_rational_instances_against_the_characteristic_polynomial(size: int, symmetric: bool) -> None:
    rng = random.Random(100 * size + symmetric)
    update = rational_matrix(rng, size, symmetric)
    if symmetric:
        base: Any = sp.diag(3, *[Fraction(rng.randint(-10, 10), 10) for _ in range(size - 1)])
        unit = sp.Matrix([Fraction(rng.randint(1, 4)) for _ in range(size)])
        turn = sp.eye(size) - 2 * unit * unit.T / (unit.T * unit)[0]
        base = (turn * base * turn).tolist()
    else:
        base = with_leading(rng, size)
    pair = exact_eigenpair(base, 3)
    found = leading_expansion(base, update, 6, pair)
    assert found.values == implicit_series(base, update, 3, 6)
    assert solves_the_equation(base, update, found)
    normalised = [sum(a * b for a, b in zip(found.left, x, strict=True)) for x in found.vectors]
    assert normalised == [1, 0, 0, 0, 0, 0, 0]


def test_in_the_eigenbasis_it_is_the_plain_recursion() -> None:
    rng = random.Random(7)
    levels = [Fraction(2), Fraction(1), Fraction(-1, 2), Fraction(1, 3)]
    update = rational_matrix(rng, 4)
    diagonal = [[levels[i] if i == j else Fraction(0) for j in range(4)] for i in range(4)]
    values, vectors = coefficients(levels, update, 7)
    found = leading_expansion(diagonal, update, 7, Eigenpair(2, [1, 0, 0, 0]))
    assert [Fraction(int(x.p), int(x.q)) for x in found.values[1:]] == values
    assert [[Fraction(int(x.p), int(x.q)) for x in v] for v in found.vectors] == vectors


def test_a_jordan_block_beside_the_eigenvalue_does_not_matter() -> None:
    base = [[2, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1]]
    update = rational_matrix(random.Random(11), 4)
    found = leading_expansion(base, update, 6, exact_eigenpair(base, 2))
    assert found.values == implicit_series(base, update, 2, 6)
    assert solves_the_equation(base, update, found)


def test_an_irrational_eigenvalue_exactly_and_numerically() -> None:
    base, update = [[1, 1], [1, -1]], [[Fraction(1, 2), 0], [3, -1]]
    exact = leading_expansion(base, update, 5, exact_eigenpair(base, sp.sqrt(2)))
    assert solves_the_equation(base, update, exact)
    with mp.workdps(60):
        found = leading_expansion(base, [[mp.mpf(1) / 2, 0], [3, -1]], 5, numerical_eigenpair(base))
        for one, other in zip(exact.values, found.values, strict=True):
            assert abs(mp.mpmathify(sp.N(one, 60)) - mp.re(other)) < mp.mpf(10) ** -50


def test_two_levels_are_the_binomial_series() -> None:
    gap, alpha, e, x = sp.symbols("gap alpha e x", positive=True)
    found = leading_expansion([[gap, 0], [0, 0]], [[0, alpha], [alpha, 0]], 6, Eigenpair(gap, [1, 0]))
    closed = sp.series((gap + sp.sqrt(gap**2 + 4 * x**2 * alpha**2)) / 2, x, 0, 7).removeO()
    assert all(sp.simplify(found.values[k] - closed.coeff(x, k)) == 0 for k in range(7))
    assert leading_expansion([[gap, 0], [0, 0]], [[e, 0], [0, e]], 3, Eigenpair(gap, [1, 0])).values == [gap, e, 0, 0]


def symbolic(symmetric: bool) -> tuple[list[list[Any]], list[list[Any]], Eigenpair, list[sp.Symbol]]:
    levels = sp.symbols("l1:4")
    names = [[(min(i, j), max(i, j)) if symmetric else (i, j) for j in range(3)] for i in range(3)]
    update = [[sp.Symbol(f"m{i}{j}") for i, j in row] for row in names]
    base = [[levels[i] if i == j else sp.Integer(0) for j in range(3)] for i in range(3)]
    used = list(dict.fromkeys([*levels, *(x for row in update for x in row)]))
    return base, update, Eigenpair(levels[0], [1, 0, 0]), used


@pytest.mark.parametrize("symmetric", [True, False])
def test_order_4_in_symbols(symmetric: bool) -> None:
    base, update, pair, used = symbolic(symmetric)
    started = time.perf_counter()
    found = leading_expansion(base, update, 4, pair)
    assert time.perf_counter() - started < GENEROUS_SECONDS
    second = sum(update[0][j] * update[j][0] / (base[0][0] - base[j][j]) for j in (1, 2))
    assert sp.cancel(found.values[2] - second) == 0
    rng = random.Random(5)
    for _ in range(3):
        at = {x: sp.Rational(rng.randint(-9, 9), rng.randint(1, 4)) for x in used}
        at |= {base[0][0]: sp.Integer(4), base[1][1]: sp.Integer(1), base[2][2]: sp.Rational(-1, 2)}
        numbers = [[[sp.sympify(x).xreplace(at) for x in row] for row in m] for m in (base, update)]
        assert [sp.nsimplify(v.xreplace(at)) for v in found.values] == implicit_series(numbers[0], numbers[1], 4, 4)


def test_order_8_of_16_dimensions() -> None:
    rng = random.Random(16)
    base, update = with_leading(rng, 16), rational_matrix(rng, 16)
    started = time.perf_counter()
    found = leading_expansion(base, update, 8, exact_eigenpair(base, 3))
    assert time.perf_counter() - started < GENEROUS_SECONDS
    assert solves_the_equation(base, update, found)
    with mp.workdps(120):
        errors = []
        for exponent in (12, 13):
            eps = sp.Rational(1, 10**exponent)
            exact = eigenvalue_near(sp.Matrix(base) + eps * sp.Matrix(update), 3)
            errors.append(abs(exact - mp.mpf(int(found.at(eps)[0].p)) / int(found.at(eps)[0].q)))
        assert float(mp.log10(errors[0] / errors[1])) == pytest.approx(9, abs=0.02)


def eigenvalue_near(matrix: sp.Matrix, guess: int) -> Any:
    """The eigenvalue near a guess by inverse iteration on both sides, which knows nothing of the series."""
    size = matrix.rows
    rows: list[list[Any]] = matrix.tolist()
    a = mp.matrix([[mp.mpf(int(x.p)) / int(x.q) for x in row] for row in rows])
    x = mp.matrix([mp.mpf(1) / (j + 2) for j in range(size)])
    y = x.copy()
    value = mp.mpf(guess)
    for _ in range(12):
        shifted = a - (value + mp.eps ** mp.mpf("0.75")) * mp.eye(size)
        x, y = mp.lu_solve(shifted, x), mp.lu_solve(shifted.T, y)
        x, y = x / mp.norm(x), y / mp.norm(y)
        value = (y.T * a * x)[0] / (y.T * x)[0]
    return value


def test_what_is_no_eigenpair_is_refused() -> None:
    with pytest.raises(ValueError, match="no right and left"):
        leading_expansion([[2, 1], [0, 1]], [[1, 0], [0, 1]], 2, Eigenpair(2, [1, 0]))
    with pytest.raises(ValueError, match="no eigenvalue"):
        exact_eigenpair([[2, 1], [0, 1]], 3)


@pytest.mark.parametrize("base", [[[1, 0], [0, 1]], [[1, 1], [0, 1]]])
def test_an_eigenvalue_that_is_not_simple_is_refused(base: list[list[int]]) -> None:
    update = [[0, 1], [1, 0]]
    pair = Eigenpair(1, [1, 0], [1, 0] if base[0][1] == 0 else [0, 1])
    with pytest.raises(ZeroDivisionError, match="not simple"):
        leading_expansion(base, update, 2, pair)


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_the_leading_eigenvalue_is_found_where_it_is_rational(size: int) -> None:
    rng = random.Random(size)
    base, update = with_leading(rng, size), rational_matrix(rng, size)
    found = leading_expansion(base, update, 4)
    assert found.values[0] == 3
    assert found == leading_expansion(base, update, 4, exact_eigenpair(base, 3))
    numerical = leading_expansion_mp(base, update, 4, 60)
    for one, other in zip(found.values, numerical.values, strict=True):
        assert abs(mp.mpmathify(sp.N(one, 60)) - other) < mp.mpf(10) ** -40 * (1 + abs(other))


def test_a_rational_eigenvalue_counts_as_leading_only_right_of_all_others() -> None:
    rng, decided = random.Random(3), {True: 0, False: 0}
    for _ in range(300):
        matrix = [[rng.randint(-2, 2) for _ in range(3)] for _ in range(3)]
        parts = sorted(np.linalg.eigvals(np.array(matrix, dtype=float)), key=lambda z: z.real)
        if parts[2].real - parts[1].real < 1e-6:
            continue
        try:
            pair = rational_eigenpair(matrix)
        except IrrationalLeadingEigenvalue:
            leading = parts[2].real  # a rational eigenvalue of an integer matrix is an integer
            assert abs(leading - round(leading)) > 1e-6
            decided[False] += 1
        else:
            assert float(pair.value) == pytest.approx(parts[2].real, abs=1e-6)
            decided[True] += 1
    assert min(decided.values()) >= 20


@pytest.mark.parametrize(
    "base",
    [
        [[0, 1], [2, 0]],  # ±√2
        [[0, -1], [1, 0]],  # ±i
        [[1, 0, 0], [0, 1, 1], [0, -1, 1]],  # 1 and 1 ± i: none lies right of the others
        [[1, 0, 0], [0, 0, 2], [0, 1, 0]],  # 1 and ±√2
    ],
)
def test_an_irrational_leading_eigenvalue_is_refused_and_left_to_mpmath(base: list[list[int]]) -> None:
    size = len(base)
    update = [[Fraction(i + 2 * j + 1, 7) for j in range(size)] for i in range(size)]
    with pytest.raises(IrrationalLeadingEigenvalue):
        leading_expansion(base, update, 2)
    found = leading_expansion_mp(base, update, 2, 50)
    with mp.workdps(50):
        v, m = mp.matrix(base), mp.matrix([[mp.mpf(x.numerator) / x.denominator for x in row] for row in update])
        x, y, z = (mp.matrix(vector) for vector in found.vectors)
        known = found.values
        assert mp.norm(v * x - known[0] * x) < mp.mpf(10) ** -40
        assert mp.norm(v * y + m * x - known[0] * y - known[1] * x) < mp.mpf(10) ** -40
        assert mp.norm(v * z + m * y - known[0] * z - known[1] * y - known[2] * x) < mp.mpf(10) ** -40


def test_without_an_eigenpair_the_matrix_is_rational_and_its_eigenvalue_simple() -> None:
    with pytest.raises(ZeroDivisionError, match="not simple"):
        leading_expansion([[1, 1], [0, 1]], [[0, 0], [1, 0]], 2)
    with pytest.raises(ValueError, match="not rational"):
        leading_expansion([[sp.Symbol("l"), 0], [0, 1]], [[0, 0], [1, 0]], 2)
