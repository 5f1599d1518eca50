"""What a sweep measured beside what the theory says: one row a law, with its bootstrap interval.

Predictions come from ``theory`` alone; nothing is fitted but exponents of measured critical norms, which are what is
compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proofs_checks.layer_moments import one_layer_mean, overlap
from proofs_checks.sweep import fits
from proofs_checks.sweep.clouds import EXACT
from proofs_checks.sweep.families import Clouds, Escapes, Passages, Sweep
from proofs_checks.sweep.fits import Array, Interval
from proofs_checks.sweep.folder import Table
from proofs_checks.sweep.jumps import HIGH, LOW
from proofs_checks.sweep.predictions import FIRST_DEPTH, SMALL_DRIFT, critical, exponent, flat_sum
from proofs_checks.transition import value_of
from theory import sweep_laws, thm_4_2, thm_4_6

EXPONENT, RATIO = 0.02, 0.02
"""Allowances: of an exponent (absolute), of a ratio (relative)."""
BETTER = 10.0
"""How many times better the right scaling must make the curves fall on one."""
_SPAN = 16
_FITTED = 100
"""Resamples of what needs a spline each."""
_FINE = 0.05
"""Largest of g·h·gap/σ² (drift) and σ²h (noise of one layer) at which the layers are near the SDE, their limit."""
_LAYERED_BOUNDARY = 0.5826
"""-ζ(1/2)/√(2π): a random walk looked at in steps passes a boundary that many step sizes late (Chernoff).

That is the constant of Gaussian steps. Those of a rank-one adapter are products of two normals (0.818 by Spitzer's
formula): up to 4 % of the mean time at h = 0.01, which the finite step happens to offset; the allowance covers both.
"""


@dataclass(frozen=True)
class Law:
    """One row.

    Attributes
    ----------
    family, law: what was measured, and where. measured: with its interval. predicted: by theory; None where it says
        nothing. allowance: how far the two may be apart (absolute). at_least: the prediction is a lower bound.
    """

    family: str
    law: str
    measured: Interval
    predicted: float | None
    allowance: float = 0.0
    at_least: bool = False

    @property
    def agrees(self) -> bool | None:
        """True: within the allowance. False: not, and no value of the interval is. None: too few seeds to tell."""
        if self.predicted is None:
            return None
        above = self.measured.value >= self.predicted - self.allowance
        below = self.at_least or self.measured.value <= self.predicted + self.allowance
        if above and below:
            return True
        low, high = self.predicted - self.allowance, self.predicted + self.allowance
        apart = self.measured.high < low or (not self.at_least and self.measured.low > high)
        return False if apart else None


@dataclass(frozen=True)
class Curves:
    """D of one family of clouds.

    Attributes
    ----------
    scales: ``(E,)``, x of ``η = x L^p``. samples: ``(S, K, E)``, ½W2² of each replica at each of K depths.
    critical, resampled: ``(K,)`` and ``(RESAMPLES, K)``, the x at which the mean crosses the threshold.
    """

    family: Clouds
    scales: Array
    samples: Array
    critical: Array
    resampled: Array

    @property
    def means(self) -> Array:
        """D ``(K, E)``."""
        return self.samples.mean(axis=0)

    @property
    def depths(self) -> Array:
        """L ``(K,)``."""
        return np.array(self.family.depths, dtype=float)

    def critical_eta(self, k: int) -> Interval:
        """η_c at the k-th depth."""
        scale = self.family.depths[k] ** self.family.power
        return fits.interval(self.critical[k] * scale, self.resampled[:, k] * scale)


def curves(family: Clouds, table: Table, seed: int = 0) -> Curves:
    """D(η, L) of each replica, and where its mean crosses the threshold.

    Above :data:`proofs_checks.sweep.clouds.EXACT` tokens D is that of the identity coupling, an upper bound.
    """
    K, E = len(family.depths), len(family.etas)
    half = (
        (table["w2" if family.tokens <= EXACT else "identity_w2"] ** 2 / 2)
        .reshape(K, family.seeds, E)
        .transpose(1, 0, 2)
    )
    scales = np.array(family.etas)
    critical = fits.crossing(scales, half.mean(axis=0), family.threshold)
    again = fits.crossing(scales, fits.resampled_means(half, seed), family.threshold)
    return Curves(family, scales, half, critical, again)


def drawn(sweep: Sweep, tables: dict[str, Table]) -> dict[str, Curves]:
    """The curves of every family of clouds."""
    return {f.name: curves(f, tables[f.name], sweep.seed) for f in sweep.families if isinstance(f, Clouds)}


def laws(sweep: Sweep, tables: dict[str, Table]) -> list[Law]:
    """All rows of a sweep."""
    clouds = drawn(sweep, tables)
    found: list[Law] = []
    for family in sweep.families:
        if isinstance(family, Clouds):
            found += cloud_laws(clouds[family.name])
        elif isinstance(family, Passages):
            found += passage_laws(family, tables[family.name], sweep.seed)
        else:
            found += escape_laws(family, tables[family.name], sweep.seed)
    return found + shift_laws(clouds) + rank_laws(clouds)


# --- clouds -----------------------------------------------------------------------------------------


def cloud_laws(c: Curves) -> list[Law]:
    """Exponent of η_c, collapse on one curve, and where theory has the whole curve, that."""
    family, found = c.family, []
    if not np.isfinite(c.critical).all():
        if family.directions == "off-u1" and family.adapters != "tied":
            return []
        missing = [f"{L:,}" for L, x in zip(family.depths, c.critical, strict=True) if math.isnan(x)]
        nothing = Interval(math.nan, math.nan, math.nan)
        name = f"D does not cross {family.threshold:g} at L = {', '.join(missing)}"
        return [Law(family.name, name, nothing, None), *missed_laws(c)]
    used = c.depths >= FIRST_DEPTH
    if used.sum() >= 2:
        x, power = np.log(c.depths[used]), family.power
        measured = fits.interval(
            power + fits.slope(x, np.log(c.critical[used])), power + fits.slope(x, np.log(c.resampled[:, used]))
        )
        found.append(Law(family.name, "exponent of η_c in L", measured, exponent(family), EXPONENT))
        found += collapse_laws(c, used)
    found += finite_depth_laws(c)
    found += [*linear_laws(c), *flat_laws(c)]
    if not found or (family.threshold > SMALL_DRIFT and not any(x.law.startswith("exponent") for x in found)):
        last = fits.interval(c.critical[-1], c.resampled[:, -1])
        found.append(Law(family.name, f"η_c/L^{family.power:g} at L = {family.depths[-1]:,}", last, None))
    return found


def missed_laws(c: Curves) -> list[Law]:
    """Depths at which D crosses the threshold nowhere although the linearised model puts η_c inside the grid."""
    family = c.family
    if not linear(family):
        return []
    rows = []
    for k, depth in enumerate(family.depths):
        scale, predicted = depth**family.power, critical(family, depth)
        first, last = c.scales[0] * scale, c.scales[-1] * scale
        if math.isfinite(c.critical[k]) or not first * (1 + RATIO) < predicted < last * (1 - RATIO):
            continue
        crossed = np.isfinite(c.resampled[:, k]).mean() > (1 - fits.CONFIDENCE) / 2
        below = bool((c.means[k] <= family.threshold).all())
        edge = last if below else first
        nowhere = Interval(edge, edge if below else 0.0, math.inf if below else edge)
        measured = Interval(edge, math.nan, math.nan) if crossed or len(c.samples) < fits.FEWEST else nowhere
        words = f"η_c at L = {depth:,} (linearised), beyond the grid"
        rows.append(Law(family.name, words, measured, predicted, RATIO * predicted))
    return rows


def linear(family: Clouds) -> bool:
    """Whether the linearised model says where η_c is."""
    low = family.collapsed and family.threshold <= SMALL_DRIFT and family.adapters != "tied"
    return low and critical(family, family.depths[0]) < math.inf


def finite_depth_laws(c: Curves) -> list[Law]:
    """``η_c/L^p`` at the smallest depth over that at the largest: 1 but for corrections of finite depth."""
    family = c.family
    if len(family.depths) < 3 or family.depths[-1] < _SPAN * family.depths[0]:
        return []
    first, last = family.depths[0], family.depths[-1]
    measured = fits.interval(c.critical[0] / c.critical[-1], c.resampled[:, 0] / c.resampled[:, -1])
    predicted = None
    if linear(family):
        predicted = critical(family, first) / critical(family, last) * (last / first) ** family.power
    name = f"η_c/L^{family.power:g} at L = {first:,} over that at L = {last:,}"
    return [Law(family.name, name, measured, predicted, RATIO * (predicted or 0.0))]


def collapse_laws(c: Curves, used: Array) -> list[Law]:
    """How much better the curves fall on one against ``η/L^p`` (p of the theorem) than against the other scaling.

    At fixed T: p = ½ for random adapters and 0 for tied ones, each against the other's.
    """
    family = c.family
    if family.fixed != "T" or len(family.etas) < 8 or family.adapters == "ar1":
        return []
    right, wrong = (0.0, 0.5) if family.adapters == "tied" else (0.5, 0.0)
    depths = c.depths[used]
    logs = np.log(c.scales)[None, :] + family.power * np.log(depths)[:, None]

    def better(means: Array) -> float:
        shares = [
            fits.residual_share((logs - power * np.log(depths)[:, None]).ravel(), means.ravel())
            for power in (wrong, right)
        ]
        return shares[0] / shares[1]

    again = _refitted(better, c.samples[:, used], 3)
    value = better(c.means[used])
    # Resampling adds noise to a small residual: the interval is reflected about the logarithm of the value.
    measured = fits.interval(value, value**2 / again)
    wide = depths[-1] >= _SPAN * depths[0]  # over a narrow range of L neither scaling is far off
    name = f"residual against η/L^{wrong:g} over that against η/L^{right:g}"
    return [Law(family.name, name, measured, BETTER if wide else None, at_least=True)]


def linear_laws(c: Curves) -> list[Law]:
    """Where the threshold is low and the token starts at u1: η_c itself, at the smallest and the largest depth."""
    family = c.family
    if not linear(family):
        return []
    rows = []
    for k in sorted({0, len(family.depths) - 1}):
        depth = family.depths[k]
        predicted = critical(family, depth)
        rows.append(
            Law(family.name, f"η_c at L = {depth:,} (linearised)", c.critical_eta(k), predicted, RATIO * predicted)
        )
    return rows


def _refitted(what: Callable[[Array], float], samples: Array, seed: int) -> Array:
    again = fits.resampled_means(samples, seed)[:_FITTED]
    return np.array([what(x) for x in again]) if np.isfinite(again).all() else np.full(_FITTED, np.nan)


def flat_laws(c: Curves) -> list[Law]:
    """V = 0, collapsed, independent adapters: D against its exact value, and the height of the inflection."""
    family = c.family
    if not family.collapsed or any(family.levels) or family.adapters != "random" or family.fixed != "T":
        return []
    depth, h = family.depths[-1], family.step(family.depths[-1])
    etas = c.scales * depth**family.power
    exact = np.array([1 - one_layer_mean(overlap, h * x * family.norm / family.d, family.d - 1) ** depth for x in etas])
    samples = c.samples[:, -1]
    mean = samples.mean(axis=0)
    rows = []
    if family.rank == 1:
        measured = fits.largest(np.abs(mean - exact).max(), fits.resampled_means(samples, 1) - mean)
        rows.append(Law(family.name, f"largest |D - (1 - ρ^L)| at L = {depth:,}", measured, 0.0, RATIO))
    if len(etas) >= 8:
        logs = np.log(c.scales)
        heights = _refitted(lambda y: fits.inflection(logs, y)[1], samples, 2)
        measured = fits.interval(fits.inflection(logs, mean)[1], heights)
        rows.append(Law(family.name, "height of the inflection in log η", measured, 1 - math.exp(-1), 0.1))
    return rows


def shift_laws(clouds: dict[str, Curves]) -> list[Law]:
    """η_c of AR(1) adapters over that of independent ones without a well, at every depth, against the exact sum."""
    rows = []
    plain = [c for c in clouds.values() if _small_without_well(c.family) and c.family.adapters == "random"]
    for c in clouds.values():
        if not (_small_without_well(c.family) and c.family.adapters == "ar1" and plain):
            continue
        other = plain[0]
        shared = [L for L in c.family.depths if L in other.family.depths]
        for L in sorted({shared[0], shared[-1]}) if shared else []:
            k, j = c.family.depths.index(L), other.family.depths.index(L)
            scale = L ** (c.family.power - other.family.power)
            measured = fits.interval(c.critical[k] / other.critical[j] * scale,
                                     c.resampled[:, k] / other.resampled[:, j] * scale)  # fmt: skip
            predicted = math.sqrt(L / flat_sum(c.family, L))
            rows.append(Law(c.family.name, f"η_c over that of independent adapters, L = {L:,} (exact sum)", measured,
                            predicted, RATIO * predicted))  # fmt: skip
            limit = value_of(thm_4_2.AR1_SHIFT, correlation=c.family.correlation)
            if shared[-1] == L and predicted < (1 + RATIO) * limit:  # a limit: L(1-ρ) must be large
                rows.append(Law(c.family.name, f"the same against √((1-ρ)/(1+ρ)), L = {L:,}", measured, limit,
                                RATIO * limit))  # fmt: skip
    return rows


def _small_without_well(family: Clouds) -> bool:
    flat = family.collapsed and len(set(family.levels)) == 1
    return flat and family.fixed == "T" and family.threshold <= SMALL_DRIFT


def rank_laws(clouds: dict[str, Curves]) -> list[Law]:
    """η_c at rank r over that at rank 1, where only r differs: 1, since ||s|| is the same."""
    rows = []
    for c in clouds.values():
        first = next(
            (x for x in clouds.values() if x.family.rank == 1 and _only_rank_differs(x.family, c.family)), None
        )
        if first is None or c.family.rank == 1 or not np.isfinite([*c.critical, *first.critical]).all():
            continue
        measured = fits.interval(c.critical[-1] / first.critical[-1], c.resampled[:, -1] / first.resampled[:, -1])
        allowance = RATIO if c.family.threshold <= SMALL_DRIFT else 3 * RATIO
        rows.append(Law(c.family.name, "η_c over that at rank 1, equal Σ s_k²", measured, 1.0, allowance))
    return rows


def _only_rank_differs(first: Clouds, second: Clouds) -> bool:
    names = ("adapters", "correlation", "power", "depths", "fixed", "amount", "levels", "tokens", "collapsed", "norm",
             "directions", "threshold", "etas")  # fmt: skip
    return all(getattr(first, x) == getattr(second, x) for x in names)


# --- jumps ------------------------------------------------------------------------------------------


def grid_of(family: Passages, table: Table, column: str) -> tuple[Array, Array]:
    """ε ``(K,)``, increasing, and a column as ``(K, S)``."""
    order = np.argsort(family.epsilons)
    return np.array(family.epsilons)[order], table[column].reshape(len(order), family.seeds)[order]


def passage_laws(family: Passages, table: Table, seed: int) -> list[Law]:
    """The time of the jump and its window against ε."""
    epsilons, times = grid_of(family, table, "time")
    windows = grid_of(family, table, "ends")[1] - grid_of(family, table, "begins")[1]

    def averaged(x: Array) -> tuple[Array, Array]:
        middle = x.mean(axis=1)
        if family.tokens == 1:  # no luck in it
            return middle, np.broadcast_to(middle, (fits.RESAMPLES, len(middle)))
        return middle, fits.resampled_means(x.T, seed)

    mean, again = averaged(times)
    width, width_again = averaged(windows)
    if family.shape == "degenerate":
        x = np.log(epsilons)
        rows = [Law(family.name, "slope of log T* in log ε", fits.interval(fits.slope(x, np.log(mean)),
                    fits.slope(x, np.log(again))), -1.0, EXPONENT)]  # fmt: skip
        if family.tokens == 1:
            exact = value_of(thm_4_6.DEGENERATE_TIME, angle_0=family.angle, deviation=family.angle / 2,
                             weakening=float(epsilons[0]))  # fmt: skip
            rows.append(Law(family.name, f"T* at ε = {epsilons[0]:.0e}", fits.interval(mean[0], again[:, 0]), exact,
                            1e-6 * exact))  # fmt: skip
        sharp = fits.interval(width[0] / mean[0], width_again[:, 0] / again[:, 0])
        return [*rows, Law(family.name, f"window/T* at ε = {epsilons[0]:.0e} (not sharp)", sharp, None)]
    scale = family.gap / np.log(1 / epsilons)
    rows = []
    for k in sorted({0, len(epsilons) - 1}):
        measured = fits.interval(mean[k] * scale[k], again[:, k] * scale[k])
        rows.append(Law(family.name, f"T*·(λ̃1-λ̃2)/log(1/ε) at ε = {epsilons[k]:.0e}", measured, 1.0,
                        0.5 / math.log(1 / epsilons[k])))  # fmt: skip
    window = value_of(thm_4_6.CUTOFF_WINDOW, overlap_low=LOW, overlap_high=HIGH, perturbed_gap=family.gap)
    whole = np.flatnonzero(1.5 * epsilons < LOW)  # tokens that start beyond the window's first end cut it short
    for k in sorted({whole[0], whole[-1]} if len(whole) else {}):
        measured = fits.interval(width[k] * family.gap, width_again[:, k] * family.gap)
        rows.append(Law(family.name, f"window·(λ̃1-λ̃2) at ε = {epsilons[k]:.0e}", measured, window * family.gap,
                        RATIO * window * family.gap))  # fmt: skip
    if len(whole) >= 2:
        spread = float(np.ptp(width[whole]) / width[whole].mean())
        rows.append(Law(family.name, "spread of the window over ε", Interval(spread, spread, spread), 0.0, RATIO))
    if family.tokens == 1:
        exact = value_of(thm_4_6.CUTOFF_UPPER, overlap=float(epsilons[0]), perturbed_gap=family.gap)
        rows.append(Law(family.name, f"T* at ε = {epsilons[0]:.0e}", fits.interval(mean[0], again[:, 0]), exact,
                        1e-6 * exact))  # fmt: skip
    return rows


def escape_prediction(family: Escapes, barrier: float) -> float:
    """Exact mean time of the SDE until it passes the perpendicular, seen at the layers only (an overshoot in σ√h)."""
    sigma = math.sqrt(family.gap / barrier)
    late = _LAYERED_BOUNDARY * sigma * math.sqrt(family.h)
    return sweep_laws.escape_time(family.gap, sigma, math.pi / 2 + late)


def escape_laws(family: Escapes, table: Table, seed: int) -> list[Law]:
    """The mean time to leave the well against the exact one of the SDE, and how its logarithm grows."""
    times = table["time"].reshape(len(family.barriers), family.seeds).T
    if np.isnan(times).any():
        return [
            Law(family.name, "some tokens do not leave in the time that is waited", Interval(*[math.nan] * 3), None)
        ]
    mean, again = times.mean(axis=0), fits.resampled_means(times, seed)
    rows = []
    predicted = []
    for k, barrier in enumerate(family.barriers):
        fine = family.gap * family.h * max(barrier, 1 / barrier) <= _FINE
        exact = escape_prediction(family, barrier) if fine else None
        predicted.append(exact)
        rows.append(Law(family.name, f"mean time to leave at gap/σ² = {barrier:g}", fits.interval(mean[k], again[:, k]),
                        exact, 3 * RATIO * (exact or 0.0)))  # fmt: skip
    if len(family.barriers) >= 3 and None not in predicted[-3:]:
        x = np.array(family.barriers[-3:])
        measured = fits.interval(fits.slope(x, np.log(mean[-3:])), fits.slope(x, np.log(again[:, -3:])))
        exact = float(fits.slope(x, np.log(np.array(predicted[-3:]))))
        rows.append(Law(family.name, "growth of log time in gap/σ² (→ 1: exponential)", measured, exact, 3 * RATIO))
    return rows
