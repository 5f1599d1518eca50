"""Orthonormal bases, and linear combinations of vector equations."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import A, B, M, a, b, c, g, holds, p, u, w, why_not, x, y, z

from theory.kernel.notation import Dot, at_most, dimension, equal, family, identity
from theory.kernel.rules.frames import Combine, Frame, Parseval

d = dimension
j, k = (sp.Symbol(f"kt_{n}", integer=True) for n in "jk")
f, h = family("kt_ff", "f"), family("kt_hh", "h")
FRAME = Frame(z, u, j)
OF_X, OF_Y = equal(f[j], Dot(z, x)), equal(h[j], Dot(z, y))


def over(term: object) -> Any:
    return sp.Sum(term, (j, 2, d))


PRODUCT = equal(Dot(x, y), Dot(u, x) * Dot(u, y) + over(f[j] * h[j]))


def test_parseval() -> None:
    assert holds(Parseval(), PRODUCT, FRAME, OF_X, OF_Y)
    assert holds(Parseval(), equal(Dot(x, x), Dot(u, x) ** 2 + over(f[j] ** 2)), FRAME, OF_X)
    assert holds(Parseval(), equal(Dot(x, y), Dot(u, x) * Dot(u, y)), FRAME, equal(Dot(z, x), 0), OF_Y)


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(Dot(x, y), over(f[j] * h[j])), (FRAME, OF_X, OF_Y)),
        (equal(Dot(x, y), Dot(u, x) * Dot(u, y) - over(f[j] * h[j])), (FRAME, OF_X, OF_Y)),
        (equal(Dot(x, y), Dot(u, x) * Dot(u, y) + 2 * over(f[j] * h[j])), (FRAME, OF_X, OF_Y)),
        (equal(Dot(x, y), Dot(u, x) * Dot(u, y) + over(f[j] * h[j] ** 2)), (FRAME, OF_X, OF_Y)),
        (equal(Dot(x, y), Dot(u, x) * Dot(u, y) + sp.Sum(f[j] * h[j], (j, 1, d))), (FRAME, OF_X, OF_Y)),
        (equal(Dot(x, y), Dot(u, x) * Dot(u, y) + sp.Sum(f[j] * h[j], (j, 2, d - 1))), (FRAME, OF_X, OF_Y)),
        (equal(Dot(x, y), Dot(u, x) ** 2 + over(f[j] * h[j])), (FRAME, OF_X, OF_Y)),
        (PRODUCT, (FRAME, OF_X)),
        (PRODUCT, (OF_X, OF_Y)),
        (PRODUCT, (FRAME, OF_X, equal(h[j], Dot(g, y)))),
        (PRODUCT, (FRAME, OF_X, equal(h[k], Dot(z, y)))),
        (PRODUCT, (FRAME, OF_X, equal(h[j], 2 * Dot(z, y)))),
        (PRODUCT, (FRAME, Frame(g, w, j), OF_X, OF_Y)),
        (at_most(Dot(x, y), Dot(u, x) * Dot(u, y) + over(f[j] * h[j])), (FRAME, OF_X, OF_Y)),
        (equal(Dot(z, z), Dot(u, z) ** 2 + over(f[j] ** 2)), (FRAME, equal(f[j], Dot(z, z)))),
    ],
)
def test_no_other_expansion(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(Parseval(), says, *premises)


def test_vectors_that_run_with_the_basis_have_no_expansion() -> None:
    assert "may change" in why_not(Parseval(), PRODUCT, FRAME, OF_X, OF_Y, given=[equal(x, A * z)])
    assert "may change" in why_not(Parseval(), PRODUCT, FRAME, OF_X, OF_Y, given=[equal(u, j * w)])


ONE, OTHER = equal(A * x, a * y), equal(B * x, b * y)
SUM = equal(A * x + B * x, (a + b) * y)


def test_combinations() -> None:
    assert holds(Combine((1, 1)), SUM, ONE, OTHER)
    assert holds(Combine((M,)), equal(M * A * x, a * M * y), ONE)
    assert holds(Combine((1 / p,)), equal(A * x / p, a / p * y), ONE)
    assert holds(Combine((1,)), equal(A * x, c * y), ONE, equal(a, c))


@pytest.mark.parametrize(
    ("factors", "says", "premises"),
    [
        ((1, 1), equal(A * x + B * x, (a - b) * y), (ONE, OTHER)),
        ((1, -1), SUM, (ONE, OTHER)),
        ((1, 2), SUM, (ONE, OTHER)),
        ((2,), SUM, (ONE, OTHER)),
        ((1, 1), equal(A * x + B * x, (a + b) * z), (ONE, OTHER)),
        ((1, 1), equal(A * x + B * y, (a + b) * y), (ONE, OTHER)),
        ((1, 1), equal(A * x + B * x, a * b * y), (ONE, OTHER)),
        ((M,), equal(A * M * x, a * M * y), (ONE,)),
        ((M.T,), equal(M * A * x, a * M * y), (ONE,)),
        ((1 / c,), equal(A * x / c, a / c * y), (ONE,)),
        ((1,), equal(A * x, c * y), (ONE,)),
        ((1, 1), SUM, (ONE,)),
        ((1,), equal(A, identity), (ONE,)),
        ((1,), at_most(a, b), (at_most(a, b),)),
    ],
)
def test_no_other_combination(factors: tuple[object, ...], says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(Combine(factors), says, *premises)
