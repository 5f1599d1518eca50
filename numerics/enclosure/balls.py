"""From exact rationals to balls, and certified comparison of balls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Literal, TypeAlias

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

Rows: TypeAlias = Sequence[Sequence[Fraction]]
Vector: TypeAlias = list[arb]
Sign = Literal[-1, 0, 1]


class NotANumber(ArithmeticError):
    """A ball became NaN or infinite: nothing can be concluded from it."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work at ``bits`` bits, and go back to the former precision."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def rational(value: Fraction | int) -> fmpq:
    """The same number for FLINT."""
    exact = Fraction(value)
    return fmpq(exact.numerator, exact.denominator)


def fraction(value: fmpq) -> Fraction:
    """The same number for Python."""
    return Fraction(int(value.p), int(value.q))


def exact_matrix(rows: Rows) -> fmpq_mat:
    """A rational matrix (m×n), exact."""
    return fmpq_mat([[rational(x) for x in row] for row in rows])


def sign(value: arb) -> Sign | None:
    """The certified sign: 1, -1, 0 for an exact zero, None where the ball holds zero and more.

    Raises :class:`NotANumber` for NaN and infinite balls, which compare false with everything.
    """
    if not value.is_finite():
        raise NotANumber("a ball is not finite: raise the precision")
    if value > 0:
        return 1
    if value < 0:
        return -1
    return 0 if value.is_zero() else None


def dot(first: Sequence[arb], second: Sequence[arb]) -> arb:
    """The inner product of two vectors (n)."""
    return sum((x * y for x, y in zip(first, second, strict=True)), arb(0))


def norm(vector: Sequence[arb]) -> arb:
    """The Euclidean norm of a vector (n)."""
    return dot(vector, vector).nonnegative_part().sqrt()


def unit(vector: Sequence[arb]) -> Vector:
    """The vector divided by its norm."""
    length = norm(vector)
    return [x / length for x in vector]


def apply(matrix: arb_mat, vector: Sequence[arb]) -> Vector:
    """``matrix @ vector``."""
    columns = matrix.ncols()
    return [dot([matrix[i, k] for k in range(columns)], vector) for i in range(matrix.nrows())]


def bounds(value: arb) -> tuple[Fraction, Fraction]:
    """Lower and upper end of the ball, as exact (dyadic) rationals."""
    return _dyadic(value.lower()), _dyadic(value.upper())


def _dyadic(value: arb) -> Fraction:
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def midpoint(value: arb) -> Fraction:
    """The centre of the ball, an exact dyadic rational."""
    return _dyadic(value.mid())
