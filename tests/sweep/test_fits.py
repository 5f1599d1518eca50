"""Statistics on planted curves: crossings, exponents, collapse on one curve, inflection."""

from __future__ import annotations

import numpy as np
import pytest

from proofs_checks.sweep import fits

RNG = np.random.default_rng(5)


def curve(x: np.ndarray) -> np.ndarray:
    """An S-shaped curve of known level crossing and inflection: 1 - exp(-x²), at height 1 - 1/e in log x."""
    return 1 - np.exp(-(x**2))


def test_crossings_of_a_known_curve() -> None:
    scales = np.geomspace(0.05, 5, 60)
    for level in (0.01, 0.25, 0.7):
        found = fits.crossing(scales, curve(scales), level)
        assert found == pytest.approx(np.sqrt(-np.log(1 - level)), rel=2e-3)
    assert np.isnan(fits.crossing(scales, 0.2 * curve(scales), 0.25))
    falls = np.stack([curve(scales), curve(scales)[::-1]])
    assert np.isnan(fits.crossing(scales, falls, 0.5)).tolist() == [False, True]


def test_of_several_crossings_the_first_upwards_is_taken() -> None:
    scales, means = np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([0.5, 0.2, 0.8, 0.2, 0.8])
    assert fits.crossing(scales, means, 0.4) == pytest.approx(2 * 2**0.5)  # half way in the logarithm


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.45, 0.5])
def test_a_planted_exponent_is_found_within_its_interval(power: float) -> None:
    depths, scales = 2.0 ** np.arange(6, 13), np.geomspace(0.2, 5, 16)
    samples = curve(scales[None] / depths[:, None] ** (power - 0.5)) + RNG.normal(0, 0.2, (300, 7, 16))
    again = fits.crossing(scales, fits.resampled_means(samples, 0), 0.25)
    slopes = 0.5 + fits.slope(np.log(depths), np.log(again))
    measured = fits.interval(
        0.5 + fits.slope(np.log(depths), np.log(fits.crossing(scales, samples.mean(0), 0.25))), slopes
    )
    if abs(power - 0.5) > 0.1:  # the crossing leaves the grid
        assert np.isnan(measured.low)
    else:
        assert measured.low <= power <= measured.high
        assert measured.high - measured.low < 0.05


def test_intervals_cover_at_their_level() -> None:
    inside = 0
    for trial in range(200):
        samples = RNG.exponential(1.0, (80, 1))
        found = fits.interval(samples.mean(), fits.resampled_means(samples, trial)[:, 0])
        inside += found.low <= 1.0 <= found.high
    assert 0.87 <= inside / 200 <= 0.99


def test_the_right_scaling_makes_curves_fall_on_one() -> None:
    depths, scales = 2.0 ** np.arange(6, 13), np.geomspace(0.1, 10, 16)
    eta = scales[None] * depths[:, None] ** 0.5
    D = curve(eta / depths[:, None] ** 0.5) + RNG.normal(0, 0.01, eta.shape)
    scaled = fits.residual_share(np.log(eta / depths[:, None] ** 0.5).ravel(), D.ravel())
    unscaled = fits.residual_share(np.log(eta).ravel(), D.ravel())
    assert scaled < 0.005
    assert unscaled > 0.2


def test_the_spline_increases_whatever_the_points_do() -> None:
    x = np.linspace(-2, 2, 80)
    fine = np.linspace(-2, 2, 500)
    for y in (x, -x, np.sin(5 * x), RNG.normal(size=80)):
        assert np.diff(fits.monotone_spline(x, y)(fine)).min() > -1e-9
    assert np.abs(fits.monotone_spline(x, x)(fine) - fine).max() < 1e-6


def test_the_inflection_of_a_known_curve() -> None:
    x = np.linspace(np.log(0.05), np.log(5), 24)
    at, height = fits.inflection(x, curve(np.exp(x)))
    assert height == pytest.approx(1 - np.exp(-1), abs=0.03)
    assert at == pytest.approx(0.0, abs=0.08)
