"""What the monitor computes once: the base weights of every head about the unit vector that it watches."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from numerics.factored import compress
from numerics.factored_growth import HeadConstants
from numerics.spectral import leading_eigenvector_symmetric, split_about
from proofs_checks.audit.model import LayerWeights, Shape
from proofs_checks.audit.updates import cone_margin
from proofs_checks.real_weights import spectrum_of_product


def watched(weights: LayerWeights, head: int) -> tuple[Tensor, Tensor]:
    """The leading vector ``u (d,)`` of V about which its cone margin is largest, and ``(w, κ, |b0|, |c0|)`` about it.

    It is the leading eigenvector of the symmetric part or the leading right eigenvector, as in the audit.
    """
    factors = weights.head_factors(head)
    small = compress(factors)
    V = small.matrices[0]
    right = spectrum_of_product(*factors)[1]
    vectors = [leading_eigenvector_symmetric(((V + V.mT) / 2).unsqueeze(0)).vector]
    vectors += [] if right is None else [right @ small.basis]
    inside = max(vectors, key=lambda x: cone_margin(V, x))
    cone = split_about(V.unsqueeze(0), inside)
    return small.basis @ inside.squeeze(0), torch.cat([cone.w, cone.kappa, cone.b_norm, cone.c_norm])


def constants(shape: Shape, layers: Iterable[LayerWeights], copies: bool) -> HeadConstants:
    """Stacked over layers, on the CPU; ``copies``: W_O is adapted, so W_V and W_O are in it, float32 if they are so."""
    heads = range(shape.heads)
    group = torch.arange(shape.heads) * shape.kv_heads // shape.heads
    found: dict[str, list[Tensor]] = {}

    def add(**tensors: Tensor) -> None:
        for name, x in tensors.items():
            found.setdefault(name, []).append(x)

    for weights in layers:
        gain = torch.ones(shape.width, dtype=torch.float64) if weights.gain is None else weights.gain
        factors = [weights.head_factors(h) for h in heads]
        pairs = [watched(weights, h) for h in heads]
        u, numbers = (torch.stack([pair[k] for pair in pairs]) for k in (0, 1))
        O, W = (torch.stack([pair[k] for pair in factors]) for k in (0, 1))  # noqa: E741 (its name in the formulas)
        forward = _apply(O, _apply(W, u))
        backward = _apply(W.mT, _apply(O.mT, u))
        w = numbers[:, :1]
        b0, c0 = forward - w * u, backward - w * u
        add(
            numbers=numbers, u=u, b0=b0, gain_squared=gain.square(), left_gram=O.mT @ O, left_u=_apply(O.mT, u),
            left_b=_apply(O.mT, b0), right_u=gain * u, right_c=gain * c0,
        )  # fmt: skip
        if copies:
            add(value=weights.value, output=weights.output.mT.contiguous())
            add(inner_gram=W @ W.mT, inner_u=_apply(W, u), inner_c=_apply(W, c0))
    for name in {"value", "output"} & found.keys():
        found[name] = _narrowed(found[name])
    stacked: dict[str, Tensor] = {name: torch.stack(x) for name, x in found.items()}
    w, kappa, b_norm, c_norm = stacked.pop("numbers").unbind(-1)
    optional = dict.fromkeys(("value", "output", "inner_gram", "inner_u", "inner_c"))
    return HeadConstants(w=w, kappa=kappa, b_norm=b_norm, c_norm=c_norm, group=group, **{**optional, **stacked})


def _apply(matrix: Tensor, vectors: Tensor) -> Tensor:
    """``(H, m, n) × (H, n) → (H, m)``."""
    return (matrix @ vectors.unsqueeze(-1)).squeeze(-1)


def _narrowed(tensors: list[Tensor]) -> list[Tensor]:
    """As float32 where nothing is lost."""
    narrow = [x.float() for x in tensors]
    return narrow if all(bool((x == y).all()) for x, y in zip(tensors, narrow, strict=True)) else tensors
