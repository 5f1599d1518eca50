"""Intruder dimensions of planted singular vectors."""

from __future__ import annotations

import pytest
import torch

from numerics.intruders import intruder_dimensions


def _weight(left: torch.Tensor, levels: list[float]) -> torch.Tensor:
    right = torch.linalg.qr(torch.randn(24, len(levels), generator=torch.Generator().manual_seed(3)).double()).Q
    return left[:, : len(levels)] * torch.tensor(levels, dtype=torch.float64) @ right.mT


Q = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(1)).double()).Q
W = _weight(Q, [4.0, 3.0, 2.0, 1.0])


@pytest.mark.parametrize(("cosine", "expected"), [(0.49, 1), (0.51, 0), (0.0, 1)])
def test_threshold_is_the_cosine(cosine: float, expected: int) -> None:
    """A new leading vector at this cosine with the last vector of W, else orthogonal to all of them."""
    new = cosine * Q[:, 3:4] + (1 - cosine**2) ** 0.5 * Q[:, 10:11]
    row = torch.zeros(1, 24, dtype=torch.float64)
    row[0, 0] = 1.0
    row = row - row @ torch.linalg.pinv(W) @ W  # beside the row space: the other vectors stay
    moved = W + 1e6 * new @ row / row.norm()
    assert intruder_dimensions(W, moved, top_k=1) == expected


def test_only_the_leading_ones_count() -> None:
    row = torch.zeros(1, 24, dtype=torch.float64)
    row[0, 0] = 1.0
    row = row - row @ torch.linalg.pinv(W) @ W
    moved = W + 1.5 * Q[:, 10:11] @ row / row.norm()  # fourth in size
    assert intruder_dimensions(W, moved, top_k=3) == 0
    assert intruder_dimensions(W, moved, top_k=4) == 1


def test_no_update_has_no_intruders() -> None:
    assert intruder_dimensions(W, W) == 0
    assert intruder_dimensions(W, 2 * W) == 0
    assert intruder_dimensions(W, 0 * W) == 0


def test_shapes() -> None:
    with pytest.raises(ValueError, match="one shape"):
        intruder_dimensions(W, W.mT)
