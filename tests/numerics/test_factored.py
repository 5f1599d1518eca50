"""The small matrices have the norms, symmetric parts and spectra of the products that they stand for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from numerics.factored import compress


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("seed", range(4))
def test_norms_symmetric_part_and_differences_are_kept(seed: int) -> None:
    left, right = _normal(40, 5, seed=seed), _normal(5, 40, seed=50 + seed)
    other = (left, right + _normal(5, 2, seed=70 + seed) @ _normal(2, 40, seed=80 + seed))
    small = compress((left, right), other)
    assert small.basis.shape == (40, 5 + 5 + 2 + 2)
    torch.testing.assert_close(small.basis.mT @ small.basis, torch.eye(14, dtype=torch.float64), rtol=0, atol=1e-13)
    dense = (left @ right, other[0] @ other[1])
    pairs = list(zip(small.matrices, dense, strict=True))
    for one, two in (*pairs, (pairs[1][0] - pairs[0][0], pairs[1][1] - pairs[0][1])):
        torch.testing.assert_close(small.basis @ one @ small.basis.mT, two, rtol=0, atol=1e-12)
        assert float(torch.linalg.matrix_norm(one, ord=2)) == pytest.approx(float(torch.linalg.matrix_norm(two, ord=2)))
        kept, all_ = torch.linalg.eigvalsh(one + one.mT), torch.linalg.eigvalsh(two + two.mT)
        assert float(kept[-1]) == pytest.approx(float(all_[-1]), rel=1e-12)
        assert float(kept[-1] - kept[-2]) == pytest.approx(float(all_[-1] - all_[-2]), rel=1e-11)
        assert float(kept[0]) == pytest.approx(float(all_[0]), rel=1e-12)


def test_zero_stays_a_multiple_eigenvalue() -> None:
    """Rank one, negative: λ1 = λ2 = 0 outside the span, so that the gap is 0 as it is for the whole matrix."""
    u = _normal(9, 1, seed=1)
    small = compress((-u, u.mT)).matrices[0]
    values = torch.linalg.eigvalsh((small + small.mT) / 2)
    assert values[-2:].abs().max() < 1e-13


def test_identity_where_nothing_is_saved() -> None:
    left, right = _normal(8, 4, seed=1), _normal(4, 8, seed=2)
    small = compress((left, right))
    torch.testing.assert_close(small.basis, torch.eye(8, dtype=torch.float64))
    torch.testing.assert_close(small.matrices[0], left @ right)


def test_the_same_every_time() -> None:
    factors = _normal(30, 3, seed=1), _normal(3, 30, seed=2)
    assert torch.equal(compress(factors).basis, compress(factors).basis)


def test_an_update_outside_the_span_is_not_lost() -> None:
    """Negative control: in the basis of the first product alone the second would be another matrix."""
    first = _normal(30, 3, seed=1), _normal(3, 30, seed=2)
    second = first[0] + _normal(30, 3, seed=3), first[1]
    alone = compress(first).basis
    dense = second[0] @ second[1]
    assert float((alone @ alone.mT @ dense - dense).norm() / dense.norm()) > 0.1
    small = compress(first, second)
    assert float((small.basis @ small.matrices[1] @ small.basis.mT - dense).norm() / dense.norm()) < 1e-13


def test_factors_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="no products of one size"):
        compress((_normal(5, 2, seed=1), _normal(3, 5, seed=2)))
