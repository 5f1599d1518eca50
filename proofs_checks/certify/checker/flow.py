"""The tokens: an interval Taylor method with an a-priori box and Lagrange's remainder; limits as t → ∞."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flint import arb, arb_mat, arb_series, ctx, fmpq, fmpq_mat

from proofs_checks.certify.checker.exact import TooWide, root
from proofs_checks.certify.checker.matrices import Eigen, dot, kernel, largest, times, top_of

PARTS, ORDER = (4, 8, 16, 32), 24


def field(A: fmpq_mat, V: fmpq_mat, tokens: list) -> list:
    """``V m_i - <x_i, V m_i> x_i``, in balls or power series."""
    result = []
    for x in tokens:
        query = times(A.tolist(), x)
        own = dot(query, x)
        weights = [(dot(query, y) - own).exp() for y in tokens]
        total = sum(weights[1:], weights[0])
        pull = times(V.tolist(), [dot(weights, column) / total for column in zip(*tokens, strict=True)])
        radial = dot(x, pull)
        result.append([p - radial * c for p, c in zip(pull, x, strict=True)])
    return result


def coefficients(A: fmpq_mat, V: fmpq_mat, tokens: list, order: int) -> list:
    """Taylor coefficients 0..order of the solution through every point of the box ``tokens``."""
    now = [[[x] for x in row] for row in tokens]
    for k in range(1, order + 1):
        speed = field(A, V, [[arb_series(c, prec=k) for c in row] for row in now])
        now = [
            [[c[0], *(v[m] / (m + 1) for m in range(k))] for c, v in zip(row, speeds, strict=True)]
            for row, speeds in zip(now, speed, strict=True)
        ]
    return now


def rate(A: fmpq_mat, V: fmpq_mat, box: list) -> arb:
    """The logarithmic norm of the field over the box, its Jacobian by series in one coordinate after the other."""
    n, d = len(box), len(box[0])
    columns = {}
    for j in range(n):
        for k in range(d):
            moved = [
                [arb_series([x, int((i, c) == (j, k))], prec=2) for c, x in enumerate(row)] for i, row in enumerate(box)
            ]
            columns[j, k] = [[v[1] for v in row] for row in field(A, V, moved)]
    found = []
    for i in range(n):
        blocks = [arb_mat([[columns[j, k][i][c] for k in range(d)] for c in range(d)]) for j in range(n)]
        total = top_of((blocks[i] + blocks[i].transpose()) / 2)
        for j in range(n):
            if j != i:
                total = total + root(top_of(blocks[j].transpose() * blocks[j]))
        found.append(total)
    return largest(found)


def around(tokens: list, radius: arb) -> list:
    """The tokens with this radius in every coordinate."""
    return [[x + arb(0, radius.upper()) for x in row] for row in tokens]


def advance(A: fmpq_mat, V: fmpq_mat, tokens: list, radius: arb, step: fmpq) -> Iterator[tuple[list, arb]]:
    """Where all solutions within ``radius`` of the tokens are after ``step``: centres and radii, ever narrower."""
    ctx.cap = ORDER + 2
    for parts in PARTS:
        try:
            yield _advance(A, V, tokens, radius, arb(step) / parts, parts)
        except TooWide:
            continue


def _advance(A: fmpq_mat, V: fmpq_mat, tokens: list, radius: arb, h: arb, parts: int) -> tuple[list, arb]:
    for _ in range(parts):
        speed = largest([abs(v) for row in field(A, V, tokens) for v in row])
        reach = 2 * h * speed + 2 * radius + h * h
        box = around(tokens, reach)
        time = h / 2 + arb(0, (h / 2).upper())
        there = [
            [x + time * v for x, v in zip(row, speeds, strict=True)]
            for row, speeds in zip(around(tokens, radius), field(A, V, box), strict=True)
        ]
        if not all(b.contains(x) for r, s in zip(box, there, strict=True) for b, x in zip(r, s, strict=True)):
            raise TooWide("no a-priori box")
        rest = coefficients(A, V, box, ORDER + 1)
        ends = []
        for row, over in zip(coefficients(A, V, tokens, ORDER), rest, strict=True):
            ends.append([horner([*c, o[ORDER + 1]], h) for c, o in zip(row, over, strict=True)])
        tokens = [[x.mid() for x in row] for row in ends]
        moved = largest([norm([x.rad() for x in row]) for row in ends])
        radius = radius * (rate(A, V, box) * h).exp() + moved
    return tokens, radius


def horner(terms: list, h: Any) -> Any:
    """``Σ c_k h^k``."""
    total = h * 0
    for c in reversed(terms):
        total = total * h + c
    return total


def norm(x: list) -> arb:
    """The Euclidean norm."""
    return root(dot(x, x))


def limits(A: fmpq_mat, V: fmpq_mat, orient: list, tokens: list) -> list | None:
    """The side of the leading eigenvector (1 or -1) that each token converges to, where this enclosure settles it."""
    spectrum, symmetric = Eigen(V), V.transpose() == V
    if spectrum.degenerate or not spectrum.real[0] > spectrum.other():
        raise TooWide("the leading eigenvalue is not dominant")
    right = turned(spectrum.vector, orient)
    left = right if symmetric else turned(kernel(V.transpose(), spectrum.real[0]), right)
    overlaps = [dot(left, x) for x in tokens]
    sides = [1 if p > 0 else -1 if p < 0 else 0 for p in overlaps]
    if 0 in sides or (len(set(sides)) == 2 and not symmetric):
        return None
    if len(set(sides)) == 2:
        m = -largest([-abs(dot(right, x)) for x in tokens])
        apart, rows = root(2 - 2 * m), arb_mat(A)
        cross = -2 * dot(right, times(A.tolist(), right)) + 4 * root(top_of(rows.transpose() * rows)) * apart
        for s in (1, -1):
            mine = arb(sides.count(s))
            mass = mine / (mine + (len(sides) - mine) * cross.exp())
            gain = mass * (spectrum.real[0] - spectrum.other()) * m
            if not gain > (1 - mass) * (spectrum.real[0] + spectrum.other() * m):
                return None
    return sides


def turned(vector: list, towards: list) -> list:
    """The vector or its opposite, with a positive inner product."""
    inner: Any = dot(vector, towards)
    if not (inner > 0 or inner < 0):
        raise TooWide("the side of an eigenvector is not told")
    return vector if inner > 0 else [x * -1 for x in vector]
