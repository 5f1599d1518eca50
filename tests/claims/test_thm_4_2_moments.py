"""thm-4.2/variance, critical, two-level: moments at every depth against exact sums, and what a wrong constant does."""

import math

import numpy as np
import pytest

from proofs_checks import transition
from proofs_checks.layer_moments import log_length, one_layer_mean, overlap
from proofs_checks.statistics import Estimate
from theory import thm_4_2 as theory


def assert_supported(estimates: list[Estimate], controls: set[str]) -> None:
    assert not [e for e in estimates if e.side], estimates
    refuted = {name for e in estimates for name, wrong in e.wrong.items() if e.outside(wrong)}
    assert refuted == controls


@pytest.mark.claim("thm-4.2/variance")
def test_one_layer_and_the_exact_drift() -> None:
    assert_supported(transition.layer_estimates(3, 100_000), {"tangential move (5 %)"})
    assert_supported(transition.drift_estimates(16, 3, 40_000), set())
    assert_supported(transition.drift_estimates(256, 3, 40_000), {"limit (5 %)"})


@pytest.mark.claim("thm-4.2/variance")
def test_inflection_of_the_limit_is_at_the_height_1_minus_1_over_e() -> None:
    # D = 1 - exp(-c τ²), so in x = log τ the second derivative changes sign where c τ² = 1.
    def drift(x: float) -> float:
        return transition.value_of(theory.COLLAPSED_DRIFT, noise_scale=math.exp(x), T=1.0, s_norm=1.0, d=3)

    grid = np.linspace(-3, 3, 6_001)
    values = np.array([drift(x) for x in grid])
    turn = np.where(np.diff(np.sign(np.diff(values, 2))) < 0)[0][0] + 1
    assert values[turn] == pytest.approx(1 - 1 / math.e, abs=2e-3)


@pytest.mark.claim("thm-4.2/critical")
def test_variance_at_finite_depth_and_in_the_limit() -> None:
    assert_supported(transition.variance_estimates(16, 2, 20_000), {"variance (5 %)"})
    assert_supported(transition.variance_estimates(256, 2, 20_000), {"variance (5 %)", "limit (5 %)"})
    assert_supported(transition.correlated_estimates(64, 2, 20_000), {"AR(1) variance (5 %)"})


@pytest.mark.claim("thm-4.2/critical")
def test_correlated_variance_without_a_well_is_the_known_sum() -> None:
    # Σ_{k,k'} ρ^|k-k'| = L(1+ρ)/(1-ρ) - 2ρ(1-ρ^L)/(1-ρ)², the formula's limit as λ_j → λ1.
    rho, L = 0.6, 40
    numbers = {"h": 0.1, "eta": 1.0, "s_norm": 1.0, "d": 3, "lambda_1": 1.0, "correlation": rho, "L": L}
    found = transition.value_of(theory.AR1_VARIANCE, lambda_j=1.0 - 1e-7, **numbers)
    one = transition.value_of(theory.LAYER_NOISE, **numbers)
    expected = L * (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**L) / (1 - rho) ** 2
    assert found / one == pytest.approx(expected, rel=1e-5)


@pytest.mark.claim("thm-4.2/two-level")
def test_log_tan_is_a_random_walk() -> None:
    for depth in (16, 256):
        assert_supported(transition.random_walk_estimates(depth, 1, 30_000), set())


@pytest.mark.slow
@pytest.mark.claim("thm-4.2/two-level")
def test_log_tan_has_the_drift_and_the_variance_of_the_limit() -> None:
    """With another seed than the quick profile, which must refute both constants 5 % off too (tests/test_verify.py)."""
    assert_supported(transition.random_walk_estimates(1_024, 1, 60_000), {"drift (5 %)", "variance (5 %)"})


@pytest.mark.claim("thm-4.2/two-level")
def test_adapters_that_are_not_projected_have_four_times_the_variance_at_45_degrees() -> None:
    assert transition.unprojected_variance(5, 100_000) == pytest.approx(4, rel=0.1)


def test_quadrature_of_one_layer_against_a_direct_mean() -> None:
    rng = np.random.default_rng(0)
    g, p = rng.standard_normal((2, 400_000))
    q = np.linalg.norm(rng.standard_normal((400_000, 3)), axis=1)
    for function in (overlap, log_length):
        values = function(1 + 0.2 * g * p, 0.2 * np.abs(g) * q)
        error = values.std() / len(values) ** 0.5
        assert abs(one_layer_mean(function, 0.2, 3) - values.mean()) < 5 * error
    assert one_layer_mean(overlap, 1e-3, 3) == pytest.approx(1 - 3e-6 / 2, abs=1e-10)  # 1 - ½ E(g²)E|q|² strength²
