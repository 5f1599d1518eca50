"""Instances whose tokens pass a given angle in finite time: away from u (thm-4.6/lower), or towards ũ1 (thm-4.6/upper).

All blocks are planted in the frame of u (for arrivals, of ũ1); V + ΔV is built first and V chosen freely, so that ΔV
is what is left. The angle to pass stands in ``columns["passage_angle"]``, radians.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from proofs_checks import planting
from proofs_checks.deviation import deviation_integral
from proofs_checks.instance_file import Instance
from proofs_checks.passages import Passages
from proofs_checks.sampler import Batch
from proofs_checks.sources import Source, instance_of, product_shares
from proofs_checks.spec import Choice, Family
from theory import thm_4_6 as theory
from theory.lowering import to_torch

DEVIATION = Family("deviation", {}, region="cone", simulated=False)
ARRIVAL = Family("arrival", {}, region="hemisphere", simulated=False)
_LONGEST = 8.0
"""Deviations are waited for during this many times their lower bound."""
_CAPTURE = 24.0
"""Logit that makes the tokens of a ``branch`` instance attend to those inside the cone."""
Array = np.ndarray


def generator(name: str, n: int, d: int, seed: int) -> np.random.Generator:
    """The generator of a block: the same arguments give the same numbers."""
    return np.random.default_rng(np.random.SeedSequence((seed, n, d, *name.encode())))


def units(rng: np.random.Generator, *shape: int) -> Array:
    """Random unit vectors along the last axis of ``shape``."""
    g = rng.standard_normal(shape)
    return g / np.linalg.norm(g, axis=-1, keepdims=True)


def _outer(x: Array, y: Array) -> Array:
    return x[..., :, None] * y[..., None, :]


def _pick(rng: np.random.Generator, size: int, *choices: float) -> Array:
    return rng.choice(np.asarray(choices), size=size)


# --- tokens that leave the neighbourhood of u -------------------------------------------------------


def _leaving_blocks(rng: np.random.Generator, kind: Array, axis: Array) -> planting.Blocks:
    """V + ΔV in the frame of u; for ``aligned`` and ``branch`` b, c and κ act along the axis of the tokens."""
    size, k = axis.shape
    branch, loose = kind == "branch", kind == "loose"
    symmetric = kind == "symmetric"
    w = rng.uniform(-1.0, 0.8, size)
    b = rng.uniform(0.1, 1.5, size)
    c = rng.uniform(0.0, 0.8, size) * _pick(rng, size, 0.0, 1.0, 1.0)
    kappa = rng.uniform(0.0, 1.2, size) * _pick(rng, size, 0.0, 1.0, 1.0, 1.0)
    w = np.where(branch, 0.2 * w, w)
    b = np.where(branch, 1.0 + 0.3 * b, b)
    c, kappa = np.where(branch, 0.05 * c, c), np.where(branch, 0.1 * kappa, kappa)
    # Loose instances have b near the axis, the rest anywhere; symmetric ones c = b.
    toward = axis + (rng.uniform(0, 0.8, size) * loose)[:, None] * units(rng, size, k)
    column = b[:, None] * toward / planting.norm(toward)[:, None]
    row = np.where(loose[:, None], c[:, None] * units(rng, size, k), -c[:, None] * axis)
    row = np.where(symmetric[:, None], column, row)
    g = rng.standard_normal((size, k, k))
    g = g / planting.operator_norm(g)[:, None, None]
    g = np.where(symmetric[:, None, None], (g + g.transpose(0, 2, 1)) / 2, g)
    across = np.eye(k) - _outer(axis, axis)
    along = _outer(axis, axis) + 0.9 * across @ g @ across
    block = kappa[:, None, None] * np.where((loose | symmetric)[:, None, None], g, along)
    return planting.Blocks(w, column, row, block)


def _leaving_tokens(rng: np.random.Generator, kind: Array, axis: Array, n: int, angle: Array, inner: Array) -> Array:
    """Tokens (B, n, d) in the frame of u, the outermost at ``angle``; those inside a ``branch`` cone at ``inner``."""
    size, k = axis.shape
    together, branch = np.isin(kind, ("aligned", "symmetric"))[:, None], (kind == "branch")[:, None]
    radii = angle[:, None] * np.where(together, 1.0, rng.uniform(0, 1, (size, n)))
    radii = np.where(branch, inner[:, None], radii)
    radii[:, 0] = angle
    random = units(rng, size, n, k)
    near = axis[:, None, :] + 0.5 * rng.uniform(size=(size, 1, 1)) * random
    near = near / np.linalg.norm(near, axis=-1, keepdims=True)
    directions = np.where((together | branch)[:, :, None], axis[:, None, :], near)
    directions[:, 0] = axis
    return np.concatenate([np.cos(radii)[..., None], np.sin(radii)[..., None] * directions], axis=-1)


def _inner_angle(blocks: planting.Blocks, kind: Array, angle: Array) -> tuple[Array, Array]:
    """Angle of the tokens that pull most (the angle itself where that is on the boundary), and whether it is inside."""
    tangent = np.tan(angle)
    sideways = planting.operator_norm(blocks.block) + planting.norm(blocks.row) * tangent
    best = np.arctan2(sideways, planting.norm(blocks.column) - blocks.corner * tangent)
    return np.minimum(best, angle), (kind == "branch") & (best < angle)


def _capturing_attention(tokens: Array) -> Array:
    """A (B, d, d) with which the first token attends to the last ones, which attend to themselves."""
    toward = tokens[:, -1] - tokens[:, 0]
    size = (toward**2).sum(axis=-1)[:, None, None]
    return _CAPTURE * _outer(toward, tokens[:, 0]) / np.where(size > 0, size, 1.0)


def _split(rng: np.random.Generator, total: Array, symmetric: Array) -> tuple[Array, Array]:
    """V and ΔV with the given sum: V symmetric, or general where the total is not and every third time."""
    size, d, _ = total.shape
    g = rng.standard_normal((size, d, d)) / np.sqrt(d)
    general = ~symmetric & (rng.integers(3, size=size) == 0)
    value = np.where(general[:, None, None], g, (g + g.transpose(0, 2, 1)) / 2)
    return value, total - value


def attention_pair(rng: np.random.Generator, value: Array, update: Array) -> tuple[Array, Array, Array]:
    """A, ΔA and the kind of each: ``value`` (A = V), ``general``, ``zero``."""
    size, d, _ = value.shape
    kind = rng.choice(np.array(["value", "general", "zero"]), p=[0.25, 0.6, 0.15], size=size)
    same = (kind == "value")[:, None, None]
    strength = (rng.uniform(0.1, 5, size) * (kind == "general"))[:, None, None]
    g, h = rng.standard_normal((2, size, d, d)) / np.sqrt(d)
    return np.where(same, value, strength * g), np.where(same, update, 0.1 * strength * h), kind


def draw_deviation(size: int, n: int, d: int, seed: int) -> Batch:
    """Tokens that move away from u: equality for ``aligned``, the second branch for ``branch``."""
    rng = generator("deviation", n, d, seed)
    kinds, shares = ["aligned", "loose", "symmetric", "branch"], [0.3, 0.4, 0.1, 0.2]
    kind = rng.choice(np.array(kinds), p=shares, size=size)
    kind = np.where((kind == "branch") & (n == 1), "aligned", kind)
    axis = units(rng, size, d - 1)
    blocks = _leaving_blocks(rng, kind, axis)
    angle = rng.uniform(0.05, 1.25, size)
    angle = np.where(kind == "branch", rng.uniform(0.5, 1.1, size), angle)
    inner, inside = _inner_angle(blocks, kind, angle)
    share = np.where(inside, rng.uniform(0.02, 0.1, size), rng.uniform(0.05, 0.6, size))
    target = angle + share * (1.45 - angle)
    tokens = _leaving_tokens(rng, kind, axis, n, angle, inner)

    q = planting.orthogonal(rng, size, d, rng.integers(8, size=size) > 0)
    total = q @ blocks.matrix() @ q.transpose(0, 2, 1)
    symmetric = kind == "symmetric"
    total = np.where(symmetric[:, None, None], (total + total.transpose(0, 2, 1)) / 2, total)
    tokens = tokens @ q.transpose(0, 2, 1)
    value, update = _split(rng, total, symmetric)
    attention, change, choice = attention_pair(rng, value, update)
    held = inside[:, None, None]
    attention = np.where(held, _capturing_attention(tokens), attention)
    change, choice = np.where(held, 0.0, change), np.where(inside, "general", choice)

    kappa = planting.operator_norm(blocks.block)
    planted = tensors(
        w=blocks.corner, kappa=kappa, cone_separation=blocks.corner - kappa, b_norm=planting.norm(blocks.column),
        c_norm=planting.norm(blocks.row), tan_max_angle_0=np.tan(angle), tan_passage=np.tan(target),
    )  # fmt: skip
    bound, _ = deviation_integral(planted, planted["tan_max_angle_0"], planted["tan_passage"])
    horizon = torch.where(bound.isfinite(), (_LONGEST * bound).clamp(max=20.0), 4.0)
    columns = {
        "update": np.where(symmetric, "blocks", "general"),
        "base": np.where(symmetric, "symmetric", "general"),
        "attention": choice, "kind": np.where(inside, "branch", kind), "passage_angle": target,
    }  # fmt: skip
    times = torch.stack([horizon / 3, horizon], dim=-1)
    dense = tensors(V=value, dV=update, A=attention, dA=change, tokens=tokens, direction=q[:, :, 0])
    return Batch(DEVIATION, columns, planted, times=times, **dense)


# --- tokens that arrive at ũ1 ------------------------------------------------------------------------


def draw_arrival(size: int, n: int, d: int, seed: int) -> Batch:
    """Tokens in the hemisphere of ũ1, V and ΔV symmetric; planar ones in the plane of ũ1 and ũ2 attain the bound."""
    rng = generator("arrival", n, d, seed)
    top = rng.uniform(0.5, 2.0, size)
    gap = top * rng.uniform(0.25, 1.0, size)
    second = top - gap
    rest = rng.uniform(-1, 1, (size, d - 2)) * second[:, None]
    levels = np.concatenate([top[:, None], second[:, None], rest], axis=1)
    kind = rng.choice(np.array(["planar", "cone", "clustered"]), size=size)
    angle = rng.uniform(0.1, 1.55, size)
    target = angle * rng.uniform(0.02, 0.95, size)
    radii = angle[:, None] * np.where((kind == "cone")[:, None], rng.uniform(0, 1, (size, n)), 1.0)
    radii = np.where((kind == "clustered")[:, None], radii * (1 - 0.05 * rng.uniform(size=(size, n))), radii)
    radii[:, 0] = angle
    second_axis = np.broadcast_to(np.eye(d - 1)[0], (size, n, d - 1))
    near = units(rng, size, 1, d - 1) + 0.1 * units(rng, size, n, d - 1)
    directions = np.where((kind == "cone")[:, None, None], units(rng, size, n, d - 1), near)
    directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    directions = np.where((kind == "planar")[:, None, None], second_axis, directions)
    tokens = np.concatenate([np.cos(radii)[..., None], np.sin(radii)[..., None] * directions], axis=-1)

    q = planting.orthogonal(rng, size, d, rng.integers(8, size=size) > 0)
    total = np.einsum("bij,bj,bkj->bik", q, levels, q)
    total = (total + total.transpose(0, 2, 1)) / 2
    value, update = _split(rng, total, np.ones(size, bool))
    attention, change, choice = attention_pair(rng, value, update)
    planted = tensors(overlap=np.cos(angle), target_angle=target, perturbed_dominant_gap=gap)
    # Longer than the bound, so that a token which is late is seen to arrive late.
    horizon = 1.1 * to_torch(theory.ARRIVAL_TIME, **planted) + 0.1
    columns = {
        "update": np.full(size, "blocks"), "base": np.full(size, "symmetric"), "attention": choice, "kind": kind,
        "passage_angle": target,
    }  # fmt: skip
    times = torch.stack([horizon / 3, horizon], dim=-1)
    dense = tensors(
        V=value, dV=update, A=attention, dA=change, tokens=tokens @ q.transpose(0, 2, 1), direction=q[:, :, 0]
    )
    return Batch(ARRIVAL, columns, planted, times=times, **dense)


def tensors(**arrays: Array) -> dict[str, torch.Tensor]:
    """The arrays as tensors of their own layout."""
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in arrays.items()}


def passage_instance(batch: Batch, row: int, claim_id: str, kind: str) -> Instance:
    """One row as an instance file, with u and the angle to pass in its metadata."""
    plain = instance_of(batch, row, claim_id, kind)
    meta: dict[str, Any] = {"family": batch.family.name, "angle": repr(float(batch.columns["passage_angle"][row]))}
    if batch.family is DEVIATION:
        meta["u"] = [repr(float(x)) for x in batch.direction[row]]
    return Instance(**{**vars(plain), "meta": meta})


_SHARES = product_shares(
    Choice((1, 2, 4, 8, 16), (0.17, 0.25, 0.25, 0.2, 0.13)), Choice((2, 3, 4, 8, 16), (0.17, 0.25, 0.25, 0.2, 0.13))
)

SOURCES: dict[str, Source] = {
    name: Source(name, quick, _SHARES, draw, name, Passages, passage_instance)
    for name, quick, draw in (("deviation", 12_500, draw_deviation), ("arrival", 10_500, draw_arrival))
}
"""Family name → source."""
