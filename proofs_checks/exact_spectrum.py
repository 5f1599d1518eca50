"""Exact decisions on rational matrices: is the leading eigenvalue simple, is a block exactly zero, is ũ1 ⊥ u1.

The characteristic polynomial is computed and factored over the integers. Numbers only say *which* irreducible factor
has the leading eigenvalue as a root: the factors are coprime, so one Newton step from an approximation is short for
one of them alone. All else is arithmetic in Z[x]/(f), where a quantity is zero or not, without a tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, Literal

import sympy as sp
from mpmath import mp
from sympy.polys.matrices import DomainMatrix

from numerics.high_precision import Rows, is_symmetric

Kind = Literal["simple", "multiple", "complex", "unresolved"]
Element = list[int]  # of Z[x]/(f), coefficients from the constant term up
IntRows = list[list[int]]
_X = sp.Symbol("x")
_FIRST_DIGITS, _DOUBLINGS = 60, 6


def _scaled(rows: Rows) -> tuple[IntRows, int]:
    """The integer matrix ``D * rows`` and the common denominator D."""
    common = lcm(*(x.denominator for row in rows for x in row))
    return [[int(x * common) for x in row] for row in rows], common


@dataclass(frozen=True)
class LeadingEigenvalue:
    """The eigenvalue of largest real part of a rational matrix, exactly.

    ``kind``: ``simple`` (real and simple), ``multiple``, ``complex`` (a pair, or a tie of real parts with one),
    ``unresolved`` (not separated after six doublings of the precision). ``minimal``: monic integer coefficients,
    constant term first, of the irreducible factor whose root is ``denominator * λ1``; empty where there is no real
    leading eigenvalue.
    """

    kind: Kind
    minimal: tuple[int, ...]
    denominator: int
    multiplicity: int = 1


def leading_eigenvalue(rows: Rows) -> LeadingEigenvalue:
    """Classify the leading eigenvalue of a square rational matrix (d×d); exact up to ``unresolved``."""
    integer, common = _scaled(rows)
    size = len(integer)
    polynomial = sp.Poly(DomainMatrix(integer, (size, size), sp.ZZ).charpoly(), _X, domain=sp.ZZ)
    factors = polynomial.factor_list()[1]
    worst = max(exponent for _, exponent in factors)
    symmetric = is_symmetric(rows)
    digits = _FIRST_DIGITS + int(0.61 * max(x.bit_length() for row in integer for x in row))
    for _ in range(_DOUBLINGS):
        with mp.workdps(digits):
            cluster, tolerance = _leading_cluster(integer, symmetric, worst)
            found = _factor_of(factors, mp.re(cluster[0]), tolerance)
            if any(abs(mp.im(z)) > tolerance for z in cluster):
                return LeadingEigenvalue("complex", (), common)
        if found is not None:
            factor, exponent = found
            if len(cluster) == exponent:
                coefficients = tuple(int(k) for k in reversed(factor.all_coeffs()))
                kind: Kind = "simple" if exponent == 1 else "multiple"
                return LeadingEigenvalue(kind, coefficients, common, exponent)
        digits *= 2
    return LeadingEigenvalue("unresolved", (), common)


def _leading_cluster(integer: IntRows, symmetric: bool, worst: int) -> tuple[list[Any], Any]:
    """Eigenvalues that share the largest real part to the tolerance, which is returned too."""
    matrix = mp.matrix(integer)
    values = mp.eigsy(matrix, eigvals_only=True) if symmetric else mp.eig(matrix, left=False, right=False)
    values = sorted(values, key=mp.re, reverse=True)
    scale = max(1, *(abs(z) for z in values))
    # an m-fold eigenvalue of a non-symmetric matrix is known to 1/m of the digits only
    share = 3 if symmetric else 3 * worst
    tolerance = scale * mp.mpf(10) ** (-mp.dps / mp.mpf(share))
    top = mp.re(values[0])
    return [z for z in values if top - mp.re(z) <= tolerance], tolerance


def _factor_of(factors: Sequence[tuple[sp.Poly, int]], value: Any, tolerance: Any) -> tuple[sp.Poly, int] | None:
    """The factor with a root within ``tolerance`` of ``value`` by its Newton step; None where not exactly one has."""
    close = []
    for factor, exponent in factors:
        coefficients = [mp.mpf(int(k)) for k in factor.all_coeffs()]
        at, slope = mp.polyval(coefficients, value, derivative=1)
        if at == 0 or (slope != 0 and abs(at / slope) <= tolerance):
            close.append((factor, exponent))
    return close[0] if len(close) == 1 else None


# --- arithmetic in Z[x]/(f), f monic --------------------------------------------------------------


def _reduce(element: Element, modulus: Sequence[int]) -> Element:
    degree, rest = len(modulus) - 1, list(element)
    for top in range(len(rest) - 1, degree - 1, -1):
        lead = rest[top]
        if lead:
            for k in range(degree + 1):
                rest[top - degree + k] -= lead * modulus[k]
    return rest[:degree]


def _product(first: Element, second: Element, modulus: Sequence[int]) -> Element:
    full = [0] * (len(first) + len(second) - 1)
    for i, x in enumerate(first):
        if x:
            for k, y in enumerate(second):
                full[i + k] += x * y
    return _reduce(full, modulus)


def _dot(first: Sequence[Element], second: Sequence[Element], modulus: Sequence[int]) -> Element:
    degree = len(modulus) - 1
    total = [0] * degree
    for x, y in zip(first, second, strict=True):
        for k, value in enumerate(_product(x, y, modulus)):
            total[k] += value
    return total


def _apply(matrix: IntRows, vector: Sequence[Element]) -> list[Element]:
    degree = len(vector[0])
    return [[sum(m * x[k] for m, x in zip(row, vector, strict=True)) for k in range(degree)] for row in matrix]


def _is_zero(element: Element) -> bool:
    return not any(element)


@dataclass(frozen=True)
class ExactEigenvector:
    """The eigenvector of a simple leading eigenvalue over Z[x]/(f): a column of ``adj(xI - D V)``, unnormalised."""

    rows: Rows
    leading: LeadingEigenvalue

    @cached_property
    def vector(self) -> list[Element]:
        """Entries of the eigenvector, elements of Z[x]/(f); not all zero."""
        integer, _ = _scaled(self.rows)
        size = len(integer)
        matrix = DomainMatrix(integer, (size, size), sp.ZZ)
        characteristic = [int(k) for k in reversed(matrix.charpoly())]
        for column in range(size):
            power = [int(i == column) for i in range(size)]
            powers = [power]  # coefficient vectors of adj(xI - M) e_k, highest power of x first (Horner)
            for k in range(size - 1, 0, -1):
                image = [sum(m * p for m, p in zip(row, power, strict=True)) for row in integer]
                power = [y + (characteristic[k] if i == column else 0) for i, y in enumerate(image)]
                powers.append(power)
            powers.reverse()
            entries = [_reduce([p[i] for p in powers], self.leading.minimal) for i in range(size)]
            if not all(map(_is_zero, entries)):
                return entries
        raise ValueError("the leading eigenvalue is not simple")

    def zero_blocks(self, update: Rows) -> dict[str, bool]:
        """Which of ``a``, ``b``, ``c``, ``E`` of the update (d×d) are exactly zero."""
        f, v = self.leading.minimal, self.vector
        delta, _ = _scaled(update)
        transposed = [list(row) for row in zip(*delta, strict=True)]
        right, left = _apply(delta, v), _apply(transposed, v)
        square, along = _dot(v, v, f), _dot(v, right, f)
        right2 = _product(square, _dot(right, right, f), f)
        left2 = _product(square, _dot(left, left, f), f)
        along2 = _product(along, along, f)
        frobenius = sum(x * x for row in delta for x in row)
        full = [frobenius * x for x in _product(square, square, f)]
        rest = [w - x - y + z for w, x, y, z in zip(full, right2, left2, along2, strict=True)]
        return {
            "a": _is_zero(along),
            "b": right2 == along2,  # |v|²|ΔVv|² = (vᵀΔVv)²: equality in Cauchy-Schwarz
            "c": left2 == along2,
            "E": _is_zero(rest),  # ||E||_F² = ||ΔV||_F² - |ΔVu|² - |ΔVᵀu|² + a²
        }

    def orthogonal_to(self, other: ExactEigenvector) -> bool | None:
        """Exactly orthogonal; None where both eigenvalues are irrational (no single field holds both)."""
        for one, two in ((self, other), (other, self)):
            if len(one.leading.minimal) == 2:
                rational = [entry[0] for entry in one.vector]
                degree = len(two.leading.minimal) - 1
                total = [sum(r * x[k] for r, x in zip(rational, two.vector, strict=True)) for k in range(degree)]
                return _is_zero(total)
        return None


def exact_zero_rows(rows: Rows) -> bool:
    """Every entry is zero."""
    return all(x == Fraction(0) for row in rows for x in row)
