"""What the theory says of a family of clouds, evaluated: exponents, sums over the layers, the linearised drift."""

from __future__ import annotations

import math

import numpy as np

from proofs_checks.sweep.clouds import excluded
from proofs_checks.sweep.families import Clouds
from proofs_checks.transition import value_of
from theory import sweep_laws, thm_4_2

FIRST_DEPTH = 64
"""Exponents are read from this depth on; below it the finite step shows."""
SMALL_DRIFT = 0.01
"""Up to this threshold of D the linearised model gives η_c within two per cent."""
_DEEP, _FLAT = 3.0, 0.2
"""``g·hL`` beyond which a well is deep and below which it is flat."""


def exponent(family: Clouds) -> float | None:
    """The exponent of η_c in L that Thm. 4.2 states for this family, or None where it states none.

    For AR(1) adapters from a collapsed start the effective one over the depths used, from the exact sum. The plateau
    of a deep well is the linearised model's: at a higher threshold tokens escape (metastable), and none is stated.
    """
    if family.adapters == "ar1":
        return effective_exponent(family)
    if family.fixed == "T":
        return 0.0 if family.adapters == "tied" else 0.5
    gaps = [family.levels[0] - x for x in family.levels[1:]]
    flat = max(gaps) * family.amount * max(family.depths) < _FLAT
    deep = min(gaps) * family.amount * min((d for d in family.depths if d >= FIRST_DEPTH), default=0) > _DEEP
    if not (flat or deep):
        return None
    if deep:
        return 0.0 if family.adapters == "random" and family.threshold <= SMALL_DRIFT else None
    return -1.0 if family.adapters == "tied" else -0.5


def effective_exponent(family: Clouds) -> float | None:
    """Slope of the linearised ``log η_c`` in ``log L`` over the depths that exponents are read from."""
    depths = [d for d in family.depths if d >= FIRST_DEPTH]
    if not family.collapsed or len(depths) < 2:
        return None
    logs = [math.log(critical(family, d)) for d in depths]
    return float(np.polyfit(np.log(depths), logs, 1)[0])


def critical(family: Clouds, depth: int) -> float:
    """η at which the linearised drift reaches the threshold; exact as the threshold goes to 0. ∞ without any drift."""
    drift = linear_drift(family, depth)
    return math.sqrt(family.threshold / drift) if drift > 0 else math.inf


def linear_drift(family: Clouds, depth: int) -> float:
    """½E tan² at η = 1 by the linearised model from u1, over the directions that the adapters reach."""
    off = excluded(family)
    if off is not None and bool(off[0].any()):
        return 0.0  # adapters off u1 do not move a token at u1
    reached = [k for k in range(1, family.d) if off is None or not bool(off[k].any())]
    h, ratio = family.step(depth), 0.0
    for k in reached:
        numbers = {"h": h, "eta": 1.0, "s_norm": family.norm, "d": family.d, "lambda_1": family.levels[0],
                   "lambda_j": family.levels[k], "L": depth, "correlation": family.correlation}  # fmt: skip
        if family.levels[k] == family.levels[0]:
            layers = flat_sum(family, depth)
            ratio += layers * value_of(thm_4_2.LAYER_NOISE, **numbers)
        else:
            formula = thm_4_2.AR1_VARIANCE if family.adapters == "ar1" else thm_4_2.CRITICAL_VARIANCE
            ratio += value_of(formula, **numbers)
    return ratio / 2


def flat_sum(family: Clouds, depth: int) -> float:
    """``Σ_{k,k'} ρ^{|k-k'|}`` over the layers: L for independent adapters."""
    if family.adapters == "random":
        return depth
    return value_of(sweep_laws.AR1_FLAT_SUM, L=depth, correlation=family.correlation)
