"""Ascent on the times of Theorem 4.6, without differentiating a time.

The time T is moved itself, and the angle to pass is read off the flow at T: the tokens pass it at T, or earlier where
they leave (later where they arrive) more than once, which is nearer to a violation still.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from numerics.differentiable import flow
from proofs_checks.deviation import Speeds, deviation_integral
from proofs_checks.falsify.objective import (
    SMALL,
    Objective,
    Point,
    cone,
    dominant_gap,
    first_axis,
    in_hemisphere,
    leading,
    tangent,
    value,
)
from theory import thm_4_6
from theory.formula import Formula

_LONGER = 1.25
"""The file's T, so that the angle is passed before it."""


def _reached(p: Point) -> Tensor:
    """Largest tangent to e1 at T, along the perturbed flow."""
    return tangent(flow(*p.perturbed, p.X, p.T), first_axis(p))


def _departure(p: Point, formula: Formula, speeds: Speeds) -> Tensor:
    """Bound / observed, as the check reads a lower bound."""
    start, end = tangent(p.X, first_axis(p)), _reached(p)
    grown = (end > start + SMALL) & start.isfinite()
    integral, _ = deviation_integral(cone(p.perturbed[1]), start, torch.where(grown, end, start + 1), speeds)
    bound = value(formula, {"slowness_integral": integral}) if formula.name == thm_4_6.DEVIATION_TIME.name else integral
    return torch.where(grown & bound.isfinite(), bound / p.T, torch.nan)


def lower(p: Point, formula: Formula) -> Tensor:
    """The least time in which ϑ can grow to ϑ(T), against T."""
    return _departure(p, formula, Speeds.with_formula(formula))


def plain(p: Point, _formula: Formula) -> Tensor:
    """The same against the first branch alone."""
    return _departure(p, thm_4_6.DEVIATION_TIME, Speeds(inner=None))


def _arrived(p: Point) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues of V + ΔV, the tangent to ũ1 at the start, the angle to it at T."""
    values, u = leading(p.V + p.dV, p.X)
    return values, tangent(p.X, u), torch.atan(tangent(flow(*p.perturbed, p.X, p.T), u))


def upper(p: Point, formula: Formula) -> Tensor:
    """T against the time by which all tokens must be within their angle at T of ũ1."""
    values, start, angle = _arrived(p)
    gap = dominant_gap(values)
    given = {"overlap": torch.cos(torch.atan(start)), "target_angle": angle, "perturbed_dominant_gap": gap}
    bound = value(formula, given)
    return torch.where((gap > 0) & (angle > SMALL) & (bound > SMALL), p.T / bound, torch.nan)


def _outwards(p: Point) -> Point:
    """The tokens near e1."""
    u = first_axis(p)
    return in_hemisphere(replace(p, X=p.X + torch.sign(p.X[:, :, :1]) * u[:, None]), u)


def _homewards(p: Point) -> Point:
    """λ̃1 positive, and the tokens in the hemisphere of ũ1."""
    V = p.V @ p.V
    return in_hemisphere(replace(p, V=V), leading(V + p.dV)[1])


def _to_pass(p: Point) -> dict[str, Tensor]:
    return {"u": first_axis(p), "r": _reached(p)}


PASSAGES = {
    "thm-4.6/lower": Objective(lower, begin=_outwards, metadata=_to_pass, longer=_LONGER),
    "thm-4.6/plain-riccati": Objective(plain, begin=_outwards, metadata=_to_pass, longer=_LONGER),
    "thm-4.6/upper": Objective(
        upper, symmetric=True, begin=_homewards, metadata=lambda p: {"angle": _arrived(p)[2]}, longer=_LONGER
    ),
}
"""Claim → what is climbed on."""
