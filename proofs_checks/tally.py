"""What a block of instances says about each claim: counts, ratios, and where the extreme instances are.

Tallies are plain JSON (they are what the store keeps), so a block that is read back is the block that was computed.
Instances are referred to by block and row and drawn again when one is needed.
"""

from __future__ import annotations

from typing import Any

import torch

from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import Comparison
from proofs_checks.measurement import Measured
from proofs_checks.sampler import Batch
from theory.claim import Claim

Tally = dict[str, Any]
CONTROL_AMOUNT = 0.01


def tally(check: Check, claim: Claim, batch: Batch, measured: Measured) -> Tally:
    """The tally of one check on one batch, its negative controls included."""
    readings = [c.flattened() for c in check.compare(batch, measured, claim.formulas[0])]
    controls = {}
    for tightening in claim.tightenings:
        tightened = check.compare(batch, measured, tightening.apply(CONTROL_AMOUNT))[0].flattened()
        controls[tightening.name] = _candidates(tightened)
    primary = readings[0]
    return {
        "instances": int(primary.applies.sum()),
        "nonvacuous": int(primary.nonvacuous.sum()),
        "unusable": int((primary.applies & ~primary.usable).sum()),
        "ratios": _numbers(primary.ratio[primary.nonvacuous]),
        "extreme": _extreme(primary),
        "coverage": _coverage(batch, primary.nonvacuous),
        "readings": {c.reading: _reading(c) for c in readings},
        "controls": controls,
    }


def _numbers(values: torch.Tensor) -> list[float]:
    return [float(f"{x:.12g}") for x in values.tolist()]


def _reading(comparison: Comparison) -> dict[str, Any]:
    ratios = comparison.ratio[comparison.nonvacuous]
    return {
        "instances": int(comparison.applies.sum()),
        "nonvacuous": int(comparison.nonvacuous.sum()),
        "max_ratio": float(ratios.max()) if len(ratios) else None,
        **_candidates(comparison),
    }


def _candidates(comparison: Comparison) -> dict[str, Any]:
    rows = torch.nonzero(comparison.candidate).flatten()
    order = (comparison.ratio[rows] - 1).abs().argsort(descending=True)
    return {"candidates": len(rows), "rows": rows[order[:8]].tolist()}


def _extreme(comparison: Comparison) -> dict[str, Any] | None:
    score = torch.where(comparison.nonvacuous, comparison.ratio, -1.0)
    row = int(score.argmax())
    return {"ratio": float(score[row]), "row": row} if bool(comparison.nonvacuous.any()) else None


def _coverage(batch: Batch, counted: torch.Tensor) -> dict[str, Any]:
    mask = counted.numpy()
    n, d = batch.tokens.shape[1:]
    total = int(mask.sum())
    return {
        "n": {str(n): total},
        "d": {str(d): total},
        "a_differs": int((mask & batch.a_differs).sum()),
        "nonsymmetric": int((mask & batch.nonsymmetric_update).sum()),
    }


def merge_counts(parts: list[dict[str, int]]) -> dict[str, int]:
    """Sum of counters with any keys, keys sorted as numbers."""
    keys = sorted({k for part in parts for k in part}, key=int)
    return {k: sum(part.get(k, 0) for part in parts) for k in keys}
