"""What is promised of each head, and whether the audit of the new adapter finds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.factored import Factors
from proofs_checks.audit.model import LayerWeights
from proofs_checks.audit.run import Row
from proofs_checks.audit.updates import UpdateAudit
from proofs_checks.project.directions import leading, small_gap
from proofs_checks.project.scaling import helped
from proofs_checks.real_weights import TOLERANCE, MatrixAudit

NO_LEADING = "no eigenvalue of the symmetric part of V is positive, so there is no leading direction to keep off"
NO_GAP = "λ1 = λ2 in the symmetric part of V: no scale keeps the quoted margin above 0"
NO_CONE = "V itself has no cone about its leading vectors: no scale helps"
_ROUNDING = 100.0
"""Multiples of the unit of the stored numbers that a sum of products may be off by."""


@dataclass(frozen=True)
class Promise:
    """One quantity, measured on the adapter read back: ``found`` is at most ``limit``, or, of a margin, above 0.

    ``b_norm``, ``small_gap_mass`` and the margins are the audit's. ``leading_norm`` is the largest ``|ΔV u|`` of the
    leading directions, ``pushed_norm`` the largest ``|uᵀΔV|`` of those of small gap. What is promised to be 0 is so up
    to the rounding of what is stored: ``limit``.
    """

    quantity: str
    found: float
    limit: float
    kept: bool


@dataclass(frozen=True)
class ProjectedHead:
    """One head: the audits of its update ``before`` and ``after``, the ``promises``, and why others are not made."""

    layer: int
    head: int
    before: UpdateAudit
    after: UpdateAudit
    promises: tuple[Promise, ...]
    reasons: tuple[str, ...]


def projected_head(
    weights: LayerWeights, moved: LayerWeights, row: Row, keep_off: str | None, m: int, scale: str | None, unit: float
) -> ProjectedHead:
    """``row`` has the updates before and after, ``moved`` the layer with the new one.

    ``unit`` is the rounding of the factors in the file.
    """
    before, after = row.updates
    head = row.matrix.head
    if head is None:
        raise ValueError("a head is needed, not a whole layer")
    limit = _limit(row.matrix, before, unit)
    promises: list[Promise] = []
    reasons: list[str] = []
    if keep_off == "top-m":
        U = leading(weights, head, m)
        if U.shape[1]:
            promises.append(_zero("b_norm", after.b_norm, limit))
            promises.append(
                _zero("leading_norm", _read(weights.head_factors(head), moved.head_factors(head), U), limit)
            )
        else:
            reasons.append(NO_LEADING)
    if keep_off == "small-gap":
        share = limit**2 / after.frobenius**2 if after.frobenius else 0.0
        promises.append(_zero("small_gap_mass", after.small_gap_mass, share))
        (O, W), (new_O, new_W) = weights.head_factors(head), moved.head_factors(head)  # noqa: E741 (as in formulas)
        pushed = _read((W.mT, O.mT), (new_W.mT, new_O.mT), small_gap(weights, head))
        promises.append(_zero("pushed_norm", pushed, limit))
    if scale is not None:
        name = "criterion_margin" if scale == "quoted" else "cone_margin"
        if helped(weights, head, scale):
            margin = getattr(after, name)
            promises.append(Promise(name, margin, 0.0, margin > 0))
        else:
            reasons.append(NO_GAP if scale == "quoted" else NO_CONE)
    return ProjectedHead(row.matrix.layer, head, before, after, tuple(promises), tuple(reasons))


def _zero(quantity: str, found: float, limit: float) -> Promise:
    return Promise(quantity, found, limit, found <= limit)


def _read(base: Factors, moved: Factors, U: Tensor) -> float:
    """Largest norm of a column of ``ΔV U``, ΔV the difference of two products of factors."""
    change = moved[0] @ (moved[1] @ U) - base[0] @ (base[1] @ U)
    return float(change.norm(dim=0).max()) if U.shape[1] else 0.0


def _limit(matrix: MatrixAudit, before: UpdateAudit, unit: float) -> float:
    """What is left of ``||ΔV||`` by the rounding of the file, by that of u1, which the gap divides, and by that of V.

    Directions whose eigenvalues are closer than the tolerance are kept off together, so no smaller gap counts. ΔV is
    found as a difference from V, whose own rounding stays in it however small ΔV is.
    """
    eps = torch.finfo(torch.float64).eps
    turned = eps / max(matrix.gap / matrix.norm, TOLERANCE) if matrix.norm else 0.0
    return _ROUNDING * (before.frobenius * (unit + turned) + eps * matrix.norm)
