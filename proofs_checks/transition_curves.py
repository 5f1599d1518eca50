"""Theorem 4.2 by curves D(η, L) = ½E|x^L - u1|² of collapsed tokens: where they cross a level, and the scaling with L.

Random adapters share their draws over the scales η of a curve, so that a curve is smooth in η.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from numerics.adapters import AdapterLaw, Kind
from numerics.layered import collapsed_states, recorded
from proofs_checks.statistics import WRONG, Estimate, Z, mean_and_error, statistical_row
from proofs_checks.store import Run
from proofs_checks.transition import axis, replicas, value_of
from theory import thm_4_2 as theory
from theory.claim import Claim

LONG = (64, 256, 1_024)
_SPREAD = (0.92, 1.0, 1.08)


@dataclass(frozen=True)
class Setting:
    """A curve: V diagonal with these levels, u1 the first axis, adapters of rank one of this kind."""

    levels: tuple[float, ...]
    kind: Kind = "random"
    correlation: float = 0.0
    orthogonal: bool = False

    def law(self) -> AdapterLaw:
        """The law of the adapters at scale one."""
        off = axis(len(self.levels)).unsqueeze(1) if self.orthogonal else None
        return AdapterLaw(self.kind, correlation=self.correlation, off=off)


@dataclass(frozen=True)
class Crossing:
    """log η at which D reaches a level, and its standard error."""

    log_eta: float
    error: float


def drifts(setting: Setting, etas: torch.Tensor, *, h: float, depth: int, seeds: int, seed: int) -> torch.Tensor:
    """½|x^L - u1|² (seeds, E) for the scales ``etas (E,)``."""
    d = len(setting.levels)
    value = torch.diag(torch.tensor(setting.levels, dtype=torch.float64))
    adapters = setting.law().layers(seeds, d, torch.Generator().manual_seed(seed))
    start = axis(d).expand(seeds, len(etas), d)
    states = collapsed_states(start, value, etas, h=h, depth=depth, adapters=adapters)
    end = recorded(states, [depth])[:, 0]
    return (end - axis(d)).square().sum(dim=2) / 2


def crossing(setting: Setting, near: float, level: float, *, h: float, depth: int, seeds: int, seed: int) -> Crossing:
    """Where D reaches ``level``, interpolated in log η between scales around ``near``; NaN where it does not there."""
    etas = near * torch.tensor(_SPREAD, dtype=torch.float64)
    found = drifts(setting, etas, h=h, depth=depth, seeds=seeds, seed=seed)
    means, logs = found.mean(dim=0), etas.log()
    for k in range(len(etas) - 1):
        if means[k] <= level <= means[k + 1]:
            share = float((level - means[k]) / (means[k + 1] - means[k]))
            slope = float((means[k + 1] - means[k]) / (logs[k + 1] - logs[k]))
            _, error = mean_and_error((1 - share) * found[:, k] + share * found[:, k + 1])
            return Crossing(float(logs[k] + share * (logs[k + 1] - logs[k])), error / slope)
    return Crossing(float("nan"), float("nan"))


def slope_estimate(
    name: str, first: Crossing, last: Crossing, ratio: float, predicted: float, seeds: int, control: str
) -> Estimate:
    """Slope of log η_c in log L between two depths, against the exponent; 0 is made wrong by 5 % of ½."""
    length = float(np.log(ratio))
    error = float(np.hypot(first.error, last.error)) / length
    wrong = predicted * (1 - WRONG) if predicted else WRONG / 2
    mean = (last.log_eta - first.log_eta) / length
    return Estimate(name, mean, error, predicted, seeds, wrong={control: wrong})


def _two_depths(
    setting: Setting, near: tuple[float, float], level: float, h: tuple[float, float], seeds: int, seed: int
) -> tuple[Crossing, Crossing]:
    ends = (LONG[0], LONG[-1])
    first, last = (crossing(setting, near[k], level, h=h[k], depth=ends[k], seeds=seeds, seed=seed + k) for k in (0, 1))
    return first, last


# --- T fixed ----------------------------------------------------------------------------------------

WELL = (1.0, 0.5, 0.0)
T = 4.0
LEVEL, TIED_LEVEL = 0.35, 0.2
RANDOM_AT, TIED_AT, FLAT_AT = 0.763, 1.1, 0.49
"""Where the curves cross their level, roughly: η/√L, η, and η/√L for V = 0."""
_FLAT = (0.0, 0.0, 0.0)


def fixed_time_slope(seed: int, seeds: int, kind: Kind) -> list[Estimate]:
    """Slope of η_c(L) at fixed T: ½ for random adapters, 0 for tied ones."""
    power = 0.5 if kind == "random" else 0.0
    at = RANDOM_AT if kind == "random" else TIED_AT
    ends = (LONG[0], LONG[-1])
    near = (at * ends[0] ** power, at * ends[1] ** power)
    level = LEVEL if kind == "random" else TIED_LEVEL
    found = _two_depths(Setting(WELL, kind), near, level, (T / ends[0], T / ends[1]), seeds, seed)
    return [
        slope_estimate(f"slope at fixed T, {kind}", *found, ends[1] / ends[0], power, seeds, f"slope, {kind} (5 %)")
    ]


def shift_estimate(seed: int, seeds: int) -> list[Estimate]:
    """η_c of AR(1) adapters over that of independent ones, V = 0, at the largest depth."""
    rho, depth = 0.5, LONG[-1]
    predicted = value_of(theory.AR1_SHIFT, correlation=rho)
    h, at = T / depth, FLAT_AT * depth**0.5
    alone = crossing(Setting(_FLAT), at, LEVEL, h=h, depth=depth, seeds=seeds, seed=seed)
    joined = crossing(Setting(_FLAT, "ar1", rho), predicted * at, LEVEL, h=h, depth=depth, seeds=seeds, seed=seed + 1)
    mean = float(np.exp(joined.log_eta - alone.log_eta))
    error = mean * float(np.hypot(joined.error, alone.error))
    wrong = {"AR(1) shift (5 %)": predicted * (1 - WRONG)}
    return [Estimate("AR(1) shift", mean, error, predicted, seeds, wrong=wrong)]


def orthogonal_estimates(seed: int, seeds: int) -> list[Estimate]:
    """Orthogonal adapters leave tokens collapsed at u1 where they are; the error is that of rounding."""
    found = []
    for depth in LONG:
        etas = torch.tensor([10.0 * depth**0.5], dtype=torch.float64)
        moved = drifts(Setting(WELL, orthogonal=True), etas, h=T / depth, depth=depth, seeds=seeds, seed=seed)
        found.append(Estimate(f"orthogonal adapters, D at L = {depth}", float(moved.max()), 1e-14, 0.0, seeds))
    return found


def quality(seed: int, seeds: int) -> dict[str, float]:
    """Share of the variance of D that one curve in η/√L (and, for comparison, in η) leaves, over L = 64 ... 1,024."""
    grid = torch.logspace(-1, 1, 25, dtype=torch.float64)
    depths = LONG
    curves = torch.stack([
        drifts(Setting(WELL), grid * depth**0.5, h=T / depth, depth=depth, seeds=seeds, seed=seed).mean(dim=0)
        for depth in depths
    ]).numpy()  # fmt: skip
    logs = grid.log().numpy()
    common = np.linspace(np.log(depths[-1] ** 0.5 * 0.1), np.log(depths[0] ** 0.5 * 10), 25)
    against_eta = np.stack([np.interp(common, logs + 0.5 * np.log(d), c) for d, c in zip(depths, curves, strict=True)])

    def left(table: np.ndarray) -> float:
        return float(table.var(axis=0).mean() / table.var())

    return {"scaled": left(curves), "unscaled": left(against_eta)}


def collapse_row(claim: Claim, run: Run) -> dict[str, Any]:
    """thm-4.2/collapse."""
    seeds = replicas(run, 40_000)
    parts: dict[str, Any] = {
        "random": lambda seed: fixed_time_slope(seed, seeds, "random"),
        "tied": lambda seed: fixed_time_slope(seed, seeds, "tied"),
        "ar1": lambda seed: shift_estimate(seed, seeds),
        "orthogonal": lambda seed: orthogonal_estimates(seed, 400),
    }
    found = run.once(f"quality {claim.statement_hash}", lambda: dict(quality(run.seed, 1_000)))
    finding = (
        f"random adapters: one curve in η/√L leaves {found['scaled']:.2%} of the variance of D over L = 64 ... 1,024, "
        f"one curve in η {found['unscaled']:.0%}"
    )
    return statistical_row(claim, run, parts, finding=finding)


# --- h fixed ----------------------------------------------------------------------------------------

STEP = 0.1
NEARLY_FLAT = (1.0, 1.0 - 1e-4, 1.0 - 1e-4)
DEEP_WELL = (1.0, 0.0, 0.0)
_LOW = 0.02
STEP_RANDOM_AT, STEP_TIED_AT, PLATEAU_AT = 21.7, 22.6, 1.82
"""The same at fixed h: η√L, ηL, and η."""


def fixed_step_slope(seed: int, seeds: int, kind: Kind) -> list[Estimate]:
    """Slope of η_c(L) at fixed h while g·hL is small: -½ for random adapters, -1 for tied ones."""
    power = -0.5 if kind == "random" else -1.0
    at = STEP_RANDOM_AT if kind == "random" else STEP_TIED_AT
    ends = (LONG[0], LONG[-1])
    near = (at * ends[0] ** power, at * ends[1] ** power)
    level = LEVEL if kind == "random" else TIED_LEVEL
    found = _two_depths(Setting(NEARLY_FLAT, kind), near, level, (STEP, STEP), seeds, seed)
    return [
        slope_estimate(f"slope at fixed h, {kind}", *found, ends[1] / ends[0], power, seeds, f"slope, {kind} (5 %)")
    ]


def plateau_estimate(seed: int, seeds: int) -> list[Estimate]:
    """Beyond g·hL = 1 the critical norm depends on L no more (at a level so low that nothing escapes from the well)."""
    first, last = (
        crossing(Setting(DEEP_WELL), PLATEAU_AT, _LOW, h=STEP, depth=depth, seeds=seeds, seed=seed + depth)
        for depth in LONG[1:]
    )
    return [slope_estimate("slope on the plateau", first, last, LONG[-1] / LONG[1], 0.0, seeds, "slope, plateau")]


def fixed_step_row(claim: Claim, run: Run) -> dict[str, Any]:
    """thm-4.2/fixed-step."""
    seeds = replicas(run, 40_000)
    parts: dict[str, Any] = {
        "random": lambda seed: fixed_step_slope(seed, seeds, "random"),
        "tied": lambda seed: fixed_step_slope(seed, seeds, "tied"),
        "plateau": lambda seed: plateau_estimate(seed, seeds),
    }
    return statistical_row(claim, run, parts)


def constant_norm_drifts(
    h: float, eta: float, depths: tuple[int, int], seeds: int, seed: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """(mean, error) of D at both depths for V = 0 in the plane and η that does not grow with L."""
    etas, flat = torch.tensor([eta], dtype=torch.float64), Setting((0.0, 0.0))
    first, last = (drifts(flat, etas, h=h, depth=n, seeds=seeds, seed=seed)[:, 0] for n in depths)
    return mean_and_error(first), mean_and_error(last)


def grows(first: tuple[float, float], last: tuple[float, float]) -> bool:
    """Whether the second mean is above the first beyond Z standard errors."""
    return last[0] - first[0] > Z * float(np.hypot(first[1], last[1]))
