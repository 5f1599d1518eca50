"""When and how collapsed tokens jump to ũ1: the times at 45° and at overlaps 1/10 and 9/10, and the profile."""

from __future__ import annotations

from functools import cached_property

import torch

from numerics.field import AttentionField
from numerics.first_passage import angle_event, last_entries
from numerics.flow import simulate
from numerics.linear_map import LinearMap
from proofs_checks.measurement import Measured, towards

GRID = 240
"""Outputs of a trajectory: a step ends at each, so that a component of 1e-12, which no tolerance sees, is accurate."""
COARSE = 160
_RTOL, _ATOL = 1e-13, 1e-15
_EPS = torch.finfo(torch.float64).eps
JUMP, TENTH, NINE_TENTHS = 0.5**0.5, 0.1, 0.9
OVERLAPS = (JUMP, TENTH, NINE_TENTHS)


class Jumps(Measured):
    """Measurements on a batch of collapsed tokens at a tiny overlap with ũ1.

    The error of a time is the difference between two runs with different steps, plus what the rounding of the dense
    matrix does to the overlap; the error estimate of the integrator does not see tiny components.
    """

    @cached_property
    def target(self) -> torch.Tensor:
        """ũ1 (B, d), on the side of the tokens."""
        return towards(self.perturbed.vector, self.batch.tokens)

    @cached_property
    def times(self) -> tuple[torch.Tensor, torch.Tensor]:
        """When the overlap with ũ1 is 1/√2, 1/10, 9/10 (B, 3), and the error; NaN where it never is."""
        fine, coarse = self._fine[0], self._times(COARSE)[0]
        return fine, (fine - coarse).abs() + self._delay.unsqueeze(1)

    @cached_property
    def overlap(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Smallest overlap of a token with ũ1 at the times of the batch (B, K), and its error."""
        found = torch.einsum("bknd,bd->bkn", self._fine[1], self.target).amin(dim=-1)
        delay = self.times[1][:, 0] + _EPS * GRID
        rate = self.perturbed.gap.unsqueeze(1) * found.abs() * (1 - found**2).clamp(min=0)
        return found, rate * delay.unsqueeze(1) + 16 * _EPS

    @cached_property
    def _fine(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self._times(GRID)

    @cached_property
    def _delay(self) -> torch.Tensor:
        """What rounding of V + ΔV outside its diagonal, moving the overlap at the start, does to the times (B,)."""
        matrix = self.batch.V + self.batch.dV
        outside = torch.linalg.matrix_norm(matrix - torch.diag_embed(matrix.diagonal(dim1=1, dim2=2)))
        start = torch.einsum("bd,bd->b", self.batch.tokens[:, 0], self.target).abs()
        gap = self.perturbed.gap
        return 4 * _EPS * outside / (start * gap * gap.clamp(max=1.0)) + _EPS * GRID / gap

    def _times(self, grid: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The three times (B, 3), and the states (B, grid, n, d), of a run that stops at so many outputs."""
        b = self.batch
        outputs = b.times[:, -1:] * torch.arange(1, grid + 1, dtype=b.times.dtype) / grid
        attention, value = LinearMap(b.A + b.dA), LinearMap(b.V + b.dV)
        solution = simulate(b.tokens, attention, value, outputs, rtol=_RTOL, atol=_ATOL, dense=True)
        field = AttentionField(attention, value)
        angles = [torch.full_like(outputs[:, 0], x).acos() for x in OVERLAPS]
        found = last_entries(solution, field, [angle_event(self.target, angle) for angle in angles])
        return torch.stack([passage.time for passage in found], dim=1), solution.states
