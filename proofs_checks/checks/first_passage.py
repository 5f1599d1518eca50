"""Checks of Theorem 4.6 by first-passage times: time to deviate (lower, plain-riccati) and to arrive (upper)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mpmath import mp

from numerics import high_precision, spectral
from numerics.field import AttentionField
from numerics.first_passage import Passage, angle_event, first_exit, last_entry
from numerics.flow import simulate
from numerics.linear_map import LinearMap
from numerics.reference import simulate_reference
from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import TOLERANCE_FACTOR, Comparison
from proofs_checks.checks.confirmation import DIGITS, Confirmation
from proofs_checks.checks.prop_3_3 import predict
from proofs_checks.deviation import Speeds, deviation_integral, exact_deviation_integral
from proofs_checks.instance_file import Instance
from proofs_checks.passages import Passages
from proofs_checks.sampler import Batch
from theory import prop_3_3
from theory import thm_4_6 as theory
from theory.formula import Formula
from theory.lowering import to_mpmath, to_torch

_RTOL, _ATOL = 1e-13, 1e-15
_PLAIN = Speeds(inner=None)
_METHODS = (f"own integrator at rtol {_RTOL:g}", "scipy DOP853 at rtol 1e-13", f"mpmath at {DIGITS} digits")
_NOT_APPLICABLE = Confirmation(0.0, 0.0, 0.0, False, False, _METHODS)


# --- on batches -------------------------------------------------------------------------------------


def _earliest(batch: Batch, formula: Formula, speeds: Speeds) -> tuple[torch.Tensor, torch.Tensor]:
    """The lower bound of the time (B,), infinite where G <= 0 on the way, and the error of its quadrature."""
    p = batch.planted
    integral, error = deviation_integral(p, p["tan_max_angle_0"], p["tan_passage"], speeds)
    if formula.name == theory.DEVIATION_TIME.name:
        integral = torch.where(integral.isfinite(), to_torch(formula, slowness_integral=integral), integral)
    return integral, error.nan_to_num(nan=0.0, posinf=0.0)


def _departure(batch: Batch, measured: Passages, formula: Formula, speeds: Speeds) -> Comparison:
    bound, error = _earliest(batch, formula, speeds)
    passage = measured.departure
    applies = batch.planted["tan_max_angle_0"] < batch.planted["tan_passage"]
    return Comparison("tokens", passage.time, passage.error + error, bound, applies, relation=">=")


def compare_lower(batch: Batch, measured: Passages, formula: Formula) -> tuple[Comparison, ...]:
    """First time of ϑ beyond r against ∫dϑ/G; where that is infinite, ϑ along the flow against the root of G."""
    reading = _departure(batch, measured, formula, Speeds.with_formula(formula))
    p = batch.planted
    inner = to_torch(prop_3_3.CONE_INNER, **{name: p[name] for name in prop_3_3.CONE_INNER.arguments})
    held = deviation_integral(p, p["tan_max_angle_0"], p["tan_passage"])[0].isinf()
    barrier = torch.maximum(inner, p["tan_max_angle_0"])
    observed, error = measured.farthest
    trapped = Comparison("barrier", observed, error, barrier.unsqueeze(-1), held.unsqueeze(-1))
    return reading, trapped


def compare_plain(batch: Batch, measured: Passages, _formula: Formula) -> tuple[Comparison, ...]:
    """The same time against the integral of the first branch alone."""
    return (_departure(batch, measured, theory.DEVIATION_TIME, _PLAIN),)


def compare_upper(batch: Batch, measured: Passages, formula: Formula) -> tuple[Comparison, ...]:
    """Last time at which a token comes within ρ of ũ1 against the bound; a token that never does counts as late."""
    passage = measured.arrival
    time = torch.where(passage.time.isnan(), batch.times[:, -1], passage.time)
    error = torch.where(passage.time.isnan(), 0.0, passage.error)
    applies = (batch.planted["perturbed_dominant_gap"] > 0) & (batch.planted["overlap"] > 0)
    return (Comparison("tokens", time, error, predict(formula, batch), applies),)


# --- on one instance --------------------------------------------------------------------------------


def cone_values(instance: Instance, u: list[Any]) -> dict[str, Any]:
    """``w``, ``kappa``, ``cone_separation``, ``b_norm``, ``c_norm`` of V + ΔV about u, at mpmath's precision."""
    q = high_precision.frame(u)
    total = high_precision.to_matrix(instance.V) + high_precision.to_matrix(instance.dV)
    own = q.T * total * q
    rest = range(1, own.rows)
    kappa = high_precision.operator_norm(own[1:, 1:])
    return {
        "w": own[0, 0],
        "kappa": kappa,
        "cone_separation": own[0, 0] - kappa,
        "b_norm": high_precision.norm([own[i, 0] for i in rest]),
        "c_norm": high_precision.norm([own[0, i] for i in rest]),
    }


def two_passages(instance: Instance, direction: np.ndarray, angle: float, leaving: bool) -> tuple[float, float, float]:
    """The time at which the angle to ``direction`` is passed by two integrators, and the error; NaN where it is not.

    The second is scipy's solution at the time that the first found, moved to the angle at the speed found there.
    """
    attention, value = instance.flow_matrices(perturbed=True)
    arrays = instance.arrays()
    tokens, maps = (
        torch.from_numpy(np.ascontiguousarray(arrays["X0"])).unsqueeze(0),
        [torch.from_numpy(np.ascontiguousarray(x)).unsqueeze(0) for x in (attention, value)],
    )
    end = torch.tensor([[float(arrays["T"])]], dtype=torch.float64)
    solution = simulate(tokens, maps[0], maps[1], end, rtol=_RTOL, atol=_ATOL, dense=True)
    field = AttentionField(LinearMap(maps[0]), LinearMap(maps[1]))
    towards, limit = torch.from_numpy(direction).unsqueeze(0), torch.tensor([angle], dtype=torch.float64)
    passage: Passage = (first_exit if leaving else last_entry)(solution, field, angle_event(towards, limit))
    own = float(passage.time)
    if not own > 0:
        return own, own, 0.0
    again = torch.from_numpy(simulate_reference(arrays["X0"], attention, value, np.array([own])))
    excess = float(spectral.max_angle(again, towards)) - angle
    other = own - (1 if leaving else -1) * excess / float(passage.speed)
    return own, other, max(float(passage.error), abs(own - other))


def _given(instance: Instance) -> tuple[list[Any], np.ndarray, float, Any] | None:
    """u exact and in float64, the angle to pass, and its tangent; None where the file does not have them."""
    meta = instance.meta
    if instance.X0 is None or instance.T is None or "u" not in meta or not ("angle" in meta or "r" in meta):
        return None
    u = [mp.mpf(str(x)) for x in meta["u"]]
    size = high_precision.norm(u)
    u = [x / size for x in u]
    tangent = mp.mpf(str(meta["r"])) if "r" in meta else mp.tan(mp.mpf(str(meta["angle"])))
    return u, np.array([float(x) for x in u]), float(mp.atan(tangent)), tangent


def _confirm_departure(instance: Instance, formula: Formula, speeds: Speeds) -> Confirmation:
    with mp.workdps(DIGITS):
        given = _given(instance)
        if given is None:
            return _NOT_APPLICABLE
        u, direction, angle, tangent = given
        tokens = torch.from_numpy(instance.arrays()["X0"]).unsqueeze(0)
        start = float(spectral.tan_max_angle(tokens, torch.from_numpy(direction).unsqueeze(0)))
        if not start < tangent:
            return _NOT_APPLICABLE
        values = cone_values(instance, u)
        bound = exact_deviation_integral(values, mp.mpf(start), tangent, speeds)
        if formula.name == theory.DEVIATION_TIME.name:
            bound = to_mpmath(formula, slowness_integral=bound)
        bound = float(bound)
    own, other, error = two_passages(instance, direction, angle, leaving=True)
    observed = max(own, other)
    if np.isnan(observed):  # not passed before T: no earlier than that
        return Confirmation(float(instance.T or 0), bound, 0.0, True, False, _METHODS, lower=True)
    violated = bool(bound - observed > TOLERANCE_FACTOR * error)
    return Confirmation(observed, bound, error, True, violated, _METHODS, lower=True)


def confirm_lower(instance: Instance, formula: Formula) -> Confirmation:
    """The first time of ϑ beyond r on one instance, ``u`` and ``r`` (or ``angle``) being in its metadata."""
    return _confirm_departure(instance, formula, Speeds.with_formula(formula))


def confirm_plain(instance: Instance, _formula: Formula) -> Confirmation:
    """The same against the first branch alone."""
    return _confirm_departure(instance, theory.DEVIATION_TIME, _PLAIN)


def confirm_upper(instance: Instance, formula: Formula) -> Confirmation:
    """The arrival within ``angle`` of ũ1 on one instance."""
    if instance.X0 is None or instance.T is None or "angle" not in instance.meta:
        return _NOT_APPLICABLE
    with mp.workdps(DIGITS):
        total = high_precision.add(instance.V, instance.dV)
        if not high_precision.is_symmetric(instance.V) or not high_precision.is_symmetric(instance.dV):
            return _NOT_APPLICABLE
        pair = high_precision.leading_eigenpair(high_precision.to_matrix(total), True)
        direction = np.array([float(x) for x in pair.vector])
        tokens = instance.arrays()["X0"]
        direction = direction * (-1.0 if np.sign(tokens @ direction).sum() < 0 else 1.0)
        towards = torch.from_numpy(direction).unsqueeze(0)
        angle = float(str(instance.meta["angle"]))
        tangent = float(spectral.tan_max_angle(torch.from_numpy(tokens).unsqueeze(0), towards))
        if not pair.dominant_gap > 0 or not np.isfinite(tangent):
            return _NOT_APPLICABLE
        overlap = 1 / mp.sqrt(1 + mp.mpf(tangent) ** 2)
        names = {"overlap": overlap, "target_angle": mp.mpf(angle), "perturbed_dominant_gap": pair.dominant_gap}
        bound = float(to_mpmath(formula, **names))
    own, other, error = two_passages(instance, direction, angle, leaving=False)
    observed = min(own, other)
    if np.isnan(observed):  # still outside at T
        observed = float(instance.T)
    return Confirmation(observed, bound, error, True, bool(observed - bound > TOLERANCE_FACTOR * error), _METHODS)


CHECKS = (
    Check("thm-4.6/lower", ("deviation",), compare_lower, confirm_lower, readings={"barrier": 100}, tightness=0.99),
    Check("thm-4.6/plain-riccati", ("deviation",), compare_plain, confirm_plain),
    Check("thm-4.6/upper", ("arrival",), compare_upper, confirm_upper, tightness=0.99),
)
