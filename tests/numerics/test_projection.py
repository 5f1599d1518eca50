"""Factors off directions: what is 0 afterwards, what is nearest, and the rank, each against dense matrices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from numerics.projection import least_rank, off_reading, off_writing


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _orthonormal(n: int, k: int, seed: int) -> Tensor:
    return torch.linalg.qr(_normal(n, k, seed=seed)).Q


def test_reading_and_writing_vanish_on_the_directions_alone() -> None:
    B, A, Q, P = _normal(7, 3, seed=0), _normal(3, 9, seed=1), _orthonormal(9, 2, 2), _orthonormal(7, 2, 3)
    across = _normal(9, seed=4)
    across -= Q @ (Q.mT @ across)
    product = B @ off_reading(A, Q)
    assert float((product @ Q).abs().max()) < 1e-13
    torch.testing.assert_close(product @ across, B @ A @ across, rtol=0, atol=1e-12)
    product = off_writing(B, P) @ A
    assert float((P.mT @ product).abs().max()) < 1e-13
    assert float((P.mT @ B @ A).abs().max()) > 0.1  # negative control: before, it writes there


def test_no_factor_that_reads_nothing_is_nearer() -> None:
    A, Q = _normal(3, 9, seed=1), _orthonormal(9, 2, 2)
    nearest = float((off_reading(A, Q) - A).norm())
    for seed in range(2, 22):
        other = _normal(3, 9, seed=seed)
        assert float((other - (other @ Q) @ Q.mT - A).norm()) > nearest


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_least_rank_keeps_the_product(rank: int) -> None:
    B, A = _normal(7, 3, seed=0), _normal(3, 9, seed=1)
    A[rank:] = A[:rank].sum(0) if rank else 0.0  # the rows beyond depend on the others
    left, right = least_rank(B, A, 1e-11)
    assert left.shape[1] == right.shape[0] == max(rank, 1)
    torch.testing.assert_close(left @ right, B @ A, rtol=0, atol=1e-12)
    if rank == 3:
        assert left is B
        assert right is A


def test_rounding_of_what_was_taken_off_is_no_rank() -> None:
    """A of size 1 whose only row is taken off leaves 1e-17: rank 0, not 1 at full size."""
    B, Q = _normal(7, 1, seed=0), _orthonormal(9, 1, 1)
    left, right = least_rank(B, off_reading(Q.mT.clone(), Q), 1e-12)
    assert float((left @ right).abs().max()) == 0
