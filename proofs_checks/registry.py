"""All checks by claim, in the ledger's order."""

from __future__ import annotations

from proofs_checks.checks import collapsed, first_passage, perturbation, prop_3_3, remark_3_4
from proofs_checks.checks.check import Check

CHECKS: dict[str, Check] = {
    c.claim_id: c
    for c in (*prop_3_3.CHECKS, *remark_3_4.CHECKS, *perturbation.CHECKS, *first_passage.CHECKS, *collapsed.CHECKS)
}
"""Claim id → its check on batches. Claims without one here are special (collapse, experiments) or still open."""
