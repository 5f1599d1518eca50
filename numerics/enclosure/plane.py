"""Two tokens in the plane by their angles: the flow of a symmetric V with A = V, without the radial direction.

With ``s = (λ1 + λ2)/2`` and ``g = (λ1 - λ2)/2``, angles φ from u1: ``<x, V y> = s cos(φ_x - φ_y) + g cos(φ_x + φ_y)``,
so that ``φ_i' = -(1 - w) g sin 2φ_i + w (-s sin(φ_i - φ_j) - g sin(φ_i + φ_j))``, w the softmax weight of the other
token. Balls are far narrower in this form than in :mod:`numerics.enclosure.field`: whole cells of angles are followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb

Angles = Sequence[Sequence[Any]]
"""Two rows of one number: all arb, all acb, or all arb_series."""


@dataclass(frozen=True)
class PlaneField:
    """The field on the angles; ``mean``: s, ``half_gap``: g, enclosed. The same interface as ``Field``."""

    mean: arb
    half_gap: arb

    def weights(self, tokens: Angles) -> tuple[list[list[Any]], list[Any]]:
        """``exp(l_ik - l_ii)`` (2×2) and their row sums: the softmax is their quotient."""
        rows = []
        for i in (0, 1):
            own, other = tokens[i][0], tokens[1 - i][0]
            logit = self.mean * ((own - other).cos() - 1) + self.half_gap * ((own + other).cos() - (2 * own).cos())
            rows.append([1, logit.exp()] if i == 0 else [logit.exp(), 1])
        return rows, [row[0] + row[1] for row in rows]

    def velocity(self, tokens: Angles) -> list[list[Any]]:
        """``φ_i'`` (2×1)."""
        return self.velocity_from(tokens, *self.weights(tokens))

    def velocity_from(self, tokens: Angles, rows: list[list[Any]], totals: list[Any]) -> list[list[Any]]:
        """The same from the weights that :meth:`weights` gives."""
        result = []
        for i in (0, 1):
            own, other = tokens[i][0], tokens[1 - i][0]
            alone = -self.half_gap * (2 * own).sin()
            drawn = -self.mean * (own - other).sin() - self.half_gap * (own + other).sin()
            result.append([alone + rows[i][1 - i] / totals[i] * (drawn - alone)])
        return result

    def logarithmic_norm(self, tokens: Sequence[Sequence[arb]]) -> arb:
        """An upper bound over the box of ``max_i (J_ii + |J_ij|)``, J the Jacobian."""
        rows, totals = self.weights(tokens)
        largest = arb(0)
        for i in (0, 1):
            own, other = tokens[i][0], tokens[1 - i][0]
            apart, both, twice = own - other, own + other, 2 * own
            weight = rows[i][1 - i] / totals[i]
            spread = weight * rows[i][i] / totals[i]
            alone = -self.half_gap * twice.sin()
            drawn = -self.mean * apart.sin() - self.half_gap * both.sin()
            tilt = self.mean * apart.sin() - self.half_gap * both.sin()
            rate = (
                -2 * self.half_gap * twice.cos() * (1 - weight)
                - weight * (self.mean * apart.cos() + self.half_gap * both.cos())
                + spread * (drawn - 2 * alone) * (drawn - alone)
            )
            coupling = weight * (self.mean * apart.cos() - self.half_gap * both.cos()) + spread * tilt * (drawn - alone)
            rate = rate + abs(coupling)
            largest = rate if i == 0 else largest.max(rate)
        return largest.upper()
