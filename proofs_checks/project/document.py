"""The result of ``project`` as JSON fields and in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proofs_checks.project.run import Options, ProjectReport

READING = (
    "top-m: ΔV u = 0 for the {m} leading eigenvector(s) u of the symmetric part of every head, as far as their "
    "eigenvalues are above 0, and for the leading right eigenvector of V where it is real and simple. So b = 0 and "
    "a = 0 about u1, and that right eigenvector stays an eigenvector of V + ΔV with the same eigenvalue. "
    "That it stays the leading one is not promised: E may raise another."
)
WRITING = (
    "small-gap: uᵀ ΔV = 0 for every direction u of small gap, of every head: ΔV pushes no token into one, from u1 or "
    "from elsewhere (V itself may); where V is symmetric their eigenvalues stay. b along other directions is left."
)
QUOTED = (
    "scale: the quoted margin gap + a - 2||b|| - ||E|| about the symmetric part is above 0 in every head that a scale "
    "helps. It is a statement of Prop. 3.3 only where V = Vᵀ ⪰ 0 and ΔV = ΔVᵀ, and elsewhere a number."
)
CONE = (
    "scale: the cone margin about a leading vector of V is above 0 in every head that a scale helps, so "
    "prop-3.3/nonsymmetric applies to V + ΔV of the head, whether or not V is symmetric or ⪰ 0."
)


def guarantees(options: Options) -> list[str]:
    """What the chosen options guarantee, one sentence or two each."""
    found = []
    if options.keep_off is not None:
        found.append(READING.format(m=options.m) if options.keep_off == "top-m" else WRITING)
    if options.scale is not None:
        found.append(QUOTED if options.scale == "quoted" else CONE)
    return found


def finding(report: ProjectReport) -> list[str]:
    """The result in words."""
    promises = [p for head in report.heads for p in head.promises]
    kept = sum(p.kept for p in promises)
    lines = [f"{kept} of {len(promises)} promises are found kept in the new adapter, read back."]
    if not report.written:
        lines.append("A promise is not kept, so nothing is written: look at `promises` of the heads (--json).")
    for reason in dict.fromkeys(r for head in report.heads for r in head.reasons):
        count = sum(reason in head.reasons for head in report.heads)
        lines.append(f"{count} of {len(report.heads)} heads are left out of a promise: {reason}.")
    for name, words in (
        ("prop-3.3/drift-quoted", "the quoted criterion"),
        ("prop-3.3/nonsymmetric", "the cone theorem"),
    ):
        counts = [sum(name in getattr(h, when).theorems for h in report.heads) for when in ("before", "after")]
        lines.append(
            f"With its hypotheses on V and ΔV met {words} holds in {counts[0]} of {len(report.heads)} heads before and "
            f"{counts[1]} after."
        )
    if report.fused and report.options.keep_off == "top-m":
        lines.append("Queries and keys share A with the values here, so their update is kept off these directions too.")
    if report.fused and report.options.scale is not None and any(c.scale < 1 for c in report.changes):
        lines.append("Queries and keys share the scale with the values here, so their update is scaled too.")
    if report.elsewhere:
        lines.append(f"{report.elsewhere} modules outside the value side are copied as they are.")
    lines.append(
        "None of this is a verdict on forgetting in this model: its tokens, MLPs and other heads do not enter."
    )
    return lines


def fields(report: ProjectReport) -> dict[str, Any]:
    """Plain values; infinite scales become null."""
    return {
        "model": report.model,
        "adapter": report.adapter,
        **asdict(report.options),
        "written": report.written,
        "guarantees": guarantees(report.options),
        "summary": finding(report),
        "modules": [asdict(change) for change in report.changes],
        "heads": [asdict(head) for head in report.heads],
    }
