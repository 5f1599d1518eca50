"""Eigenpairs and frame quantities as exact numbers, where that is possible: what ties are decided by.

Exact means a :class:`Radical`: any dimension where the eigenvalue is rational, and d = 2, where all of them lie in one
quadratic field. Elsewhere :class:`NotExact` says what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from flint import acb, arb, fmpq, fmpq_mat, fmpz_poly

from numerics.enclosure.balls import fraction, precision, rational, sign
from numerics.enclosure.radicals import Radical
from numerics.enclosure.spectrum import Spectrum, isolated_roots

_MOST_BITS = 1 << 16


class NotExact(ArithmeticError):
    """The quantity lies in no field that this module computes in."""


def radical_ball(value: Radical) -> arb:
    """The number as a ball of the current precision."""
    return sum((arb(rational(r)) * arb(rational(q)).sqrt() for q, r in value.terms.items()), arb(0))


def radical_sign(value: Radical) -> int:
    """The sign, exact."""
    bits = 64
    while not value.is_zero and bits <= _MOST_BITS:
        with precision(bits):
            found = sign(radical_ball(value))
        if found:
            return found
        bits *= 2
    if not value.is_zero:
        raise NotExact(f"the sign of an exact number is not found at {_MOST_BITS} bits")
    return 0


def magnitude(value: Radical) -> Radical:
    """``|x|``."""
    return -value if radical_sign(value) < 0 else value


def exact_root(factor: fmpz_poly, ball: acb | arb) -> Radical:
    """The real root of an irreducible polynomial of degree 1 or 2 that lies in the ball."""
    coefficients = [fraction(fmpq(int(k))) for k in factor.coeffs()]
    if factor.degree() == 1:
        return Radical.of(-coefficients[0] / coefficients[1])
    if factor.degree() != 2:
        raise NotExact(f"an eigenvalue has degree {factor.degree()} over the rationals")
    c, b, a = coefficients
    root = Radical.root(b * b - 4 * a * c)
    middle, half = Radical.of(-b / (2 * a)), root * (1 / (2 * abs(a)))
    both = [middle + half, middle - half]
    where = ball.real if isinstance(ball, acb) else ball
    inside = [x for x in both if radical_ball(x).overlaps(where)]
    if len(inside) != 1:
        raise NotExact("the roots of a quadratic factor are not told apart at this precision")
    return inside[0]


def dot(first: Sequence[Radical], second: Sequence[Radical]) -> Radical:
    """The inner product of two vectors."""
    total = Radical.of(0)
    for x, y in zip(first, second, strict=True):
        total = total + x * y
    return total


def rows_of(matrix: fmpq_mat) -> list[list[Radical]]:
    """The matrix with exact entries."""
    return [[Radical.of(fraction(x)) for x in row] for row in matrix.tolist()]


def image(rows: Sequence[Sequence[Radical]], vector: Sequence[Radical]) -> list[Radical]:
    """``matrix @ vector``."""
    return [dot(row, vector) for row in rows]


@dataclass(frozen=True)
class ExactPair:
    """A simple leading eigenvalue and its eigenvector, not normalised. Raises :class:`NotExact` where they are not."""

    spectrum: Spectrum

    @cached_property
    def value(self) -> Radical:
        """The eigenvalue."""
        leading = self.spectrum.eigenvalues[0]
        return exact_root(leading.factor, leading.ball)

    @cached_property
    def vector(self) -> list[Radical]:
        """The eigenvector (d)."""
        matrix, value = self.spectrum.matrix, self.value
        exact = value.as_rational
        if exact is not None:
            return [Radical.of(x) for x in _kernel(matrix, rational(exact))]
        if matrix.nrows() != 2:
            raise NotExact("the leading eigenvalue is irrational and d > 2")
        (p, q), (r, s) = rows_of(matrix)
        first = [q, value - p]
        return [value - s, r] if all(x.is_zero for x in first) else first


def _kernel(matrix: fmpq_mat, value: fmpq) -> list:
    size = matrix.nrows()
    shifted = fmpq_mat([[matrix[i, k] - (value if i == k else 0) for k in range(size)] for i in range(size)])
    reduced, rank = shifted.rref()
    if rank != size - 1:
        raise NotExact("the eigenvalue is not simple")
    pivots = [next(k for k in range(size) if reduced[i, k] != 0) for i in range(rank)]
    (free,) = set(range(size)) - set(pivots)
    vector = [fraction(fmpq(int(k == free))) for k in range(size)]
    for row, pivot in enumerate(pivots):
        vector[pivot] = -fraction(reduced[row, free])
    return vector


@dataclass(frozen=True)
class ExactFrame:
    """``matrix`` (d×d) in the frame of the direction ``vector`` (d, of any length)."""

    matrix: fmpq_mat
    vector: list[Radical]

    @cached_property
    def length(self) -> Radical:
        """``|v|²``."""
        return dot(self.vector, self.vector)

    @cached_property
    def _inverse(self) -> Radical:
        try:
            return self.length.inverse()
        except ValueError as error:
            raise NotExact(str(error)) from error

    @cached_property
    def along(self) -> Radical:
        """``uᵀMu``."""
        return dot(self.vector, image(rows_of(self.matrix), self.vector)) * self._inverse

    def _across(self, matrix: fmpq_mat) -> list[Radical]:
        moved = image(rows_of(matrix), self.vector)
        share = dot(self.vector, moved) * self._inverse
        return [x - share * v for x, v in zip(moved, self.vector, strict=True)]

    @cached_property
    def right(self) -> list[Radical]:
        """``P⊥Mv`` (of the vector as it is, not of unit length)."""
        return self._across(self.matrix)

    @cached_property
    def right_square(self) -> Radical:
        """``|P⊥Mu|²``."""
        return dot(self.right, self.right) * self._inverse

    @cached_property
    def left_square(self) -> Radical:
        """``|P⊥Mᵀu|²``."""
        across = self._across(self.matrix.transpose())
        return dot(across, across) * self._inverse

    def right_norm(self) -> Radical:
        """``|P⊥Mu|``."""
        return self._norm(self.right_square, self.matrix)

    def left_norm(self) -> Radical:
        """``|P⊥Mᵀu|``."""
        return self._norm(self.left_square, self.matrix.transpose())

    def block_image(self, across: Sequence[Radical]) -> list[Radical]:
        """``P⊥Mx`` of a vector x orthogonal to v."""
        moved = image(rows_of(self.matrix), across)
        share = dot(self.vector, moved) * self._inverse
        return [m - share * v for m, v in zip(moved, self.vector, strict=True)]

    def characteristic(self, value: Radical) -> Radical:
        """``det(value - M)``."""
        total = Radical.of(0)
        for coefficient in reversed(self.matrix.charpoly().coeffs()):
            total = total * value + fraction(coefficient)
        return total

    def _norm(self, square: Radical, matrix: fmpq_mat) -> Radical:
        exact = square.as_rational
        if exact is not None:
            return Radical.root(exact)
        return magnitude(dot(self._turned(), image(rows_of(matrix), self.vector)) * self._inverse)

    def _turned(self) -> list[Radical]:
        if len(self.vector) != 2:
            raise NotExact("the square of a norm is irrational and d > 2")
        return [-self.vector[1], self.vector[0]]

    def block_norm(self) -> Radical:
        """``||P⊥MP⊥||``."""
        if len(self.vector) == 2:
            return magnitude(self.block_top())
        block = self._block()
        if block == block.transpose():
            largest, smallest = (magnitude(x) for x in _extreme_roots(block))
            return smallest if radical_sign(smallest - largest) > 0 else largest
        (top,) = _extreme_roots(block.transpose() * block)[:1]
        exact = top.as_rational
        if exact is None:
            raise NotExact("the square of an operator norm is irrational")
        return Radical.root(exact)

    def block_top(self) -> Radical:
        """The largest eigenvalue of a symmetric ``P⊥MP⊥`` on ``u⊥``."""
        if len(self.vector) == 2:
            turned = self._turned()
            return dot(turned, image(rows_of(self.matrix), turned)) * self._inverse
        return _extreme_roots(self._block(), drop=True)[0]

    def _block(self) -> fmpq_mat:
        vector = [x.as_rational for x in self.vector]
        if any(x is None for x in vector):
            raise NotExact("the eigenvector is irrational and d > 2")
        exact = [rational(x) for x in vector if x is not None]
        square = sum((x * x for x in exact), fmpq(0))
        size = len(exact)
        outer = fmpq_mat([[x * y / square for y in exact] for x in exact])
        project = fmpq_mat([[fmpq(int(i == k)) for k in range(size)] for i in range(size)]) - outer
        return project * self.matrix * project


def _extreme_roots(symmetric: fmpq_mat, drop: bool = False) -> list[Radical]:
    """The largest and the smallest eigenvalue, exact; ``drop``: without one of the zero eigenvalues."""
    factors = symmetric.charpoly().numer().factor()[1]
    roots = []
    for factor, power in factors:
        gone = drop and factor.degree() == 1 and factor.coeffs()[0] == 0
        if power > int(gone):
            roots += [(ball.real, factor) for ball in isolated_roots(factor)]
    found = []
    for direction in (1, -1):
        best = next(
            ((x, f) for x, f in roots if all(y is x or direction * (x - y) > 0 for y, _ in roots)), None
        )  # fmt: skip
        if best is None:
            raise NotExact("the extreme eigenvalues of a block are not told apart at this precision")
        found.append(exact_root(best[1], best[0]))
    return found


def cosine_square(first: list[Radical], second: list[Radical]) -> Radical:
    """``cos²`` of the angle between two directions."""
    inner = dot(first, second)
    try:
        return inner * inner * dot(first, first).inverse() * dot(second, second).inverse()
    except ValueError as error:
        raise NotExact(str(error)) from error
