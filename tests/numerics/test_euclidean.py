"""The Euclidean flow and the causal mask against closed forms and the reference simulator."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from numerics.euclidean import EuclideanField, simulate_euclidean
from numerics.field import AttentionField, normalised
from numerics.flow import simulate, simulate_pair
from numerics.linear_map import LinearMap
from numerics.reference import attention_velocity, simulate_reference

B, N, D = 3, 5, 3


def _instances(seed=0):
    g = torch.Generator().manual_seed(seed)
    x, a, v = (torch.randn(B, k, D, generator=g, dtype=torch.float64) for k in (N, D, D))
    times = torch.tensor([[0.0, 0.3, 0.8]], dtype=torch.float64).expand(B, -1)
    return x, a / 2, v / 2, times


def test_without_attention_the_mean_is_linear_and_all_tokens_move_alike():
    x, a, v, times = _instances()
    states = simulate_euclidean(x, 0 * a, v, times).states
    for b in range(B):
        mean = x[b].mean(dim=0).numpy()
        for k, t in enumerate(times[b].tolist()):
            shift = (expm(t * v[b].numpy()) - np.eye(D)) @ mean
            assert np.abs(states[b, k].numpy() - (x[b].numpy() + shift)).max() < 1e-9


def test_one_token_is_the_matrix_exponential():
    x, a, v, times = _instances()
    states = simulate_euclidean(x[:, :1], a, v, times).states
    for b in range(B):
        for k, t in enumerate(times[b].tolist()):
            exact = expm(t * v[b].numpy()) @ x[b, 0].numpy()
            assert np.abs(states[b, k, 0].numpy() - exact).max() < 1e-9


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("sphere", [False, True])
def test_against_the_reference(sphere, causal):
    x, a, v, times = _instances(1)
    x = normalised(x) if sphere else x
    run = simulate if sphere else simulate_euclidean
    found = run(x, a, v, times, rtol=1e-12, atol=1e-14, causal=causal)
    assert bool(found.converged.all())
    for b in range(B):
        tokens, attention, value, output = (y[b].numpy() for y in (x, a, v, times))
        reference = simulate_reference(tokens, attention, value, output, sphere=sphere, causal=causal)
        assert np.abs(found.states[b].numpy() - reference).max() < 1e-10


def test_the_causal_mask_matters_and_the_first_token_is_alone():
    x, a, v, times = _instances(2)
    x = normalised(x)
    masked = simulate(x, a, v, times, causal=True).states
    assert (masked - simulate(x, a, v, times).states).abs().amax() > 1e-2
    assert (masked[:, :, :1] - simulate(x[:, :1], a, v, times).states).abs().amax() < 1e-9
    assert (masked[:, :, :3] - simulate(x[:, :3], a, v, times, causal=True).states).abs().amax() < 1e-9


def test_a_pair_keeps_its_mask():
    x, a, v, times = _instances(3)
    x = normalised(x)
    base, other = simulate_pair(x, a, v, a, 2 * v, times, causal=True)
    assert (base.states - simulate(x, a, v, times, causal=True).states).abs().amax() < 1e-9
    assert (other.states - simulate(x, a, 2 * v, times, causal=True).states).abs().amax() < 1e-9


@pytest.mark.parametrize("shift", [False, True])
def test_masked_field_by_loops(shift):
    x, a, v, _ = _instances(4)
    x = normalised(x)
    field = AttentionField(LinearMap(a), LinearMap(v), shift, causal=True)
    found = field(torch.zeros(B), x).numpy()
    loops = [attention_velocity(x[b].numpy(), a[b].numpy(), v[b].numpy(), causal=True) for b in range(B)]
    assert np.abs(found - np.stack(loops)).max() < 1e-14
    index = torch.tensor([2, 0])
    assert np.abs(field.select(index)(torch.zeros(2), x[index]).numpy() - found[[2, 0]]).max() < 1e-15


def test_long_tokens_do_not_overflow():
    """Logits of 1e6: without the shift the field would not be finite."""
    x, a, v, _ = _instances(5)
    field = EuclideanField(LinearMap(a), LinearMap(v))
    found = field(torch.zeros(B), 1000 * x).numpy()
    loops = [attention_velocity(1000 * x[b].numpy(), a[b].numpy(), v[b].numpy(), sphere=False) for b in range(B)]
    assert np.isfinite(found).all()
    assert np.abs(found - np.stack(loops)).max() < 1e-6
    assert (field.select(torch.tensor([1]))(torch.zeros(1), 1000 * x[1:2]).numpy() - found[1:2]).max() < 1e-9


def test_bad_arguments_are_refused():
    x, a, v, times = _instances()
    with pytest.raises(ValueError, match="differ in shape"):
        EuclideanField(LinearMap(torch.eye(3)[None]), LinearMap(torch.eye(4)[None]))
    with pytest.raises(ValueError, match="must be finite"):
        simulate_euclidean(x * torch.nan, a, v, times)
    with pytest.raises(ValueError, match="of shape"):
        simulate_euclidean(x[0], a, v, times)
    with pytest.raises(ValueError, match="does not fit tokens"):
        simulate_euclidean(x[:2], a, v, times[:2])
