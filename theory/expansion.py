"""The perturbation series of the leading eigenpair to any order: the Rayleigh-Schrödinger recursion.

With V diagonal in the basis used (``levels``, leading one first) and M the perturbation in that basis,
``(V + ε M) x = λ x``, ``x = Σ ε^k x_k``, ``x_0 = e_1``, first entry of ``x_k`` zero for k >= 1:

    λ_k = (M x_{k-1})_1,
    (x_k)_j = [(M x_{k-1})_j - Σ_{i=1}^{k-1} λ_i (x_{k-i})_j] / (levels_1 - levels_j),  j >= 2.

M need not be symmetric: for a non-symmetric diagonalisable V it is ``P^{-1} ΔV P``. The exceptional set is
``levels_j = levels_1`` for some j >= 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def coefficients(levels: Sequence[Any], matrix: Sequence[Sequence[Any]], order: int) -> tuple[list[Any], list[Any]]:
    """λ_1 ... λ_order and x_0 ... x_order (lists of entries), in the arithmetic of the entries (exact ones too).

    Raises ZeroDivisionError where another level equals the leading one, in arithmetics that do.
    """
    size = range(len(levels))
    one, zero = levels[0] * 0 + 1, levels[0] * 0
    vectors: list[list[Any]] = [[one] + [zero] * (len(levels) - 1)]
    values: list[Any] = []
    for k in range(1, order + 1):
        image = [sum((matrix[i][j] * vectors[-1][j] for j in size), zero) for i in size]
        values.append(image[0])
        following = [zero]
        for j in size[1:]:
            known = sum((values[i - 1] * vectors[k - i][j] for i in range(1, k)), zero)
            following.append((image[j] - known) / (levels[0] - levels[j]))
        vectors.append(following)
    return values, vectors


def eigenvalue_series(levels: torch.Tensor, matrix: torch.Tensor, order: int) -> torch.Tensor:
    """λ_1 ... λ_order as ``(B, order)``, for ``levels (B, d)``, ``matrix (B, d, d)``: the recursion in batches."""
    vectors = [torch.zeros_like(levels)]
    vectors[0][:, 0] = 1
    values: list[torch.Tensor] = []
    difference = (levels[:, :1] - levels)[:, 1:]
    for k in range(1, order + 1):
        image = torch.einsum("bij,bj->bi", matrix, vectors[-1])
        values.append(image[:, 0])
        known = sum((values[i - 1].unsqueeze(-1) * vectors[k - i] for i in range(1, k)), torch.zeros_like(image))
        rest = (image - known)[:, 1:] / difference
        vectors.append(torch.cat([torch.zeros_like(rest[:, :1]), rest], dim=1))
    return torch.stack(values, dim=1)
