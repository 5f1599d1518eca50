"""Exact numbers ``Σ r √q``: zero where no term is left, since roots of different square classes are independent."""

from __future__ import annotations

from math import isqrt
from typing import Any

from flint import arb, fmpq


class TooWide(Exception):
    """More precision is needed, or a number is not of this exact form."""


def rational_root(q: fmpq) -> fmpq | None:
    """The square root, where it is rational."""
    n, d = isqrt(max(int(q.p), 0)), isqrt(int(q.q))
    return fmpq(n, d) if fmpq(n * n, d * d) == q else None


class Exact:
    """A sum of terms (r, q): ``r √q``."""

    def __init__(self, terms: Any) -> None:
        collected: list[tuple[fmpq, fmpq]] = []
        for r, q in terms:
            for k, (s, p) in enumerate(collected):
                share = rational_root(q / p)
                if share is not None:
                    collected[k] = (s + r * share, p)
                    break
            else:
                if q != 0:
                    collected.append((r, q))
        self.terms = [(r, q) for r, q in collected if r != 0]

    def __add__(self, other: Any) -> Exact:
        return Exact([*self.terms, *exact(other).terms])

    def __mul__(self, other: Any) -> Exact:
        return Exact([(r * s, q * p) for r, q in self.terms for s, p in exact(other).terms])

    def __sub__(self, other: Any) -> Exact:
        return self + exact(other) * -1

    def __truediv__(self, other: Any) -> Exact:
        terms = exact(other).terms
        if len(terms) == 2:
            (r, q), (s, p) = terms
            return self * Exact([(r, q), (-s, p)]) * (1 / (r * r * q - s * s * p))
        if len(terms) != 1:
            raise TooWide("no exact quotient")
        return self * Exact([(1 / (terms[0][0] * terms[0][1]), terms[0][1])])

    def __abs__(self) -> Exact:
        if not self.terms:
            return self
        value = self.ball()
        if not (value > 0 or value < 0):
            raise TooWide("a sign is not told")
        return self if value > 0 else self * -1

    def rational(self) -> fmpq:
        """The value where it is rational."""
        square = rational_root(self.terms[0][1]) if len(self.terms) == 1 else None
        if self.terms and square is None:
            raise TooWide("an exact number of a tie is irrational")
        return self.terms[0][0] * square if self.terms and square is not None else fmpq(0)

    def ball(self) -> arb:
        """As a ball of the current precision."""
        return sum((arb(r) * arb(q).sqrt() for r, q in self.terms), arb(0))


def exact(value: Any) -> Exact:
    """A rational as an exact number."""
    return value if isinstance(value, Exact) else Exact([(fmpq(value), fmpq(1))])


def root(value: Any) -> Any:
    """The square root of what is not negative: of a ball, or of an exact rational."""
    if isinstance(value, Exact):
        return Exact([(fmpq(1), value.rational())])
    return value.nonnegative_part().sqrt()
