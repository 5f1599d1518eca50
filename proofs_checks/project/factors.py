"""Where the factors of a layer's adapters must be changed so that ΔV keeps off directions U_h of every head h.

With ``D = diag(gain)``, O_h and W_g the head's parts of W_O and W_V, δO_h and δW_g those of the updates::

    ΔV_h = O_h δW_g D + δO_h (W_g + δW_g) D

**Reading** (``ΔV_h U_h = 0``: nothing is done to tokens along U_h, so b = 0 and a = 0): ``δW_g D U_h = 0``, and then
``δO_h W_g D U_h = 0``. ``δW_g = s B_g A`` has one A for all heads, so A is taken off the span of all ``D U_h``. The
right factor of δO has columns of its own for each head, so these are taken off ``W_g D U_h`` alone.

**Writing** (``U_hᵀ ΔV_h = 0``: no token is pushed into U_h): ``U_hᵀ O_h δW_g = 0`` and ``U_hᵀ δO_h = 0``. The left
factor of δW has rows of its own for each key-value head, so these are taken off ``O_hᵀ U_h`` of its heads. That of δO
is common to all heads, so it is taken off the span of all U_h.

Both are exact with both factors changed at once, the product of the two updates included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.factored import Factors, column_space
from numerics.projection import off_reading, off_writing
from proofs_checks.audit.model import LayerWeights

Pair = tuple[Factors | None, Factors | None]
"""``B (out, r)`` and ``A (r, in)`` of the value module (fused or not) and of the output module; None: not adapted."""


@dataclass(frozen=True)
class Read:
    """Orthonormal columns that the right factors of a layer are taken off.

    Attributes
    ----------
    value: ``(d, k)``, what reads the directions of all heads in the value module.
    output: ``(head_dim, k)`` of each head, in the head's columns of the output module.
    """

    value: Tensor
    output: tuple[Tensor, ...]


def read_by(weights: LayerWeights, U: Sequence[Tensor]) -> Read:
    """What reads the directions ``U[h] (d, k)`` of every head h."""
    gained = [x if weights.gain is None else weights.gain.unsqueeze(1) * x for x in U]
    inner = (column_space(weights.head_factors(head)[1] @ x) for head, x in enumerate(U))
    return Read(column_space(torch.cat(gained, dim=1)), tuple(inner))


def off_reading_of_heads(read: Read, value: Factors | None, output: Factors | None) -> Pair:
    """Both updates changed so that ``ΔV_h U[h] = 0`` for every head.

    In a fused projection queries and keys have the same A, so they read nothing from these directions either.
    """
    if value is not None:
        value = value[0], off_reading(value[1], read.value)
    if output is not None:
        right = output[1].clone()
        size = read.output[0].shape[0]
        for head, columns in enumerate(read.output):
            own = slice(head * size, (head + 1) * size)
            right[:, own] = off_reading(right[:, own], columns)
        output = output[0], right
    return value, output


def off_writing_of_heads(
    weights: LayerWeights, rows: Tensor, value: Factors | None, output: Factors | None, U: Sequence[Tensor]
) -> Pair:
    """Both updates changed so that ``U[h]ᵀ ΔV_h = 0`` for every head; ``rows`` of the value module are W_V's."""
    shape = weights.shape
    if value is not None:
        left = value[0].clone()
        for group in range(shape.kv_heads):
            heads = [h for h in range(shape.heads) if h * shape.kv_heads // shape.heads == group]
            met = torch.cat([weights.head_factors(h)[0].mT @ U[h] for h in heads], dim=1)
            own = rows[group * shape.head_dim : (group + 1) * shape.head_dim]
            left[own] = off_writing(left[own], column_space(met))
        value = left, value[1]
    if output is not None:
        output = off_writing(output[0], column_space(torch.cat(list(U), dim=1))), output[1]
    return value, output
