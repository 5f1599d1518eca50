"""Certified eigenvalues and eigenvectors of a rational matrix.

Multiplicity is decided exactly, on the characteristic polynomial: where it is squarefree, ``acb_mat.eig`` (the Rump
variant, which loses the fewest bits) isolates all eigenvalues at a high enough precision; where it is not, no precision
would, and the eigenvalues are the isolated roots of its irreducible factors. They are put in order by certified
comparison alone: two balls that overlap have no order, and sorting their centres has swapped pairs 1e-30 apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import acb, acb_mat, arb, arb_mat, ctx, fmpq_mat, fmpq_poly, fmpz_poly

from numerics.enclosure.balls import Vector, apply, norm, sign, unit


class NotSeparated(ArithmeticError):
    """The balls are too wide at this precision: raise it."""


@dataclass(frozen=True)
class Eigenvalue:
    """One eigenvalue: ``ball`` encloses it and no other; ``exact`` where it is rational; ``factor`` irreducible over Z.

    ``real`` is certified: the ball of a non-real eigenvalue does not meet the real axis.
    """

    ball: acb
    real: bool
    multiplicity: int
    factor: fmpz_poly


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of ``matrix`` at the current precision, the one of largest real part first.

    ``leading_kind``: the leading eigenvalue is ``simple`` (real and simple), ``multiple`` or ``complex``, certified.
    """

    matrix: fmpq_mat
    eigenvalues: tuple[Eigenvalue, ...]

    @property
    def leading_kind(self) -> str:
        """``simple``, ``multiple`` or ``complex``."""
        leading = self.eigenvalues[0]
        if not leading.real:
            return "complex"
        return "simple" if leading.multiplicity == 1 else "multiple"

    @property
    def leading(self) -> arb:
        """The leading eigenvalue, where it is real."""
        return self.eigenvalues[0].ball.real

    @property
    def second(self) -> arb:
        """The second largest eigenvalue of a symmetric matrix (the leading one again where that is multiple)."""
        return self._by_multiplicity[1]

    @cached_property
    def _by_multiplicity(self) -> list[arb]:
        return [e.ball.real for e in self.eigenvalues for _ in range(e.multiplicity)]

    @property
    def smallest(self) -> arb:
        """The smallest eigenvalue of a symmetric matrix."""
        return self.eigenvalues[-1].ball.real

    @cached_property
    def largest_other_modulus(self) -> arb:
        """``max |λ_j|`` over all eigenvalues but the leading one."""
        rest = [abs(e.ball) for e in self.eigenvalues[1:]]
        if self.eigenvalues[0].multiplicity > 1:
            rest.append(abs(self.eigenvalues[0].ball))
        largest = arb(0)
        for value in rest:
            largest = largest.max(value)
        return largest

    @cached_property
    def opposite(self) -> bool:
        """Whether ``-λ1`` is an eigenvalue too, exactly (λ1 itself where it is zero and multiple)."""
        factor = self.eigenvalues[0].factor
        mirrored = fmpz_poly([int(c) * (-1) ** k for k, c in enumerate(factor.coeffs())])
        return any((e.factor == mirrored or e.factor == -mirrored) for e in self.eigenvalues[1:])

    @cached_property
    def eigenvector(self) -> Vector:
        """The unit eigenvector (d) of a simple leading eigenvalue; its sign is fixed but arbitrary."""
        return eigenvector(self.matrix, self.leading)


def spectrum(matrix: fmpq_mat) -> Spectrum:
    """All eigenvalues of a square rational matrix at the current precision.

    Raises :class:`NotSeparated` where this precision does not isolate or order them.
    """
    characteristic = matrix.charpoly()
    factors = _irreducible_factors(characteristic)
    if all(power == 1 for _, power in factors):
        found = _isolated(matrix, factors)
    else:
        found = [_of_root(root, power, factor) for factor, power in factors for root in isolated_roots(factor)]
    return Spectrum(matrix, tuple(_ordered(found)))


def _irreducible_factors(characteristic: fmpq_poly) -> list[tuple[fmpz_poly, int]]:
    return characteristic.numer().factor()[1]


def isolated_roots(factor: fmpz_poly) -> list[acb]:
    """The roots of an irreducible polynomial, each in a ball of its own; a real root has a real ball."""
    found: Any = factor.complex_roots()
    return [root for root, _ in found]


def _of_root(root: acb, power: int, factor: fmpz_poly) -> Eigenvalue:
    return Eigenvalue(root, bool(root.imag.is_zero()), power, factor)


def _isolated(matrix: fmpq_mat, factors: list[tuple[fmpz_poly, int]]) -> list[Eigenvalue]:
    try:
        balls = acb_mat(arb_mat(matrix)).eig(algorithm="rump")
    except ValueError as error:
        raise NotSeparated("the eigenvalues are not isolated at this precision") from error
    found = []
    for k, ball in enumerate(balls):
        conjugate = acb(ball.real, -ball.imag)
        meets = [i for i, other in enumerate(balls) if conjugate.overlaps(other)]
        # the conjugate of the eigenvalue in ball k is an eigenvalue, in the conjugate ball and in one ball of the list
        if meets == [k]:
            found.append(Eigenvalue(acb(ball.real), True, 1, _factor_of(ball.real, factors)))
        elif k in meets:
            raise NotSeparated("a pair of eigenvalues is not told from a real one at this precision")
        else:
            found.append(Eigenvalue(ball, False, 1, _factor_of(ball, factors)))
    return found


def _factor_of(root: acb | arb, factors: list[tuple[fmpz_poly, int]]) -> fmpz_poly:
    """The factor that vanishes in the ball: all others are certified not to."""
    if len(factors) == 1:
        return factors[0][0]
    possible = [f for f, _ in factors if f(root).contains(0)]
    if len(possible) != 1:
        raise NotSeparated("the factors of the characteristic polynomial are not told apart at this precision")
    return possible[0]


def _ordered(found: list[Eigenvalue]) -> list[Eigenvalue]:
    """By falling real part; a complex pair counts as one place, any other tie is an overlap of balls."""
    rest, ordered = list(found), []
    while rest:
        top = next((e for e in rest if all(_above(e, other) for other in rest if other is not e)), None)
        if top is None:
            raise NotSeparated("eigenvalues are not put in order at this precision")
        ordered.append(top)
        rest.remove(top)
        if not top.real:
            partner = next(e for e in rest if e.ball.overlaps(acb(top.ball.real, -top.ball.imag)))
            ordered.append(partner)
            rest.remove(partner)
    return ordered


def _above(one: Eigenvalue, other: Eigenvalue) -> bool:
    if not one.real and not other.real and other.ball.overlaps(acb(one.ball.real, -one.ball.imag)):
        return True  # the two of a pair
    return sign(one.ball.real - other.ball.real) == 1


def eigenvector(matrix: fmpq_mat, value: arb) -> Vector:
    """The unit eigenvector (d) of a simple real eigenvalue, enclosed.

    With r close to it, ``[[M - λ, r], [rᵀ, 0]] (x, μ) = (0, 1)`` has one solution: x is the eigenvector with
    ``<r, x> = 1`` and μ = 0. r is taken from an approximate eigenvector, which needs no accuracy.
    """
    size = matrix.nrows()
    guess = _guess(arb_mat(matrix), value.mid(), size)
    rows = [[arb(matrix[i, k]) - (value if i == k else 0) for k in range(size)] + [guess[i]] for i in range(size)]
    rows.append([*guess, arb(0)])
    right = arb_mat([[arb(0)]] * size + [[arb(1)]])
    try:
        solved = arb_mat(rows).solve(right)
    except ZeroDivisionError as error:
        raise NotSeparated("the eigenvector is not enclosed at this precision") from error
    return unit([solved[i, 0] for i in range(size)])


def _guess(matrix: arb_mat, value: arb, size: int) -> Vector:
    """Two steps of inverse iteration about ``value``, centres only."""
    shift = value + (abs(value) + 1) * arb(2) ** (-(3 * ctx.prec) // 4)
    shifted = arb_mat([[matrix[i, k] - (shift if i == k else 0) for k in range(size)] for i in range(size)]).mid()
    start = arb_mat([[arb(1) / (k + 1)] for k in range(size)])
    for _ in range(2):
        try:
            start = shifted.solve(start, algorithm="approx").mid()
        except ZeroDivisionError as error:
            raise NotSeparated("the eigenvector is not found at this precision") from error
        length = norm([start[k, 0] for k in range(size)]).mid()
        if not length.is_finite() or length.is_zero():
            raise NotSeparated("the eigenvector is not found at this precision")
        start = (start * (1 / length)).mid()
    return [start[k, 0] for k in range(size)]


def residual(matrix: fmpq_mat, value: arb, vector: Vector) -> arb:
    """``|Mv - λv|``, which must hold zero: a check that costs little."""
    image = apply(arb_mat(matrix), vector)
    return norm([x - value * y for x, y in zip(image, vector, strict=True)])
