"""Theorem 4.6 for random adapters at a fixed step: the linearised drift, and the full model that leaves its well."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from numerics.adapters import AdapterLaw
from numerics.layered import collapsed_states
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.instance_file import Instance
from proofs_checks.ledger import confirmation_dict, row, shipped_counterexample
from proofs_checks.statistics import WRONG, Estimate, Z, mean_and_error, statistical_row
from proofs_checks.store import Run, file_name
from proofs_checks.transition import axis, last_states, replicas
from proofs_checks.verdicts import Evidence
from theory import thm_4_6 as theory
from theory.claim import Claim
from theory.formula import Formula
from theory.lowering import to_torch

LEVELS = (1.0, 0.5, 0.0, -0.2)
STEP = 0.1
SIGMA = 1e-3
DEPTHS = (16, 64, 256, 1_024)
_METHODS = ("layered model, independent adapters, fixed seeds",)


def predicted(formula: Formula, levels: tuple[float, ...], sigma: float, h: float, depth: float = 1.0) -> float:
    """E tan² after ``depth`` layers, or its limit."""
    numbers = {"sigma": sigma, "h": h, "lambda_1": levels[0], "L": depth}
    given = {k: torch.tensor(v, dtype=torch.float64) for k, v in numbers.items() if k in formula.arguments}
    return float(to_torch(formula, other_eigenvalues=torch.tensor(levels[1:], dtype=torch.float64), **given))


def tan_squared(
    levels: tuple[float, ...], sigma: float, h: float, layers: tuple[int, ...], seeds: int, seed: int
) -> dict[int, torch.Tensor]:
    """tan² of the angle to u1 (seeds,) after each of the layers, of tokens collapsed at u1."""
    d = len(levels)
    law = AdapterLaw(scale=sigma * d / h**0.5)
    value = torch.diag(torch.tensor(levels, dtype=torch.float64))
    adapters = law.layers(seeds, d, torch.Generator().manual_seed(seed))
    one = torch.ones(1, dtype=torch.float64)
    states = collapsed_states(axis(d).expand(seeds, 1, d), value, one, h=h, depth=max(layers), adapters=adapters)
    found = {}
    for number, x in enumerate(states, 1):
        if number in layers:
            found[number] = (x[:, 0, 1:].norm(dim=1) / x[:, 0, 0]).square()
    return found


def drift_estimates(seed: int, seeds: int) -> list[Estimate]:
    """E tan² at four depths and in the limit, and the depth at which it reaches half of its limit."""
    stationary = predicted(theory.STATIONARY_DRIFT_SQUARED, LEVELS, SIGMA, STEP)
    curve = {n: predicted(theory.RMS_DRIFT_SQUARED, LEVELS, SIGMA, STEP, n) for n in range(1, 200)}
    crossing = min(n for n, x in curve.items() if x >= stationary / 2)
    layers = tuple(sorted({*DEPTHS, crossing - 1, crossing, crossing + 1}))
    found = tan_squared(LEVELS, SIGMA, STEP, layers, seeds, seed)
    estimates = []
    for depth in DEPTHS:
        mean, error = mean_and_error(found[depth])
        exact = predicted(theory.RMS_DRIFT_SQUARED, LEVELS, SIGMA, STEP, depth)
        wrong = {"drift (5 %)": exact * (1 - WRONG)}
        estimates.append(Estimate(f"E tan² at L = {depth}", mean, error, exact, seeds, wrong=wrong))
    mean, error = mean_and_error(found[DEPTHS[-1]])
    wrong = {"stationary drift (5 %)": stationary * (1 - WRONG)}
    estimates.append(Estimate("E tan² in the limit", mean, error, stationary, seeds, wrong=wrong))
    # The depth T*/h at which the closed form reaches r² = half of the limit, interpolated as the measured one is.
    slope = curve[crossing + 1] - curve[crossing - 1]
    mean, error = mean_and_error(found[crossing])
    level = stationary / 2
    depths = [crossing + (level - x) / (slope / 2) for x in (mean, curve[crossing])]
    estimates.append(Estimate("T*(r) / h", depths[0], error / (slope / 2), depths[1], seeds))
    return estimates


def random_row(claim: Claim, run: Run) -> dict[str, Any]:
    """thm-4.6/random."""
    return statistical_row(claim, run, {"drift": lambda seed: drift_estimates(seed, replicas(run, 60_000))})


# --- the full model ---------------------------------------------------------------------------------

_WELL = (1.0, 0.0)


def chord_squared(sigma: float, h: float, depth: int, seeds: int, seed: int) -> tuple[float, float]:
    """Mean of |x^L - u1|² in the plane with its error: at most E tan² where the token stays in the well."""
    value = torch.diag(torch.tensor(_WELL, dtype=torch.float64))
    law = AdapterLaw(scale=sigma * len(_WELL) / h**0.5)
    end = last_states(law, value, axis(len(_WELL)), h=h, depth=depth, seeds=seeds, seed=seed)
    return mean_and_error((end - axis(len(_WELL))).square().sum(dim=1))


def escape_rate(sigma_squared: float, h: float, T: float, seeds: int, seed: int) -> tuple[float, float]:
    """Rate per time of the first passage through the perpendicular of u1, from the share left at T; and its error."""
    d = len(_WELL)
    law = AdapterLaw(scale=sigma_squared**0.5 * d / h**0.5)
    adapters = law.layers(seeds, d, torch.Generator().manual_seed(seed))
    value, one = torch.diag(torch.tensor(_WELL, dtype=torch.float64)), torch.ones(1, dtype=torch.float64)
    left = torch.ones(seeds, dtype=torch.bool)
    for x in collapsed_states(axis(d).expand(seeds, 1, d), value, one, h=h, depth=round(T / h), adapters=adapters):
        left &= x[:, 0, 0] > 0
    share = float(left.double().mean())
    return -float(np.log(share)) / T, float(np.sqrt((1 - share) / (share * seeds))) / T


def confirm_safe(instance: Instance) -> Confirmation:
    """E|x - u1|² of the full model at the depth of the file against the linearised model's limit, V = diag(1, 0)."""
    meta = instance.meta
    if not {"h", "sigma_squared", "depth", "seeds", "seed"} <= set(meta):
        return Confirmation(0.0, 0.0, 0.0, False, False, _METHODS)
    sigma, h = float(meta["sigma_squared"]) ** 0.5, float(meta["h"])
    mean, error = chord_squared(sigma, h, int(meta["depth"]), int(meta["seeds"]), int(meta["seed"]))
    bound = predicted(theory.STATIONARY_DRIFT_SQUARED, _WELL, sigma, h)
    return Confirmation(mean, bound, Z / 10 * error, True, mean - bound > Z * error, _METHODS)


def safe_row(claim: Claim, run: Run) -> dict[str, Any]:
    """thm-4.6/random-safe: refuted by the full model at several depths, and by the shipped counterexample."""
    started = time.perf_counter()
    sigma_squared, h = 0.5, 0.1

    def compute() -> dict[str, Any]:
        bound = predicted(theory.STATIONARY_DRIFT_SQUARED, _WELL, sigma_squared**0.5, h)
        found = [chord_squared(sigma_squared**0.5, h, n, 4_000, run.seed + k) for k, n in enumerate(DEPTHS)]
        rate, error = escape_rate(0.3, 0.01, 20.0, 4_000, run.seed)
        return {"bound": bound, "means": found, "rate": rate, "error": error}

    block = run.once(f"safe {claim.statement_hash}", compute)
    above = [mean - block["bound"] > Z * error for mean, error in block["means"]]
    evidence = Evidence(
        claim.statement_hash, instances=len(DEPTHS), nonvacuous=len(DEPTHS), violations=sum(above),
        max_ratio=max(mean for mean, _ in block["means"]) / block["bound"],
    )  # fmt: skip
    kramers = 2 / np.pi * np.exp(-1 / 0.3)
    finding = (
        f"σ² = 0.5, gap 1: E|x - u1|² is {block['means'][-1][0]:.2f} at L = 1,024 where the linearised limit is "
        f"{block['bound']:.2f}. First passage through the perpendicular at σ² = 0.3: rate {block['rate']:.4f} ± "
        f"{block['error']:.4f}, (2g/π)e^(-g/σ²) = {kramers:.4f}"
    )
    found = row(claim, evidence, time.perf_counter() - started, finding=finding)
    shipped = shipped_counterexample(claim.id)
    if shipped is None:
        return found
    result = confirm_safe(shipped)
    if not result.violated:
        return found
    path = run.store.keep("counterexamples", file_name(claim.id), shipped.to_dict())
    kept = {"file": str(path), "origin": "shipped with the package", **confirmation_dict(result)}
    return found | {"counterexample": kept}
