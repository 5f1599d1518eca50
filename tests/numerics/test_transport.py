"""W2 against all permutations, planted plans, and the axioms of a distance."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from fake_cuda import DEVICE_MISMATCH, fake_cuda

from numerics.transport import (
    exact_w2,
    exact_w2_batch,
    identity_coupling,
    labelled_angle,
    max_displacement,
    plan_cost,
    sliced_w2,
    squared_distances,
    w_infinity_batch,
)


def _sphere(*shape: int, seed: int = 0) -> torch.Tensor:
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x / x.norm(dim=-1, keepdim=True)


def _over_all_permutations(x: torch.Tensor, y: torch.Tensor) -> float:
    n = x.shape[0]
    plans = itertools.permutations(range(n))
    return min(
        math.sqrt(math.fsum(math.dist(x[i].tolist(), y[p[i]].tolist()) ** 2 for i in range(n)) / n) for p in plans
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_w2_is_the_minimum_over_all_permutations(n: int) -> None:
    x, y = _sphere(4, n, 3, seed=n), _sphere(4, n, 3, seed=100 + n)
    expected = torch.tensor([_over_all_permutations(x[k], y[k]) for k in range(4)], dtype=torch.float64)
    torch.testing.assert_close(exact_w2_batch(x, y), expected, rtol=1e-14, atol=0)
    assert exact_w2(x[0], y[0]) == pytest.approx(float(expected[0]), rel=1e-14)


@pytest.mark.parametrize("shift", [1e-3, 1e-9, 1e-12])
def test_planted_permutation_and_shift_is_found_to_the_last_digits(shift: float) -> None:
    # Dyadic coordinates, at least 1/8 apart, and a power of two as shift: the planted W2 is exact in floating point.
    cells = torch.cartesian_prod(*[torch.arange(-2, 3, dtype=torch.float64)] * 2)
    generator = torch.Generator().manual_seed(3)
    x = cells[torch.randperm(25, generator=generator)] / 8
    step = 2.0 ** round(math.log2(shift))
    y = (x + torch.tensor([step, 0.0], dtype=torch.float64))[torch.randperm(25, generator=generator)]
    assert exact_w2(x, y) == step
    assert float(identity_coupling(x[None], y[None])[0]) > 0.1


def test_two_tight_clusters_far_apart_keep_their_small_w2() -> None:
    """Costs of 4 beside costs of 1e-18: the assignment inside a cluster must not drown in the larger ones."""
    generator = torch.Generator().manual_seed(5)
    centres = torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]], dtype=torch.float64).repeat_interleave(8, dim=0)
    spread = torch.randint(-9, 10, (16, 3), generator=generator).to(torch.float64) * 2.0**-27
    x = centres + spread
    y = x[torch.randperm(16, generator=generator)] + torch.tensor([0, 2.0**-31, 0], dtype=torch.float64)
    assert exact_w2(x, y) == 2.0**-31


def test_w2_is_strictly_below_the_identity_coupling_where_labels_are_swapped() -> None:
    """Catches a W2 that is really the identity coupling."""
    x = torch.eye(2, dtype=torch.float64)[None]
    y = x.flip(1)
    assert exact_w2_batch(x, y).tolist() == [0.0]
    assert identity_coupling(x, y).tolist() == pytest.approx([math.sqrt(2)], rel=1e-15)
    x, y = _sphere(200, 8, 3, seed=1), _sphere(200, 8, 3, seed=2)
    w2, identity, largest = exact_w2_batch(x, y), identity_coupling(x, y), max_displacement(x, y)
    assert bool((w2 <= identity * (1 + 1e-14)).all())
    assert float((w2 < 0.99 * identity).double().mean()) > 0.9
    assert bool((identity <= largest * (1 + 1e-14)).all())


def test_one_token_and_equal_clouds() -> None:
    x, y = _sphere(5, 1, 4, seed=1), _sphere(5, 1, 4, seed=2)
    torch.testing.assert_close(exact_w2_batch(x, y), (x - y).norm(dim=-1)[:, 0], rtol=1e-15, atol=0)
    cloud = _sphere(3, 9, 4)
    assert exact_w2_batch(cloud, cloud.flip(1)).tolist() == [0.0] * 3
    assert exact_w2_batch(cloud[:0], cloud[:0]).shape == (0,)


def test_symmetry_triangle_inequality_and_invariance() -> None:
    x, y, z = (_sphere(100, 6, 3, seed=s) for s in (1, 2, 3))
    xy, yx, yz, xz = exact_w2_batch(x, y), exact_w2_batch(y, x), exact_w2_batch(y, z), exact_w2_batch(x, z)
    torch.testing.assert_close(xy, yx, rtol=1e-14, atol=0)
    assert bool((xz <= (xy + yz) * (1 + 1e-14)).all())
    assert float(((xz - (xy - yz).abs()) / xz).min()) >= -1e-14
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64))
    torch.testing.assert_close(exact_w2_batch(x @ rotation, y.flip(1) @ rotation), xy, rtol=1e-13, atol=0)


def test_sliced_distances_bound_it_from_below() -> None:
    """On a line the optimal plan sorts (a second method), and projecting shortens: equality for collinear clouds."""
    x, y = _sphere(20, 7, 3, seed=1), _sphere(20, 7, 3, seed=2)
    w2 = exact_w2_batch(x, y)
    for seed in range(10):
        line = _sphere(3, seed=seed)
        sliced = ((x @ line).sort(dim=-1).values - (y @ line).sort(dim=-1).values).square().mean(-1).sqrt()
        assert bool((sliced <= w2 * (1 + 1e-14)).all())
    line = _sphere(3, seed=11)
    s, t = torch.randn(2, 20, 7, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    sorted_distance = (s.sort(dim=-1).values - t.sort(dim=-1).values).square().mean(-1).sqrt()
    torch.testing.assert_close(
        exact_w2_batch(s.unsqueeze(-1) * line, t.unsqueeze(-1) * line), sorted_distance, rtol=1e-13, atol=0
    )


def test_nearly_equal_tokens_keep_their_digits() -> None:
    """``2 - 2<x, y>`` would return 0 here."""
    x = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    y = torch.tensor([[[1.0, 1e-11]]], dtype=torch.float64)
    assert float(squared_distances(x, y)[0, 0, 0]) == pytest.approx(1e-22, rel=1e-14, abs=0)
    assert exact_w2(x[0], y[0]) == pytest.approx(1e-11, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(1, 2, 3), torch.zeros(1, 3, 3), "one shape"),
        (torch.zeros(2, 3), torch.zeros(2, 3), "one shape"),
        (torch.zeros(1, 0, 3), torch.zeros(1, 0, 3), "n >= 1"),
        (torch.full((1, 2, 3), torch.nan), torch.zeros(1, 2, 3), "not finite"),
        (torch.full((1, 2, 3), torch.inf), torch.zeros(1, 2, 3), "not finite"),
    ],
)
def test_bad_clouds_are_refused(x: torch.Tensor, y: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exact_w2_batch(x, y)


def test_a_batch_is_refused_where_one_cloud_is_meant() -> None:
    with pytest.raises(ValueError, match="exact_w2_batch"):
        exact_w2(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3))


def test_device_code_stays_on_the_device() -> None:
    with fake_cuda():
        x, y = torch.randn(2, 3, 5, 4, device="cuda", dtype=torch.float64)
        plan = torch.zeros(3, 5, device="cuda", dtype=torch.long)
        for value in (squared_distances(x, y), plan_cost(x, y, plan), identity_coupling(x, y), max_displacement(x, y)):
            assert value.device.type == "cuda"
            assert value.dtype == torch.float64
        stray = torch.randn(3, 5, 4, dtype=torch.float64)
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            identity_coupling(x, stray)


def test_w_infinity_against_all_permutations():
    g = torch.Generator().manual_seed(4)
    x, y = torch.randn(2, 12, 5, 2, generator=g, dtype=torch.float64).unbind(0)
    found = w_infinity_batch(x, y)
    for k in range(12):
        cost = squared_distances(x, y)[k].sqrt()
        best = min(max(float(cost[i, p[i]]) for i in range(5)) for p in itertools.permutations(range(5)))
        assert float(found[k]) == best
    assert bool((found <= max_displacement(x, y)).all())
    assert bool((exact_w2_batch(x, y) <= found).all())


def test_w_infinity_of_ties_and_one_token():
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]], dtype=torch.float64)
    assert w_infinity_batch(x, x.flip(1)).tolist() == [0.0]
    assert w_infinity_batch(x[:, :1], x[:, 1:]).tolist() == [1.0]
    with pytest.raises(ValueError, match="not finite"):
        w_infinity_batch(x, x * torch.nan)


def test_labelled_angle_is_accurate_near_0_and_pi():
    for angle in (1e-9, 1.0, math.pi - 1e-9):
        x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
        y = torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float64)
        assert float(labelled_angle(x, y)) == pytest.approx(angle, abs=1e-15, rel=1e-9)


def test_sliced_distances_are_lower_bounds_and_exact_on_a_line() -> None:
    generator = torch.Generator().manual_seed(4)
    x, y = torch.randn(2, 5, 12, 3, generator=generator, dtype=torch.float64)
    directions = torch.nn.functional.normalize(torch.randn(200, 3, generator=generator, dtype=torch.float64), dim=1)
    sliced, exact = sliced_w2(x, y, directions), exact_w2_batch(x, y)
    assert (sliced <= exact + 1e-12).all()
    assert (sliced > 0.5 * exact).all()
    u = directions[0]
    first, second = x[..., :1] * u, y[..., :1] * u
    assert (sliced_w2(first, second, directions[:1]) - exact_w2_batch(first, second)).abs().max() < 1e-12
    assert (sliced_w2(x, x + 0.3 * u, directions[:1]) - 0.3).abs().max() < 1e-12
