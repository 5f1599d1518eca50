"""Exact numbers of the form ``Σ r_i √q_i`` (rational r_i, q_i): the field in which ties are decided.

Square roots of rationals of different square classes are linearly independent over Q (Besicovitch, On the linear
independence of fractional powers of integers, J. London Math. Soc. 15, 1940), so that such a number is zero exactly
where the coefficient of each class is. Two rationals are of one class where their product is a square, which takes an
integer square root and no factoring.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor, isqrt

Number = Fraction | int


def rational_root(value: Fraction) -> Fraction | None:
    """The exact square root of a rational >= 0, None where it is irrational."""
    if value < 0:
        raise ValueError(f"{value} has no real square root")
    upper, lower = isqrt(value.numerator), isqrt(value.denominator)
    exact = upper * upper == value.numerator and lower * lower == value.denominator
    return Fraction(upper, lower) if exact else None


class Radical:
    """``Σ coefficient * √class``, exact; immutable."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Fraction, Fraction]) -> None:
        collected: dict[Fraction, Fraction] = {}
        for under, coefficient in terms.items():
            _collect(collected, under, coefficient)
        self.terms = {q: r for q, r in collected.items() if r != 0}

    @classmethod
    def of(cls, value: Number) -> Radical:
        """A rational number."""
        return cls({Fraction(1): Fraction(value)})

    @classmethod
    def root(cls, value: Number) -> Radical:
        """The square root of a rational >= 0."""
        exact = Fraction(value)
        if exact < 0:
            raise ValueError(f"{value} has no real square root")
        return cls({exact: Fraction(1)} if exact else {})

    def __add__(self, other: Radical | Number) -> Radical:
        collected = dict(self.terms)
        for under, coefficient in _radical(other).terms.items():
            _collect(collected, under, coefficient)
        return Radical(collected)

    def __neg__(self) -> Radical:
        return Radical({q: -r for q, r in self.terms.items()})

    def __sub__(self, other: Radical | Number) -> Radical:
        return self + (-_radical(other))

    def __mul__(self, other: Radical | Number) -> Radical:
        collected: dict[Fraction, Fraction] = {}
        for q, r in self.terms.items():
            for p, s in _radical(other).terms.items():
                _collect(collected, q * p, r * s)
        return Radical(collected)

    __radd__, __rmul__ = __add__, __mul__

    def inverse(self) -> Radical:
        """``1/x`` of a number of at most two terms, by its conjugate; ValueError beyond, ZeroDivisionError for zero."""
        pairs = list(self.terms.items())
        if not pairs:
            raise ZeroDivisionError("the inverse of an exact zero")
        if len(pairs) == 1:
            ((q, r),) = pairs
            return Radical({q: 1 / (r * q)})
        if len(pairs) > 2:
            raise ValueError("only numbers of one or two terms are inverted")
        (q, r), (p, s) = pairs
        square = r * r * q - s * s * p  # not zero: the classes differ
        return Radical({q: r / square, p: -s / square})

    @property
    def is_zero(self) -> bool:
        """Exactly zero."""
        return not self.terms

    @property
    def sign(self) -> int:
        """-1, 0 or 1, exactly: the roots are enclosed ever more closely until the sum is away from zero."""
        digits = 64  # binary
        while not self.is_zero:
            low = high = Fraction(0)
            for under, coefficient in self.terms.items():
                root = isqrt(floor(under * 4**digits))
                ends = [coefficient * Fraction(root + k, 2**digits) for k in (0, 1)]
                low, high = low + min(ends), high + max(ends)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            digits *= 2
        return 0

    @property
    def as_rational(self) -> Fraction | None:
        """The value where it is rational."""
        if not self.terms:
            return Fraction(0)
        return self.terms.get(Fraction(1)) if len(self.terms) == 1 else None


def _radical(value: Radical | Number) -> Radical:
    return value if isinstance(value, Radical) else Radical.of(value)


def _collect(collected: dict[Fraction, Fraction], under: Fraction, coefficient: Fraction) -> None:
    """Add ``coefficient √under`` to the class that it belongs to."""
    if under == 0 or coefficient == 0:
        return
    for known in (Fraction(1), *collected):
        ratio = rational_root(under / known)
        if ratio is not None:
            collected[known] = collected.get(known, Fraction(0)) + coefficient * ratio
            return
    collected[under] = coefficient
