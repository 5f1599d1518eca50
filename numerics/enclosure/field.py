"""The token flow ``ẋ_i = P_{x_i} V m_i`` in real balls, complex balls and power series alike, and its Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import arb, arb_mat, fmpq_mat

from numerics.enclosure.norms import largest_eigenvalue, operator_norm

Tokens = Sequence[Sequence[Any]]
"""n rows of d numbers: all arb, all acb, or all arb_series."""


def _inner(first: Sequence[Any], second: Sequence[Any]) -> Any:
    total = first[0] * second[0]
    for x, y in zip(first[1:], second[1:], strict=True):
        total = total + x * y
    return total


@dataclass(frozen=True)
class Field:
    """Attention matrix ``A`` and value matrix ``V`` (d×d, exact) of one flow with full attention.

    Off the sphere the field is continued by the same formula ``Vm_i - <x_i, Vm_i> x_i``, which is analytic.
    """

    A: fmpq_mat
    V: fmpq_mat

    @cached_property
    def _a(self) -> list[list[arb]]:
        return [[arb(x) for x in row] for row in self.A.tolist()]

    @cached_property
    def _v(self) -> list[list[arb]]:
        return [[arb(x) for x in row] for row in self.V.tolist()]

    def weights(self, tokens: Tokens) -> tuple[list[list[Any]], list[Any]]:
        """``exp(l_ik - l_ii)`` (n×n) and their row sums (n): the softmax is their quotient."""
        looking = [[_inner(row, x) for row in self._a] for x in tokens]
        powers = []
        for i, query in enumerate(looking):
            own = _inner(query, tokens[i])
            powers.append([(_inner(query, key) - own).exp() if k != i else arb(1) for k, key in enumerate(tokens)])
        return powers, [_total(row) for row in powers]

    def velocity(self, tokens: Tokens) -> list[list[Any]]:
        """``Vm_i - <x_i, Vm_i> x_i`` (n×d)."""
        rows, totals = self.weights(tokens)
        return self.velocity_from(tokens, rows, totals)

    def velocity_from(self, tokens: Tokens, rows: list[list[Any]], totals: list[Any]) -> list[list[Any]]:
        """The velocity, from the weights that :meth:`weights` gave."""
        values = [[_inner(row, x) for row in self._v] for x in tokens]
        result = []
        for i, x in enumerate(tokens):
            scale = 1 / totals[i]
            pulled = [_total([w * v[k] for w, v in zip(rows[i], values, strict=True)]) * scale for k in range(len(x))]
            radial = _inner(x, pulled)
            result.append([p - radial * c for p, c in zip(pulled, x, strict=True)])
        return result

    def logarithmic_norm(self, tokens: Tokens) -> arb:
        """An upper bound of the logarithmic norm of the Jacobian over a box of tokens (real balls, n×d).

        In the norm ``max_i |δx_i|``: ``max_i (λ_max(sym J_ii) + Σ_{j≠i} ||J_ij||)``.
        """
        n, d = len(tokens), len(tokens[0])
        powers, totals = self.weights(tokens)
        value, attention = arb_mat(self.V), arb_mat(self.A)
        largest = None
        for i, x in enumerate(tokens):
            share = [w / totals[i] for w in powers[i]]
            mean = [_total([share[j] * tokens[j][k] for j in range(n)]) for k in range(d)]
            pulled = [_inner([value[k, c] for c in range(d)], mean) for k in range(d)]
            query = [_inner([attention[k, c] for c in range(d)], x) for k in range(d)]
            tangent = arb_mat([[(1 if k == c else 0) - x[k] * x[c] for c in range(d)] for k in range(d)]) * value
            total = arb(0)
            own = arb_mat(d, d)
            for j, other in enumerate(tokens):
                key = [_inner([attention[c, k] for c in range(d)], other) for k in range(d)]
                away = [o - m for o, m in zip(other, mean, strict=True)]
                moved = arb_mat(
                    [[share[j] * ((1 if k == c else 0) + away[k] * query[c]) for c in range(d)] for k in range(d)]
                )
                own = own + arb_mat([[share[j] * away[k] * key[c] for c in range(d)] for k in range(d)])
                if j == i:
                    own = own + moved
                else:
                    total = total + operator_norm(tangent * moved)
            radial = _inner(x, pulled)
            jacobian = tangent * own - arb_mat(
                [[x[k] * pulled[c] + (radial if k == c else 0) for c in range(d)] for k in range(d)]
            )
            rate = total + largest_eigenvalue((jacobian + jacobian.transpose()) / 2)
            largest = rate if largest is None else largest.max(rate)
        if largest is None:
            raise ValueError("a flow needs at least one token")
        return largest.upper()


def _total(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for x in parts[1:]:
        total = total + x
    return total
