"""All checks by claim, in the ledger's order."""

from __future__ import annotations

from proofs_checks.checks import collapsed, first_passage, perturbation, prop_3_1, prop_3_3, remark_3_4
from proofs_checks.checks.check import Check

_MODULES = (prop_3_1, prop_3_3, remark_3_4, perturbation, first_passage, collapsed)

CHECKS: dict[str, Check] = {check.claim_id: check for module in _MODULES for check in module.CHECKS}
"""Claim id → its check on batches. Claims without one here are special (collapse, experiments) or still open."""
