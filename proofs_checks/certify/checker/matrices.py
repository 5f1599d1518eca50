"""Spectra and frames, in balls and in exact numbers alike."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flint import acb, acb_mat, arb, arb_mat, ctx, fmpq, fmpq_mat

from proofs_checks.certify.checker.exact import Exact, TooWide, exact, root


def dot(x: Any, y: Any) -> Any:
    """The inner product."""
    total = x[0] * y[0]
    for a, b in zip(x[1:], y[1:], strict=True):
        total = total + a * b
    return total


def times(rows: Any, x: Any) -> list:
    """``matrix @ vector``."""
    return [dot(x, row) for row in rows]


def largest(values: list) -> arb:
    """The largest of some balls."""
    best = values[0]
    for x in values[1:]:
        best = best.max(x)
    return best


def kernel(matrix: fmpq_mat, value: Any) -> list:
    """A column of ``adj(value - matrix)`` that is not zero, by Horner's rule on the characteristic polynomial."""
    d, one, rows = matrix.nrows(), value * 0 + 1, matrix.tolist()
    coefficients = matrix.charpoly().coeffs()
    for column in range(d):
        unit = [one if i == column else one * 0 for i in range(d)]
        part = total = unit
        for k in range(d - 1, 0, -1):
            part = [p + u * coefficients[k] for p, u in zip(times(rows, part), unit, strict=True)]
            total = [t * value + p for t, p in zip(total, part, strict=True)]
        if any(bool(t.terms) if isinstance(t, Exact) else bool(t > 0 or t < 0) for t in total):
            return total
    raise TooWide("an eigenvector is not found")


def top_of(symmetric: arb_mat) -> arb:
    """The largest eigenvalue: Rayleigh quotients from below, Gershgorin discs of a similar matrix from above."""
    d, rows = symmetric.nrows(), symmetric.tolist()
    _, right = acb_mat(symmetric.mid()).eig(right=True, algorithm="approx")
    basis = arb_mat([[right[i, k].real.mid() for k in range(d)] for i in range(d)])
    try:
        similar = (basis.inv() * symmetric * basis).tolist()
    except ZeroDivisionError:
        basis, similar = arb_mat([[int(i == k) for k in range(d)] for i in range(d)]), rows
    low = largest([dot(x, times(rows, x)) / dot(x, x) for x in basis.transpose().tolist()])
    high = largest([sum((abs(y) for k, y in enumerate(r) if k != i), r[i]) for i, r in enumerate(similar)])
    return low.lower().union(high.upper())


def roots(matrix: fmpq_mat, factor: Any) -> list:
    """The roots of an irreducible factor of the characteristic polynomial, each alone in its ball.

    Those of a symmetric matrix are real: near each approximate eigenvalue a change of sign, at exact points, is one.
    """
    if factor.degree() == 1 or matrix != matrix.transpose():
        return [ball for ball, _ in factor.complex_roots()]
    near = [z.real.mid() for z in acb_mat(arb_mat(matrix)).eig(algorithm="approx")]
    for share in (8, 3, 2):  # of the digits: that many are given up
        found: list = []
        for x in near:
            ball = x + arb(0, ((1 + abs(x)) * arb(2) ** (ctx.prec // share - ctx.prec)).upper())
            low, high = factor(point(ball.lower())), factor(point(ball.upper()))
            if low * high < 0 and not any(ball.overlaps(y) for y in found):
                found.append(ball)
        if len(found) == factor.degree():
            return [acb(x) for x in found]
    raise TooWide("the roots of the characteristic polynomial are not isolated")


def point(end: arb) -> fmpq:
    """An exact ball as a rational."""
    mantissa, exponent = end.man_exp()
    return fmpq(mantissa) * fmpq(2) ** int(exponent)


class Eigen:
    """The eigenvalues of a rational matrix as roots of its characteristic polynomial, by falling real part."""

    def __init__(self, matrix: fmpq_mat) -> None:
        self.matrix, found, self.all = matrix, [], []
        for factor, power in matrix.charpoly().numer().factor()[1]:
            found += [(ball, power, factor) for ball in roots(matrix, factor)]
        while found:
            real = [z.real for z, _, _ in found]
            top = [k for k, x in enumerate(real) if all(x > y or x.overlaps(y) for y in real)]
            first, last = found[top[0]][0], found[top[-1]][0]
            if len(top) > 2 or (len(top) == 2 and not first.conjugate().overlaps(last)):
                raise TooWide("eigenvalues are not put in order")
            self.all += [found.pop(k) for k in reversed(top)]
        self.degenerate = self.all[0][1] > 1 or not bool(self.all[0][0].imag.is_zero())
        self.real = [z.real for z, power, _ in self.all for _ in range(power)]

    def other(self) -> arb:
        """``max |λ_j|`` over all but the leading one."""
        return largest([arb(0), *(abs(z) for z, _, _ in self.all[1:])])

    @cached_property
    def vector(self) -> list:
        """The leading unit eigenvector."""
        found = kernel(self.matrix, self.real[0])
        return [x / root(dot(found, found)) for x in found]

    def exact(self, k: int) -> Exact:
        """The k-th eigenvalue as an exact number."""
        ball, _, factor = [x for x in self.all for _ in range(x[1])][k]
        c = [fmpq(x) for x in factor.coeffs()]
        if len(c) > 3:
            raise TooWide("an eigenvalue of a tie has degree above 2")
        if len(c) == 2:
            return exact(-c[0] / c[1])
        half = Exact([(1 / (2 * c[2]), c[1] * c[1] - 4 * c[0] * c[2])])
        both = [exact(-c[1] / (2 * c[2])) + half * s for s in (1, -1)]
        inside = [x for x in both if x.ball().overlaps(ball.real)]
        if len(inside) != 1:
            raise TooWide("roots are not told apart")
        return inside[0]


class Frame:
    """A rational matrix about v (any length; balls or exact): uᵀMu, |P⊥Mu|, |P⊥Mᵀu| and the block P⊥MP⊥."""

    def __init__(self, matrix: fmpq_mat, v: list) -> None:
        rows, self.v, self.n = matrix.tolist(), v, dot(v, v)
        right, left = times(rows, v), times(matrix.transpose().tolist(), v)
        self.along = dot(v, right) / self.n
        self.exact = isinstance(self.n, Exact)
        self.turned = [v[1] * -1, v[0]]
        self.right = [x - self.along * y for x, y in zip(right, v, strict=True)]
        self.left = [x - self.along * y for x, y in zip(left, v, strict=True)]
        self.block = [
            [
                v[0] * 0 + m - (x * b + r * y + self.along * x * y) / self.n
                for m, b, y in zip(row, self.left, v, strict=True)
            ]
            for row, r, x in zip(rows, self.right, v, strict=True)
        ]

    def length(self, across: list) -> Any:
        """``|across| / |v|`` of a vector orthogonal to v."""
        if self.exact and len(across) == 2:
            return abs(dot(self.turned, across) / self.n)
        return root(dot(across, across) / self.n)

    def norm(self) -> Any:
        """``||P⊥MP⊥||``."""
        if not self.exact:
            block = arb_mat(self.block)
            return root(top_of(block.transpose() * block))
        if len(self.v) == 2:
            return abs(self.top())
        block = fmpq_mat([[x.rational() for x in row] for row in self.block])
        return root(Eigen(block.transpose() * block).exact(0))

    def top(self) -> Any:
        """The largest eigenvalue of a symmetric block on u⊥."""
        if self.exact and len(self.v) == 2:
            return dot(self.turned, times(self.block, self.turned)) / self.n
        # u itself, of eigenvalue 0, is sunk below all others
        total = sum((abs(x.ball() if self.exact else x) for row in self.block for x in row), arb(0))
        depth = point(total.upper().floor()) + 1
        sunk = [
            [m - x * y * depth / self.n for m, y in zip(row, self.v, strict=True)]
            for row, x in zip(self.block, self.v, strict=True)
        ]
        if self.exact:
            return Eigen(fmpq_mat([[x.rational() for x in row] for row in sunk])).exact(0)
        return top_of(arb_mat(sunk))
