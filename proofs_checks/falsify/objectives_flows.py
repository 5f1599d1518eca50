"""Ascent on the claims about tokens at a time: stability of twins, convergence to u1, ũ1 or into a cone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from numerics.differentiable import flow
from proofs_checks.falsify.objective import (
    SMALL,
    Objective,
    Point,
    cone,
    dominant_gap,
    first_axis,
    frame,
    in_hemisphere,
    leading,
    norm,
    positive_base,
    symmetric,
    tangent,
    value,
)
from theory import prop_3_3
from theory.formula import Formula

_NODES = 24


# --- Prop. 3.1 --------------------------------------------------------------------------------------


def _norms(p: Point) -> dict[str, Tensor]:
    attention, moved = p.perturbed
    return {
        "V_norm": norm(p.V), "A_norm": norm(p.A), "dV_norm": norm(p.dV), "dA_norm": norm(p.dA),
        "perturbed_V_norm": norm(moved), "perturbed_A_norm": norm(attention), "t": p.T,
    }  # fmt: skip


def sphere(p: Point, formula: Formula) -> Tensor:
    """Largest angle between twins against the bound of prop-3.1/sphere."""
    ends = [flow(p.A, p.V, p.X, p.T), flow(*p.perturbed, p.X, p.T)]
    apart = torch.linalg.vector_norm(ends[0] - ends[1], dim=2).clamp(max=2 - 1e-12)
    return (2 * torch.arcsin(apart / 2)).amax(dim=1) / value(formula, _norms(p))


@cache
def _rule() -> tuple[Tensor, Tensor]:
    """Nodes and weights of Gauss-Legendre on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    return torch.from_numpy((x + 1) / 2), torch.from_numpy(w / 2)


def euclidean(p: Point, formula: Formula) -> Tensor:
    """Largest displacement in R^d of twins from unit tokens against the integral of prop-3.1/euclidean."""
    ends = [flow(A, V, p.X, p.T, sphere=False) for A, V in ((p.A, p.V), p.perturbed)]
    observed = torch.linalg.vector_norm(ends[0] - ends[1], dim=2).amax(dim=1)
    x, weight = _rule()
    given = {name: found[:, None] for name, found in _norms(p).items()}
    given |= {"radius_0": torch.ones_like(given["t"]), "earlier_time": given["t"] * x}
    bound = p.T * (value(formula, given) @ weight)
    return torch.where(bound.isfinite(), observed / bound, torch.nan)


# --- Prop. 3.3 --------------------------------------------------------------------------------------


def _towards_u1(p: Point, formula: Formula, gap_only: bool) -> Tensor:
    values, u = leading(p.V, p.X)
    gaps = {"dominant_gap": dominant_gap(values), "gap": values[:, -1] - values[:, -2]}
    given = gaps | {"tan_max_angle_0": tangent(p.X, u), "t": p.T}
    bound = value(formula, given)
    speaks = (given["gap" if gap_only else "dominant_gap"] > 0) & (bound > SMALL)
    return torch.where(speaks, tangent(flow(p.A, symmetric(p.V), p.X, p.T), u) / bound, torch.nan)


def convergence(p: Point, formula: Formula) -> Tensor:
    """Largest tangent at T against the bound of prop-3.3/convergence."""
    return _towards_u1(p, formula, gap_only=False)


def gap_only(p: Point, formula: Formula) -> Tensor:
    """The same with gap in place of gap*; NaN where a token has left the hemisphere."""
    return _towards_u1(p, formula, gap_only=True)


def criterion(p: Point, formula: Formula) -> Tensor:
    """Largest tangent to ũ1 at T against the bound of prop-3.3/criterion."""
    values, u = leading(p.V, p.X)
    total = symmetric(p.V + p.dV)
    moved, other = leading(total, u[:, None])
    given = frame(symmetric(p.dV), u) | {
        "gap": values[:, -1] - values[:, -2], "dominant_gap": dominant_gap(values),
        "perturbed_dominant_gap": dominant_gap(moved), "tan_max_angle_0": tangent(p.X, other), "t": p.T,
    }  # fmt: skip
    bound = value(formula, given)
    overlap = (p.X * u[:, None]).sum(dim=2).amin(dim=1)
    speaks = (value(prop_3_3.SHARP_CRITERION_MARGIN, given) > 0) & (given["dominant_gap"] > 0) & (bound > SMALL)
    speaks = speaks & (overlap > value(prop_3_3.HEMISPHERE_NEEDED, given))
    return torch.where(speaks, tangent(flow(p.A + p.dA, total, p.X, p.T), other) / bound, torch.nan)


def nonsymmetric(p: Point, formula: Formula) -> Tensor:
    """Largest tangent to e1 at T against the bound of prop-3.3/nonsymmetric; any u is e1 in its own frame."""
    u, start = first_axis(p), tangent(p.X, first_axis(p))
    given = cone(p.perturbed[1]) | {"tan_max_angle_0": start, "t": p.T}
    speaks = (value(prop_3_3.CONE_MARGIN, given) > 0) & (value(prop_3_3.CONE_OUTER_INVERSE, given) * start < 1)
    bound = value(formula, given)
    return torch.where(speaks & (bound > SMALL), tangent(flow(*p.perturbed, p.X, p.T), u) / bound, torch.nan)


def _in_a_cone(p: Point) -> Point:
    """w large, and the tokens near e1."""
    u = first_axis(p)
    V = p.V + 4 * u[:, :, None] * u[:, None]
    return in_hemisphere(replace(p, V=V, X=p.X + 2 * torch.sign(p.X[:, :, :1]) * u[:, None]), u)


def _near(p: Point) -> Point:
    """λ1 positive and the tokens well inside the hemisphere of u1."""
    p = positive_base(p)
    return replace(p, X=p.X + leading(p.V)[1][:, None])


FLOWS = {
    "prop-3.1/sphere": Objective(sphere),
    "prop-3.1/euclidean": Objective(euclidean, metadata=lambda p: {"radius": torch.ones_like(p.T)}),
    "prop-3.3/convergence": Objective(convergence, symmetric=True, begin=positive_base),
    "prop-3.3/convergence-gap-only": Objective(
        gap_only, symmetric=True, tied=True, begin=lambda p: in_hemisphere(p, leading(p.V)[1])
    ),
    "prop-3.3/criterion": Objective(criterion, symmetric=True, begin=_near),
    "prop-3.3/nonsymmetric": Objective(nonsymmetric, begin=_in_a_cone, metadata=lambda p: {"u": first_axis(p)}),
}
"""Claim → what is climbed on."""
