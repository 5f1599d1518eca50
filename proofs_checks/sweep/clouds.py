"""One item of a family of clouds: base and LoRA tokens of some seeds at one depth, at every η of the grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from numerics.adapters import Adapter, AdapterLaw
from numerics.clusters import cluster_count, mean_cosine
from numerics.field import normalised
from numerics.layered import cloud_states
from numerics.spectral import leading_eigenvector_general
from numerics.transport import exact_w2_batch, identity_coupling, sliced_w2
from proofs_checks.sweep.families import Clouds

Columns = dict[str, np.ndarray]
EXACT = 4_096
"""Most tokens for which W2 is computed exactly (the cube of n); above, a lower and an upper bound."""
TOGETHER = 256
"""Most tokens of which the n×n matrices of all clouds of an item are held at once."""
_DIRECTIONS = 64


def starts(family: Clouds, generator: torch.Generator) -> Tensor:
    """Tokens ``(block, n, d)``: uniform in the hemisphere of u1, or all at u1."""
    shape = (family.block, family.tokens, family.d)
    if family.collapsed:
        return torch.eye(family.d, dtype=torch.float64, device=generator.device)[0].expand(shape)
    tokens = torch.randn(shape, dtype=torch.float64, generator=generator, device=generator.device)
    tokens[..., 0].abs_()
    return normalised(tokens)


def excluded(family: Clouds) -> Tensor | None:
    """Directions ``(d, m)`` that both factors of an adapter are projected off, or None."""
    d = family.d
    half = (d - 1) // 2
    kept = {
        "all": range(d), "off-u1": range(1, d), "small-gap": range(half + 1), "large-gap": (0, *range(d - half, d)),
    }[family.directions]  # fmt: skip
    off = [k for k in range(d) if k not in kept]
    return torch.eye(d, dtype=torch.float64)[:, off] if off else None


def law(family: Clouds) -> AdapterLaw:
    """The law of the adapters at η = 1."""
    weights = (family.norm / family.rank**0.5,) * family.rank
    return AdapterLaw(family.adapters, weights, correlation=family.correlation, off=excluded(family))


def compute(family: Clouds, depth: int, generator: torch.Generator) -> Columns:
    """Rows: seed by seed, within it η by η. Clusters are -1 above :data:`EXACT` tokens.

    NaN: no ũ1 (adapters that vary over the layers), or no first passage."""
    etas = torch.tensor(family.etas, dtype=torch.float64, device=generator.device) * depth**family.power
    scales = torch.cat([etas.new_zeros(1), etas])  # the first is the base
    value = torch.diag(torch.tensor(family.levels, dtype=torch.float64, device=generator.device))
    tokens = starts(family, generator)
    adapters = law(family).layers(family.block, family.d, generator)
    first = next(adapters)  # of a tied law the only one
    passage = torch.full((family.block, len(etas)), torch.nan, dtype=torch.float64, device=generator.device)
    states = tokens.unsqueeze(1)
    for layer, states in enumerate(
        cloud_states(tokens, value, value, scales, h=family.step(depth), depth=depth, adapters=_again(first, adapters)),
        1,
    ):
        apart = (states[:, 1:] - states[:, :1]).square().sum(dim=3).mean(dim=2)
        passage = torch.where(passage.isnan() & (apart > family.radius**2), float(layer), passage)
    moved = states[:, 1:].flatten(0, 1)
    base = states[:, :1].expand_as(states[:, 1:]).flatten(0, 1)
    perturbed = _perturbed_overlap(family, value, first, etas, states[:, 1:])
    rows = {
        "eta": etas.expand(family.block, -1),
        **_distances(base, moved),
        "overlap_u1": moved[..., 0].mean(dim=1),
        "overlap_perturbed_u1": perturbed,
        "base_overlap_u1": base[..., 0].mean(dim=1),
        "clusters": _one_by_one(lambda x: cluster_count(x, family.cluster_angle), moved)
        if family.tokens <= EXACT
        else torch.full((len(moved),), -1, device=moved.device),
        "mean_cosine": mean_cosine(moved),
        "first_passage": passage,
    }
    return {name: column.reshape(-1).cpu().numpy() for name, column in rows.items()}


def _distances(base: Tensor, moved: Tensor) -> dict[str, Tensor]:
    """``w2`` (NaN above :data:`EXACT` tokens), its lower bound ``sliced_w2`` and its upper bound ``identity_w2``."""
    d, largest = base.shape[2], identity_coupling(base, moved)
    if base.shape[1] <= EXACT:
        exact = _one_by_one(exact_w2_batch, base, moved)
        return {"w2": exact, "sliced_w2": exact, "identity_w2": largest}
    generator = torch.Generator(base.device).manual_seed(0)
    directions = torch.randn(_DIRECTIONS, d, dtype=base.dtype, generator=generator, device=base.device)
    return {
        "w2": torch.full_like(largest, torch.nan),
        "sliced_w2": sliced_w2(base, moved, normalised(directions)),
        "identity_w2": largest,
    }


def _one_by_one(measure: Callable[..., Tensor], *clouds: Tensor) -> Tensor:
    """The measure of every cloud; one cloud at a time where it holds a large n×n matrix."""
    if clouds[0].shape[1] <= TOGETHER:
        return measure(*clouds)
    return torch.cat([measure(*(x[k : k + 1] for x in clouds)) for k in range(len(clouds[0]))])


def _again(first: Adapter, rest):
    yield first
    yield from rest


def _perturbed_overlap(family: Clouds, value: Tensor, adapter: Adapter, etas: Tensor, states: Tensor) -> Tensor:
    """Mean ``<x_i, ũ1>`` ``(block, E)``, ``<u1, ũ1> >= 0``; NaN where V + ΔV varies or has no simple real leader."""
    block, E = states.shape[:2]
    if family.adapters != "tied":
        return torch.full((block, E), torch.nan, dtype=torch.float64, device=states.device)
    update = adapter.to_dense(block, family.d).unsqueeze(1) * etas.reshape(1, -1, 1, 1)
    leader = leading_eigenvector_general((value + update).flatten(0, 1))
    vector = leader.vector * torch.where(leader.vector[:, :1] < 0, -1.0, 1.0)
    overlap = (states.flatten(0, 1) * vector.unsqueeze(1)).sum(dim=2).mean(dim=1)
    return torch.where(leader.real_simple, overlap, torch.nan).reshape(block, E)
