"""What gradient ascent climbs on: observed / bound of a claim as a function of matrices, tokens and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from theory.formula import Formula
from theory.lowering import to_torch

SMALL = 1e-5
"""Below it double precision says nothing here."""


@dataclass
class Point:
    """B instances: V, ΔV, A, ΔA ``(B, d, d)``, tokens ``(B, n, d)``, time ``(B,)``."""

    V: Tensor
    dV: Tensor
    A: Tensor
    dA: Tensor
    X: Tensor
    T: Tensor

    @property
    def perturbed(self) -> tuple[Tensor, Tensor]:
        """Attention and value matrix of the perturbed flow."""
        return self.A + self.dA, self.V + self.dV


Ratio = Callable[[Point, Formula], Tensor]
Metadata = Callable[[Point], dict[str, Tensor]]


@dataclass(frozen=True)
class Objective:
    """One claim to climb on.

    Attributes
    ----------
    ratio: observed / bound ``(B,)``; NaN where the claim says nothing.
    symmetric: V and ΔV are kept symmetric. tied: A = V. tokens: whether the claim is about tokens at all.
    begin: makes a random start one that the claim speaks of.
    metadata: what the instance file must name beside the matrices, entry by entry ``(B, ...)``.
    longer: the time in the instance file, in units of the point's.
    """

    ratio: Ratio
    symmetric: bool = False
    tied: bool = False
    tokens: bool = True
    begin: Callable[[Point], Point] = lambda p: p
    metadata: Metadata = lambda _p: {}
    longer: float = 1.0

    def admitted(self, p: Point) -> Point:
        """The point with what is kept: symmetric matrices, A = V, unit tokens, a positive time."""
        V, dV = (symmetric(x) if self.symmetric else x for x in (p.V, p.dV))
        A, dA = (V, dV) if self.tied else (p.A, p.dA)
        return Point(V, dV, A, dA, unit(p.X), p.T.abs() + 1e-3)


def norm(matrix: Tensor) -> Tensor:
    """Operator norms ``(B,)``."""
    return torch.linalg.matrix_norm(matrix, ord=2)


def symmetric(matrix: Tensor) -> Tensor:
    """The symmetric parts."""
    return (matrix + matrix.mT) / 2


def unit(vectors: Tensor) -> Tensor:
    """Along the last axis."""
    return vectors / torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)


def leading(matrix: Tensor, towards: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues ``(B, d)``, increasing, of symmetric matrices, and the leading eigenvectors ``(B, d)``.

    ``towards``: vectors ``(B, n, d)`` on whose side (that of more of them) the eigenvector lies.
    """
    values, vectors = torch.linalg.eigh(symmetric(matrix))
    u = vectors[:, :, -1]
    if towards is None:
        return values, u
    side = torch.sign((towards * u[:, None]).sum(dim=2)).sum(dim=1)
    return values, torch.where(side < 0, -1.0, 1.0)[:, None] * u


def dominant_gap(values: Tensor) -> Tensor:
    """λ1 - max |λ_j| of increasing eigenvalues ``(B, d)``."""
    return values[:, -1] - values[:, :-1].abs().amax(dim=1)


def tangent(tokens: Tensor, u: Tensor) -> Tensor:
    """Largest tangent of the angle to u ``(B,)``; NaN where a token is outside the open hemisphere."""
    along = (tokens * u[:, None]).sum(dim=2)
    across = torch.linalg.vector_norm(tokens - along[:, :, None] * u[:, None], dim=2)
    return torch.where(along.amin(dim=1) > 0, (across / along).amax(dim=1), torch.nan)


def frame(update: Tensor, u: Tensor) -> dict[str, Tensor]:
    """``a``, ``b_norm``, ``E_norm`` of symmetric ΔV about u, by their names in code."""
    moved = (update @ u[:, :, None])[:, :, 0]
    a = (moved * u).sum(dim=1)
    across = torch.eye(u.shape[1], dtype=u.dtype) - u[:, :, None] * u[:, None]
    b_norm = torch.linalg.vector_norm(moved - a[:, None] * u, dim=1)
    return {"a": a, "b_norm": b_norm, "E_norm": norm(across @ update @ across)}


def cone(total: Tensor) -> dict[str, Tensor]:
    """``w``, ``kappa``, ``cone_separation``, ``b_norm``, ``c_norm`` of V + ΔV about e1, by their names in code."""
    w, kappa = total[:, 0, 0], norm(total[:, 1:, 1:])
    b_norm, c_norm = (torch.linalg.vector_norm(x, dim=1) for x in (total[:, 1:, 0], total[:, 0, 1:]))
    return {"w": w, "kappa": kappa, "cone_separation": w - kappa, "b_norm": b_norm, "c_norm": c_norm}


def first_axis(p: Point) -> Tensor:
    """e1 ``(B, d)``."""
    axis = torch.zeros_like(p.X[:, 0])
    axis[:, 0] = 1
    return axis


def value(formula: Formula, given: dict[str, Tensor]) -> Tensor:
    """The formula at those of the given values that it needs."""
    return to_torch(formula, **{name: given[name] for name in formula.arguments})


def in_hemisphere(p: Point, u: Tensor) -> Point:
    """The tokens that are beyond the equator of u, reflected."""
    return replace(p, X=p.X * torch.where((p.X * u[:, None]).sum(dim=2, keepdim=True) < 0, -1.0, 1.0))


def positive_base(p: Point) -> Point:
    """V² in the place of V, so that λ1 is positive, and the tokens in the hemisphere of u1."""
    V = symmetric(p.V) @ symmetric(p.V)
    return in_hemisphere(replace(p, V=V), leading(V)[1])
