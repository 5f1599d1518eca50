"""Checks of Proposition 3.3: convergence, drift, criterion, the cone theorem, and the quoted forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from numerics import spectral
from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import Confirmation, confirm_static, confirm_tokens
from proofs_checks.instance_file import Instance
from proofs_checks.measurement import Measured
from proofs_checks.sampler import Batch
from theory import prop_3_3 as theory
from theory.formula import Formula
from theory.lowering import to_mpmath, to_torch

_LARGEST_CHORD = 2.0


def predict(formula: Formula, batch: Batch) -> torch.Tensor:
    """The formula on the planted values: (B,), or (B, K) where it depends on time."""
    names = formula.arguments
    if "t" not in names:
        return to_torch(formula, **{name: batch.planted[name] for name in names}).expand(len(batch))
    values = {name: batch.planted[name].unsqueeze(-1) for name in names if name != "t"}
    return to_torch(formula, t=batch.times, **values)


def _perturbed_start(batch: Batch) -> dict[str, torch.Tensor]:
    return {**batch.planted, "tan_max_angle_0": batch.planted["perturbed_tan_max_angle_0"]}


def cos_outer(batch: Batch) -> torch.Tensor:
    """Smallest planted <x_i, u1> (B,)."""
    return 1 / (1 + batch.planted["tan_max_angle_0"] ** 2).sqrt()


def _a_equals_v_psd(batch: Batch) -> torch.Tensor:
    columns = batch.columns
    return torch.from_numpy((columns["attention"] == "value") & (columns["base"] == "psd"))


# --- convergence of the base tokens -----------------------------------------------------------------


def compare_convergence(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """tan of the largest angle to u1 along the base flow."""
    observed, error = measured.base_tan_angle()
    applies = batch.symmetric_base & (batch.planted["dominant_gap"] > 0)
    return (Comparison("tokens", observed, error, predict(formula, batch), applies.unsqueeze(-1)),)


def confirm_convergence(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance."""
    return confirm_tokens(
        instance,
        formula,
        perturbed=False,
        about="u1",
        reading=spectral.tan_max_angle,
        applies=lambda v: v["symmetric_base"] and v["dominant_gap"] > 0,
    )


def compare_gap_only(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """The same with gap in place of gap*, for A = V."""
    observed, error = measured.base_tan_angle()
    same = torch.from_numpy(batch.columns["attention"] == "value")
    applies = batch.symmetric_base & same & (batch.planted["gap"] > 0)
    return (Comparison("tokens", observed, error, predict(formula, batch), applies.unsqueeze(-1)),)


def confirm_gap_only(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance, with A = V."""
    return confirm_tokens(
        instance,
        formula,
        perturbed=False,
        about="u1",
        reading=spectral.tan_max_angle,
        applies=lambda v: v["symmetric_base"] and v["gap"] > 0 and _tied(instance),
    )


# --- drift of the leading eigenvector ---------------------------------------------------------------


def _drift_readings(batch: Batch, measured: Measured, bound: torch.Tensor, applies: torch.Tensor) -> Any:
    readings = [Comparison("eigenvectors", measured.drift.chord, measured.drift_error, bound, applies, _LARGEST_CHORD)]
    if batch.family.converge:
        drift, error = measured.token_drift
        readings.append(Comparison("tokens", drift.chord, error, bound, applies, _LARGEST_CHORD))
        readings.append(Comparison("w2", measured.token_w2, error, bound, applies, _LARGEST_CHORD))
    return tuple(readings)


def compare_drift(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """|u1 - ũ1| from eigenvectors, from converged tokens, and as W2 between the converged clouds."""
    p = batch.planted
    applies = batch.symmetric_update & (p["gap"] + p["a"] > p["E_norm"]) & (p["gap"] > 0)
    return _drift_readings(batch, measured, predict(formula, batch), applies)


def confirm_drift(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance, at 50 digits."""
    return confirm_static(instance, formula, "chord", lambda v: v["symmetric"] and v["gap"] + v["a"] > v["E_norm"])


def compare_drift_quoted(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """|u1 - ũ1| against half the quoted bound, where the quoted inequality holds."""
    applies = batch.symmetric_update & (predict(theory.CRITERION_MARGIN, batch) > 0)
    return _drift_readings(batch, measured, predict(formula, batch), applies)


def confirm_drift_quoted(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance, at 50 digits."""
    return confirm_static(instance, formula, "chord", lambda v: v["symmetric"] and _quoted_inequality(v))


def _quoted_inequality(values: dict[str, Any]) -> bool:
    return bool(values["gap"] + values["a"] > 2 * values["b_norm"] + values["E_norm"])


# --- convergence of the perturbed tokens ------------------------------------------------------------


def compare_criterion(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """tan of the largest angle to ũ1 along the perturbed flow; a measured gap̃* <= 0 counts as infinite."""
    margin = predict(theory.SHARP_CRITERION_MARGIN, batch)
    applies = batch.symmetric_update & (margin > 0) & (batch.planted["dominant_gap"] > 0)
    applies = applies & (cos_outer(batch) > predict(theory.HEMISPHERE_NEEDED, batch))
    observed, error = measured.perturbed_tan_angle()
    contracting = (measured.perturbed.dominant_gap > 0).unsqueeze(-1)
    observed = torch.where(contracting, observed, torch.full_like(observed, 1e300))
    values = {name: _perturbed_start(batch)[name].unsqueeze(-1) for name in formula.arguments if name != "t"}
    bound = to_torch(formula, t=batch.times, **values)
    return (Comparison("tokens", observed, error, bound, applies.unsqueeze(-1)),)


def confirm_criterion(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance."""

    def applies(v: dict[str, Any]) -> bool:
        if not v["symmetric"] or not v["dominant_gap"] + v["a"] > v["E_norm"] or v["dominant_gap"] <= 0:
            return False
        return smallest_overlap(instance, v) > needed_overlap(v)

    return confirm_tokens(
        instance, formula, perturbed=True, about="perturbed_u1", reading=spectral.tan_max_angle, applies=applies
    )


def smallest_overlap(instance: Instance, values: dict[str, Any]) -> float:
    """γ: the smallest <x_i(0), u1>, u1 on the tokens' side."""
    overlaps = instance.arrays()["X0"] @ np.array([float(x) for x in values["u1"]])
    return float((overlaps * (-1.0 if np.sign(overlaps).sum() < 0 else 1.0)).min())


def needed_overlap(values: dict[str, Any]) -> float:
    """sin θ_b at the current mpmath precision."""
    formula = theory.HEMISPHERE_NEEDED
    return float(to_mpmath(formula, **{name: values[name] for name in formula.arguments}))


def compare_cone(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """tan of the largest angle to u along the perturbed flow."""
    inside = predict(theory.CONE_OUTER_INVERSE, batch) * batch.planted["tan_max_angle_0"] < 1
    applies = (predict(theory.CONE_MARGIN, batch) > 0) & inside
    observed, error = measured.cone_tan_angle()
    return (Comparison("tokens", observed, error, predict(formula, batch), applies.unsqueeze(-1)),)


def confirm_cone(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance."""

    def applies(v: dict[str, Any]) -> bool:
        margin = to_mpmath(theory.CONE_MARGIN, **{k: v[k] for k in theory.CONE_MARGIN.arguments})
        if not margin > 0:
            return False
        inverse = to_mpmath(theory.CONE_OUTER_INVERSE, **{k: v[k] for k in theory.CONE_OUTER_INVERSE.arguments})
        return inverse * v["tan_max_angle_0"] < 1

    return confirm_tokens(instance, formula, perturbed=True, about="u", reading=spectral.tan_max_angle, applies=applies)


# --- the criterion as quoted ------------------------------------------------------------------------


def compare_criterion_quoted(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """Smallest angle of a perturbed token to ũ1 at the last time, for symmetric ΔV; beyond π/2 all go to -ũ1."""
    applies = batch.symmetric_update & _quoted_hypotheses(batch)
    return far_side(batch, measured, formula, applies)


def compare_criterion_nonsymmetric(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """The same for any ΔV, where even γ > sin θ_b holds."""
    enough = cos_outer(batch) > predict(theory.HEMISPHERE_NEEDED, batch)
    return far_side(batch, measured, formula, _quoted_hypotheses(batch) & enough)


def _quoted_hypotheses(batch: Batch) -> torch.Tensor:
    return _a_equals_v_psd(batch) & (predict(theory.CRITERION_MARGIN, batch) > 0) & (cos_outer(batch) > 0)


def far_side(batch: Batch, measured: Measured, formula: Formula, applies: torch.Tensor) -> tuple[Comparison, ...]:
    """Smallest angle of a perturbed token to ũ1 at the last time."""
    observed, error = measured.nearest_angle()
    return (Comparison("tokens", observed, error, predict(formula, batch), applies),)


def _nearest(states: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Smallest angle at the last time, (1, 1)."""
    return (torch.pi - spectral.max_angle(states[:, -1], -direction)).unsqueeze(-1)


def confirm_far_side(instance: Instance, formula: Formula, applies: Callable[[dict[str, Any]], bool]) -> Confirmation:
    """The same on one instance, under the given hypotheses."""
    return confirm_tokens(instance, formula, perturbed=True, about="perturbed_u1", reading=_nearest, applies=applies)


def _confirm_quoted(instance: Instance, formula: Formula, symmetric: bool) -> Confirmation:
    def applies(v: dict[str, Any]) -> bool:
        psd = v["symmetric_base"] and v["smallest"] >= 0 and v["gap"] > 0
        if not psd or not _tied(instance) or not _quoted_inequality(v) or (symmetric and not v["symmetric"]):
            return False
        gamma = smallest_overlap(instance, v)
        return gamma > 0 and (symmetric or gamma > needed_overlap(v))

    return confirm_far_side(instance, formula, applies)


def _tied(instance: Instance) -> bool:
    return instance.A is None or instance.A == instance.V


CHECKS = (
    Check(
        "prop-3.3/convergence", ("criterion", "converged", "cone"), compare_convergence, confirm_convergence,
        tightness=0.999,
    ),
    Check("prop-3.3/convergence-gap-only", ("gap-only",), compare_gap_only, confirm_gap_only),
    Check(
        "prop-3.3/drift", ("criterion", "converged", "spectral"), compare_drift, confirm_drift,
        readings={"tokens": 2_000, "w2": 2_000}, tightness=0.999,
    ),
    Check(
        "prop-3.3/drift-quoted", ("criterion", "converged", "spectral"), compare_drift_quoted, confirm_drift_quoted,
        readings={"tokens": 500}, tightness=0.99,
    ),
    Check("prop-3.3/criterion", ("criterion", "converged"), compare_criterion, confirm_criterion, tightness=0.99),
    Check(
        "prop-3.3/criterion-quoted", ("quoted",), compare_criterion_quoted,
        lambda i, f: _confirm_quoted(i, f, symmetric=True),
    ),
    Check(
        "prop-3.3/criterion-quoted-nonsymmetric", ("quoted-nonsymmetric",), compare_criterion_nonsymmetric,
        lambda i, f: _confirm_quoted(i, f, symmetric=False),
    ),
    Check("prop-3.3/nonsymmetric", ("cone", "criterion"), compare_cone, confirm_cone, tightness=0.99),
)  # fmt: skip
