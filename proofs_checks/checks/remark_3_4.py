"""Checks of Remark 3.4: the secular equation, the corrected drift, and the quoted form."""

from __future__ import annotations

from typing import Any

import torch

from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import Confirmation, confirm_static
from proofs_checks.checks.prop_3_3 import predict
from proofs_checks.instance_file import Instance
from proofs_checks.measurement import Measured
from proofs_checks.sampler import Batch
from proofs_checks.secular import exact_root, secular_root, shifted_arguments
from theory.formula import Formula
from theory.lowering import to_torch


def _tan_squared_readings(
    batch: Batch, measured: Measured, bound: torch.Tensor, applies: torch.Tensor, relation: Any
) -> list[Comparison]:
    def error(tan_squared: torch.Tensor, angle_error: torch.Tensor) -> torch.Tensor:
        return 2 * tan_squared.sqrt() * (1 + tan_squared) * angle_error + angle_error**2

    found = measured.drift.tan_squared
    readings = [
        Comparison("eigenvectors", found, error(found, measured.drift_error), bound, applies, relation=relation)
    ]
    if batch.family.converge:
        drift, angle_error = measured.token_drift
        found = drift.tan_squared
        readings.append(Comparison("tokens", found, error(found, angle_error), bound, applies, relation=relation))
    return readings


def compare_secular(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """tan² of the drift angle, and λ̃1, against the root of the secular equation."""
    root = secular_root(batch.planted)
    values = shifted_arguments(batch.planted)
    predicted = to_torch(formula, perturbed_lambda_1=root, mu=values["mu"], alpha=values["alpha"])
    applies = batch.symmetric_update & root.isfinite()
    readings = _tan_squared_readings(batch, measured, predicted, applies, "==")
    shift = measured.perturbed.value - batch.planted["mu"].amax(dim=-1)
    scale = measured.perturbed.value.abs() + batch.planted["mu"].abs().amax(dim=-1)
    rounding = 8 * batch.V.shape[-1] * torch.finfo(shift.dtype).eps * scale
    readings.append(Comparison("eigenvalue", shift, rounding, root, applies, relation="=="))
    return tuple(readings)


def confirm_secular(instance: Instance, formula: Formula) -> Confirmation:
    """tan² on one instance at 50 digits, λ̃1 being the root of the secular equation, not the measured eigenvalue."""

    def with_root(v: dict[str, Any]) -> bool:
        if not v["symmetric"] or not v["perturbed_lambda_1"] > max(v["mu"]):
            return False
        v["perturbed_lambda_1"] = exact_root(v)
        return True

    return confirm_static(instance, formula, "tan_squared", with_root, "==")


def compare_drift(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """tan² of the drift angle against D_a."""
    p = batch.planted
    applies = batch.symmetric_update & (p["lambda_1"] + p["a"] > p["mu"].amax(dim=-1))
    return tuple(_tan_squared_readings(batch, measured, predict(formula, batch), applies, "<="))


def confirm_drift(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance, at 50 digits."""
    return confirm_static(
        instance, formula, "tan_squared", lambda v: v["symmetric"] and v["lambda_1"] + v["a"] > max(v["mu"])
    )


def compare_drift_quoted(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """tan² of the drift angle against the quoted sum, where both sums are defined and positive."""
    p = batch.planted
    top = p["mu"].amax(dim=-1)
    applies = batch.symmetric_update & (p["lambda_1"] > top) & (p["lambda_1"] + p["a"] > top)
    return tuple(_tan_squared_readings(batch, measured, predict(formula, batch), applies, "<="))


def confirm_drift_quoted(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance, at 50 digits."""

    def applies(v: dict[str, Any]) -> bool:
        return v["symmetric"] and v["lambda_1"] > max(v["mu"]) and v["lambda_1"] + v["a"] > max(v["mu"])

    return confirm_static(instance, formula, "tan_squared", applies)


_FAMILIES = ("criterion", "converged", "spectral")

CHECKS = (
    Check(
        "remark-3.4/secular", _FAMILIES, compare_secular, confirm_secular,
        readings={"tokens": 2_000, "eigenvalue": 10_000},
    ),
    Check(
        "remark-3.4/drift", _FAMILIES, compare_drift, confirm_drift, readings={"tokens": 2_000}, tightness=0.999,
    ),
    Check("remark-3.4/drift-quoted", _FAMILIES, compare_drift_quoted, confirm_drift_quoted),
)  # fmt: skip
