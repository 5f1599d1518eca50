"""Statistics of the curves D(η, L): where they cross a level, exponents, how well they fall on one curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.optimize import nnls

Array = np.ndarray
RESAMPLES = 1_000
CONFIDENCE = 0.95
FEWEST = 5
"""Replicas that a bootstrap interval needs at least: that of fewer is too narrow to mean anything."""
_KNOTS = 12
_LOST = 0.02


@dataclass(frozen=True)
class Interval:
    """A measured number with its bootstrap interval (percentiles of :data:`CONFIDENCE`)."""

    value: float
    low: float
    high: float


def interval(value: float | Array, resampled: Array) -> Interval:
    """The interval of the resampled values; NaN where more than one in fifty of them are (no crossing in the grid)."""
    tail = 50 * (1 - CONFIDENCE)
    if np.isnan(resampled).mean() > _LOST:
        return Interval(float(value), np.nan, np.nan)
    low, high = np.nanpercentile(resampled, [tail, 100 - tail])
    return Interval(float(value), float(low), float(high))


def largest(value: float | Array, noise: Array) -> Interval:
    """The interval of a largest deviation from theory, from the noise ``(RESAMPLES, E)`` of the means.

    Percentiles of the resampled deviation itself would never reach 0, and with few seeds would exclude the truth.
    """
    margin = np.percentile(np.abs(noise).max(axis=1), 100 * CONFIDENCE) if np.isfinite(noise).all() else np.nan
    return Interval(float(value), float(np.maximum(value - margin, 0.0)), float(value + margin))


def resampled_means(samples: Array, seed: int) -> Array:
    """Means ``(RESAMPLES, ...)`` over replicas drawn with repetition; ``samples (S, ...)``.

    A replica keeps all its columns: depths and scales that share random numbers are drawn together. NaN where there
    are fewer than :data:`FEWEST`.
    """
    S = samples.shape[0]
    if S < FEWEST:
        return np.full((RESAMPLES, *samples.shape[1:]), np.nan)
    counts = np.random.default_rng(seed).multinomial(S, np.full(S, 1 / S), size=RESAMPLES)
    return np.tensordot(counts / S, samples, axes=(1, 0))


def crossing(scales: Array, means: Array, level: float) -> Array:
    """The first scale at which a curve rises through the level, interpolated in log-log; NaN where it does not.

    ``scales (E,)`` increasing, ``means (..., E)``.
    """
    if len(scales) < 2:
        return np.full(means.shape[:-1], np.nan)
    below, above = means[..., :-1] <= level, means[..., 1:] > level
    rises = below & above
    first = rises.argmax(axis=-1)[..., None]
    y = np.log(np.maximum(means, 1e-300))
    x = np.log(scales)
    y0, y1 = np.take_along_axis(y, first, -1)[..., 0], np.take_along_axis(y, first + 1, -1)[..., 0]
    x0, x1 = x[first[..., 0]], x[first[..., 0] + 1]
    with np.errstate(all="ignore"):  # where nothing rises the formula has no meaning
        found = np.exp(x0 + (x1 - x0) * (np.log(level) - y0) / (y1 - y0))
    return np.where(rises.any(axis=-1), found, np.nan)


def slope(x: Array, y: Array) -> Array:
    """Least-squares slope of ``y (..., K)`` in ``x (K,)``."""
    centred = x - x.mean()
    return (y * centred).sum(axis=-1) / (centred**2).sum()


def monotone_spline(x: Array, y: Array) -> BSpline:
    """Least-squares increasing cubic spline through points, knots at quantiles of ``x``."""
    inner = np.unique(np.quantile(x, np.linspace(0, 1, _KNOTS)))
    knots = np.concatenate([[inner[0]] * 3, inner, [inner[-1]] * 3])
    count = len(knots) - 4
    # Increasing coefficients make an increasing spline: the first is free, the steps between them are not negative.
    design = BSpline.design_matrix(np.clip(x, inner[0], inner[-1]), knots, 3).toarray()
    steps = design @ np.tril(np.ones((count, count)))
    columns = np.concatenate([steps, -steps[:, :1]], axis=1)
    found, _ = nnls(columns, y)
    found[0] -= found[-1]
    return BSpline(knots, np.cumsum(found[:-1]), 3)


def residual_share(x: Array, y: Array) -> float:
    """Residual variance of all points around one monotone spline, over their total variance."""
    spline = monotone_spline(x, y)
    return float(np.mean((y - spline(x)) ** 2) / np.var(y))


def inflection(x: Array, y: Array) -> tuple[float, float]:
    """Where the monotone spline through one curve is steepest, and its height there."""
    spline = monotone_spline(x, y)
    fine = np.linspace(x.min(), x.max(), 4_001)
    at = fine[np.argmax(spline.derivative()(fine))]
    return float(at), float(spline(at))
