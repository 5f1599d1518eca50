"""Products ``left (d, r) @ right (r, d)`` of low rank, made small without loss before anything is measured.

An OV product acts on the span of its factors and is zero beyond. In an orthonormal basis Q of that span, plus two
directions outside that stand for all the others, it is a small matrix with the same norms, the same symmetric part
and the same eigenvalues (zero at least twice, where the product has it d - k + 2 times). So no (d, d) eigenproblem is
solved where r is small; where the span is nearly all of the space the dense matrices are used as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Factors = tuple[Tensor, Tensor]
"""``left (d, r)`` and ``right (r, d)``."""
_OUTSIDE = 2
"""Directions outside the span that are kept: with two, the zero eigenvalue is multiple in the small matrix too."""


@dataclass(frozen=True)
class Compressed:
    """Several products in one common basis.

    Attributes
    ----------
    matrices: ``(k, k)`` each, ``basisᵀ left right basis``, in the order given.
    basis: ``(d, k)``, orthonormal columns; the identity where k = d.
    """

    matrices: tuple[Tensor, ...]
    basis: Tensor


def compress(*products: Factors) -> Compressed:
    """The products in the smallest common basis; their differences are then exact differences of the small matrices.

    Raises ``ValueError`` where the factors do not fit each other.
    """
    d = products[0][0].shape[0]
    for left, right in products:
        if left.shape[0] != d or right.shape[1] != d or left.shape[1] != right.shape[0]:
            raise ValueError(f"no products of one size: {tuple(left.shape)} and {tuple(right.shape)}")
    basis = _basis(products, d)
    return Compressed(tuple((basis.mT @ left) @ (right @ basis) for left, right in products), basis)


def _basis(products: tuple[Factors, ...], d: int) -> Tensor:
    first = products[0]
    columns = [first[0], first[1].mT]
    for left, right in products[1:]:
        for block, own in ((left, first[0]), (right.mT, first[1].mT)):
            # of a factor that a low-rank update has changed, the change is enough
            columns.append(column_space(block - own) if block.shape == own.shape else block)
    reference = columns[0]
    if sum(block.shape[1] for block in columns) + _OUTSIDE >= d:
        return torch.eye(d, dtype=reference.dtype, device=reference.device)
    generator = torch.Generator().manual_seed(0)  # any fixed directions do: they are outside the span almost surely
    outside = torch.randn(d, _OUTSIDE, generator=generator, dtype=reference.dtype).to(reference.device)
    return torch.linalg.qr(torch.cat([*columns, outside], dim=1)).Q


def column_space(columns: Tensor) -> Tensor:
    """Orthonormal columns that span those of ``columns (d, r)`` up to rounding; none where they are 0 or r is 0."""
    if columns.shape[1] == 0:
        return columns
    left, singular, _ = torch.linalg.svd(columns, full_matrices=False)
    rounding = torch.finfo(columns.dtype).eps * max(columns.shape) * float(singular[0])
    return left[:, singular > rounding]
