"""Step control, statuses, outputs and dense output, on equations with known solutions."""

import math

import pytest
import torch

from numerics.field import AttentionField, normalised
from numerics.flow import simulate
from numerics.integrator import Status, integrate
from numerics.linear_map import LinearMap


def _column(values, dtype=torch.float64):
    """States (B, 1, 1)."""
    return torch.tensor(values, dtype=dtype).view(-1, 1, 1)


class Decay:
    """y' = -rate y, another rate for each instance."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, t, y):
        return -self.rate.view(-1, 1, 1) * y

    def select(self, index):
        return Decay(self.rate[index])


def _circle(t, y):
    return torch.stack([-y[..., 1], y[..., 0]], dim=-1)


def test_harmonic_oscillator_at_several_times_and_between():
    y0 = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]], dtype=torch.float64)
    times = torch.tensor([[0.0, 0.1, 7.0], [3.0, 3.0 + 1e-9, 20.0]], dtype=torch.float64)
    found = integrate(_circle, y0, times, dense=True)
    assert found.converged.all()
    cos, sin = times.cos(), times.sin()
    exact = torch.stack([torch.stack([cos[0], sin[0]], -1), 2 * torch.stack([-sin[1], cos[1]], -1)])
    true_error = (found.states[:, :, 0] - exact).norm(dim=2)
    assert true_error.max() < 1e-8
    assert (true_error <= 10 * found.error).all()
    assert torch.equal(found.states[0, 0], y0[0])
    assert found.dense is not None
    between = torch.linspace(0, 7, 301, dtype=torch.float64).expand(2, -1)
    angle = found.dense.at(between)[0, :, 0]
    assert (angle - torch.stack([between[0].cos(), between[0].sin()], -1)).abs().max() < 1e-8
    assert (found.dense.at(times) - found.states).abs().max() < 1e-12


def test_dense_output_is_not_a_number_outside_and_can_be_selected():
    y0 = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]], dtype=torch.float64)
    found = integrate(_circle, y0, torch.tensor([[1.0], [9.0]]).double(), dense=True)
    assert found.dense is not None
    times = torch.tensor([[-0.1, 0.0, 1.0, 1.1], [0.0, 5.0, 9.0, 9.1]], dtype=torch.float64)
    states = found.dense.at(times)
    assert states.isfinite().all(dim=(2, 3)).tolist() == [[False, True, True, False], [True, True, True, False]]
    assert torch.equal(states[0, 1], y0[0])
    swapped = found.select(torch.tensor([1, 0]))
    assert swapped.dense is not None
    assert torch.equal(swapped.dense.at(times.flip(0)).nan_to_num(9.0), states.flip(0).nan_to_num(9.0))
    assert torch.equal(swapped.states, found.states.flip(0))
    with pytest.raises(ValueError, match="times must have shape"):
        found.dense.at(times[:1])


def test_nothing_to_do_at_time_zero_and_for_an_empty_batch():
    found = integrate(_circle, torch.ones(1, 1, 2).double(), torch.zeros(1, 1).double(), dense=True)
    assert found.converged.all()
    assert found.steps.tolist() == [0]
    assert found.dense is not None
    assert found.dense.at(torch.zeros(1, 2).double()).isnan().all()  # no step covers anything
    empty = integrate(_circle, torch.ones(0, 1, 2).double(), torch.zeros(0, 3).double())
    assert empty.states.shape == (0, 3, 1, 2)


def test_instances_have_their_own_steps_and_do_not_feel_each_other():
    rate = torch.tensor([0.1, 2000.0, 5.0], dtype=torch.float64)
    y0, times = _column([1.0, 1.0, 1.0]), torch.full((3, 1), 2.0, dtype=torch.float64)
    together = integrate(Decay(rate), y0, times)
    assert together.converged.all()
    assert (together.states.flatten() - (-2 * rate).exp()).abs().max() < 1e-10
    assert together.steps[1] > 20 * together.steps[2] > 20 * together.steps[0] / 2
    for b in range(3):
        alone = integrate(Decay(rate[b : b + 1]), y0[b : b + 1], times[b : b + 1])
        for name in ("steps", "rejected", "evaluations", "status"):
            assert getattr(alone, name)[0] == getattr(together, name)[b], name
        assert abs(float(alone.states[0, 0] - together.states[b, 0])) < 1e-15


def test_stiff_and_easy_attention_in_one_batch():
    g = torch.Generator().manual_seed(2)
    x = normalised(torch.randn(1, 4, 3, generator=g, dtype=torch.float64)).repeat(2, 1, 1)
    a = torch.randn(1, 3, 3, generator=g, dtype=torch.float64).repeat(2, 1, 1)
    v = torch.stack([0.2 * torch.eye(3).double(), torch.diag(torch.tensor([200.0, 1.0, -150.0])).double()])
    times = torch.tensor([[1.0, 2.0]] * 2, dtype=torch.float64)
    together = simulate(x, a, v, times)
    assert together.converged.all()
    assert together.steps[1] > 10 * together.steps[0]
    for b in range(2):
        alone = simulate(x[b : b + 1], a[b : b + 1], v[b : b + 1], times[b : b + 1])
        assert alone.steps[0] == together.steps[b]
        assert (alone.states[0] - together.states[b]).abs().max() < 1e-12


def test_an_output_costs_no_more_than_the_step_that_it_cuts():
    """After landing, the step length planned before is taken up again."""
    y0 = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    end = torch.tensor([[30.0]], dtype=torch.float64)
    close = torch.cat([torch.tensor([[10.0, 10.0 + 1e-9, 20.0, 20.0 + 1e-9]], dtype=torch.float64), end], dim=1)
    one, many = integrate(_circle, y0, end), integrate(_circle, y0, close)
    assert int(many.steps[0]) <= int(one.steps[0]) + 4


def test_finished_instances_are_no_longer_evaluated():
    sizes = []

    def field(t, y):
        sizes.append(y.shape[0])
        return -y

    times = torch.tensor([[0.1], [50.0]], dtype=torch.float64)
    found = integrate(field, _column([1.0, 1.0]), times)
    assert sizes[0] == 2
    assert sizes[-1] == 1
    assert sum(sizes) == int(found.evaluations.sum())


def test_max_steps():
    times = torch.tensor([[0.001, 5.0]] * 2, dtype=torch.float64)
    found = integrate(Decay(torch.tensor([1e4, 1.0]).double()), _column([1.0, 1.0]), times, max_steps=100)
    assert found.status.tolist() == [Status.MAX_STEPS, Status.CONVERGED]
    assert int((found.steps + found.rejected)[0]) == 100
    assert found.states[0, 1].isnan().all()
    assert found.error[0, 1].isnan()
    assert found.states[0, 0].item() == pytest.approx(math.exp(-10), abs=1e-10)  # reached: kept
    assert found.states[1].isfinite().all()


def test_a_pole_makes_the_step_too_small_or_the_state_infinite():
    times = torch.tensor([[0.5, 2.0], [0.5, 0.75]], dtype=torch.float64)
    found = integrate(lambda t, y: y * y, _column([1.0, 1.0]), times, dense=True)
    assert Status(int(found.status[0])) in (Status.STEP_TOO_SMALL, Status.NOT_FINITE)
    assert found.status[1] == Status.CONVERGED
    assert found.states[:, 0].flatten().tolist() == pytest.approx([2.0, 2.0], abs=1e-8)
    assert found.states[0, 1].isnan().all()
    assert found.dense is not None
    assert float(found.dense.end[0]) == pytest.approx(1.0, abs=1e-6)


def test_a_jump_too_rough_for_any_step():
    def rough(t, y):  # bounded, but without a derivative anywhere near t = 1
        return torch.where(t.view(-1, 1, 1) > 1, 1e12 * torch.sign(torch.sin(1e17 * t)).view(-1, 1, 1), -y)

    found = integrate(rough, _column([1.0]), torch.tensor([[3.0]]).double())
    assert found.status.tolist() == [Status.STEP_TOO_SMALL]


@pytest.mark.parametrize("since", [0.5, -1.0])
def test_not_finite(since):
    def field(t, y):
        return torch.where(t.view(-1, 1, 1) > since, torch.nan, -y)

    found = integrate(field, _column([1.0]), torch.tensor([[0.25, 1.0]]).double())
    assert found.status.tolist() == [Status.NOT_FINITE]
    assert bool(found.states[0, 0].isfinite()) is (since > 0)
    assert found.states[0, 1].isnan().all()
    assert not found.converged.any()


def test_a_first_step_far_too_long_recovers():
    """An overflow inside a trial step is a rejection, not a failure."""

    def field(t, y):  # flat at the start, so that the first step is long
        return torch.where(y.abs() > 3, torch.inf, (1e-9 + t.view(-1, 1, 1) ** 4))

    found = integrate(field, _column([0.0]), torch.tensor([[1.5]]).double())
    assert found.converged.all()
    assert found.states.item() == pytest.approx(1.5**5 / 5, abs=1e-8)


def test_projection_is_applied_after_each_step_and_to_the_interpolant():
    y0 = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    times = torch.tensor([[1000.0]], dtype=torch.float64)
    free = integrate(_circle, y0, times, rtol=1e-5)
    kept = integrate(_circle, y0, times, rtol=1e-5, project=normalised, dense=True)
    assert abs(float(free.states.norm()) - 1) > 1e-8
    assert abs(float(kept.states.norm()) - 1) < 1e-15
    assert kept.dense is not None
    inner = kept.dense.at(torch.linspace(0, 1000, 99).double()[None])
    assert (inner.norm(dim=-1) - 1).abs().max() < 1e-15


def test_float32_keeps_its_type_and_raises_the_tolerance():
    found = integrate(Decay(torch.tensor([1.0])), _column([1.0], torch.float32), torch.tensor([[2.0]]))
    assert found.converged.all()
    assert found.states.dtype == torch.float32
    assert found.states.item() == pytest.approx(math.exp(-2), abs=3e-6)
    assert abs(found.states.item() - math.exp(-2)) < 10 * found.error.item()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y0": torch.ones(2, 3)}, "initial state"),
        ({"y0": torch.ones(2, 3, 2, dtype=torch.int64)}, "initial state"),
        ({"times": torch.ones(2)}, "times must have shape"),
        ({"times": torch.ones(3, 1)}, "times must have shape"),
        ({"times": torch.ones(2, 0)}, "times must have shape"),
        ({"times": torch.tensor([[1.0, 1.0]] * 2)}, "increasing"),
        ({"times": torch.tensor([[-1.0, 1.0]] * 2)}, "increasing"),
        ({"times": torch.tensor([[1.0, math.nan]] * 2)}, "finite"),
        ({"rtol": 0.0}, "tolerances"),
        ({"rtol": math.nan}, "tolerances"),
        ({"atol": -1.0}, "tolerances"),
        ({"max_steps": 0}, "max_steps"),
    ],
)
def test_malformed_arguments(change, message):
    arguments = {"y0": torch.ones(2, 1, 2), "times": torch.ones(2, 1), **change}
    with pytest.raises(ValueError, match=message) as caught:
        integrate(_circle, **arguments)
    assert "\n" not in str(caught.value)


def test_field_is_frozen_by_no_grad():
    value = torch.eye(2, dtype=torch.float64)[None].requires_grad_()
    field = AttentionField(LinearMap(torch.zeros(1, 2, 2).double()), LinearMap(value))
    found = integrate(field, torch.tensor([[[1.0, 0.0]]]).double(), torch.ones(1, 1).double())
    assert not found.states.requires_grad
