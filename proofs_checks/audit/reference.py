"""Reference curves of Thm. 4.2 for an update of a given norm and depth: random over layers, and one for all layers.

The model behind both has no well (V = 0), tokens collapsed at one point, step h = 1 and Gaussian adapters with
``E||ΔV||_F² = η²||s||²``; rank enters through ||s|| alone. With V scaled to norm 1 they are scales to hold the norm of
an update against, not predictions for a model with a well, an MLP and many heads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from theory.formula import Formula
from theory.lowering import to_torch
from theory.thm_4_2 import COLLAPSED_DRIFT, LAYER_NOISE

THRESHOLD = 0.25
"""Level of D = ½E|x - x̃|² at which the critical norms are read."""


@dataclass(frozen=True)
class Reference:
    """D = ½E|x - x̃|² after L layers, from 0 to 1.

    Attributes
    ----------
    random: independent adapters, in the limit of small steps (thm-4.2/variance).
    tied: one adapter for all layers, linearised: L layers add up coherently; capped at 1.
    critical_random, critical_tied: the Frobenius norm (V of norm 1) at which each reaches ``THRESHOLD``.
    """

    random: float
    tied: float
    critical_random: float
    critical_tied: float


def reference(frobenius: float, depth: int, d: int) -> Reference:
    """The curves at ``||ΔV||_F = frobenius`` (in units of ||V||), L = ``depth``, width ``d >= 2``."""
    random = _value(COLLAPSED_DRIFT, noise_scale=1.0, T=depth, s_norm=frobenius, d=d)
    per_layer = _value(LAYER_NOISE, h=1.0, eta=1.0, s_norm=frobenius, d=d, lambda_1=0.0)
    unit = _value(LAYER_NOISE, h=1.0, eta=1.0, s_norm=1.0, d=d, lambda_1=0.0) * (d - 1) / 2
    return Reference(
        random=random,
        tied=min(1.0, depth**2 * per_layer * (d - 1) / 2),
        critical_random=math.sqrt(-math.log1p(-THRESHOLD) / (unit * depth)),
        critical_tied=math.sqrt(THRESHOLD / unit) / depth,
    )


def _value(formula: Formula, **numbers: float) -> float:
    return float(to_torch(formula, **{k: torch.tensor(float(x), dtype=torch.float64) for k, x in numbers.items()}))
