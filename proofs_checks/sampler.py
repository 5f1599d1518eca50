"""Batches of random instances with planted answers.

A :class:`Batch` has two sides that must not mix: ``planted`` (what was chosen: λ, a, b, c, E, angles), which only
predictions read, and the dense matrices and tokens, which only measurements read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from proofs_checks import planting
from proofs_checks.planting import Blocks, Seeds
from proofs_checks.spec import FAMILIES, Family, InstanceSpec, as_columns

_LONGEST = 60.0


@dataclass(frozen=True)
class Batch:
    """Instances of one family with equal n and d; float64 on the CPU until moved.

    Attributes
    ----------
    family: the family they were drawn from.
    columns: the specifications, field → array (B,).
    planted: name in code → tensor (B,), or (B, d-1) for ``alpha`` and ``mu``: the predictions' side.
    V, dV, A, dA: dense matrices (B, d, d); tokens (B, n, d); times (B, K): the measurements' side.
    direction: the unit vector u (B, d) about which the cone is taken; an input of the cone theorem.
    """

    family: Family
    columns: dict[str, np.ndarray]
    planted: dict[str, torch.Tensor]
    V: torch.Tensor
    dV: torch.Tensor
    A: torch.Tensor
    dA: torch.Tensor
    tokens: torch.Tensor
    times: torch.Tensor
    direction: torch.Tensor

    def __len__(self) -> int:
        return self.V.shape[0]

    @property
    def symmetric_update(self) -> torch.Tensor:
        """Whether V and ΔV are symmetric by construction (B,)."""
        kind = np.isin(self.columns["update"], ("blocks", "gram", "orthogonal"))
        return torch.from_numpy(kind & (self.columns["base"] != "general"))

    @property
    def a_differs(self) -> np.ndarray:
        """Whether A differs from V by construction (B,)."""
        return self.columns["attention"] != "value"

    @property
    def nonsymmetric_update(self) -> np.ndarray:
        """Whether ΔV is not symmetric by construction (B,)."""
        return np.isin(self.columns["update"], ("lowrank", "aligned", "general"))

    @property
    def symmetric_base(self) -> torch.Tensor:
        """Whether V is symmetric by construction (B,)."""
        return torch.from_numpy(self.columns["base"] != "general")


def _planted(base: Blocks, update: Blocks, values: np.ndarray) -> dict[str, np.ndarray]:
    total = base + update
    block = (total.block + total.block.transpose(0, 2, 1)) / 2
    mu, z = np.linalg.eigh(block)
    arrow = Blocks(total.corner, total.column, total.column, block).matrix()
    levels = np.linalg.eigvalsh(arrow)
    kappa = planting.operator_norm(total.block)
    return {
        "lambda_1": values[:, 0],
        "gap": values[:, 0] - values[:, 1],
        "dominant_gap": planting.dominant_gap(values),
        "a": update.corner,
        "b_norm": planting.norm(total.column),
        "c_norm": planting.norm(total.row),
        "E_norm": planting.operator_norm(update.block),
        "w": total.corner,
        "kappa": kappa,
        "cone_separation": total.corner - kappa,
        "mu": mu,
        "alpha": np.einsum("bji,bj->bi", z, total.column),
        "perturbed_mu_max": mu[:, -1],
        "dV_norm": planting.operator_norm(update.matrix()),
        "levels": values,
        "update_matrix": update.matrix(),
        "perturbed_dominant_gap": levels[:, -1] - np.abs(levels[:, :-1]).max(axis=-1),
    }


def _perturbed_tan_angle(base: Blocks, update: Blocks, tokens: np.ndarray) -> np.ndarray:
    """tan of the largest angle to the planted ũ1 (symmetric part of V + ΔV, in the frame of u1)."""
    matrix = (base + update).matrix()
    _, vectors = np.linalg.eigh((matrix + matrix.transpose(0, 2, 1)) / 2)
    top = vectors[:, :, -1] * np.where(vectors[:, :1, -1] < 0, -1.0, 1.0)
    along = np.einsum("bnd,bd->bn", tokens, top)
    across = np.linalg.norm(tokens - along[:, :, None] * top[:, None, :], axis=-1)
    return np.tan(np.minimum(np.arctan2(across, along).max(axis=-1), np.pi / 2))


def _horizon(family: Family, columns: dict[str, np.ndarray], planted: dict[str, np.ndarray]) -> np.ndarray:
    rate = planted["cone_separation"] if family.region == "cone" else np.abs(planted["dominant_gap"])
    longest = _LONGEST / columns["scale"]
    if family.converge:
        slowest = np.minimum(np.abs(planted["dominant_gap"]), np.abs(planted["perturbed_dominant_gap"]))
        start = np.maximum(planted["tan_max_angle_0"], planted["perturbed_tan_max_angle_0"])
        return np.minimum(np.log(np.clip(start, 1e-3, 1e3) / family.converge) / slowest, 4 * longest)
    return np.minimum(columns["horizon"] / np.maximum(rate, 1e-300), longest)


def _attention(
    columns: dict[str, np.ndarray], rng: np.random.Generator, value: np.ndarray, update: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A and ΔA (B, d, d): V and ΔV, a general pair with ||A|| = beta, or zero."""
    size, d, _ = value.shape
    g, h = rng.standard_normal((2, size, d, d))
    beta = columns["beta"] / planting.operator_norm(g)
    general, same = columns["attention"] == "general", columns["attention"] == "value"
    pick = np.where(general, beta, 0.0)[:, None, None]
    attention = np.where(same[:, None, None], value, pick * g)
    change = np.where(same[:, None, None], update, 0.1 * pick * h)
    return attention, change


def realise(family: Family, columns: dict[str, np.ndarray], seeds: Seeds) -> Batch:
    """The instances that the columns specify (all with the same n and d)."""
    size, d = len(columns["scale"]), int(columns["d"][0])
    values = planting.spectrum(columns, seeds.directions)
    base = planting.base_blocks(columns, seeds.directions, values)
    update = planting.update_blocks(columns, seeds.directions, base, values)
    planted = _planted(base, update, values)

    direction = update.column + update.row
    length = planting.norm(direction)[:, None]
    second = np.eye(d - 1)[0]
    axis = np.where(length > 0, direction / np.where(length > 0, length, 1.0), second)
    # Without b the slow direction is u2; seed 0 and a third of the others keep to it, where the rate is attained.
    axis = np.where((columns["placement"] % 3 == 0)[:, None] & (family.region in ("criterion",)), second, axis)
    # Tokens on both sides of the direction whose eigenvalue is far below zero are torn apart along it.
    torn = (columns["spectrum"] == "indefinite")[:, None]
    axis = np.where(torn, np.eye(d - 1)[-1], axis)
    tokens, outer = planting.place_tokens(columns, seeds.placement, axis, *planting.allowed_angle(family, planted))
    planted["tan_max_angle_0"] = np.tan(outer)
    planted["perturbed_tan_max_angle_0"] = _perturbed_tan_angle(base, update, tokens)

    q = planting.orthogonal(seeds.frame, size, d, columns["frame"] != 0)
    value = q @ base.matrix() @ q.transpose(0, 2, 1)
    change = q @ update.matrix() @ q.transpose(0, 2, 1)
    symmetric = (columns["base"] != "general")[:, None, None]
    value = np.where(symmetric, (value + value.transpose(0, 2, 1)) / 2, value)
    kept = symmetric & np.isin(columns["update"], ("blocks", "gram", "orthogonal"))[:, None, None]
    change = np.where(kept, (change + change.transpose(0, 2, 1)) / 2, change)
    attention, attention_change = _attention(columns, seeds.frame, value, change)
    horizon = _horizon(family, columns, planted)
    times = np.stack([horizon / 3, horizon], axis=-1)
    tensors = (value, change, attention, attention_change, tokens @ q.transpose(0, 2, 1), times, q[:, :, 0])
    dense = (torch.from_numpy(np.ascontiguousarray(x)) for x in tensors)
    return Batch(family, columns, {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in planted.items()}, *dense)


def draw(family: Family, size: int, n: int, d: int, seed: int) -> Batch:
    """``size`` random instances of a family; the same arguments give the same batch."""
    root = np.random.SeedSequence((seed, n, d, *family.name.encode()))
    columns_rng, *parts = (np.random.default_rng(s) for s in root.spawn(4))
    return realise(family, family.columns(columns_rng, size, n, d), Seeds(*parts))


def realise_one(family: Family | str, spec: InstanceSpec) -> Batch:
    """The one instance of a specification, as a batch of one; its seeds are the specification's own."""
    chosen = FAMILIES[family] if isinstance(family, str) else family
    seeds = Seeds(*(np.random.default_rng(s) for s in (spec.frame, spec.directions, spec.placement)))
    return realise(chosen, as_columns(spec), seeds)
