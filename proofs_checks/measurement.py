"""What is measured on a batch: spectra of the dense matrices and simulated tokens, each computed once, on demand."""

from __future__ import annotations

from functools import cached_property

import torch

from numerics import spectral
from numerics.field import AttentionField
from numerics.flow import simulate_pair
from numerics.integrator import Solution
from numerics.linear_map import LinearMap
from numerics.transport import exact_w2_batch
from proofs_checks.sampler import Batch

RTOL = 1e-11
ATOL = 1e-13


class Measured:
    """Measurements on a batch; reads the dense matrices, the tokens and u, never what was planted.

    Angles are radians; every value comes with an estimate of its error under the name ``..._error``. Values of an
    instance whose integration did not converge are NaN.
    """

    def __init__(self, batch: Batch, rtol: float = RTOL, atol: float = ATOL) -> None:
        self.batch = batch
        self.rtol, self.atol = rtol, atol

    @cached_property
    def split(self) -> spectral.SpectralSplit:
        """ΔV in the frame of u1 of (symmetric) V."""
        return spectral.split_symmetric(self.batch.V, self.batch.dV)

    @cached_property
    def perturbed(self) -> spectral.SymmetricPair:
        """Leading eigenpair of (symmetric) V + ΔV."""
        return spectral.leading_eigenvector_symmetric(self.batch.V + self.batch.dV)

    @cached_property
    def drift(self) -> spectral.Drift:
        """Drift of the leading eigenvector, from eigenvectors."""
        return spectral.drift(self.split.u1, self.perturbed.vector)

    @cached_property
    def drift_error(self) -> torch.Tensor:
        """Error (B,) of the drift angle."""
        return self.split.vector_error + self.perturbed.vector_error

    @cached_property
    def trajectories(self) -> tuple[Solution, Solution]:
        """Base and perturbed flow from the same tokens."""
        b = self.batch
        return simulate_pair(b.tokens, b.A, b.V, b.A + b.dA, b.V + b.dV, b.times, rtol=self.rtol, atol=self.atol)

    @cached_property
    def u1(self) -> torch.Tensor:
        """u1 (B, d) with the sign of the tokens' side."""
        return towards(self.split.u1, self.batch.tokens)

    @cached_property
    def perturbed_u1(self) -> torch.Tensor:
        """ũ1 (B, d) with <u1, ũ1> >= 0."""
        return towards(self.perturbed.vector, self.u1.unsqueeze(1))

    def base_tan_angle(self) -> tuple[torch.Tensor, torch.Tensor]:
        """tan of the largest angle of the base tokens to u1 at each time (B, K), and its error."""
        return _tan_angle(self.trajectories[0], self.u1, self.split.vector_error)

    def perturbed_tan_angle(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The same for the perturbed tokens about ũ1."""
        return _tan_angle(self.trajectories[1], self.perturbed_u1, self.perturbed.vector_error)

    def cone_tan_angle(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The same for the perturbed tokens about the given u, which has no error of its own."""
        return _tan_angle(self.trajectories[1], self.batch.direction, torch.zeros(len(self.batch)))

    def nearest_angle(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Smallest angle (B,) of a perturbed token to ũ1 at the last time, and its error."""
        pair = spectral.leading_eigenvector_general(self.batch.V + self.batch.dV)
        target = towards(pair.vector, self.u1.unsqueeze(1))
        last = self.trajectories[1].states[:, -1]
        smallest = torch.pi - spectral.max_angle(last, -target)
        return smallest, self.trajectories[1].error[:, -1] + pair.vector_error

    @cached_property
    def token_drift(self) -> tuple[spectral.ClusterDrift, torch.Tensor]:
        """Drift read from the tokens at the last time, and its error: integration plus what is left to converge."""
        base, moved = self.trajectories
        drift = spectral.drift_from_tokens(base.states[:, -1], moved.states[:, -1])
        error = base.error[:, -1] + moved.error[:, -1] + self._residual(base, moved)
        return drift, error

    @cached_property
    def token_w2(self) -> torch.Tensor:
        """Exact W2 (B,) between base and perturbed tokens at the last time (NaN where not converged)."""
        base, moved = (solution.states[:, -1] for solution in self.trajectories)
        finite = (base.isfinite() & moved.isfinite()).all(dim=(1, 2))
        distance = exact_w2_batch(base.nan_to_num(), moved.nan_to_num())
        return torch.where(finite, distance, torch.nan)

    def _residual(self, base: Solution, moved: Solution) -> torch.Tensor:
        """Distance (B,) that the tokens have still to go: their speed over the rate of contraction, both measured."""
        b = self.batch
        left = torch.zeros(len(b), dtype=b.V.dtype)
        pairs = ((base, b.A, b.V, self.split), (moved, b.A + b.dA, b.V + b.dV, self.perturbed))
        for solution, attention, value, spectrum in pairs:
            last = solution.states[:, -1]
            field = AttentionField(LinearMap(attention), LinearMap(value))
            speed = field(b.times[:, -1], last).norm(dim=-1).amax(dim=-1)
            left = left + 2 * speed / spectrum.dominant_gap.clamp(min=torch.finfo(speed.dtype).tiny)
        return left


def towards(direction: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The direction (B, d) with the sign that most of the tokens (B, n, d) are on."""
    side = torch.einsum("bnd,bd->bn", tokens, direction).sign().sum(dim=-1)
    return torch.where(side < 0, -1.0, 1.0).unsqueeze(-1) * direction


def _tan_angle(
    solution: Solution, direction: torch.Tensor, vector_error: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    tangent = spectral.tan_max_angle(solution.states, direction)
    error = (solution.error + vector_error.unsqueeze(-1)) * (1 + tangent**2)
    return tangent, error
