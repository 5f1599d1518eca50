"""The JSON fields of an audit: ``hypotheses`` and ``heads``, and what both are about."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proofs_checks.audit.hypotheses import finding, hypotheses
from proofs_checks.audit.run import AuditReport, Row


def fields(report: AuditReport) -> dict[str, Any]:
    """Plain values; ``head`` is null for a whole layer, an infinite scale becomes null (no limit)."""
    return {
        "model": {
            "name": report.model,
            "architecture": report.architecture.name,
            **asdict(report.shape),
            "tied_layers": report.tied_layers,
        },
        "adapters": [{"name": x, "other_modules": report.elsewhere.get(x, 0)} for x in report.adapters],
        "hypotheses": {name: asdict(fact) for name, fact in hypotheses(report).items()},
        "summary": finding(report),
        "heads": [head(row) for row in report.rows],
    }


def head(row: Row) -> dict[str, Any]:
    """One row: the audit of V, its spectrum as ``[re, im]``, and one entry for every update."""
    return {
        **asdict(row.matrix),
        "spectrum": [[z.real, z.imag] for z in row.spectrum],
        "zero_eigenvalues": row.zeros,
        "updates": [asdict(u) for u in row.updates],
    }
