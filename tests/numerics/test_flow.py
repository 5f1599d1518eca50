"""The simulated flow against exact solutions, invariants, and an integrator of another make."""

import math

import numpy as np
import pytest
import torch

from numerics import exact
from numerics.field import AttentionField, normalised
from numerics.flow import simulate, simulate_pair
from numerics.integrator import integrate
from numerics.linear_map import LinearMap, perturbed
from numerics.reference import simulate_reference

DTYPES = [(torch.float64, 1e-9), (torch.float32, 1e-4)]


def _instances(batch, n, d, seed=0, scale=1.0):
    g = torch.Generator().manual_seed(seed)
    x = normalised(torch.randn(batch, n, d, generator=g, dtype=torch.float64))
    a, v = (scale * torch.randn(2, batch, d, d, generator=g, dtype=torch.float64)).unbind(0)
    return x, a, v


def _times(batch, *values):
    return torch.tensor([values], dtype=torch.float64).repeat(batch, 1)


def _reference(instance, x, a, v, times):
    """The other simulator's tokens (K, n, d) for one instance."""
    return simulate_reference(x[instance].numpy(), a[instance].numpy(), v[instance].numpy(), times[instance].numpy())


def _distance(x, y):
    """Largest distance of a token, per instance."""
    return torch.linalg.vector_norm(x.double() - y.double(), dim=-1).amax(dim=-1)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_one_token(dtype, tolerance):
    x, a, v = _instances(50, 1, 5, scale=0.6)
    times = _times(50, 0.5, 3.0, 6.0)
    found = simulate(x.to(dtype), a.to(dtype), v.to(dtype), times)
    assert found.converged.all()
    assert found.states.dtype == dtype
    assert _distance(found.states[:, :, 0:1], exact.one_token(x[:, 0], v, times)[:, :, None]).max() < tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize(("n", "d", "beta", "cosine"), [(4, 6, 2.0, 0.1), (5, 5, -3.0, -0.2), (3, 3, 8.0, 0.6)])
def test_equiangular_tokens(dtype, tolerance, n, d, beta, cosine):
    x = exact.equiangular_tokens(n, d, cosine)[None].to(dtype)
    eye = torch.eye(d, dtype=dtype)[None]
    times = _times(1, 0.3, 1.0, 2.5)
    found = simulate(x, beta * eye, eye, times)
    assert found.converged.all()
    for k, time in enumerate(times[0].tolist()):
        gram = (found.states[0, k] @ found.states[0, k].T).double()
        rho = exact.equiangular_cosine(cosine, beta, n, time)
        assert (gram - (rho + (1 - rho) * torch.eye(n, dtype=torch.float64))).abs().max() < tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_kuramoto_pairs(dtype, tolerance):
    angle = torch.linspace(0.0, 3.1, 32, dtype=torch.float64)
    x = torch.stack([torch.stack([torch.cos(s * angle), torch.sin(s * angle)], -1) for s in (0, 1)], 1).to(dtype)
    times = _times(32, 0.5, 2.0, 8.0)
    eye = torch.eye(2, dtype=dtype).repeat(32, 1, 1)
    found = simulate(x, 0 * eye, eye, times)
    assert found.converged.all()
    order = torch.linalg.vector_norm(found.states.mean(dim=2), dim=-1).double()
    assert (order - exact.kuramoto_order(angle[:, None], times)).abs().max() < tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_cross_ratios_are_conserved_without_attention_logits(dtype, tolerance):
    x, _, v = _instances(20, 6, 4, scale=0.5)
    found = simulate(x.to(dtype), torch.zeros_like(v, dtype=dtype), v.to(dtype), _times(20, 0.5, 1.0))
    before = exact.cross_ratios(x)[:, None]
    after = exact.cross_ratios(found.states.double())
    assert _distance(found.states[:, -1], x).max() > 0.1  # they do move
    assert ((after - before).abs() / before).max() < 100 * tolerance  # tokens come close: digits cancel
    spread = simulate(x, 0.5 * v, v, _times(20, 1.0)).states[:, 0]
    assert (
        (exact.cross_ratios(spread) - before[:, 0]).abs() / before[:, 0]
    ).median() > 1e-3  # with logits they are not


def test_energy_grows_at_its_rate():
    x, a, _ = _instances(10, 5, 4, scale=0.6)
    a = (a + a.mT) / 2
    attention = LinearMap(a)
    # Gauss-Legendre over two intervals, with the states by dense output.
    nodes, weights = np.polynomial.legendre.leggauss(60)
    times = torch.tensor(1.5 * (nodes + 1))
    found = simulate(x, attention, attention, _times(10, 3.0), dense=True)
    assert found.dense is not None
    states = found.dense.at(times.expand(10, -1))
    field = AttentionField(attention, attention)
    rates = torch.stack(
        [exact.energy_rate(attention, s, field(times[:1].expand(10), s)) for s in states.unbind(1)], dim=1
    )
    assert (rates >= 0).all()
    gained = exact.energy(attention, found.states[:, 0]) - exact.energy(attention, x)
    assert gained.min() > 0.1
    assert torch.allclose(gained, rates @ torch.tensor(1.5 * weights), rtol=1e-9)


def test_equal_tokens_stay_equal():
    x, a, v = _instances(20, 5, 4)
    x[:, 3] = x[:, 1]
    found = simulate(x, a, v, _times(20, 1.0, 10.0)).states
    assert (found[:, :, 3] - found[:, :, 1]).abs().max() < 1e-12
    assert (found[:, 0, 3] - found[:, 0, 0]).norm(dim=-1).min() > 1e-4


@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 3), (5, 4), (3, 8)])
def test_random_instances_against_scipy(n, d):
    """General A and V, neither symmetric; scipy's DOP853 at 1e-13 with a right-hand side of its own."""
    x, a, v = _instances(5, n, d, seed=n)
    times = _times(5, 0.7, 4.0)
    found = simulate(x, a, v, times)
    for b in range(5):
        other = _reference(b, x, a, v, times)
        assert np.linalg.norm(found.states[b].numpy() - other, axis=-1).max() < 1e-9


def test_a_wrong_sign_or_a_wrong_matrix_is_seen_by_the_reference():
    """Negative control: each mistake moves the tokens far more than the tolerance of the test above."""
    x, a, v = _instances(5, 4, 3)
    times = _times(5, 1.0)
    right = np.stack([_reference(b, x, a, v, times) for b in range(5)])
    for wrong_a, wrong_v in ((-a, v), (a.mT, v), (a, -v), (a, v.mT), (1.000001 * a, v)):
        found = simulate(x, wrong_a.contiguous(), wrong_v.contiguous(), times).states
        assert np.linalg.norm(found.numpy() - right, axis=-1).max() > 1e-8


def test_error_estimate_is_calibrated():
    """The true error against the estimate: never ten times larger, and not vacuously small either."""
    batch = 240
    x, a, v = _instances(batch, 4, 3, seed=9)
    times = _times(batch, 1.0, 4.0)
    tight = simulate(x, a, v, times, rtol=1e-13, atol=1e-15)
    for b in range(0, batch, 15):  # the tight run stands for the truth: scipy agrees
        other = _reference(b, x, a, v, times)
        assert np.linalg.norm(tight.states[b].numpy() - other, axis=-1).max() < 3e-12
    for rtol in (1e-10, 1e-6):
        found = simulate(x, a, v, times, rtol=rtol)
        assert found.converged.all()
        ratio = _distance(found.states, tight.states) / found.error
        quantiles = torch.quantile(ratio.flatten(), torch.tensor([0.5, 0.9, 0.99, 1.0], dtype=torch.float64))
        assert quantiles[3] < 10, quantiles
        assert quantiles[0] > 1e-3, quantiles
        assert found.error.max() < 1e3 * rtol


def test_float32_error_estimate_covers_rounding():
    x, a, v = _instances(200, 4, 3, seed=4)
    times = _times(200, 1.0, 4.0)
    x, a, v = x.float(), a.float(), v.float()
    truth = simulate(normalised(x.double()), a.double(), v.double(), times)
    found = simulate(x, a, v, times)
    ratio = _distance(found.states, truth.states) / found.error
    assert found.converged.all()
    assert ratio.max() < 10


def test_rotations_and_permutations():
    x, a, v = _instances(20, 5, 4, scale=0.7)
    g = torch.Generator().manual_seed(1)
    q = torch.linalg.qr(torch.randn(20, 4, 4, generator=g, dtype=torch.float64))[0]
    times = _times(20, 1.0, 3.0)
    found = simulate(x, a, v, times)
    turned = simulate(x @ q.mT, q @ a @ q.mT, q @ v @ q.mT, times)
    assert _distance(turned.states, found.states @ q.mT[:, None]).max() < 1e-9
    assert torch.equal(turned.steps, found.steps)  # the step control has no preferred basis
    order = torch.tensor([3, 0, 4, 1, 2])
    shuffled = simulate(x[:, order], a, v, times)
    assert _distance(shuffled.states, found.states[:, :, order]).max() < 1e-9
    assert torch.equal(shuffled.steps, found.steps)


@pytest.mark.parametrize("rtol", [1e-10, 1e-4])
def test_tokens_stay_on_the_sphere(rtol):
    x, a, v = _instances(20, 5, 4)
    found = simulate(x, a, v, _times(20, 1.0, 30.0), rtol=rtol, dense=True)
    assert found.dense is not None
    between = found.dense.at(torch.linspace(0, 30, 50, dtype=torch.float64).expand(20, -1))
    for states in (found.states, between):
        assert (states.norm(dim=-1) - 1).abs().max() < 1e-12


def test_dense_output_is_as_accurate_as_the_steps():
    x, a, v = _instances(20, 4, 3, seed=2)
    inner = _times(20, *torch.linspace(0.05, 3.95, 40).tolist())
    for rtol in (1e-10, 1e-6):
        dense = simulate(x, a, v, _times(20, 4.0), rtol=rtol, dense=True).dense
        assert dense is not None
        landed = simulate(x, a, v, inner, rtol=1e-13, atol=1e-15)  # each time by a step of its own
        assert _distance(dense.at(inner), landed.states).max() < 10 * rtol


def test_large_logits_run_by_the_shifted_softmax():
    x, a, v = _instances(4, 4, 3)
    a = 2000 * a / torch.linalg.matrix_norm(a, ord=2)[:, None, None]
    times = _times(4, 0.02)
    found = simulate(x, a, v, times)
    assert found.converged.all()
    for b in range(4):
        other = _reference(b, x, a, v, times)
        assert np.linalg.norm(found.states[b].numpy() - other, axis=-1).max() < 1e-8


def test_pair_is_two_runs():
    x, a, v = _instances(6, 4, 8, scale=0.5)
    g = torch.Generator().manual_seed(5)
    left, right = (torch.randn(6, *s, generator=g, dtype=torch.float64) for s in ((8, 2), (2, 8)))
    other_v = perturbed(LinearMap(v), left, right, 0.1)
    assert other_v.left is not None
    times = _times(6, 0.0, 2.0)
    base, moved = simulate_pair(x, a, v, 1.1 * a, other_v, times, dense=True)
    assert _distance(base.states, simulate(x, a, v, times).states).max() < 1e-11
    dense_v = v + 0.1 * left @ right
    assert _distance(moved.states, simulate(x, 1.1 * a, dense_v, times).states).max() < 1e-11
    assert (base.states[:, 0] - moved.states[:, 0]).abs().max() == 0  # the same tokens
    assert _distance(base.states[:, 1], moved.states[:, 1]).min() > 1e-4
    assert base.dense is not None
    assert moved.dense is not None
    for solution in (base, moved):
        assert solution.dense is not None
        assert (solution.dense.at(times) - solution.states).abs().max() < 1e-12


def test_shared_matrices_and_adapters():
    """One base for the whole batch, another adapter for each instance."""
    x, a, v = _instances(5, 4, 8, scale=0.5)
    g = torch.Generator().manual_seed(5)
    left, right = (torch.randn(5, *s, generator=g, dtype=torch.float64) for s in ((8, 1), (1, 8)))
    shared = perturbed(LinearMap.shared(v[0], 5), left, right)
    times = torch.tensor([[0.5], [1.0], [1.5], [2.0], [4.0]], dtype=torch.float64)  # they leave one by one
    found = simulate(x, LinearMap.shared(a[0], 5), shared, times)
    copied = simulate(x, a[:1].repeat(5, 1, 1), v[:1] + left @ right, times)
    assert _distance(found.states, copied.states).max() < 1e-11


def test_the_field_adds_no_stiffness_off_the_sphere():
    """For V ⪰ 0 the textbook x <x, Vm> adds a rate -2λ1 in the radius, above all others: twice as many steps."""

    class Textbook(AttentionField):
        def __call__(self, _t, tokens):
            weights = torch.softmax(self.attention.apply(tokens) @ tokens.mT, dim=-1)
            image = self.value.apply(weights @ tokens)
            return image - tokens * (image * tokens).sum(-1, keepdim=True)

        def select(self, index):
            return Textbook(self.attention.select(index), self.value.select(index), self.shift)

    x, _, v = _instances(16, 8, 8)
    q = torch.linalg.qr(v)[0]
    spectrum = torch.linspace(0.5, 2.0, 8, dtype=torch.float64)
    value, times = LinearMap((q * spectrum) @ q.mT), _times(16, 40.0)
    ours = integrate(AttentionField(value, value), x, times, project=normalised)
    textbook = integrate(Textbook(value, value), x, times, project=normalised)
    assert _distance(ours.states, textbook.states).max() < 1e-8
    assert ours.steps.sum() < 0.7 * textbook.steps.sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": torch.ones(2, 3)}, "shape"),
        ({"tokens": torch.zeros(2, 4, 3).double()}, "unit vectors"),
        ({"tokens": 1.00001 * normalised(torch.ones(2, 4, 3).double())}, "unit vectors"),
        ({"tokens": torch.full((2, 4, 3), math.nan).double()}, "finite"),
        ({"tokens": torch.ones(2, 0, 3).double()}, "shape"),
        ({"tokens": torch.ones(2, 4, 3, dtype=torch.int64)}, "float32 or float64"),
        ({"attention": torch.ones(2, 4, 4).double()}, "attention of shape"),
        ({"value": torch.ones(3, 3, 3).double()}, "value of shape"),
        ({"value": torch.ones(2, 3, 3)}, "value is torch.float32"),
        ({"value": torch.full((2, 3, 3), math.inf).double()}, "value must be finite"),
        ({"attention": torch.full((2, 3, 3), math.nan).double()}, "attention must be finite"),
        ({"value": torch.ones(3, 3).double()}, "matrices of shape"),
        ({"times": torch.ones(2)}, "times must have shape"),
    ],
)
def test_malformed_input(change, message):
    eye = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    tokens = normalised(torch.ones(2, 4, 3, dtype=torch.float64))
    arguments = {"tokens": tokens, "attention": eye, "value": eye, "times": torch.ones(2, 1), **change}
    with pytest.raises(ValueError, match=message) as caught:
        simulate(**arguments)
    assert "\n" not in str(caught.value)
    if "times" not in change and "tokens" not in change:
        with pytest.raises(ValueError, match=message):
            simulate_pair(tokens, eye, eye, arguments["attention"], arguments["value"], torch.ones(2, 1))
