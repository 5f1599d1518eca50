"""Checks of Theorem 4.6 on collapsed tokens: the cutoff at ũ1 and the degenerate case V = I."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from mpmath import mp

from numerics import high_precision
from numerics.field import AttentionField
from numerics.first_passage import angle_event, last_entry
from numerics.flow import simulate
from numerics.linear_map import LinearMap
from numerics.reference import simulate_reference
from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import TOLERANCE_FACTOR, Comparison
from proofs_checks.checks.confirmation import DIGITS, Confirmation, exact_values
from proofs_checks.checks.first_passage import two_passages
from proofs_checks.checks.prop_3_3 import predict
from proofs_checks.instance_file import Instance
from proofs_checks.jumps import COARSE, NINE_TENTHS, OVERLAPS, TENTH, Jumps
from proofs_checks.passages import Passages
from proofs_checks.sampler import Batch
from theory import thm_4_6 as theory
from theory.formula import Formula
from theory.lowering import to_mpmath, to_torch

_METHODS = ("own integrator at rtol 1e-14", "scipy DOP853 at rtol 1e-13", f"mpmath at {DIGITS} digits")
_NOT_APPLICABLE = Confirmation(0.0, 0.0, 0.0, False, False, _METHODS)
_PLANE = 1e-12
_FARTHEST = 4.0
Readings = dict[str, Callable[[Formula], Comparison]]


# --- on batches -------------------------------------------------------------------------------------


def compare_cutoff(batch: Batch, measured: Jumps, formula: Formula) -> tuple[Comparison, ...]:
    """T* against its two bounds, window and profile where the rest lies along ũ2, overlap past a crossing.

    The reading that ``formula`` predicts comes first.
    """
    times, error = measured.times
    start, end = times[:, 0], batch.planted["perturbed_gap"] > 0
    plane = torch.from_numpy(np.isin(batch.columns["kind"], ("along", "crossing")))
    crossing = torch.from_numpy(batch.columns["kind"] == "crossing")
    window = times[:, 2] - times[:, 1], error[:, 2] + error[:, 1]
    turned = (measured.split.u1 * measured.perturbed.vector).sum(dim=-1).abs()
    rounding = measured.split.vector_error + measured.perturbed.vector_error
    readings: Readings = {
        "cutoff_upper": lambda f: Comparison("latest", start, error[:, 0], predict(f, batch), end),
        "cutoff_lower": lambda f: Comparison(
            "earliest", start, error[:, 0], predict(f, batch), batch.planted["overlap_2"] > batch.planted["overlap"],
            relation=">=",
        ),
        "cutoff_profile": lambda f: _profile(batch, measured, f, plane),
        "cutoff_window": lambda f: Comparison(
            "window", *window, predict(f, batch), plane & (batch.planted["overlap"] < 0.1), relation="=="
        ),
        "crossing_overlap": lambda f: Comparison("crossing", turned, rounding, predict(f, batch), crossing),
    }  # fmt: skip
    own = {f.name: f for f in (theory.CUTOFF_UPPER, theory.CUTOFF_LOWER, theory.CUTOFF_PROFILE, theory.CUTOFF_WINDOW)}
    own[theory.CROSSING_OVERLAP.name] = theory.CROSSING_OVERLAP
    names = [formula.name, *(name for name in readings if name != formula.name)]
    return tuple(readings[name](formula if name == formula.name else own[name]) for name in names)


def _profile(batch: Batch, measured: Jumps, formula: Formula, applies: torch.Tensor) -> Comparison:
    """Overlap with ũ1 near T*, T* being the closed form."""
    p = batch.planted
    jump = to_torch(theory.CUTOFF_UPPER, **{k: p[k] for k in theory.CUTOFF_UPPER.arguments}).unsqueeze(1)
    scaled = p["perturbed_gap"].unsqueeze(1) * (batch.times - jump)
    near = applies.unsqueeze(1) & (scaled.abs() < _FARTHEST)
    observed, error = measured.overlap
    return Comparison("profile", observed, error, to_torch(formula, scaled_time=scaled), near, relation="==")


def compare_degenerate(batch: Batch, measured: Passages, formula: Formula) -> tuple[Comparison, ...]:
    """The time at which the tokens have turned by r from the base tokens, which have not moved."""
    passage, still = measured.departure, measured.base_displacement
    error = passage.error + still / passage.speed
    return (Comparison("tokens", passage.time, error, predict(formula, batch), still < 1e-9, relation="=="),)


# --- on one instance --------------------------------------------------------------------------------


def _collapsed_values(instance: Instance) -> dict[str, Any] | None:
    """ε, |c2| and λ̃1 - λ̃2 of equal tokens at the current mpmath precision; None where they do not apply."""
    total = high_precision.add(instance.V, instance.dV)
    tokens = instance.X0
    if tokens is None or instance.T is None or any(x != tokens[0] for x in tokens):
        return None
    if not high_precision.is_symmetric(instance.V) or not high_precision.is_symmetric(instance.dV):
        return None
    values, vectors = mp.eigsy(high_precision.to_matrix(total))
    order = sorted(range(len(values)), key=lambda k: values[k], reverse=True)
    token = [mp.mpf(x.numerator) / x.denominator for x in tokens[0]]
    size = high_precision.norm(token)
    parts = [mp.fsum(vectors[i, k] * x for i, x in enumerate(token)) / size for k in order[:2]]
    top = [vectors[i, order[0]] * (-1 if parts[0] < 0 else 1) for i in range(len(values))]
    rest = mp.sqrt(abs(1 - parts[0] ** 2 - parts[1] ** 2))
    return {
        "overlap": abs(parts[0]), "overlap_2": abs(parts[1]), "perturbed_gap": values[order[0]] - values[order[1]],
        "outside": high_precision.norm([x for i, r in enumerate(total) for k, x in enumerate(r) if i != k]),
        "overlap_low": mp.mpf(TENTH), "overlap_high": mp.mpf(NINE_TENTHS), "rest": rest,
        "direction": np.array([float(x) for x in top]),
    }  # fmt: skip


def _jump_times(instance: Instance, direction: np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Times (3,) at :data:`OVERLAPS`, and what a second integrator differs by; both stop at many outputs."""
    attention, value = instance.flow_matrices(perturbed=True)
    arrays = instance.arrays()
    grid = np.linspace(0, float(arrays["T"]), COARSE + 1)[1:]
    batch = [torch.from_numpy(np.ascontiguousarray(x)).unsqueeze(0) for x in (arrays["X0"], attention, value, grid)]
    solution = simulate(*batch, rtol=1e-14, atol=1e-16, dense=True)
    field = AttentionField(LinearMap(batch[1]), LinearMap(batch[2]))
    towards = torch.from_numpy(direction).unsqueeze(0)
    states = simulate_reference(arrays["X0"], attention, value, grid, atol=1e-18)
    found, other = [], []
    for overlap in OVERLAPS:
        angle = torch.tensor([overlap], dtype=torch.float64).acos()
        found.append(float(last_entry(solution, field, angle_event(towards, angle)).time))
        # The tangent decays at the rate of the gap where the rest has died out: enough to move by less than a step.
        k = int(np.nanargmin(np.abs(grid - found[-1]))) if np.isfinite(found[-1]) else 0
        own = _tangent(solution.states[0, k].numpy(), direction)
        again = _tangent(states[k], direction)
        other.append(found[-1] + float(np.log(again / own)) / gap)
    return np.array(found), np.abs(np.array(found) - np.array(other))


def _tangent(tokens: np.ndarray, direction: np.ndarray) -> float:
    along = tokens @ direction
    across = np.linalg.norm(tokens - along[:, None] * direction, axis=1)
    return float((across / along).max())


def confirm_cutoff(instance: Instance, formula: Formula) -> Confirmation:
    """What the formula predicts (T*, the window, the profile or the overlap past a crossing) on one instance."""
    with mp.workdps(DIGITS):
        if formula.name == theory.CROSSING_OVERLAP.name:
            return _confirm_crossing(instance, formula)
        values = _collapsed_values(instance)
        if values is None or not values["perturbed_gap"] > 0 or not 0 < values["overlap"] < mp.mpf(1) / 2:
            return _NOT_APPLICABLE
        plane = values["rest"] < _PLANE
        gap = float(values["perturbed_gap"])
        times, spread = _jump_times(instance, values["direction"], gap)
        # Rounding of entries outside the diagonal moves a tiny overlap by a share of it.
        error = spread + 1e-12 / gap + 1e-15 * float(values["outside"] / values["overlap"]) / (gap * min(gap, 1.0))
        if formula.name == theory.CUTOFF_PROFILE.name:
            return _confirm_profile(formula, values, times, error) if plane else _NOT_APPLICABLE
        bound = float(to_mpmath(formula, **{name: values[name] for name in formula.arguments}))
    if formula.name == theory.CUTOFF_WINDOW.name:
        observed, own = float(times[2] - times[1]), float(error[2] + error[1])
        if not plane or not values["overlap"] < 0.1:
            return _NOT_APPLICABLE
        return _judged(observed, bound, own, abs(observed - bound))
    observed, own = float(times[0]), float(error[0])
    if formula.name == theory.CUTOFF_LOWER.name:
        if not values["overlap_2"] > values["overlap"]:
            return _NOT_APPLICABLE
        return replace(_judged(observed, bound, own, bound - observed), lower=True)
    return _judged(observed, bound, own, observed - bound)


def _judged(observed: float, bound: float, error: float, excess: float) -> Confirmation:
    return Confirmation(observed, bound, error, True, bool(excess > TOLERANCE_FACTOR * error), _METHODS)


def _confirm_profile(formula: Formula, values: dict[str, Any], times: np.ndarray, error: np.ndarray) -> Confirmation:
    """The overlaps 1/10, 1/√2 and 9/10 against the profile at the times at which they were measured."""
    names = {k: values[k] for k in theory.CUTOFF_UPPER.arguments}
    jump, gap = to_mpmath(theory.CUTOFF_UPPER, **names), values["perturbed_gap"]
    worst = None
    for overlap, time, own in zip(OVERLAPS, times, error, strict=True):
        bound = float(to_mpmath(formula, scaled_time=gap * (mp.mpf(float(time)) - jump)))
        slope = float(gap) * overlap * (1 - overlap**2)
        found = _judged(overlap, bound, slope * float(own) + 1e-14, abs(overlap - bound))
        if worst is None or abs(found.ratio - 1) > abs(worst.ratio - 1):
            worst = found
    return worst or _NOT_APPLICABLE


def _confirm_crossing(instance: Instance, formula: Formula) -> Confirmation:
    """<u1, ũ1> past a crossing where ΔV couples u1 to one direction alone, at 50 digits."""
    values = exact_values(instance)
    if not values["symmetric"]:
        return _NOT_APPLICABLE
    coupled = [k for k, x in enumerate(values["alpha"]) if abs(x) > mp.mpf(10) ** -40]
    if len(coupled) != 1 or not values["mu"][coupled[0]] > values["lambda_1"] + values["a"]:
        return _NOT_APPLICABLE
    distance = values["mu"][coupled[0]] - values["lambda_1"] - values["a"]
    names = {"alpha_abs": abs(values["alpha"][coupled[0]]), "gap": -distance, "a": mp.zero, "e": mp.zero}
    bound = to_mpmath(formula, **names)
    observed = abs(high_precision.inner(values["u1"], values["perturbed_u1"]))
    violated = bool(observed - bound > mp.mpf(10) ** -30 * bound)
    return Confirmation(float(observed), float(bound), 0.0, True, violated, (f"mpmath at {DIGITS} digits",))


def confirm_degenerate(instance: Instance, formula: Formula) -> Confirmation:
    """The time to turn by ``angle`` on one instance with V = I, ΔV = -ε vvᵀ and equal tokens."""
    tokens = instance.X0
    identity = all(x == (i == k) for i, r in enumerate(instance.V) for k, x in enumerate(r))
    if tokens is None or instance.T is None or not identity or "angle" not in instance.meta:
        return _NOT_APPLICABLE
    if any(x != tokens[0] for x in tokens):
        return _NOT_APPLICABLE
    with mp.workdps(DIGITS):
        values, vectors = mp.eigsy(high_precision.to_matrix(instance.dV))
        lowest = min(range(len(values)), key=lambda k: values[k])
        token = [mp.mpf(x.numerator) / x.denominator for x in tokens[0]]
        size = high_precision.norm(token)
        across = abs(mp.fsum(vectors[i, lowest] * x for i, x in enumerate(token))) / size
        deviation = mp.mpf(str(instance.meta["angle"]))
        names = {"weakening": -values[lowest], "angle_0": mp.asin(across), "deviation": deviation}
        if not values[lowest] < 0 or not 0 < deviation < names["angle_0"]:
            return _NOT_APPLICABLE
        bound = float(to_mpmath(formula, **names))
        direction = np.array([float(x / size) for x in token])
    own, other, error = two_passages(instance, direction, float(deviation), leaving=True)
    nearest = min((own, other), key=lambda x: abs(x - bound))
    return _judged(nearest, bound, error, abs(nearest - bound))


CHECKS = (
    Check(
        "thm-4.6/cutoff", ("cutoff",), compare_cutoff, confirm_cutoff,
        readings={"earliest": 300, "profile": 200, "window": 200, "crossing": 30}, tightness=0.999999,
    ),
    Check("thm-4.6/degenerate", ("degenerate",), compare_degenerate, confirm_degenerate, tightness=0.999999),
)  # fmt: skip
