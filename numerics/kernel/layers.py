"""One layer of the layered model by the compiled kernel, ``x -> N(x + V m + f (L R m + M m))``."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.kernel import structures
from numerics.kernel.library import library

LARGEST = 512
"""Up to this number of tokens the kernel is used."""


@dataclass(frozen=True)
class Update:
    """What a layer adds to V: ``f (left right + dense)``.

    Attributes
    ----------
    left, right: ``(G, d, r)`` and ``(G, r, d)``, or both None. dense: ``(G, d, d)``, ``(d, d)``, or None.
    factors: f, ``(B / G, n)``, or expanded along either: instance b has the update ``b // (B / G)`` and the factors
        ``b % (B / G)``, one for each token.
    """

    left: Tensor | None
    right: Tensor | None
    dense: Tensor | None
    factors: Tensor


def applies(*tensors: Tensor | None) -> bool:
    """Whether the kernel is there and can read these; the first are the tokens ``(B, n, d)``."""
    tokens = tensors[0]
    assert tokens is not None
    small = 0 < tokens.shape[1] <= LARGEST and 0 not in tokens.shape
    return small and structures.suits(*tensors) and library() is not None


def layer(
    tokens: Tensor, attention: Tensor | None, value: Tensor, update: Update | None, *, shift: bool, causal: bool
) -> Tensor:
    """The tokens ``(B, n, d)`` after one layer.

    ``attention``: A, ``(B, d, d)`` or ``(d, d)``; None: every token is its own mean. ``value``: V, likewise. The step h
    is part of ``value`` and of the factors. Raises ValueError for sizes that do not fit.
    """
    loaded = library()
    assert loaded is not None
    batch, n, d = tokens.shape
    tokens, out = tokens.contiguous(), torch.empty((batch, n, d), dtype=torch.float64)
    A, attention_instance = _matrices("A", attention, batch, d)
    V, value_instance = _matrices("V", value, batch, d)
    own = Update(None, None, None, tokens.new_zeros(1, 1).expand(1, n)) if update is None else update
    group = own.factors.shape[0]
    if batch % group or own.factors.shape != (group, n):
        raise ValueError(f"factors {tuple(own.factors.shape)} do not fit {batch} clouds of {n} tokens")
    M, dense_instance = _matrices("M", own.dense, batch // group, d)
    rank = 0 if own.left is None else own.left.shape[-1]
    left, right = own.left, own.right
    if left is not None and right is not None:
        if left.shape != (batch // group, d, rank) or right.shape != (batch // group, rank, d):
            raise ValueError(f"factors {tuple(left.shape)} and {tuple(right.shape)} do not fit d = {d}")
        left, right = left.contiguous(), right.contiguous()
    factor_instance, factor_token = own.factors.stride()
    call = structures.Layer(
        batch=batch, n=n, d=d, rank=rank, group=group, shift=shift, causal=causal, attends=A is not None,
        threads=torch.get_num_threads(), attention_instance=attention_instance, value_instance=value_instance,
        dense_instance=dense_instance, factor_instance=factor_instance, factor_token=factor_token,
        tokens=structures.pointer(tokens), attention=_at(A), value=_at(V), left=_at(left), right=_at(right),
        dense=_at(M), factors=own.factors.data_ptr(), out=structures.pointer(out),
    )  # fmt: skip
    if loaded.functions.loraproofs_layer(ctypes.byref(call)):
        raise MemoryError(f"not enough memory for a layer of {n} tokens in dimension {d}")
    return out


def _matrices(name: str, x: Tensor | None, batch: int, d: int) -> tuple[Tensor | None, int]:
    if x is None:
        return None, 0
    if x.shape not in ((d, d), (1, d, d), (batch, d, d)):
        raise ValueError(f"{name} of shape {tuple(x.shape)} does not fit {batch} instances in dimension {d}")
    return structures.matrices(x)


def _at(x: Tensor | None) -> int | None:
    return None if x is None else structures.pointer(x)
