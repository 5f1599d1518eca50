"""First-passage times of a batch: when the perturbed tokens pass the angle that the batch names."""

from __future__ import annotations

from functools import cached_property

import torch

from numerics import spectral
from numerics.field import AttentionField
from numerics.first_passage import Passage, angle_event, first_exit, last_entry
from numerics.flow import simulate
from numerics.linear_map import LinearMap
from proofs_checks.measurement import ATOL, RTOL, Measured, towards
from proofs_checks.sampler import Batch

_AT_ONCE = 16_384
"""Coordinates of tokens simulated together with dense output, which needs about 2 kB for each."""


class Passages(Measured):
    """Measurements on a batch whose tokens leave the neighbourhood of u, or arrive at ũ1.

    ``columns["passage_angle"]`` (B,) is the angle to pass, an input of the claims.
    """

    def __init__(self, batch: Batch, rtol: float = RTOL, atol: float = ATOL) -> None:
        super().__init__(batch, rtol, atol)
        self.angle = torch.from_numpy(batch.columns["passage_angle"])

    @cached_property
    def departure(self) -> Passage:
        """When the largest angle to u first exceeds the angle."""
        return self._passage(self.batch.direction, torch.zeros(len(self.batch)), leaving=True)

    @cached_property
    def arrival(self) -> Passage:
        """From when on all tokens are within the angle of ũ1."""
        target = towards(self.perturbed.vector, self.batch.tokens)
        return self._passage(target, self.perturbed.vector_error, leaving=False)

    @cached_property
    def base_displacement(self) -> torch.Tensor:
        """Largest angle (B,) between a token of the base flow at the last time and u."""
        b = self.batch
        end = simulate(b.tokens, b.A, b.V, b.times[:, -1:], rtol=self.rtol, atol=self.atol)
        return spectral.max_angle(end.states[:, -1], b.direction)

    @cached_property
    def farthest(self) -> tuple[torch.Tensor, torch.Tensor]:
        """tan of the largest angle to u at the times of the batch (B, K), and its error."""
        b = self.batch
        solution = simulate(b.tokens, b.A + b.dA, b.V + b.dV, b.times, rtol=self.rtol, atol=self.atol)
        tangent = spectral.tan_max_angle(solution.states, b.direction)
        return tangent, solution.error * (1 + tangent**2)

    def _passage(self, direction: torch.Tensor, direction_error: torch.Tensor, leaving: bool) -> Passage:
        b = self.batch
        found: list[Passage] = []
        for rows in torch.arange(len(b)).split(max(1, _AT_ONCE // b.tokens[0].numel())):
            attention, value = LinearMap((b.A + b.dA)[rows]), LinearMap((b.V + b.dV)[rows])
            end = b.times[rows, -1:]
            solution = simulate(b.tokens[rows], attention, value, end, rtol=self.rtol, atol=self.atol, dense=True)
            event = angle_event(direction[rows], self.angle[rows])
            found.append((first_exit if leaving else last_entry)(solution, AttentionField(attention, value), event))
        time, error, speed, state = (
            torch.cat([getattr(p, name) for p in found]) for name in ("time", "error", "speed", "state")
        )
        return Passage(time, error + direction_error / speed, speed, state)
