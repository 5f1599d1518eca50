"""Ascent on the claims about matrices alone: the drift of the leading eigenvector, V and ΔV symmetric."""

from __future__ import annotations

import torch
from torch import Tensor

from proofs_checks.falsify.objective import SMALL, Objective, Point, frame, leading, symmetric, value
from theory import prop_3_3
from theory.formula import Formula


def _about_u1(p: Point) -> tuple[dict[str, Tensor], Tensor]:
    """The quantities of Prop. 3.3 by their names, and ``|<u1, ũ1>|``."""
    values, u = leading(p.V)
    update = symmetric(p.dV)
    _, other = leading(p.V + update)
    given = frame(update, u) | {"gap": values[:, -1] - values[:, -2], "lambda_1": values[:, -1]}
    return given, (u * other).sum(dim=1).abs().clamp(max=1 - 1e-15)


def _chord(p: Point, formula: Formula, quoted: bool) -> Tensor:
    given, cosine = _about_u1(p)
    chord = (2 - 2 * cosine).sqrt()
    delta = given["gap"] + given["a"] - given["E_norm"]
    margin = value(prop_3_3.CRITERION_MARGIN, given) if quoted else delta
    return torch.where((margin > 0) & (chord > SMALL), chord / value(formula, given), torch.nan)


def drift(p: Point, formula: Formula) -> Tensor:
    """Chord of the leading eigenvectors against a bound of prop-3.3/drift."""
    return _chord(p, formula, quoted=False)


def drift_quoted(p: Point, formula: Formula) -> Tensor:
    """The same against half of the quoted bound, where the quoted inequality holds."""
    return _chord(p, formula, quoted=True)


def _levels(p: Point) -> dict[str, Tensor]:
    """``mu`` and ``alpha`` ``(B, d-1)`` of Remark 3.4."""
    _, vectors = torch.linalg.eigh(symmetric(p.V))
    rest, u = vectors[:, :, :-1], vectors[:, :, -1:]
    total = symmetric(p.V + p.dV)
    mu, inner = torch.linalg.eigh(rest.mT @ total @ rest)
    return {"mu": mu, "alpha": (inner.mT @ rest.mT @ total @ u)[:, :, 0]}


def _tan_squared(p: Point, formula: Formula, quoted: bool) -> Tensor:
    given, cosine = _about_u1(p)
    given |= _levels(p)
    top = given["mu"].amax(dim=1)
    square = (1 - cosine**2) / cosine**2
    speaks = (given["lambda_1"] + given["a"] > top) & (square > SMALL)
    if quoted:
        speaks = speaks & (given["lambda_1"] > top)
    return torch.where(speaks, square / value(formula, given), torch.nan)


def remark(p: Point, formula: Formula) -> Tensor:
    """tan² of the drift angle against D_a of remark-3.4/drift."""
    return _tan_squared(p, formula, quoted=False)


def remark_quoted(p: Point, formula: Formula) -> Tensor:
    """The same against the sum as quoted, where both sums are defined."""
    return _tan_squared(p, formula, quoted=True)


MATRICES = {
    "prop-3.3/drift": Objective(drift, symmetric=True, tokens=False),
    "prop-3.3/drift-quoted": Objective(drift_quoted, symmetric=True, tokens=False),
    "remark-3.4/drift": Objective(remark, symmetric=True, tokens=False),
    "remark-3.4/drift-quoted": Objective(remark_quoted, symmetric=True, tokens=False),
}
"""Claim → what is climbed on."""
