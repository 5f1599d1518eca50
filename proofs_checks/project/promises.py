"""What is promised of each head, and whether the audit of the new adapter finds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from proofs_checks.audit.model import LayerWeights
from proofs_checks.audit.run import Row
from proofs_checks.audit.updates import UpdateAudit
from proofs_checks.project.directions import leading
from proofs_checks.project.scaling import helped
from proofs_checks.real_weights import TOLERANCE, MatrixAudit

NO_LEADING = "no eigenvalue of the symmetric part of V is positive, so there is no leading direction to keep off"
NO_GAP = "λ1 = λ2 in the symmetric part of V: no scale keeps the quoted margin above 0"
NO_CONE = "V itself has no cone about its leading vectors: no scale helps"
_ROUNDING = 100.0
"""Multiples of the unit of the stored numbers that a sum of products may be off by."""


@dataclass(frozen=True)
class Promise:
    """One quantity of the audit: ``found`` is at most (``limit``, for ``b_norm`` and the mass) or above (a margin) 0.

    ``b_norm`` and ``small_gap_mass`` are 0 up to the rounding of what is stored: ``limit``.
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
    weights: LayerWeights, row: Row, keep_off: str | None, m: int, scale: str | None, unit: float
) -> ProjectedHead:
    """``row`` has the updates before and after; ``unit`` is the rounding of the factors in the file."""
    before, after = row.updates
    head = row.matrix.head
    if head is None:
        raise ValueError("a head is needed, not a whole layer")
    limit = _limit(row.matrix, before, unit)
    promises: list[Promise] = []
    reasons: list[str] = []
    if keep_off == "top-m":
        if leading(weights, head, m).shape[1]:
            promises.append(Promise("b_norm", after.b_norm, limit, after.b_norm <= limit))
        else:
            reasons.append(NO_LEADING)
    if keep_off == "small-gap":
        share = limit**2 / after.frobenius**2 if after.frobenius else 0.0
        promises.append(Promise("small_gap_mass", after.small_gap_mass, share, after.small_gap_mass <= share))
    if scale is not None:
        name = "criterion_margin" if scale == "quoted" else "cone_margin"
        if helped(weights, head, scale):
            margin = getattr(after, name)
            promises.append(Promise(name, margin, 0.0, margin > 0))
        else:
            reasons.append(NO_GAP if scale == "quoted" else NO_CONE)
    return ProjectedHead(row.matrix.layer, head, before, after, tuple(promises), tuple(reasons))


def _limit(matrix: MatrixAudit, before: UpdateAudit, unit: float) -> float:
    """What is left of ``||ΔV||`` by the rounding of the file, and by that of u1, which the gap divides.

    Directions whose eigenvalues are closer than the tolerance are kept off together, so no smaller gap counts.
    """
    turned = torch.finfo(torch.float64).eps / max(matrix.gap / matrix.norm, TOLERANCE) if matrix.norm else 0.0
    return before.frobenius * _ROUNDING * (unit + turned)
