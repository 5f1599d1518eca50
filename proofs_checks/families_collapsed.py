"""Collapsed tokens: at a tiny overlap with ũ1 (thm-4.6/cutoff), and at V = I (thm-4.6/degenerate).

Tiny overlaps live in frames whose matrices are diagonal or nearly so: elsewhere rounding alone, of size 1e-16,
would be a share of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from proofs_checks import planting
from proofs_checks.families_first_passage import attention_pair, generator, passage_instance, tensors, units
from proofs_checks.instance_file import Instance
from proofs_checks.jumps import GRID, NINE_TENTHS, TENTH, Jumps
from proofs_checks.passages import Passages
from proofs_checks.sampler import Batch
from proofs_checks.sources import Source, instance_of, product_shares
from proofs_checks.spec import Choice, Family
from theory import thm_4_6 as theory
from theory.lowering import to_torch

CUTOFF = Family("cutoff", {}, region="hemisphere", simulated=False)
DEGENERATE = Family("degenerate", {}, region="hemisphere", simulated=False)
_AFTER = 5.0
_SMALLEST_TURNED = 6
"""Overlaps below ten to minus this are not put into a rotated frame."""
Array = np.ndarray


def _levels(rng: np.random.Generator, size: int, d: int) -> tuple[Array, Array]:
    """Eigenvalues (B, d) of V + ΔV, decreasing, of any sign, with range at most twice the gap; and the gap (B,)."""
    gap = rng.uniform(0.5, 1.5, size)
    top = rng.uniform(-0.5, 2.0, size)
    rest = np.sort(rng.uniform(0, 1, (size, d - 2)), axis=1) * gap[:, None]
    return np.concatenate([top[:, None], (top - gap)[:, None], (top - gap)[:, None] - rest], axis=1), gap


def _crossed(overlap: Array, gap: Array, levels: Array, rng: np.random.Generator) -> dict[str, Array]:
    """V and ΔV past a crossing, in the frame of u1, u2: a token at u1 has about this overlap with ũ1.

    V + ΔV is [[x, α], [α, x + Δ]] on the first two axes, with Δ = e - gap - a.
    """
    size, d = levels.shape
    base_gap, a = rng.uniform(0.3, 1.0, size), rng.uniform(-0.2, 0.2, size)
    alpha, e = overlap * gap, base_gap + a + gap
    value, update = np.zeros((2, size, d, d))
    value[:, 0, 0] = 1.0
    value[:, 1, 1] = 1.0 - base_gap
    for k in range(2, d):
        value[:, k, k] = 1.0 - base_gap - rng.uniform(0, 1, size)
    update[:, 0, 0], update[:, 1, 1] = a, e
    update[:, 0, 1] = update[:, 1, 0] = alpha
    exact = np.sin(np.arctan2(2 * alpha, gap) / 2)
    return {
        "value": value, "update": update, "overlap": exact, "alpha_abs": alpha, "gap": base_gap, "a": a, "e": e,
        "perturbed_gap": np.hypot(gap, 2 * alpha),
    }  # fmt: skip


def draw_cutoff(size: int, n: int, d: int, seed: int) -> Batch:
    """Equal tokens at overlaps 1e-2 ... 1e-12: ``along`` ũ2, ``generic``, or at u1 past a ``crossing``."""
    rng = generator("cutoff", n, d, seed)
    kind = rng.choice(np.array(["along", "generic", "crossing"]), p=[0.4, 0.4, 0.2], size=size)
    kind = np.where((kind == "generic") & (d == 2), "along", kind)
    exponent = rng.integers(2, 13, size)
    overlap = 10.0**-exponent
    levels, gap = _levels(rng, size, d)
    generic, crossing = kind == "generic", (kind == "crossing")[:, None, None]
    share = np.where(generic, np.cos(rng.uniform(0.1, 1.4, size)), 1.0)
    second = np.sqrt(1 - overlap**2) * share
    token = np.zeros((size, d))
    token[:, 0], token[:, 1] = overlap, second
    if d > 2:
        rest = np.sqrt(np.maximum(1 - overlap**2 - second**2, 0.0))
        token[:, 2:] = units(rng, size, d - 2) * np.where(generic, rest, 0.0)[:, None]
    turned = (exponent <= _SMALLEST_TURNED) & (rng.integers(2, size=size) == 0) & (kind != "crossing")
    q = planting.orthogonal(rng, size, d, turned)
    total = np.einsum("bij,bj,bkj->bik", q, levels, q)
    total = (total + total.transpose(0, 2, 1)) / 2
    g = rng.standard_normal((size, d, d)) / np.sqrt(d)
    update = (g + g.transpose(0, 2, 1)) / 2
    crossed = _crossed(overlap, gap, levels, rng)
    value = np.where(crossing, crossed["value"], total - update)
    update = np.where(crossing, crossed["update"], update)
    token = np.where(crossing[:, 0], np.eye(d)[0], np.einsum("bij,bj->bi", q, token))
    attention, change, choice = attention_pair(rng, value, update)

    chosen = kind == "crossing"
    planted = tensors(
        overlap=np.where(chosen, crossed["overlap"], overlap),
        overlap_2=np.where(chosen, np.sqrt(1 - crossed["overlap"] ** 2), second),
        perturbed_gap=np.where(chosen, crossed["perturbed_gap"], gap),
        overlap_low=np.full(size, TENTH),
        overlap_high=np.full(size, NINE_TENTHS),
        **{name: crossed[name] for name in ("alpha_abs", "gap", "a", "e")},
    )
    end = to_torch(theory.CUTOFF_UPPER, **planted) + _AFTER / planted["perturbed_gap"]
    times = end.unsqueeze(1) * torch.arange(1, GRID + 1, dtype=torch.float64) / GRID
    columns = {
        "update": np.full(size, "blocks"), "base": np.full(size, "symmetric"), "attention": choice, "kind": kind,
    }  # fmt: skip
    tokens = np.repeat(token[:, None, :], n, axis=1)
    dense = tensors(V=value, dV=update, A=attention, dA=change, tokens=tokens, direction=q[:, :, 0])
    return Batch(CUTOFF, columns, planted, times=times, **dense)


def draw_degenerate(size: int, n: int, d: int, seed: int) -> Batch:
    """V = I and one direction of V + ΔV weakened by ε: equal tokens at θ0 from e1, in the plane of both."""
    rng = generator("degenerate", n, d, seed)
    weakening = 10 ** rng.uniform(-2, 0, size)
    angle = rng.uniform(0.1, 1.5, size)
    deviation = angle * rng.uniform(0.05, 0.95, size)
    q = planting.orthogonal(rng, size, d, rng.integers(8, size=size) > 0)
    update = -weakening[:, None, None] * q[:, :, 1, None] * q[:, None, :, 1]
    value = np.broadcast_to(np.eye(d), (size, d, d))
    token = np.cos(angle)[:, None] * q[:, :, 0] + np.sin(angle)[:, None] * q[:, :, 1]
    attention, change, choice = attention_pair(rng, value, update)
    planted = tensors(weakening=weakening, angle_0=angle, deviation=deviation)
    horizon = 1.05 * to_torch(theory.DEGENERATE_TIME, **planted) + 0.1
    columns = {
        "update": np.full(size, "blocks"), "base": np.full(size, "psd"), "attention": choice,
        "kind": np.full(size, "collapsed"), "passage_angle": deviation,
    }  # fmt: skip
    times = torch.stack([horizon / 3, horizon], dim=-1)
    tokens = np.repeat(token[:, None, :], n, axis=1)
    dense = tensors(V=value, dV=update, A=attention, dA=change, tokens=tokens, direction=token)
    return Batch(DEGENERATE, columns, planted, times=times, **dense)


def _plain_instance(batch: Batch, row: int, claim_id: str, kind: str) -> Instance:
    plain = instance_of(batch, row, claim_id, kind)
    meta: dict[str, Any] = {"family": batch.family.name, "kind": str(batch.columns["kind"][row])}
    return Instance(**{**vars(plain), "meta": meta})


_CUTOFF_SHARES = {(1, 8): 0.17, (2, 16): 0.2, (4, 3): 0.24, (8, 4): 0.21, (16, 2): 0.18}
"""Every n and every d, few pairs: collapsed tokens all do the same, and each pair costs as much as a hundred rows."""
_SHARES = product_shares(
    Choice((1, 2, 4, 8, 16), (0.17, 0.22, 0.23, 0.19, 0.19)), Choice((2, 3, 4, 8, 16), (0.17, 0.22, 0.23, 0.19, 0.19))
)

SOURCES: dict[str, Source] = {
    "cutoff": Source("cutoff", 560, _CUTOFF_SHARES, draw_cutoff, "cutoff", Jumps, _plain_instance),
    "degenerate": Source("degenerate", 800, _SHARES, draw_degenerate, "degenerate", Passages, passage_instance),
}
"""Family name → source."""
