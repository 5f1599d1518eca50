"""How far tokens have come together: the number of clusters, and the mean cosine of all pairs."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cluster_count(tokens: Tensor, angle: float) -> Tensor:
    """Clusters of B clouds of unit tokens ``(B, n, d)``, as ``(B,)`` of int64.

    A cluster is a connected component of the graph that joins tokens less than ``angle`` (radians, below π) apart, so
    that a chain of near tokens is one cluster. Holds ``(B, n, n)``. Raises ValueError for another angle.
    """
    if not 0 < angle < math.pi:
        raise ValueError(f"the angle must be in (0, π), found {angle:g}")
    n = tokens.shape[1]
    near = torch.cdist(tokens, tokens, compute_mode="donot_use_mm_for_euclid_dist") < 2 * math.sin(angle / 2)
    joined = near.float()
    for _ in range(max(1, math.ceil(math.log2(max(n, 2))))):  # paths of 2, 4, 8, ... edges
        joined = (torch.bmm(joined, joined) > 0).float()
    sizes = joined.sum(dim=2)
    return (1 / sizes).sum(dim=1).round().long()


def mean_cosine(tokens: Tensor) -> Tensor:
    """Mean of ``<x_i, x_j>`` over the pairs i ≠ j of unit tokens ``(..., n, d)``, shape ``(...)``; 1 for one token."""
    n = tokens.shape[-2]
    if n == 1:
        return torch.ones_like(tokens[..., 0, 0])
    return (tokens.sum(dim=-2).square().sum(dim=-1) - tokens.square().sum(dim=(-2, -1))) / (n * (n - 1))
