"""The perturbation series of the leading eigenpair to any order: the Rayleigh-Schrödinger recursion.

With V diagonal in the basis used (``levels``, leading one first) and M the perturbation in that basis,
``(V + ε M) x = λ x``, ``x = Σ ε^k x_k``, ``x_0 = e_1``, first entry of ``x_k`` zero for k >= 1:

    λ_k = (M x_{k-1})_1,
    (x_k)_j = [(M x_{k-1})_j - Σ_{i=1}^{k-1} λ_i (x_{k-i})_j] / (levels_1 - levels_j),  j >= 2.

M need not be symmetric: for a non-symmetric diagonalisable V it is ``P^{-1} ΔV P``. The exceptional set is
``levels_j = levels_1`` for some j >= 2.

:func:`leading_expansion` needs no eigenbasis: with ``V r = λ_0 r``, ``l^T V = λ_0 l^T`` and ``l^T r = 1`` it solves

    λ_k = l^T M x_{k-1},    (V - λ_0) x_k = Σ_{i=1}^{k} λ_i x_{k-i} - M x_{k-1},    l^T x_k = 0  (k >= 1),

by one inverse of the bordered matrix ``[[V - λ_0, r], [l^T, 0]]``, which exists if and only if λ_0 is a simple
eigenvalue (``l^T r ≠ 0`` included). V may be any matrix, and need not be diagonalisable beside λ_0. With
:func:`rational_eigenpair` it finds λ_0 itself where that is rational; :func:`leading_expansion_mp` takes any matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp
import torch
from mpmath import mp
from sympy.polys.constructor import construct_domain
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

Matrix = Sequence[Sequence[Any]]


def coefficients(levels: Sequence[Any], matrix: Sequence[Sequence[Any]], order: int) -> tuple[list[Any], list[Any]]:
    """λ_1 ... λ_order and x_0 ... x_order (lists of entries), in the arithmetic of the entries (exact ones too).

    Raises ZeroDivisionError where another level equals the leading one, in arithmetics that do.
    """
    size = range(len(levels))
    one, zero = levels[0] * 0 + 1, levels[0] * 0
    vectors: list[list[Any]] = [[one] + [zero] * (len(levels) - 1)]
    values: list[Any] = []
    for k in range(1, order + 1):
        image = [sum((matrix[i][j] * vectors[-1][j] for j in size), zero) for i in size]
        values.append(image[0])
        following = [zero]
        for j in size[1:]:
            known = sum((values[i - 1] * vectors[k - i][j] for i in range(1, k)), zero)
            following.append((image[j] - known) / (levels[0] - levels[j]))
        vectors.append(following)
    return values, vectors


def eigenvalue_series(levels: torch.Tensor, matrix: torch.Tensor, order: int) -> torch.Tensor:
    """λ_1 ... λ_order as ``(B, order)``, for ``levels (B, d)``, ``matrix (B, d, d)``: the recursion in batches."""
    vectors = [torch.zeros_like(levels)]
    vectors[0][:, 0] = 1
    values: list[torch.Tensor] = []
    difference = (levels[:, :1] - levels)[:, 1:]
    for k in range(1, order + 1):
        image = torch.einsum("bij,bj->bi", matrix, vectors[-1])
        values.append(image[:, 0])
        known = sum((values[i - 1].unsqueeze(-1) * vectors[k - i] for i in range(1, k)), torch.zeros_like(image))
        rest = (image - known)[:, 1:] / difference
        vectors.append(torch.cat([torch.zeros_like(rest[:, :1]), rest], dim=1))
    return torch.stack(values, dim=1)


@dataclass(frozen=True)
class Eigenpair:
    """An eigenvalue with its right and left eigenvector, of any lengths with ``l^T r ≠ 0``.

    The left one may be left out for a symmetric matrix.
    """

    value: Any
    right: Sequence[Any]
    left: Sequence[Any] | None = None


@dataclass(frozen=True)
class Expansion:
    """``values[k]`` and ``vectors[k]`` are the coefficients of ``ε^k`` up to the order; ``left`` has ``l^T x = 1``."""

    values: list[Any]
    vectors: list[list[Any]]
    left: list[Any]

    def at(self, epsilon: Any) -> tuple[Any, list[Any]]:
        """The sums of both series at ε."""
        powers = [epsilon**k for k in range(len(self.values))]
        value = sum((c * p for c, p in zip(self.values, powers, strict=True)), self.values[0] * 0)
        size = range(len(self.left))
        vector = [sum((x[j] * p for x, p in zip(self.vectors, powers, strict=True)), self.values[0] * 0) for j in size]
        return value, vector


class IrrationalLeadingEigenvalue(ValueError):
    """No rational eigenvalue lies right of all others: the exact recursion has nothing to start from."""


def leading_expansion(base: Matrix, update: Matrix, order: int, eigenpair: Eigenpair | None = None) -> Expansion:
    """The series of the eigenvalue and eigenvector of ``base + ε update`` that start at ``eigenpair``.

    Without ``eigenpair`` it is that of :func:`rational_eigenpair`, which takes a rational V. Exact for integers,
    fractions and sympy expressions (roots and symbols among them), where the answer is in sympy numbers or
    expressions; at the working precision of mpmath where an entry is a number of mpmath. The vectors have
    ``l^T x_0 = 1`` and ``l^T x_k = 0`` after that. Raises ValueError where the pair is none of the matrix, and
    ZeroDivisionError where the eigenvalue is not simple (the exceptional set).
    """
    eigenpair = rational_eigenpair(base) if eigenpair is None else eigenpair
    left = eigenpair.right if eigenpair.left is None else eigenpair.left
    entries = [eigenpair.value, *eigenpair.right, *left, *(x for rows in (base, update) for row in rows for x in row)]
    size = len(eigenpair.right)
    if any(isinstance(x, (mpmath.mpf, mpmath.mpc)) for x in entries):
        numbers = [_number(x) for x in entries]
        return _recursion(numbers, size, order, _inverse_mp, lambda x: x)
    exact: Any = construct_domain([sp.sympify(x) for x in entries], field=True, extension=True)
    domain, elements = exact

    def inverse(rows: list[list[Any]]) -> list[list[Any]]:
        matrix = DomainMatrix(rows, (size + 1, size + 1), domain)
        try:
            return matrix.inv().to_list()
        except DMNonInvertibleMatrixError as error:
            raise ZeroDivisionError("the eigenvalue is not simple") from error

    return _recursion(elements, size, order, inverse, domain.to_sympy)


def _recursion(entries: list[Any], size: int, order: int, inverse: Any, outward: Any) -> Expansion:
    """The recursion in any field; ``entries``: the eigenvalue, right and left vector, and the two matrices by rows."""
    value, right, left = entries[0], entries[1 : size + 1], entries[size + 1 : 2 * size + 1]
    rest = entries[2 * size + 1 :]
    base = [rest[j * size : (j + 1) * size] for j in range(size)]
    update = [rest[(size + j) * size : (size + j + 1) * size] for j in range(size)]
    zero = value - value
    overlap = _dot(left, right)
    if overlap == zero:
        raise ZeroDivisionError("the eigenvalue is not simple")
    left = [x / overlap for x in left]
    shifted = [[x - value if i == j else x for j, x in enumerate(row)] for i, row in enumerate(base)]
    _check_pair(shifted, right, left)
    one = _dot(left, right)
    solver = inverse([[*row, r] for row, r in zip(shifted, right, strict=True)] + [[*left, zero]])
    values, vectors = [value], [right]
    for k in range(1, order + 1):
        image = [_dot(row, vectors[-1]) for row in update]
        values.append(_dot(left, image) / one)
        known = [sum((values[i] * vectors[k - i][j] for i in range(1, k + 1)), zero) - image[j] for j in range(size)]
        vectors.append([_dot(row[:size], known) for row in solver[:size]])
    return Expansion(
        [outward(x) for x in values], [[outward(x) for x in v] for v in vectors], [outward(x) for x in left]
    )


def _dot(one: Sequence[Any], other: Sequence[Any]) -> Any:
    first, *rest = [a * b for a, b in zip(one, other, strict=True)]
    return sum(rest, first)


def _check_pair(shifted: list[list[Any]], right: list[Any], left: list[Any]) -> None:
    residues = [_dot(row, right) for row in shifted]
    residues += [_dot(left, [row[j] for row in shifted]) for j in range(len(right))]
    if isinstance(residues[0], (mpmath.mpf, mpmath.mpc)):
        scale = max(abs(x) for row in [*shifted, right, left] for x in row)
        wrong = any(abs(x) > mp.sqrt(mp.eps) * (1 + scale**2) for x in residues)
    else:
        wrong = any(residues)
    if wrong:
        raise ValueError("the vectors are no right and left eigenvector of the matrix")


def _inverse_mp(rows: list[list[Any]]) -> list[list[Any]]:
    return mp.inverse(mp.matrix(rows)).tolist()


def exact_eigenpair(matrix: Matrix, value: Any) -> Eigenpair:
    """The right and left eigenvector of an eigenvalue that is known exactly (an integer, a fraction, an expression).

    Raises ValueError where it is no eigenvalue, ZeroDivisionError where there is more than one vector.
    """
    size = len(matrix)
    entries = [sp.sympify(value), *(sp.sympify(x) for row in matrix for x in row)]
    domain, (known, *elements) = construct_domain(entries, field=True, extension=True)
    rows = [elements[j * size : (j + 1) * size] for j in range(size)]
    shifted = DomainMatrix(
        [[x - known if i == j else x for j, x in enumerate(row)] for i, row in enumerate(rows)], (size, size), domain
    )
    found = [m.nullspace().to_list() for m in (shifted, shifted.transpose())]
    if not found[0]:
        raise ValueError(f"{value} is no eigenvalue of the matrix")
    if len(found[0]) > 1:
        raise ZeroDivisionError("the eigenvalue is not simple")
    right, left = ([domain.to_sympy(x) for x in vectors[0]] for vectors in found)
    return Eigenpair(domain.to_sympy(known), right, left)


def rational_eigenpair(matrix: Matrix) -> Eigenpair:
    """The eigenvalue with the largest real part and its vectors, exactly, for a rational matrix.

    Raises :class:`IrrationalLeadingEigenvalue` where no rational eigenvalue has a larger real part than all others,
    and ZeroDivisionError where one does and is a multiple root.
    """
    entries = [sp.sympify(x) for row in matrix for x in row]
    if not all(isinstance(x, sp.Rational) for x in entries):
        raise ValueError("the matrix is not rational: give the eigenpair")
    x = sp.Symbol("x")
    size = len(matrix)
    rows = [[sp.QQ.from_sympy(e) for e in entries[k * size : (k + 1) * size]] for k in range(size)]
    dense = DomainMatrix(rows, (size, size), sp.QQ)
    polynomial = sp.Poly.from_list([sp.QQ.to_sympy(c) for c in dense.charpoly()], x, domain=sp.QQ)
    linear = [(-f.nth(0) / f.nth(1), n) for f, n in polynomial.factor_list()[1] if f.degree() == 1]
    if not linear:
        raise IrrationalLeadingEigenvalue("the matrix has no rational eigenvalue")
    value, multiplicity = max(linear)
    others = polynomial.quo(sp.Poly((x - value) ** multiplicity, x, domain=sp.QQ))
    if not _left_of_zero([sp.QQ.from_sympy(c) for c in others.compose(sp.Poly(x + value, x)).all_coeffs()]):
        raise IrrationalLeadingEigenvalue(
            f"{value} is the largest rational eigenvalue, and another does not lie left of it"
        )
    if multiplicity > 1:
        raise ZeroDivisionError("the eigenvalue is not simple")
    return exact_eigenpair(matrix, value)


def _left_of_zero(coefficients: list[Any]) -> bool:
    """Whether all roots of a polynomial have negative real parts, by Routh's scheme (exact; highest power first)."""
    one, two = coefficients[::2], coefficients[1::2]
    positive = coefficients[0] > 0
    while two:
        if two[0] == 0 or (two[0] > 0) != positive:
            return False
        ratio = one[0] / two[0]
        following = [a - ratio * (two[k + 1] if k + 1 < len(two) else 0) for k, a in enumerate(one[1:])]
        one, two = two, following
    return True


def leading_expansion_mp(base: Matrix, update: Matrix, order: int, digits: int) -> Expansion:
    """The same of the eigenvalue with the largest real part, whatever it is, at that many decimal digits."""
    with mp.workdps(digits):
        first, second = ([[_number(x) for x in row] for row in matrix] for matrix in (base, update))
        return leading_expansion(first, second, order, numerical_eigenpair(first))


def numerical_eigenpair(matrix: Matrix) -> Eigenpair:
    """The eigenvalue with the largest real part and its vectors, at the working precision of mpmath."""
    dense = mp.matrix([[_number(x) for x in row] for row in matrix])
    values, left, right = mp.eig(dense, left=True, right=True)
    top = max(range(len(values)), key=lambda k: mp.re(values[k]))
    column = [right[j, top] for j in range(dense.rows)]
    row = [left[top, j] for j in range(dense.rows)]
    pivot_right, pivot_left = max(column, key=abs), max(row, key=abs)
    return Eigenpair(values[top], [x / pivot_right for x in column], [x / pivot_left for x in row])


def _number(x: Any) -> Any:
    if isinstance(x, (Fraction, sp.Rational)):
        return mp.mpf(int(x.numerator)) / int(x.denominator)
    return mp.mpmathify(x)
