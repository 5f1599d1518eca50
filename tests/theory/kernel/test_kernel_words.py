"""Words in vectors and matrices: against explicit random rational matrices, and what must not be read."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import A, B, M, a, b, holds, rational_matrix, why_not, x, y, z

from theory.kernel.notation import Dot, Trace, both, equal, identity
from theory.kernel.rules import Identity
from theory.kernel.rules.evaluate import explicit

VALUES: dict[Any, Any] = {
    A: rational_matrix(1),
    B: rational_matrix(2),
    M: rational_matrix(3),
    x: rational_matrix(4, columns=1),
    y: rational_matrix(5, columns=1),
    z: rational_matrix(6, columns=1),
    a: sp.Rational(3, 7),
    b: sp.Rational(-5, 2),
}
CANDIDATES = [
    equal(Dot(A * x, B * y), Dot(x, A.T * B * y)),
    equal(Dot(A * x, B * y), Dot(x, A * B * y)),
    equal(Dot(a * x + b * y, z), a * Dot(x, z) + b * Dot(y, z)),
    equal(Dot(a * x + b * y, z), b * Dot(x, z) + a * Dot(y, z)),
    equal((A + B) * (A - B), A * A - B * B),
    equal((A + B) * (A - B), A * A - A * B + B * A - B * B),
    equal((A * B).T, B.T * A.T),
    equal((A * B).T, A.T * B.T),
    equal(x * y.T * z, Dot(y, z) * x),
    equal(x * y.T * z, Dot(x, z) * y),
    equal(Trace(A * B), Trace(B * A)),
    equal(Trace(A * B * M), Trace(B * M * A)),
    equal(Trace(A * B * M), Trace(A * M * B)),
    equal(Trace(A * B), Trace(A * B.T)),
    equal(Trace(x * y.T), Dot(x, y)),
    equal((identity + x * x.T) * y, y + Dot(x, y) * x),
    equal((identity + x * x.T) * y, y + Dot(x, y) * y),
    equal(Dot(x - y, x + y), Dot(x, x) - Dot(y, y)),
]


def true_of_the_matrices(statement: sp.Basic) -> bool:
    left, right = (explicit(side, VALUES) for side in statement.args)
    return bool(sp.simplify(left - right) == (sp.zeros(*left.shape) if isinstance(left, sp.MatrixBase) else 0))


@pytest.mark.parametrize("statement", CANDIDATES)
def test_words_agree_with_random_exact_matrices(statement: sp.Basic) -> None:
    assert holds(Identity(), statement) == true_of_the_matrices(statement)


def test_symmetric_and_antisymmetric_matrices() -> None:
    symmetric, antisymmetric = equal(A.T, A), equal(A.T, -A)
    assert holds(Identity(), equal(Dot(x, A * y), Dot(A * x, y)), symmetric)
    assert holds(Identity(), equal(Dot(x, A * y), -Dot(A * x, y)), antisymmetric)
    assert not holds(Identity(), equal(Dot(x, A * y), -Dot(A * x, y)), symmetric)
    assert holds(Identity(), equal(Dot(x, A * x), 0), antisymmetric)
    assert not holds(Identity(), equal(Dot(x, A * A * x), 0), antisymmetric)
    assert holds(Identity(), equal(Trace(A * A * A), 0), antisymmetric)
    assert holds(Identity(), equal(Trace(A * B), -Trace(B.T * A)), antisymmetric)
    assert not holds(Identity(), equal(Trace(A * B), Trace(B.T * A)), antisymmetric)
    assert not holds(Identity(), equal(Trace(A * B), Trace(B.T * A)))


def test_equations_rewrite_words() -> None:
    eigen = equal(A * x, a * x)
    assert holds(Identity(), equal(A * A * x, a**2 * x), eigen)
    assert not holds(Identity(), equal(A * A * x, a * x), eigen)
    assert not holds(Identity(), equal(A.T * x, a * x), eigen)
    assert holds(Identity(), equal(Dot(A.T * y, x), a * Dot(y, x)), eigen)
    assert holds(Identity(), equal(y * x.T * x, y), equal(Dot(x, x), 1))
    assert not holds(Identity(), equal(y * x.T * y, y), equal(Dot(x, x), 1))


def test_rules_that_do_not_end_are_rejected() -> None:
    loop = both(equal(A * x, B * x), equal(B * x, A * x))
    assert "come to an end" in why_not(Identity(), equal(A * x, x), loop)
    assert not holds(Identity(), equal(A, B), equal(A, A.T))


def test_one_name_is_one_shape() -> None:
    vector_named_as_a_matrix = sp.MatrixSymbol("kt_mA", *x.shape)
    twice = equal(A * x, A * vector_named_as_a_matrix)
    assert "both" in why_not(Identity(), twice)
    primed = sp.MatrixSymbol("kt_mA'", *A.shape)
    assert not holds(Identity(), equal(Dot(x, primed * y), Dot(x, A.T * y)))


def test_inverses_and_other_shapes_are_not_read() -> None:
    assert not holds(Identity(), equal(A.inv() * x, x))
    assert not holds(Identity(), equal(Dot(A, B), 0))
    assert not holds(Identity(), equal(A * x, a))
    assert not holds(Identity(), equal(a, A * x))
    assert not holds(Identity(), equal(sp.HadamardProduct(A, B), sp.HadamardProduct(B, A)))


def test_coefficients_must_exist() -> None:
    assert not holds(Identity(), equal(x / a, y / a), equal(x, y))
    assert holds(Identity(), equal(x / a, y / a), equal(x, y), sp.Ne(a, 0))
