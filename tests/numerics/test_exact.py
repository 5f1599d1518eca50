"""The exact solutions satisfy the equations that they solve (numerical derivatives, other routes)."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.linalg import expm

from numerics import exact
from numerics.field import AttentionField, normalised
from numerics.linear_map import LinearMap


def test_one_token_against_scipy():
    g = torch.Generator().manual_seed(0)
    token = normalised(torch.randn(2, 3, generator=g, dtype=torch.float64))
    value = torch.randn(2, 3, 3, generator=g, dtype=torch.float64)
    times = torch.tensor([[0.0, 1.0], [2.0, 10.0]], dtype=torch.float64)
    found = exact.one_token(token, value, times)
    for b in range(2):
        for k in range(2):
            moved = expm(float(times[b, k]) * value[b].numpy()) @ token[b].numpy()
            assert np.abs(found[b, k].numpy() - moved / np.linalg.norm(moved)).max() < 1e-12


@pytest.mark.parametrize("time", [0.0, 0.4, 3.0])
def test_kuramoto_order_solves_its_equation(time):
    """The angle φ obeys φ' = -sin φ and r = cos(φ/2), so r' = r (1 - r²): by a difference quotient."""
    angle, step = torch.tensor(2.0, dtype=torch.float64), 1e-5
    t = torch.tensor([time - step, time, time + step], dtype=torch.float64)
    before, r, after = exact.kuramoto_order(angle, t).tolist()
    assert (after - before) / (2 * step) == pytest.approx(r * (1 - r * r), abs=1e-9)
    assert exact.kuramoto_order(angle, torch.zeros(1).double()).item() == pytest.approx(math.cos(1.0))


@pytest.mark.parametrize(("cosine", "beta", "n"), [(0.1, 1.0, 5), (-0.3, 4.0, 4), (0.5, -3.0, 2), (-0.9, 0.0, 2)])
def test_equiangular_cosine_against_a_taylor_solution(cosine, beta, n):
    def rate(_t, rho):
        e = mpmath.exp(beta * rho)
        return 2 * e * (1 - rho) * ((n - 1) * rho + 1) / (mpmath.exp(beta) + (n - 1) * e)

    solution = mpmath.odefun(rate, 0, mpmath.mpf(cosine))
    for time in (0.0, 0.3, 2.0):
        assert exact.equiangular_cosine(cosine, beta, n, time) == pytest.approx(float(solution(time)), abs=1e-12)


def test_equiangular_rate_is_that_of_the_field():
    n, d, rho, beta = 4, 6, 0.2, 1.5
    x = exact.equiangular_tokens(n, d, rho)
    assert (x @ x.T - (rho + (1 - rho) * torch.eye(n, dtype=torch.float64))).abs().max() < 1e-14
    eye = torch.eye(d).double()[None]
    velocity = AttentionField(LinearMap(beta * eye), LinearMap(eye))(torch.zeros(1), x[None])[0]
    rate = velocity @ x.T + x @ velocity.T
    step = 1e-4
    quotient = (exact.equiangular_cosine(rho, beta, n, step) - exact.equiangular_cosine(rho, beta, n, 0.0)) / step
    assert rate[0, 1].item() == pytest.approx(quotient, abs=1e-3)
    assert rate[2, 3].item() == pytest.approx(quotient, abs=1e-3)


@pytest.mark.parametrize("cosine", [-0.25, 1.0, math.nan])
def test_equiangular_cosine_out_of_range(cosine):
    with pytest.raises(ValueError, match="equiangular"):
        exact.equiangular_cosine(cosine, 1.0, 5, 1.0)


def test_cross_ratio_by_hand():
    square = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]]).double()
    # sides √2, every distance in the ratio of four consecutive corners is a side
    assert exact.cross_ratios(square).tolist() == pytest.approx([1.0])
    # on the line 0, 1, 3, 7: |0-1||3-7| / (|0-7||3-1|) = 4/14
    line = torch.tensor([[0.0], [1], [3], [7]]).double()
    assert exact.cross_ratios(line).tolist() == pytest.approx([4 / 14])


def test_energy_rate_is_the_derivative_along_the_field():
    g = torch.Generator().manual_seed(1)
    x = normalised(torch.randn(3, 5, 4, generator=g, dtype=torch.float64))
    a = torch.randn(3, 4, 4, generator=g, dtype=torch.float64)
    a = LinearMap(a + a.mT)
    velocity = AttentionField(a, a)(torch.zeros(3), x)
    step = 1e-5
    change = exact.energy(a, x + step * velocity) - exact.energy(a, x - step * velocity)
    rate = exact.energy_rate(a, x, velocity)
    assert torch.allclose(rate, change / (2 * step), rtol=1e-6)
    by_hand = sum(math.exp(float(x[0, j] @ a.dense[0] @ x[0, i])) for i in range(5) for j in range(5))
    assert exact.energy(a, x)[0].item() == pytest.approx(by_hand)
