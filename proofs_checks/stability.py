"""What is measured for Prop. 3.1: distances between two flows, or two clouds, of a batch."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from numerics.euclidean import simulate_euclidean
from numerics.flow import simulate, simulate_pair
from numerics.integrator import Solution
from numerics.layered import layered_states
from numerics.transport import exact_w2_batch, labelled_angle, max_displacement, w_infinity_batch
from proofs_checks.measurement import ATOL, RTOL
from proofs_checks.sampler import Batch


class SpherePair:
    """Base and perturbed flow on the sphere from the same tokens, both with the batch's mask."""

    def __init__(self, batch: Batch, rtol: float = RTOL, atol: float = ATOL) -> None:
        self.batch, self.rtol, self.atol = batch, rtol, atol

    @cached_property
    def flows(self) -> tuple[Solution, Solution]:
        """The two solutions."""
        b = self.batch
        mask = bool(b.columns["causal"][0])
        return simulate_pair(
            b.tokens, b.A, b.V, b.A + b.dA, b.V + b.dV, b.times, rtol=self.rtol, atol=self.atol, causal=mask
        )

    @cached_property
    def angle(self) -> tuple[Tensor, Tensor]:
        """``max_i ∠(x_i, x̃_i)`` (B, K), and its error."""
        base, moved = self.flows
        return labelled_angle(base.states, moved.states), base.error + moved.error

    @cached_property
    def w2(self) -> tuple[Tensor, Tensor]:
        """Exact W2 (B,) at the last time, and its error."""
        base, moved = self.flows
        return _distance(exact_w2_batch, base.states[:, -1], moved.states[:, -1]), base.error[:, -1] + moved.error[
            :, -1
        ]


class EuclideanPair(SpherePair):
    """The same in R^d, from the tokens times ``columns["radius"]``."""

    @cached_property
    def flows(self) -> tuple[Solution, Solution]:
        """The two solutions."""
        b = self.batch
        tokens = torch.from_numpy(b.columns["radius"])[:, None, None] * b.tokens
        base = simulate_euclidean(tokens, b.A, b.V, b.times, rtol=self.rtol, atol=self.atol)
        moved = simulate_euclidean(tokens, b.A + b.dA, b.V + b.dV, b.times, rtol=self.rtol, atol=self.atol)
        return base, moved

    @cached_property
    def displacement(self) -> tuple[Tensor, Tensor]:
        """``max_i |x_i - x̃_i|`` (B, K), and its error."""
        base, moved = self.flows
        return (base.states - moved.states).norm(dim=-1).amax(dim=-1), base.error + moved.error


class ShiftedPair(SpherePair):
    """The base flow from the tokens, and both flows from ``columns["other_tokens"]``; full attention."""

    @cached_property
    def others(self) -> Tensor:
        """The other cloud (B, n, d)."""
        return torch.from_numpy(self.batch.columns["other_tokens"])

    def _flow(self, tokens: Tensor, perturbed: bool) -> Solution:
        b = self.batch
        A, V = (b.A + b.dA, b.V + b.dV) if perturbed else (b.A, b.V)
        return simulate(tokens, A, V, b.times, rtol=self.rtol, atol=self.atol)

    @cached_property
    def flows(self) -> tuple[Solution, Solution]:
        """The base flow from the tokens, the perturbed one from the other cloud."""
        return self._flow(self.batch.tokens, False), self._flow(self.others, True)

    @cached_property
    def w_infinity(self) -> tuple[Tensor, Tensor, Tensor]:
        """W_∞ as an angle: at the start (B,), at the last time (B,), and its error."""
        base, moved = self.flows
        start = _distance(w_infinity_batch, self.batch.tokens, self.others)
        end = _distance(w_infinity_batch, base.states[:, -1], moved.states[:, -1])
        return _as_angle(start), _as_angle(end), base.error[:, -1] + moved.error[:, -1]

    @cached_property
    def same_flow_w2(self) -> tuple[Tensor, Tensor, Tensor]:
        """W2 of both clouds under the base flow: at the start (B,), at the last time (B,), and its error."""
        base, other = self.flows[0], self._flow(self.others, False)
        start = exact_w2_batch(self.batch.tokens, self.others)
        end = _distance(exact_w2_batch, base.states[:, -1], other.states[:, -1])
        return start, end, base.error[:, -1] + other.error[:, -1]


class LayerPair:
    """One layer, and two untied ones, from two clouds."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    @cached_property
    def chords(self) -> tuple[Tensor, Tensor, Tensor]:
        """``max_i |x_i - y_i|`` (B,) at the start, after a layer with V, and after another with V + ΔV."""
        b = self.batch
        first, second = b.tokens, torch.from_numpy(b.columns["other_tokens"])
        found = [max_displacement(first, second)]
        h, mask = torch.from_numpy(b.columns["h"]), bool(b.columns["causal"][0])
        for value in (b.V, b.V + b.dV):  # the step is part of the matrix: each instance has its own
            scaled = h[:, None, None] * value
            first, second = (_layer(x, b.A, scaled, mask) for x in (first, second))
            found.append(max_displacement(first, second))
        return found[0], found[1], found[2]


def _layer(tokens: Tensor, attention: Tensor, value: Tensor, mask: bool) -> Tensor:
    (after,) = layered_states(tokens, attention, value, h=1.0, depth=1, causal=mask)
    return after


def _as_angle(chord: Tensor) -> Tensor:
    return 2 * torch.asin((chord / 2).clamp(max=1.0))


def _distance(of: object, x: Tensor, y: Tensor) -> Tensor:
    """The distance of both clouds, NaN where one did not converge."""
    finite = (x.isfinite() & y.isfinite()).all(dim=(1, 2))
    found = of(x.nan_to_num(), y.nan_to_num())  # type: ignore[operator]
    return torch.where(finite, found, torch.nan)
