"""thm-4.2/collapse and fixed-step: how the critical norm scales with depth."""

import math

import pytest
import torch

from proofs_checks import transition_curves as curves
from proofs_checks.statistics import Estimate


def _slope(found: list[Estimate]) -> Estimate:
    (estimate,) = found
    assert estimate.side == 0, estimate
    return estimate


@pytest.mark.claim("thm-4.2/collapse")
@pytest.mark.parametrize(("kind", "power"), [("random", 0.5), ("tied", 0.0)])
def test_critical_norm_at_fixed_time(kind, power) -> None:
    estimate = _slope(curves.fixed_time_slope(2, 4_000, kind))
    assert estimate.predicted == power
    assert estimate.outside(0.5 - power)  # the other law is refuted
    assert estimate.error < 0.02


@pytest.mark.claim("thm-4.2/collapse")
def test_curves_collapse_in_the_scaled_norm_and_not_in_the_norm() -> None:
    found = curves.quality(4, 400)
    assert found["scaled"] < 0.01
    assert found["unscaled"] > 0.1


@pytest.mark.claim("thm-4.2/collapse")
def test_orthogonal_adapters_move_nothing() -> None:
    assert all(e.side == 0 for e in curves.orthogonal_estimates(0, 50))
    other = curves.drifts(
        curves.Setting(curves.WELL), torch.tensor([80.0]).double(), h=0.05, depth=64, seeds=50, seed=0
    )
    assert float(other.mean()) > 0.5  # the same without the projection does


@pytest.mark.claim("thm-4.2/collapse")
def test_shift_of_correlated_adapters() -> None:
    estimate = _slope(curves.shift_estimate(1, 4_000))
    assert estimate.predicted == pytest.approx(math.sqrt(1 / 3))
    assert estimate.outside(1.0)


@pytest.mark.claim("thm-4.2/fixed-step")
@pytest.mark.parametrize(("kind", "power"), [("random", -0.5), ("tied", -1.0)])
def test_critical_norm_at_fixed_step(kind, power) -> None:
    estimate = _slope(curves.fixed_step_slope(2, 4_000, kind))
    assert estimate.predicted == power
    assert estimate.outside(-1.5 - power)


@pytest.mark.claim("thm-4.2/fixed-step")
def test_plateau() -> None:
    estimate = _slope(curves.plateau_estimate(2, 4_000))
    assert estimate.outside(-0.5)


def test_a_curve_that_does_not_cross_gives_no_number() -> None:
    found = curves.crossing(curves.Setting(curves.WELL), 1e-6, 0.35, h=0.1, depth=4, seeds=10, seed=0)
    assert math.isnan(found.log_eta)
