"""The tables of an audit, one line a layer, as cells of text: the terminal and the page print the same."""

from __future__ import annotations

from proofs_checks.audit.run import AuditReport, Row

BASE = ("layer", "symmetric", "⪰ 0", "top real", "in cone", "antisymmetric part", "cone margin / norm")
UPDATE = (
    "layer", "||ΔV||/||V||", "||ΔV||/√L", "criterion", "in cone", "small-gap mass", "D random ... tied", "intruders",
)  # fmt: skip


def base_lines(report: AuditReport) -> list[tuple[str, ...]]:
    """V alone, one line a layer, over its heads."""
    rows = report.of_kind("ov")
    return [_base(layer, [x for x in rows if x.matrix.layer == layer]) for layer in range(report.shape.layers)]


def update_lines(report: AuditReport, adapter: str) -> list[tuple[str, ...]]:
    """What one adapter does to the heads of each layer."""
    found = []
    for layer in range(report.shape.layers):
        heads, whole = ([x for x in report.of_kind(k) if x.matrix.layer == layer] for k in ("ov", "value"))
        found.append((str(layer), *_updates(heads, whole, adapter)))
    return found


def best_margin(row: Row) -> float:
    """The larger of the two cone margins of V, over ``||V||``; 0 for V = 0."""
    right = row.matrix.cone_margin_right
    best = max(row.matrix.cone_margin_symmetric, right if right is not None else -float("inf"))
    return best / row.matrix.norm if row.matrix.norm else 0.0


def _base(layer: int, rows: list[Row]) -> tuple[str, ...]:
    def of(flags: list[bool]) -> str:
        return f"{sum(flags)} of {len(flags)}"

    matrices = [row.matrix for row in rows]
    return (
        str(layer),
        of([m.symmetric for m in matrices]),
        of([m.psd for m in matrices]),
        of([m.top_real for m in matrices]),
        of([m.in_cone for m in matrices]),
        _span([100 * m.asymmetry for m in matrices], "{:.0f}") + " %",
        f"{max(best_margin(row) for row in rows):.2f}",
    )


def _updates(rows: list[Row], whole: list[Row], adapter: str) -> tuple[str, ...]:
    updates = [u for row in rows for u in row.updates if u.adapter == adapter]
    if not updates:
        return ("-",) * (len(UPDATE) - 1)
    quoted = [u for u in updates if u.criterion_applies]
    intruders = [u.intruders for row in whole for u in row.updates if u.adapter == adapter and u.intruders]
    random = [u.reference_random for u in updates if u.reference_random is not None]
    tied = [u.reference_tied for u in updates if u.reference_tied is not None]
    return (
        _span([u.relative_norm or 0.0 for u in updates], "{:.2g}"),
        _span([u.norm_over_sqrt_layers for u in updates], "{:.2g}"),
        f"{sum(u.criterion_margin > 0 for u in quoted)} of {len(quoted)}" if quoted else "does not apply",
        f"{sum('prop-3.3/nonsymmetric' in u.theorems for u in updates)} of {len(updates)}",
        _span([u.small_gap_mass for u in updates], "{:.2g}"),
        f"{max(random):.2g} ... {max(tied):.2g}" if random and tied else "-",
        str(sum(sum(x.values()) for x in intruders)) if intruders else "-",
    )


def _span(values: list[float], form: str) -> str:
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} ... {high}"
