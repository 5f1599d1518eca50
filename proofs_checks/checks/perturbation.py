"""Checks of prop-3.3/orthogonal (b = c = 0) and remark-3.4/expansion (the series to order k)."""

from __future__ import annotations

from typing import Any

import torch
from mpmath import mp

from numerics import high_precision
from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import DIGITS, Confirmation, exact_values
from proofs_checks.checks.prop_3_3 import predict
from proofs_checks.instance_file import Instance
from proofs_checks.measurement import Measured
from proofs_checks.sampler import Batch
from theory.expansion import coefficients, eigenvalue_series
from theory.formula import Formula
from theory.lowering import to_mpmath, to_torch

ORDERS = (1, 2, 3, 4)


def compare_orthogonal(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """|<u1, ũ1>| against 1 where the crossing has not been reached; beyond it, the drift angle against π/2."""
    margin = predict(formula, batch)
    flat = batch.symmetric_update & (batch.planted["b_norm"] == 0) & (batch.planted["gap"] > 0)
    overlap = torch.cos(measured.drift.angle)
    error = measured.drift_error
    one = torch.ones_like(overlap)
    before = Comparison("overlap", overlap, error, one, flat & (margin > 0), relation="==")
    beyond = Comparison("beyond", measured.drift.angle, error, one * torch.pi / 2, flat & (margin < 0), relation="==")
    return before, beyond


def confirm_orthogonal(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance, at 50 digits; the blocks b, c of rounded matrices may differ from 0 by rounding."""
    with mp.workdps(DIGITS):
        values = exact_values(instance)
        methods = (f"mpmath at {DIGITS} digits",)
        rounding = mp.mpf(10) ** -12 * (abs(values["lambda_1"]) + values["E_norm"])
        if not values["symmetric"] or values["b_norm"] > rounding or not values["gap"] > 0:
            return Confirmation(0.0, 0.0, 0.0, False, False, methods)
        margin = to_mpmath(formula, **{k: values[k] for k in ("lambda_1", "a")}, perturbed_mu_max=max(values["mu"]))
        before = bool(margin > 0)
        observed = mp.cos(values["angle"]) if before else values["angle"]
        bound = mp.one if before else mp.pi / 2
        error = values["b_norm"] / abs(margin) if margin else mp.inf
        violated = bool(abs(observed - bound) > 10 * error + mp.mpf(10) ** -20)
        return Confirmation(float(observed), float(bound), float(error), True, violated, methods)


def compare_expansion(batch: Batch, measured: Measured, formula: Formula) -> tuple[Comparison, ...]:
    """Error of the series of λ̃1 after orders 1 ... 4 (B, 4) against its bound."""
    p = batch.planted
    series = eigenvalue_series(p["levels"], p["update_matrix"], max(ORDERS)).cumsum(dim=1)
    change = measured.perturbed.value.unsqueeze(1) - p["lambda_1"].unsqueeze(1)
    observed = (change - series).abs()
    names = [n for n in formula.arguments if n != "order"]
    order = torch.tensor(ORDERS, dtype=series.dtype)
    bound = to_torch(formula, order=order, **{n: p[n].unsqueeze(1) for n in names})
    scale = measured.perturbed.value.abs() + p["dV_norm"] + p["lambda_1"].abs()
    rounding = (8 * batch.V.shape[-1] * torch.finfo(series.dtype).eps * scale).unsqueeze(1).expand_as(observed)
    applies = batch.symmetric_update & (p["gap"] > 0) & (2 * p["dV_norm"] < p["gap"])
    return (Comparison("eigenvalue", observed, rounding, bound, applies.unsqueeze(1)),)


def confirm_expansion(instance: Instance, formula: Formula) -> Confirmation:
    """The same on one instance at 50 digits; the order that comes closest to its bound."""
    with mp.workdps(DIGITS):
        values: dict[str, Any] = exact_values(instance)
        methods = (f"mpmath at {DIGITS} digits",)
        update = high_precision.to_matrix(instance.dV)
        values["dV_norm"] = high_precision.operator_norm(update)
        if not values["symmetric"] or not 2 * values["dV_norm"] < values["gap"]:
            return Confirmation(0.0, 0.0, 0.0, False, False, methods)
        levels, q = mp.eigsy(high_precision.to_matrix(instance.V))
        order = sorted(range(len(levels)), key=lambda k: levels[k], reverse=True)
        inner = q.T * update * q
        rows = [[inner[i, j] for j in order] for i in order]
        series, _ = coefficients([levels[k] for k in order], rows, max(ORDERS))
        change, found = values["perturbed_lambda_1"] - values["lambda_1"], []
        for k in ORDERS:
            arguments = {n: mp.mpf(k) if n == "order" else values[n] for n in formula.arguments}
            found.append((abs(change - mp.fsum(series[:k])), to_mpmath(formula, **arguments)))
        observed, bound = max(found, key=lambda pair: pair[0] / pair[1])
        error = mp.mpf(10) ** -40 * values["lambda_1"]
        violated = bool(observed - bound > 10 * error)
        return Confirmation(float(observed), float(bound), float(error), True, violated, methods)


CHECKS = (
    Check("prop-3.3/orthogonal", ("crossing",), compare_orthogonal, confirm_orthogonal, readings={"beyond": 500}),
    Check("remark-3.4/expansion", ("perturbative",), compare_expansion, confirm_expansion),
)
