"""The error after order k falls like ε^{k+1}, eigenvalue and eigenvector, against mpmath's eigenvalues."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import sympy as sp
from mpmath import mp

from theory.expansion import Expansion, leading_expansion, numerical_eigenpair

ORDERS = (1, 2, 3, 4, 5, 6)
DIGITS = 130
EXPONENTS = (7, 8)
"""ε = 10^-7 and 10^-8: the next term of the series changes the slope by about 10^-7."""


def instance(size: int, symmetric: bool) -> tuple[list[list[Any]], list[list[Any]]]:
    """Random rational V and ΔV; V has a real leading eigenvalue with a gap."""
    rng = random.Random(1000 * size + symmetric)

    def entries() -> list[list[Fraction]]:
        rows = [[Fraction(rng.randint(-9, 9), rng.randint(2, 7)) for _ in range(size)] for _ in range(size)]
        return [[rows[min(i, j)][max(i, j)] if symmetric else rows[i][j] for j in range(size)] for i in range(size)]

    update = entries()
    if symmetric:
        base = entries()
        base[0][0] += 5
        return base, update
    while True:
        basis = sp.Matrix(entries())
        if basis.det() != 0:
            break
    levels = sp.diag(3, *[sp.Rational(rng.randint(-12, 12), 10) for _ in range(size - 1)])
    dense = basis * levels * basis.inv()
    return [[Fraction(int(x.p), int(x.q)) for x in row] for row in dense.tolist()], update


def numbers(matrix: list[list[Any]]) -> Any:
    return mp.matrix([[mp.mpf(x.numerator) / x.denominator for x in row] for row in matrix])


@cache
def errors(size: int, symmetric: bool) -> dict[int, tuple[list[Any], list[Any]]]:
    """Order → errors of the eigenvalue and of the eigenvector, one for each ε."""
    found: dict[int, tuple[list[Any], list[Any]]] = {k: ([], []) for k in ORDERS}
    with mp.workdps(DIGITS):
        base, update = (numbers(m) for m in instance(size, symmetric))
        series = leading_expansion(base.tolist(), update.tolist(), max(ORDERS), numerical_eigenpair(base.tolist()))
        for exponent in EXPONENTS:
            eps = mp.mpf(10) ** -exponent
            value, vector = oracle(base + eps * update, series.left)
            for k in ORDERS:
                cut = Expansion(series.values[: k + 1], series.vectors[: k + 1], series.left)
                about, direction = cut.at(eps)
                found[k][0].append(abs(value - about))
                found[k][1].append(mp.sqrt(sum(abs(a - b) ** 2 for a, b in zip(vector, direction, strict=True))))
    return found


def oracle(matrix: Any, left: list[Any]) -> tuple[Any, list[Any]]:
    """The leading eigenvalue and its vector, scaled as the series is: all that is taken from the series is l."""
    values, vectors = mp.eig(matrix)
    top = max(range(len(values)), key=lambda k: mp.re(values[k]))
    column = [vectors[j, top] for j in range(matrix.rows)]
    scale = sum(a * b for a, b in zip(left, column, strict=True))
    return values[top], [x / scale for x in column]


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("size", [3, 4, 5, 6])
@pytest.mark.parametrize("order", ORDERS)
def test_slope_of_the_error(order: int, size: int, symmetric: bool) -> None:
    ratio = EXPONENTS[1] - EXPONENTS[0]
    with mp.workdps(DIGITS):
        for first, second in errors(size, symmetric)[order]:
            assert float(mp.log10(first / second)) / ratio == pytest.approx(order + 1, abs=0.02)


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_leading_eigenvalue_has_a_gap(symmetric: bool) -> None:
    for size in (3, 4, 5, 6):
        with mp.workdps(30):
            base = numbers(instance(size, symmetric)[0])
            assert not symmetric or base == base.T
            parts = sorted((mp.re(x) for x in mp.eig(base)[0]), reverse=True)
            assert parts[0] - parts[1] > 0.5
