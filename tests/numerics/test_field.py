"""The field against its definition written with loops, and the softmax with and without the shift."""

import numpy as np
import pytest
import torch

from numerics.field import AttentionField, normalised, unshifted_limit
from numerics.linear_map import LinearMap, perturbed
from numerics.reference import attention_velocity


def _instances(batch=6, n=5, d=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = normalised(torch.randn(batch, n, d, generator=g, dtype=torch.float64))
    a, v = torch.randn(2, batch, d, d, generator=g, dtype=torch.float64).unbind(0)
    return x, a, v


def _by_loops(x, a, v):
    return np.stack([attention_velocity(*(y.numpy() for y in xav)) for xav in zip(x, a, v, strict=True)])


@pytest.mark.parametrize("shift", [None, True, False])
def test_field_is_its_definition(shift):
    x, a, v = _instances()
    found = AttentionField(LinearMap(a), LinearMap(v), shift)(torch.zeros(6), x)
    assert np.abs(found.numpy() - _by_loops(x, a, v)).max() < 1e-14


@pytest.mark.parametrize("shift", [True, False])
def test_a_masked_token_moves_as_the_last_of_the_tokens_up_to_it(shift):
    x, a, v = _instances()
    found = AttentionField(LinearMap(a), LinearMap(v), shift, causal=True)(torch.zeros(6), x).numpy()
    for i in range(x.shape[1]):
        assert np.abs(found[:, i] - _by_loops(x[:, : i + 1], a, v)[:, i]).max() < 1e-14


def test_velocity_keeps_the_length_also_off_the_sphere():
    x, a, v = _instances()
    x = 1.3 * x
    velocity = AttentionField(LinearMap(a), LinearMap(v))(torch.zeros(6), x)
    assert velocity.norm(dim=2).min() > 1e-3
    assert (velocity * x).sum(dim=2).abs().max() < 1e-14


def test_large_logits_fall_back_to_the_shifted_softmax():
    x, a, v = _instances()
    a = 2000 * a / torch.linalg.matrix_norm(a, ord=2)[:, None, None]
    field = AttentionField(LinearMap(a), LinearMap(v))
    assert field.shift
    found = field(torch.zeros(6), x).numpy()
    assert np.isfinite(found).all()
    assert np.abs(found - _by_loops(x, a, v)).max() < 1e-11  # logits of 2000 carry an error of 2000 eps
    unshifted = AttentionField(LinearMap(a), LinearMap(v), shift=False)(torch.zeros(6), x)
    assert not unshifted.isfinite().all()  # the fallback is needed


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_limit_of_the_norm_is_safe_and_decides(dtype):
    limit = unshifted_limit(dtype)
    assert limit == pytest.approx({torch.float64: 344, torch.float32: 33.7}[dtype], abs=0.3)
    u = torch.zeros(1, 4096, 2, dtype=dtype)
    u[:, :, 0] = 1
    for sign in (1, -1):  # all logits at the limit: overflow of the sum, underflow of every term
        a = torch.zeros(1, 2, 2, dtype=dtype)
        a[0, 0, 0] = sign * 0.999 * limit
        value = LinearMap(torch.tensor([[[1.0, 0], [1, 1]]], dtype=dtype))
        field = AttentionField(LinearMap(a), value)
        assert field.shift is False
        rounding = 4096 * torch.finfo(dtype).eps  # of a sum of 4,096 equal terms, in whatever order
        assert torch.allclose(field(torch.zeros(1), 1.4 * u)[0, :, 1], torch.tensor(1.4, dtype=dtype), rtol=rounding)
        assert AttentionField(LinearMap(1.01 * a), value).shift is True


def test_the_bound_counts_the_factors():
    dense = LinearMap(torch.zeros(1, 8, 8, dtype=torch.float64))
    left = torch.full((1, 8, 1), 30.0, dtype=torch.float64)
    assert AttentionField(perturbed(dense, left, left.mT), dense).shift is True


def test_factors_and_dense_give_the_same_field():
    x, a, v = _instances(d=8)
    g = torch.Generator().manual_seed(3)
    left, right = torch.randn(6, 8, 2, generator=g).double(), torch.randn(6, 2, 8, generator=g).double()
    factored = perturbed(LinearMap(v), left, right, 0.3)
    assert factored.left is not None
    one = AttentionField(LinearMap(a), factored)(torch.zeros(6), x)
    other = AttentionField(LinearMap(a), LinearMap(v + 0.3 * left @ right))(torch.zeros(6), x)
    assert (one - other).abs().max() < 1e-13


def test_select_takes_the_instances():
    x, a, v = _instances()
    field, index = AttentionField(LinearMap(a), LinearMap(v)), torch.tensor([4, 1])
    assert (field.select(index)(torch.zeros(2), x[index]) - field(torch.zeros(6), x)[index]).abs().max() < 1e-15


def test_matrices_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        AttentionField(LinearMap(torch.eye(3)[None]), LinearMap(torch.eye(4)[None]))


@pytest.mark.parametrize("causal", [False, True])
def test_many_tokens_give_the_same_means_without_a_matrix(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from numerics import field as module
    from numerics import layered

    x = normalised(torch.randn(2, 40, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(6)))
    A, V = 3 * torch.randn(2, 2, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    field, t = AttentionField(LinearMap(A), LinearMap(V), causal=causal), torch.zeros(2)
    small, means = field(t, x), layered.attention_means(x, A, causal)
    monkeypatch.setattr(module, "LARGE", 40)
    monkeypatch.setattr(layered, "LARGE", 40)
    assert (field(t, x) - small).abs().max() < 1e-13
    assert (layered.attention_means(x, A, causal) - means).abs().max() < 1e-14
    shifted = AttentionField(LinearMap(800 * A), LinearMap(V), causal=causal)(t, x)
    assert shifted.isfinite().all()
