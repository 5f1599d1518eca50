"""What the claims about matrices say of one small instance, at 50 digits."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp

from proofs_checks.checks.confirmation import DIGITS
from proofs_checks.instance_file import Instance
from proofs_checks.relax.readings import Read, Reading, Runs, norms, rows, spectra
from theory import prop_3_3, remark_3_4
from theory.formula import Formula
from theory.lowering import to_mpmath

_ERROR = 1e-30


def _static(measured: Any, bound: Any, relation: str = "<=") -> Reading:
    return Reading((float(measured), float(measured)), float(bound), relation, _ERROR, (f"mpmath at {DIGITS} digits",))


def _plane(instance: Instance) -> dict[str, Any] | None:
    """Spectral values and, for d = 2, α = b and μ, the entry of V + ΔV across u1 = e1."""
    if instance.d != 2:
        return None
    values = spectra(instance)
    if mp.isnan(values["perturbed_lambda_1"]) or not values["perturbed_u1"][0]:
        return None
    total = [[instance.V[i][k] + instance.dV[i][k] for k in range(2)] for i in range(2)]
    mu, alpha = (mp.mpf(x.numerator) / x.denominator for x in (total[1][1], total[1][0]))
    level = mp.mpf(instance.V[1][1].numerator) / instance.V[1][1].denominator
    return values | {"mu": [mu], "alpha": [alpha], "alpha_abs": abs(alpha), "e": mu - level}


def _lowered(formula: Formula, values: dict[str, Any]) -> Any:
    return to_mpmath(formula, **{name: values[name] for name in formula.arguments})


def drift(instance: Instance, _runs: Runs) -> Reading | None:
    """Chord of the leading eigenvectors."""
    values = spectra(instance)
    if not values["gap"] + values["a"] > values["E_norm"]:
        return None
    with mp.workdps(DIGITS):
        return _static(values["chord"], _lowered(prop_3_3.DRIFT_BOUND_SHARP, values))


def drift_half(instance: Instance, _runs: Runs) -> Reading | None:
    """Chord against the quoted bound with the constant 1/2."""
    values = spectra(instance)
    if not values["gap"] + values["a"] > 2 * values["b_norm"] + values["E_norm"]:
        return None
    with mp.workdps(DIGITS):
        return _static(values["chord"], _lowered(prop_3_3.DRIFT_BOUND_HALF, values))


def orthogonal(instance: Instance, _runs: Runs) -> Reading | None:
    """No drift where ΔV is block diagonal about u1, before the crossing."""
    values = spectra(instance)
    across = [instance.dV[0][k] for k in range(1, instance.d)] + [instance.dV[k][0] for k in range(1, instance.d)]
    total = np.array([[float(a + b) for a, b in zip(r, s, strict=True)] for r, s in rows(instance)])
    block = np.linalg.eigvals(total[1:, 1:])
    if any(across) or not values["lambda_1"] + values["a"] > block.real.max():
        return None
    return _static(values["angle"], 0, "==")


def secular(instance: Instance, _runs: Runs) -> Reading | None:
    """λ̃1 against the right-hand side of the secular equation."""
    values = _plane(instance)
    if values is None or not values["perturbed_lambda_1"] > values["mu"][0]:
        return None
    with mp.workdps(DIGITS):
        rest = _lowered(remark_3_4.SECULAR_RESIDUAL, values)
        return _static(values["perturbed_lambda_1"], values["perturbed_lambda_1"] - rest, "==")


def expansion(instance: Instance, _runs: Runs) -> Reading | None:
    """Error of λ̃1 after order 1; with λ1 = λ2 the gap is the distance to the next other eigenvalue."""
    values = spectra(instance)
    with mp.workdps(DIGITS):
        levels = sorted((instance.V[k][k] for k in range(instance.d)), reverse=True)
        below = [x for x in levels if x < levels[0]]
        if not below:
            return None
        gap = levels[0] - below[0]
        values["gap"] = mp.mpf(gap.numerator) / gap.denominator
        values |= norms(instance) | {"order": mp.one}
        if not 2 * values["dV_norm"] < values["gap"]:
            return None
        a = mp.mpf(instance.dV[0][0].numerator) / instance.dV[0][0].denominator
        top = mp.mpf(levels[0].numerator) / levels[0].denominator
        error = abs(values["perturbed_lambda_1"] - top - a)
        return _static(error, _lowered(remark_3_4.EXPANSION_ERROR, values))


def remark(instance: Instance, _runs: Runs) -> Reading | None:
    """tan² against D_a."""
    values = _plane(instance)
    if values is None or not values["lambda_1"] + values["a"] > values["mu"][0]:
        return None
    with mp.workdps(DIGITS):
        return _static(values["tan_squared"], _lowered(remark_3_4.DRIFT_CORRECTED, values))


def collapse(instance: Instance, _runs: Runs) -> Reading | None:
    """The angle of the two-level system."""
    values = _plane(instance)
    if values is None or not values["alpha_abs"]:
        return None
    with mp.workdps(DIGITS):
        return _static(values["angle"], _lowered(remark_3_4.TWO_LEVEL_ANGLE, values), "==")


MATRICES: dict[str, Read] = {
    "prop-3.3/drift": drift,
    "prop-3.3/drift-quoted": drift_half,
    "prop-3.3/orthogonal": orthogonal,
    "remark-3.4/secular": secular,
    "remark-3.4/expansion": expansion,
    "remark-3.4/drift": remark,
    "remark-3.4/collapse": collapse,
}
"""Claim → how it is read on one small instance."""
