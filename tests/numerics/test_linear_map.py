"""Factors against the multiplied-out matrix; shared matrices against copies."""

import pytest
import torch

from numerics.linear_map import LinearMap, perturbed


def _maps(rank, batch=3, d=8, seed=0):
    g = torch.Generator().manual_seed(seed)
    dense, left, right = (
        torch.randn(batch, *s, generator=g, dtype=torch.float64) for s in ((d, d), (d, rank), (rank, d))
    )
    return dense, left, right, torch.randn(batch, 5, d, generator=g, dtype=torch.float64)


@pytest.mark.parametrize(("rank", "kept"), [(1, True), (3, True), (4, False), (8, False)])
def test_factors_are_kept_while_thin_and_agree_with_dense(rank, kept):
    dense, left, right, x = _maps(rank)
    m = perturbed(LinearMap(dense), left, right, scale=0.5)
    assert (m.left is not None) is kept
    full = dense + 0.5 * torch.stack([a @ b for a, b in zip(left, right, strict=True)])
    rows = torch.stack([torch.stack([full[b] @ v for v in x[b]]) for b in range(3)])
    assert (m.apply(x) - rows).abs().max() < 1e-13
    assert (m.to_dense() - full).abs().max() < 1e-13


def test_ranks_add_and_the_scale_may_differ_by_instance():
    dense, left, right, _ = _maps(2, d=16)
    scale = torch.tensor([0.0, 1.0, -2.0], dtype=torch.float64)
    m = perturbed(perturbed(LinearMap(dense), left, right), left, right, scale=scale)
    assert m.left is not None
    assert m.left.shape == (3, 16, 4)
    assert (m.to_dense() - (dense + (1 + scale)[:, None, None] * (left @ right))).abs().max() < 1e-13


def test_shared_matrix_is_stored_once_and_acts_like_copies():
    dense, left, right, x = _maps(2)
    shared = perturbed(LinearMap.shared(dense[0], 3), left, right)
    copied = perturbed(LinearMap(dense[:1].repeat(3, 1, 1)), left, right)
    assert shared.is_shared
    assert not copied.is_shared
    assert (shared.apply(x) - copied.apply(x)).abs().max() < 1e-13
    index = torch.tensor([2, 0])
    assert shared.select(index).is_shared
    assert shared.select(index).dense.untyped_storage().data_ptr() == dense.untyped_storage().data_ptr()
    assert (shared.select(index).apply(x[index]) - copied.apply(x)[index]).abs().max() < 1e-13
    single = shared.to(dtype=torch.float32)
    assert single.is_shared
    assert single.apply(x.float()).dtype == torch.float32


def test_cat_pads_ranks():
    dense, left, right, _ = _maps(3)
    plain, factored = LinearMap(dense), LinearMap(dense, left, right)
    thin = LinearMap(dense, left[:, :, :1], right[:, :1])
    joined = LinearMap.cat([plain, factored, thin]).to_dense()
    assert torch.equal(joined[:3], dense)
    assert (joined[3:6] - factored.to_dense()).abs().max() < 1e-13
    assert (joined[6:] - thin.to_dense()).abs().max() < 1e-13
    assert LinearMap.cat([plain, plain]).left is None


def test_norm_bound_is_above_the_operator_norm():
    dense, left, right, _ = _maps(3)
    m = LinearMap(dense, left, right)
    assert (m.norm_bound() >= torch.linalg.matrix_norm(m.to_dense(), ord=2)).all()


@pytest.mark.parametrize(
    "bad",
    [
        lambda d, a, b: LinearMap(d[0]),
        lambda d, a, b: LinearMap(d[:, :3]),
        lambda d, a, b: LinearMap(d, a, None),
        lambda d, a, b: LinearMap(d, a, b[:, :2]),
        lambda d, a, b: LinearMap(d, a[:2], b),
        lambda d, a, b: perturbed(LinearMap(d), b, a),
        lambda d, a, b: LinearMap.cat([]),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_one_line(bad):
    dense, left, right, _ = _maps(3)
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        bad(dense, left, right)
