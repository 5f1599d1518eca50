"""Batches of linear maps of R^d, with a low-rank part kept as factors where it is thin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class LinearMap:
    """``M_b = dense_b + left_b right_b`` for every instance b of a batch.

    Attributes
    ----------
    dense: ``(B, d, d)``. One matrix shared by the batch may be an expanded view (stride 0 along the batch,
        see :meth:`shared`); it is then stored once and applied by a single product.
    left, right: ``(B, d, r)`` and ``(B, r, d)``, or both None.
    """

    dense: Tensor
    left: Tensor | None = None
    right: Tensor | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.dense.shape)
        if len(shape) != 3 or shape[1] != shape[2]:
            raise ValueError(f"a linear map needs matrices of shape (B, d, d), found {shape}")
        if (self.left is None) != (self.right is None):
            raise ValueError("a linear map needs both factors or neither")
        if self.left is not None and self.right is not None:
            _check_factors(self.dense, self.left, self.right)

    @classmethod
    def shared(cls, matrix: Tensor, batch: int) -> LinearMap:
        """One matrix ``(d, d)`` for all ``batch`` instances, stored once."""
        return cls(matrix.unsqueeze(0).expand(batch, -1, -1))

    @property
    def batch(self) -> int:
        """Number of instances B."""
        return self.dense.shape[0]

    @property
    def dimension(self) -> int:
        """Dimension d."""
        return self.dense.shape[1]

    @property
    def is_shared(self) -> bool:
        """Whether ``dense`` is one matrix, expanded along the batch."""
        return self.batch > 1 and self.dense.stride(0) == 0

    def apply(self, x: Tensor) -> Tensor:
        """Rows ``M_b x_bi`` of tokens ``(B, n, d)``."""
        # One large product, not B small ones, where the matrix is shared.
        image = x @ self.dense.select(0, 0).mT if self.is_shared else torch.bmm(x, self.dense.mT)
        if self.left is not None and self.right is not None:
            image.baddbmm_(torch.bmm(x, self.right.mT), self.left.mT)
        return image

    def to_dense(self) -> Tensor:
        """The matrices ``(B, d, d)`` with the factors multiplied out."""
        if self.left is None or self.right is None:
            return self.dense
        return torch.baddbmm(self.dense, self.left, self.right)

    def norm_bound(self) -> Tensor:
        """Upper bound ``(B,)`` of the operator norms: Frobenius norms, factor by factor."""
        bound = torch.linalg.matrix_norm(self.dense)
        if self.left is not None and self.right is not None:
            bound = bound + torch.linalg.matrix_norm(self.left) * torch.linalg.matrix_norm(self.right)
        return bound

    def select(self, index: Tensor) -> LinearMap:
        """The instances ``index`` (integer tensor ``(M,)``) as a batch of their own."""
        if self.is_shared:
            dense = self.dense.select(0, 0).unsqueeze(0).expand(index.shape[0], -1, -1)
        else:
            dense = self.dense.index_select(0, index)
        if self.left is None or self.right is None:
            return LinearMap(dense)
        return LinearMap(dense, self.left.index_select(0, index), self.right.index_select(0, index))

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> LinearMap:
        """The same maps on another device or in another floating-point type."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device=device or tensor.device, dtype=dtype or tensor.dtype)

        if self.is_shared:  # a copy of the expanded view would be B copies
            dense = move(self.dense.select(0, 0)).unsqueeze(0).expand(self.batch, -1, -1)
        else:
            dense = move(self.dense)
        if self.left is None or self.right is None:
            return LinearMap(dense)
        return LinearMap(dense, move(self.left), move(self.right))

    @classmethod
    def cat(cls, maps: Sequence[LinearMap]) -> LinearMap:
        """Batches joined along the batch; ranks are made equal with zeros, shared matrices are copied out."""
        if not maps:
            raise ValueError("nothing to join: no linear maps")
        dense = torch.cat([m.dense for m in maps])
        rank = max(0 if m.left is None else m.left.shape[2] for m in maps)
        if rank == 0:
            return cls(dense)
        padded = [_padded_factors(m, rank) for m in maps]
        return cls(dense, torch.cat([left for left, _ in padded]), torch.cat([right for _, right in padded]))


def perturbed(base: LinearMap, left: Tensor, right: Tensor, scale: float | Tensor = 1.0) -> LinearMap:
    """``M_b + scale_b left_b right_b``, as factors while the total rank r stays thin (2r < d), else multiplied out.

    ``left (B, d, r)``, ``right (B, r, d)``, ``scale`` a number or ``(B,)``. Factors save memory always, and time
    where the base is shared by the batch: a product with M costs d² + 2rd per token.
    """
    _check_factors(base.dense, left, right)
    if isinstance(scale, Tensor) and scale.ndim == 1:
        scale = scale.reshape(-1, 1, 1)
    scaled = left * scale
    if base.left is not None and base.right is not None:
        scaled = torch.cat([base.left, scaled], dim=2)
        right = torch.cat([base.right, right], dim=1)
    factored = LinearMap(base.dense, scaled, right)
    thin = 2 * right.shape[1] < base.dimension
    return factored if thin else LinearMap(factored.to_dense())


def _check_factors(dense: Tensor, left: Tensor, right: Tensor) -> None:
    batch, dimension, _ = dense.shape
    fits = left.ndim == right.ndim == 3 and left.shape[2] == right.shape[1]
    if not fits or left.shape[:2] != (batch, dimension) or right.shape[::2] != (batch, dimension):
        raise ValueError(
            f"factors must have shapes ({batch}, {dimension}, r) and ({batch}, r, {dimension}), "
            f"found {tuple(left.shape)} and {tuple(right.shape)}"
        )


def _padded_factors(m: LinearMap, rank: int) -> tuple[Tensor, Tensor]:
    if m.left is None or m.right is None:
        empty = m.dense.new_zeros(m.batch, m.dimension, rank)
        return empty, empty.mT
    missing = rank - m.left.shape[2]
    return pad(m.left, (0, missing)), pad(m.right, (0, 0, 0, missing))
