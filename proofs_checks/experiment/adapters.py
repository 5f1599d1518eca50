"""Random adapters of a given norm on the value side of a language model, and the hooks that add them.

Places: ``v`` adds B A to W_V, as LoRA on ``v_proj`` does; ``ov`` adds ``ΔV m`` to what attention adds to the residual
stream, m the mean over the heads of their attended tokens: the place that ΔV has in the theorems. At ``v`` one B for
all layers goes through another W_O in each of them, so that what reaches the residual stream is not tied.

Kinds: ``random`` (new factors in every layer), ``tied`` (the same in all), and random ones projected: ``off-u1`` (both
factors off the leading eigenvector of the symmetric part of ``V = W_O R W_V``), ``off-top`` (off its leading 16),
``off-rows`` (the reading factor off the row space of W_V).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from proofs_checks.experiment.language_model import LanguageModel, ValueSide

KINDS = ("random", "tied", "off-u1", "off-top", "off-rows")
PLACES = ("v", "ov")
RANK = 8
TOP = 16


@dataclass(frozen=True)
class Adapters:
    """A family of adapters.

    Attributes
    ----------
    kind, place: of :data:`KINDS` and :data:`PLACES`.
    norm: ``||ΔV||/||V||``, the same in every layer that has one (at ``v``: ``||ΔW_V||/||W_V||``).
    rank, seed: r, and the seed of the factors.
    layers: which layers have one; None for all.
    """

    kind: str
    place: str
    norm: float
    rank: int = RANK
    seed: int = 0
    layers: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Factors:
    """``B (out, r)`` and ``A (r, d)`` of one layer, float32, and ``||BA||_F / ||V||``."""

    B: Tensor
    A: Tensor
    frobenius: float


def draw(model: LanguageModel, adapters: Adapters) -> dict[int, Factors]:
    """Layer → factors. The draw of a layer depends on the seed and its number only, not on which others have one."""
    generator = torch.Generator().manual_seed(adapters.seed * 1_000_003 + adapters.rank)
    sides = model.sides
    d = sides[0].value.shape[1]
    found: dict[int, Factors] = {}
    first: tuple[Tensor, Tensor] | None = None
    for layer, side in enumerate(sides):
        out = side.value.shape[0] if adapters.place == "v" else d
        B = torch.randn(out, adapters.rank, generator=generator, dtype=torch.float64)
        A = torch.randn(adapters.rank, d, generator=generator, dtype=torch.float64)
        first = (B, A) if first is None else first
        if adapters.kind == "tied":
            B, A = first
        if adapters.layers is None or layer in adapters.layers:
            found[layer] = _scaled(*projected(B, A, side, adapters), side, adapters)
    return found


def projected(B: Tensor, A: Tensor, side: ValueSide, adapters: Adapters) -> tuple[Tensor, Tensor]:
    """The factors off the directions that the kind names."""
    if adapters.kind == "off-rows":
        return B, A - (A @ side.rows) @ side.rows.mT
    if adapters.kind not in ("off-u1", "off-top"):
        return B, A
    U = side.directions[:, : 1 if adapters.kind == "off-u1" else TOP]
    A = A - (A @ U) @ U.mT
    # at v, the direction M B is what reaches the residual stream, so B goes off the span of Mᵀ U
    left = U if adapters.place == "ov" else torch.linalg.qr(side.output.mT @ U).Q
    return B - left @ (left.mT @ B), A


def _scaled(B: Tensor, A: Tensor, side: ValueSide, adapters: Adapters) -> Factors:
    small = torch.linalg.qr(B).R @ torch.linalg.qr(A.mT).R.mT
    singular = torch.linalg.svdvals(small)
    size = side.norms[0 if adapters.place == "v" else 1]
    factor = adapters.norm * size / float(singular[0])
    frobenius = adapters.norm * float(singular.norm() / singular[0])
    return Factors((B * factor).float(), A.float(), frobenius)


@contextlib.contextmanager
def added(model: LanguageModel, adapters: Adapters) -> Iterator[dict[int, Factors]]:
    """The model with the adapters, inside the block."""
    factors = draw(model, adapters)
    handles = []
    for layer, found in factors.items():
        attention = model.layers[layer].self_attn
        if adapters.place == "v":
            handles.append(attention.v_proj.register_forward_hook(_on_values(found)))
        else:
            handles.append(attention.register_forward_hook(_on_attention(found), with_kwargs=True))
    try:
        yield factors
    finally:
        for handle in handles:
            handle.remove()


def _on_values(factors: Factors) -> Any:
    def hook(_module: Any, inputs: Any, output: Tensor) -> Tensor:
        return output + (inputs[0] @ factors.A.mT) @ factors.B.mT

    return hook


def _on_attention(factors: Factors) -> Any:
    def hook(_module: Any, inputs: Any, named: dict[str, Any], output: Any) -> Any:
        tokens = named["hidden_states"] if "hidden_states" in named else inputs[0]
        attended = output[1].mean(1) @ (tokens @ factors.A.mT)
        return (output[0] + attended @ factors.B.mT, *output[1:])

    return hook
