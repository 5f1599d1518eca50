"""Distances between token clouds: exact W2 by assignment, the identity coupling, the largest displacement.

All distances are Euclidean (chords, not angles) and every token weighs 1/n. Clouds are ``x`` and ``y`` of shape
``(B, n, d)``: B instances, n tokens, d coordinates. Between two clouds of n tokens an optimal plan is a
permutation (Birkhoff), so W2 is a linear assignment, which is solved exactly.
"""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def exact_w2(x: Tensor, y: Tensor) -> float:
    """W2 of two clouds ``(n, d)``: ``min over permutations p of sqrt(mean_i |x_i - y_p(i)|²)``.

    Raises ``ValueError`` as :func:`exact_w2_batch` does.
    """
    if x.dim() != 2:
        raise ValueError(f"exact_w2 takes one cloud of shape (n, d), not {tuple(x.shape)}; see exact_w2_batch")
    return float(exact_w2_batch(x.unsqueeze(0), y.unsqueeze(0)))


def exact_w2_batch(x: Tensor, y: Tensor) -> Tensor:
    """W2 of B pairs of clouds, shape ``(B,)``, on the device of the clouds.

    The costs are computed in one batch on the device, the assignments one by one on the CPU: about 10 µs for
    n = 16, a tenth of a second for n = 1,024. Raises ``ValueError`` for clouds of different shapes, without tokens,
    or with a coordinate that is not finite.
    """
    _check_clouds(x, y)
    costs = squared_distances(x, y).cpu()
    if not bool(costs.isfinite().all()):
        raise ValueError("a token has a coordinate that is not finite, so W2 is not defined")
    plans = [torch.from_numpy(linear_sum_assignment(cost)[1]) for cost in costs.numpy()]
    plan = torch.stack(plans).to(x.device) if plans else torch.empty(x.shape[:2], dtype=torch.long, device=x.device)
    return plan_cost(x, y, plan)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """``|x_i - y_j|²`` as ``(B, n, n)``, from differences of coordinates.

    ``2 - 2<x_i, y_j>`` would cost half the digits of nearly equal tokens, which converged clusters are.
    """
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square()


def plan_cost(x: Tensor, y: Tensor, plan: Tensor) -> Tensor:
    """``sqrt(mean_i |x_i - y_plan(i)|²)`` as ``(B,)``; ``plan (B, n)`` holds one permutation per instance."""
    return identity_coupling(x, torch.take_along_dim(y, plan.unsqueeze(-1), dim=1))


def identity_coupling(x: Tensor, y: Tensor) -> Tensor:
    """``sqrt(mean_i |x_i - y_i|²)`` as ``(B,)``: the plan that keeps the labels, an upper bound of W2."""
    _check_clouds(x, y)
    return (x - y).square().sum(dim=-1).mean(dim=-1).sqrt()


def max_displacement(x: Tensor, y: Tensor) -> Tensor:
    """``max_i |x_i - y_i|`` as ``(B,)``: an upper bound of W_∞, hence of W2 and of the identity coupling."""
    _check_clouds(x, y)
    return (x - y).norm(dim=-1).amax(dim=-1)


def _check_clouds(x: Tensor, y: Tensor) -> None:
    if x.dim() != 3 or x.shape != y.shape or x.shape[1] == 0:
        raise ValueError(
            f"two batches of clouds of one shape (B, n, d) with n >= 1 are needed, "
            f"not {tuple(x.shape)} and {tuple(y.shape)}"
        )
