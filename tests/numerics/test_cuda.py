"""Code under a device type: run on a pretended CUDA device always, on a real one where there is one."""

import pytest
import torch
from fake_cuda import DEVICE_MISMATCH, fake_cuda

from numerics import dop853, exact
from numerics.field import AttentionField, normalised
from numerics.flow import simulate
from numerics.linear_map import LinearMap, perturbed

B, N, D = 3, 4, 8


def _there(*shape, device="cuda"):
    return torch.randn(*shape, dtype=torch.float64, device=device)


def _field(shift, shared=False, device="cuda"):
    dense = LinearMap.shared(_there(D, D), B) if shared else LinearMap(_there(B, D, D))
    value = perturbed(dense, _there(B, D, 2), _there(B, 2, D, device=device), scale=_there(B).abs())
    return AttentionField(LinearMap(_there(B, D, D)), value, shift=shift)


def _is_there(*tensors):
    return all(x.device.type == "cuda" and x.dtype == torch.float64 for x in tensors)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("shift", [False, True])
def test_field(shift, shared):
    with fake_cuda():
        velocity = _field(shift, shared)(torch.zeros(B, device="cuda"), _there(B, N, D))
        assert _is_there(velocity)
        assert velocity.shape == (B, N, D)


def test_linear_map():
    with fake_cuda():
        m = perturbed(LinearMap(_there(B, D, D)), _there(B, D, 2), _there(B, 2, D))
        index = torch.tensor([0, 2], device="cuda")
        joined = LinearMap.cat([m, LinearMap(_there(B, D, D))])
        assert joined.left is not None
        assert _is_there(m.to_dense(), m.norm_bound(), m.select(index).dense, joined.dense, joined.left)
        assert m.to(device="cpu", dtype=torch.float32).dense.device.type == "cpu"
        folded = perturbed(LinearMap(_there(B, D, D)), _there(B, D, 5), _there(B, 5, D))
        assert folded.left is None
        assert _is_there(folded.dense)


def test_step_with_its_error_and_interpolant():
    with fake_cuda():
        field, y = _field(False), _there(B, N, D)
        t, stages = y.new_zeros(B), y.new_empty(16, B, N, D)
        table = dop853.tableau(y.dtype, y.device)
        slope = field(t, y)
        h = dop853.starting_step(field, t, y, slope, 1e-9, 1e-9)
        y_new, error_5, error_3 = dop853.trial_step(field, t, y, slope, h, stages, table)
        errors = dop853.error_norm(y, y_new, error_5, error_3, 1e-9, 1e-9)
        upper = dop853.interpolant(field, t, y, y_new, slope, h, stages, table)
        inner = dop853.interpolate(y, upper, h)
        assert _is_there(h, y_new, *errors, upper, inner, normalised(inner))
        assert upper.shape == (B, 7, N, D)


def test_exact_solutions():
    with fake_cuda():
        m, x = LinearMap(_there(B, D, D)), _there(B, N, D)
        assert _is_there(
            exact.one_token(_there(B, D), m.dense, _there(B, 5)),
            exact.kuramoto_order(_there(B), _there(B)),
            exact.cross_ratios(x),
            exact.energy(m, x),
            exact.energy_rate(m, x, x),
        )


def test_a_cpu_tensor_is_refused_everywhere():
    """Negative control: the same calls with one tensor left on the CPU."""
    with fake_cuda():
        x, t = _there(B, N, D), torch.zeros(B, device="cuda")
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            _field(False, device="cpu")(t, x)
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            _field(False)(t, x.to("cpu"))
        on_cpu = dop853.tableau(torch.float64, torch.device("cpu"))
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            dop853.trial_step(_field(False), t.double(), x, x, t.double(), x.new_empty(16, B, N, D), on_cpu)
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            dop853.interpolate(x, _there(B, 7, N, D), torch.zeros(B))
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            exact.energy(LinearMap(_there(B, D, D)), x.to("cpu"))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_simulation_on_a_real_device_agrees_with_the_cpu(dtype):
    g = torch.Generator().manual_seed(0)
    x = normalised(torch.randn(32, N, D, generator=g, dtype=torch.float64)).to(dtype)
    a, v = torch.randn(2, 32, D, D, generator=g, dtype=torch.float64).to(dtype).unbind(0)
    times = torch.tensor([[0.0, 1.0, 3.0]], dtype=dtype).repeat(32, 1)
    here = simulate(x, a, v, times, dense=True)
    there = simulate(x.cuda(), a.cuda(), v.cuda(), times.cuda(), dense=True)
    assert there.states.is_cuda
    assert there.converged.all()
    tolerance = {torch.float64: 1e-8, torch.float32: 1e-3}[dtype]
    assert (there.states.cpu() - here.states).abs().max() < tolerance
    assert there.dense is not None
    assert (there.dense.at(times.cuda()) - there.states).abs().max() < tolerance
