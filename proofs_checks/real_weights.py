"""``exp-spectrum`` on real weights: are the value matrices of a trained model what Prop. 3.3 assumes them to be?

Prop. 3.3 as quoted asks for ``V ⪰ 0``, hence symmetric, with a gap ``λ1 > λ2``; prop-3.3/nonsymmetric asks, for some
unit vector u, for a cone margin ``S - 2 sqrt(|b||c|) > 0``. Both are read off the matrices W_V of a BERT-family encoder
and off the OV products of its heads, in float64, without any update ΔV. Biases, LayerNorm and the MLP are left out: the
audit is of the hypotheses on V alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from numerics.spectral import leading_eigenvector_general, leading_eigenvector_symmetric, split_about
from numerics.weights import (
    MODEL_PACKAGE,
    MODEL_VERSION,
    AttentionWeights,
    ModelNotInstalled,
    WeightsError,
    read_attention,
)
from proofs_checks.errors import InputError
from theory.lowering import to_torch
from theory.prop_3_3 import CONE_MARGIN

__all__ = [
    "MatrixAudit",
    "ModelNotInstalled",
    "RealWeightsReport",
    "WeightsError",
    "audit_matrix",
    "audit_real_weights",
    "cone_is_impossible",
    "figure",
    "markdown",
    "spectrum_of_product",
]

TOLERANCE = 1e-6
"""Relative to ||V||. The weights are stored in float32, so a symmetric matrix is symmetric to about 6e-8."""
KINDS = {"value": "W_V of a layer", "ov": "OV product of a head"}


@dataclass(frozen=True)
class MatrixAudit:
    """One matrix V held against the hypotheses.

    Attributes
    ----------
    layer, head, kind: where it stands; ``head`` is None and ``kind`` is ``value`` for a whole layer, else ``ov``.
    norm: operator norm of V.
    asymmetry: Frobenius norm of the antisymmetric part over that of V, from 0 to 1 (1/√2 for independent entries).
    symmetric: ``asymmetry`` is below the tolerance.
    symmetric_min, symmetric_max, gap: smallest and largest eigenvalue of the symmetric part, and its λ1 - λ2.
    psd: the symmetric part is positive semi-definite, that is xᵀVx >= 0 for all x.
    hypothesis: V is symmetric, PSD, and has a gap: what Prop. 3.3 assumes.
    top_re, top_im: the eigenvalue of V of largest real part.
    top_real, top_simple: it is real; it is real and simple.
    dominant_gap: its real part minus the largest modulus of the others.
    cone_margin_symmetric: cone margin about the leading eigenvector of the symmetric part.
    cone_margin_right: about the leading right eigenvector (there b = 0); None where ``top_simple`` is False.
    in_cone: one of the two margins is positive, so that prop-3.3/nonsymmetric applies with ΔV = 0.
    cone_excluded: no unit vector u whatever has a positive margin, by :func:`cone_is_impossible`.
    """

    layer: int
    head: int | None
    kind: str
    norm: float
    asymmetry: float
    symmetric: bool
    symmetric_min: float
    symmetric_max: float
    gap: float
    psd: bool
    hypothesis: bool
    top_re: float
    top_im: float
    top_real: bool
    top_simple: bool
    dominant_gap: float
    cone_margin_symmetric: float
    cone_margin_right: float | None
    in_cone: bool
    cone_excluded: bool


@dataclass(frozen=True)
class RealWeightsReport:
    """What the audit found: the model's name, one entry per matrix, and the spectra of the W_V by layer (complex)."""

    model: str
    matrices: tuple[MatrixAudit, ...]
    value_spectra: tuple[Tensor, ...]

    def of_kind(self, kind: str) -> tuple[MatrixAudit, ...]:
        """The matrices of one kind, ``value`` or ``ov``."""
        return tuple(row for row in self.matrices if row.kind == kind)

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        """For each kind: how many matrices there are, and of how many each statement is true."""
        return {kind: _counts(self.of_kind(kind)) for kind in KINDS}

    @property
    def experiment(self) -> str:
        """``confirmed`` where the hypothesis is true of every matrix, ``not_confirmed`` of none, else ``differs``."""
        holding = sum(row.hypothesis for row in self.matrices)
        if holding == 0:
            return "not_confirmed"
        return "confirmed" if holding == len(self.matrices) else "differs"

    @property
    def finding(self) -> str:
        """The result in words, computed from the counts."""
        value, ov = self.summary["value"], self.summary["ov"]
        asymmetries = [100 * row.asymmetry for row in self.matrices]

        def of(key: str) -> str:
            return f"{value[key]} of {value['matrices']} value matrices and {ov[key]} of {ov['matrices']} OV products"

        return (
            f"V ⪰ 0 with a gap is true of {of('hypothesis')}; the symmetric part alone is positive semi-definite in "
            f"{value['psd']} and {ov['psd']}. The antisymmetric part is {min(asymmetries):.0f} to "
            f"{max(asymmetries):.0f} % of the Frobenius norm. The leading eigenvalue is real in {of('top_real')}, and "
            f"also simple, positive and largest in modulus in {value['dominant']} and {ov['dominant']}. With ΔV = 0 "
            f"the cone theorem applies to {of('in_cone')}; that no unit vector can make it apply is shown for "
            f"{value['cone_excluded']} and {ov['cone_excluded']}."
        )


def audit_real_weights(folder: Path | None = None, model: str | None = None) -> RealWeightsReport:
    """Audit W_V of every layer and the OV product of every head of a BERT-family model.

    ``folder`` holds config.json and model.safetensors; without it the installed package is read. About 6 seconds on
    one core for 6 layers of width 384. Raises :class:`numerics.weights.WeightsError` (not installed, safetensors
    missing, unreadable).
    """
    rows: list[MatrixAudit] = []
    spectra: list[Tensor] = []
    for weights in read_attention(folder):
        spectra.append(torch.linalg.eigvals(weights.value))
        rows.append(_audit_value(weights, spectra[-1]))
        rows.extend(_audit_head(weights, head) for head in range(weights.heads))
    default = f"{MODEL_PACKAGE} {MODEL_VERSION}" if folder is None else folder.name
    return RealWeightsReport(model=model or default, matrices=tuple(rows), value_spectra=tuple(spectra))


def _audit_value(weights: AttentionWeights, spectrum: Tensor) -> MatrixAudit:
    pair = leading_eigenvector_general(weights.value.unsqueeze(0))
    vector = pair.vector if bool(pair.real_simple) else None
    return audit_matrix(weights.value, spectrum, vector, layer=weights.layer, head=None, kind="value")


def _audit_head(weights: AttentionWeights, head: int) -> MatrixAudit:
    spectrum, vector = spectrum_of_product(*weights.ov_factors(head))
    return audit_matrix(weights.ov_product(head), spectrum, vector, layer=weights.layer, head=head, kind="ov")


def spectrum_of_product(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor | None]:
    """Eigenvalues ``(d,)`` of ``left (d, r) @ right (r, d)``, r <= d, and the leading right eigenvector ``(1, d)``.

    ``right @ left``, r×r, has the same non-zero eigenvalues, and its eigenvector y gives ``left @ y``; the other d - r
    eigenvalues are exactly 0, where a dense solver would return noise. The vector is None where the leading eigenvalue
    is complex, multiple, or one of these zeros.
    """
    small = right @ left
    values = torch.linalg.eigvals(small)
    zeros = left.shape[0] - left.shape[1]
    spectrum = torch.cat([values, values.new_zeros(zeros)])
    if small.shape[0] == 1:  # of rank one: the other eigenvalues are the zeros
        leads = bool(small[0, 0] > 0)
        return spectrum, (left / left.norm()).mT if leads else None
    pair = leading_eigenvector_general(small.unsqueeze(0))
    leads = bool(pair.real_simple) and (zeros == 0 or float(pair.value) > 0)
    if not leads:
        return spectrum, None
    vector = (left @ pair.vector.squeeze(0)).unsqueeze(0)
    return spectrum, vector / vector.norm()


def audit_matrix(
    matrix: Tensor, spectrum: Tensor, right_vector: Tensor | None, *, layer: int, head: int | None, kind: str
) -> MatrixAudit:
    """Hold ``matrix (k, k)`` against the hypotheses; its spectrum ``(d,)`` and leading right eigenvector ``(1, k)``.

    The matrix may be a smaller one with the same norms and eigenvalues (:mod:`numerics.factored`).
    """
    batch = matrix.unsqueeze(0)
    singular = torch.linalg.svdvals(matrix)
    slack = TOLERANCE * float(singular[0])
    top = leading_eigenvector_symmetric((batch + batch.mT) / 2)
    symmetric_max = float(top.value)
    symmetric_min = float(torch.linalg.eigvalsh((matrix + matrix.mT) / 2)[0])
    asymmetry = float((matrix - matrix.mT).norm() / (2 * matrix.norm())) if slack else 0.0
    symmetric, psd = asymmetry <= TOLERANCE, symmetric_min >= -slack
    leader = spectrum[spectrum.real.argmax()]
    moduli = spectrum.abs().clone()
    moduli[spectrum.real.argmax()] = 0.0
    margin = _cone_margin(batch, top.vector)
    margin_right = None if right_vector is None else _cone_margin(batch, right_vector)
    return MatrixAudit(
        layer=layer,
        head=head,
        kind=kind,
        norm=float(singular[0]),
        asymmetry=asymmetry,
        symmetric=symmetric,
        symmetric_min=symmetric_min,
        symmetric_max=symmetric_max,
        gap=float(top.gap),
        psd=psd,
        hypothesis=symmetric and psd and float(top.gap) > slack,
        top_re=float(leader.real),
        top_im=abs(float(leader.imag)),
        top_real=abs(float(leader.imag)) <= slack,
        top_simple=right_vector is not None,
        dominant_gap=float(leader.real - moduli.max()),
        cone_margin_symmetric=margin,
        cone_margin_right=margin_right,
        in_cone=max(margin, -torch.inf if margin_right is None else margin_right) > slack,
        cone_excluded=cone_is_impossible(matrix),
    )


def cone_is_impossible(matrix: Tensor) -> bool:
    """True where no unit vector u has a positive cone margin for ``matrix (d, d)``; False where that stays open.

    With μ1 >= μ2 and e1 the leading eigenvalues and eigenvector of the symmetric part: ``w <= μ1``, and ``κ >= σ_3``,
    since P⊥VP⊥ is V in an orthonormal basis without one row and one column. So a positive margin needs ``w > σ_3``,
    hence ``sin²∠(u, e1) < (μ1 - σ_3)/(μ1 - μ2)``. That near to e1,
    ``|P⊥Vu| = |(V - w)u| >= |P⊥Ve1| - (||V|| + μ1)|u - e1|``, the same for Vᵀ, and ``μ1 - σ_3 - 2 sqrt(|b||c|)`` with
    these lower bounds of |b| and |c| is above the margin.
    """
    singular = torch.linalg.svdvals(matrix)
    norm, third = float(singular[0]), float(singular[2]) if len(singular) > 2 else 0.0
    top = leading_eigenvector_symmetric(((matrix + matrix.mT) / 2).unsqueeze(0))
    room, spread, slack = float(top.value) - third, float(top.gap), TOLERANCE * norm
    if room <= -slack:
        return True
    if room >= spread:
        return False
    angle = math.asin(math.sqrt(max(room, 0.0) / spread))
    turned = (norm + float(top.value)) * 2 * math.sin(angle / 2)
    cone = split_about(matrix.unsqueeze(0), top.vector)
    b_least, c_least = (max(float(x) - turned, 0.0) for x in (cone.b_norm, cone.c_norm))
    return room - 2 * math.sqrt(b_least * c_least) <= -slack


def _cone_margin(batch: Tensor, vector: Tensor) -> float:
    cone = split_about(batch, vector)
    margin = to_torch(CONE_MARGIN, cone_separation=cone.w - cone.kappa, b_norm=cone.b_norm, c_norm=cone.c_norm)
    return float(margin)


def _counts(rows: tuple[MatrixAudit, ...]) -> dict[str, int]:
    return {
        "matrices": len(rows),
        "symmetric": sum(row.symmetric for row in rows),
        "psd": sum(row.psd for row in rows),
        "hypothesis": sum(row.hypothesis for row in rows),
        "top_real": sum(row.top_real for row in rows),
        "top_simple": sum(row.top_simple for row in rows),
        "dominant": sum(row.top_simple and row.dominant_gap > TOLERANCE * row.norm for row in rows),
        "in_cone": sum(row.in_cone for row in rows),
        "cone_excluded": sum(row.cone_excluded for row in rows),
    }


_STATEMENTS = {
    "symmetric": "symmetric",
    "psd": "symmetric part ⪰ 0",
    "hypothesis": "V ⪰ 0 with a gap (Prop. 3.3)",
    "top_real": "leading eigenvalue real",
    "top_simple": "leading eigenvalue real and simple",
    "dominant": "... positive and largest in modulus (gap* > 0)",
    "in_cone": "inside the cone theorem with ΔV = 0",
    "cone_excluded": "outside it whatever the unit vector u",
}


def markdown(report: RealWeightsReport) -> str:
    """The result in words and three tables: counts, the W_V of each layer, the OV products by layer."""
    summary = report.summary
    lines = [
        "<!-- written by `make figures` -->",
        "",
        f"Model `{report.model}`: **`{report.experiment}`**. {report.finding}",
        "",
        "| Statement | " + " | ".join(KINDS.values()) + " |",
        "|---|---:|---:|",
    ]
    for key, words in _STATEMENTS.items():
        cells = " | ".join(f"{summary[kind][key]} of {summary[kind]['matrices']}" for kind in KINDS)
        lines.append(f"| {words} | {cells} |")
    lines += ["", *_value_table(report), "", *_head_table(report), ""]
    return "\n".join(lines)


def _value_table(report: RealWeightsReport) -> list[str]:
    lines = [
        "| W_V of layer | antisymmetric part | symmetric part, eigenvalues | leading eigenvalue | gap* | cone margin |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for row in report.of_kind("value"):
        leading = f"{row.top_re:.3f}" if row.top_real else f"{row.top_re:.3f} ± {row.top_im:.3f}i"
        lines.append(
            f"| {row.layer} | {100 * row.asymmetry:.1f} % | {row.symmetric_min:.3f} ... {row.symmetric_max:.3f} | "
            f"{leading} | {row.dominant_gap:.3f} | {_best_margin(row):.3f} |"
        )
    return lines


def _head_table(report: RealWeightsReport) -> list[str]:
    lines = [
        "| OV products of layer | antisymmetric part | −μ_min / μ_max | leading real | gap* > 0 | cone margin / norm |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for layer in sorted({row.layer for row in report.of_kind("ov")}):
        rows = [row for row in report.of_kind("ov") if row.layer == layer]
        counts = _counts(tuple(rows))
        margin = max(_best_margin(row) / row.norm for row in rows)
        ratios = [-row.symmetric_min / row.symmetric_max for row in rows]
        lines.append(
            f"| {layer} | {100 * min(r.asymmetry for r in rows):.0f} ... "
            f"{100 * max(r.asymmetry for r in rows):.0f} % | {min(ratios):.2f} ... {max(ratios):.2f} | "
            f"{counts['top_real']} of {len(rows)} | {counts['dominant']} of {len(rows)} | {margin:.2f} |"
        )
    return lines


def _best_margin(row: MatrixAudit) -> float:
    right = row.cone_margin_right
    return row.cone_margin_symmetric if right is None else max(row.cone_margin_symmetric, right)


_BLUE, _VERMILION, _GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe-Ito, told apart with any colour vision


def figure(report: RealWeightsReport, path: Path) -> None:
    """Write the figure as ``path`` with the suffixes .svg and .png, the same bytes every time.

    Left: largest and smallest eigenvalue of the symmetric part of each head's OV product. Right: eigenvalues of the
    first and last W_V in the complex plane. Raises :class:`InputError` where matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("figures need matplotlib: pip install 'loraproofs[report]'") from error
    # what is drawn is rounded, so that the last bits of another machine's LAPACK do not change the file
    with matplotlib.rc_context({"svg.hashsalt": "loraproofs", "svg.fonttype": "none", "font.size": 9}):
        canvas = Figure(figsize=(9.0, 3.8), layout="constrained")
        left, right = canvas.subplots(1, 2, width_ratios=(1.7, 1))
        _draw_heads(left, report)
        _draw_spectra(right, report)
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
        canvas.savefig(path.with_suffix(".png"), dpi=150, metadata={"Software": None})


def _draw_heads(axes: Any, report: RealWeightsReport) -> None:
    rows = report.of_kind("ov")
    places = range(len(rows))
    largest = [round(row.symmetric_max, 3) for row in rows]
    smallest = [round(row.symmetric_min, 3) for row in rows]
    axes.vlines(places, smallest, largest, color="0.8", linewidth=1)
    axes.plot(places, largest, "o", color=_BLUE, markersize=3.5, label="largest")
    axes.plot(places, smallest, "v", color=_VERMILION, markersize=3.5, label="smallest (V ⪰ 0 needs ≥ 0)")
    axes.axhline(0, color="black", linewidth=0.8)
    layers = sorted({row.layer for row in rows})
    heads = len(rows) // len(layers)
    for boundary in range(1, len(layers)):
        axes.axvline(boundary * heads - 0.5, color="0.85", linewidth=0.8, linestyle=":")
    axes.set_xticks([k * heads + (heads - 1) / 2 for k in range(len(layers))], [str(layer) for layer in layers])
    axes.set_xlabel(f"layer, its {heads} heads side by side")
    axes.set_ylabel("eigenvalue of (V + Vᵀ)/2")
    axes.set_title("OV products")
    axes.margins(y=0.15)
    axes.legend(loc="upper left", frameon=False, ncols=2)


def _draw_spectra(axes: Any, report: RealWeightsReport) -> None:
    last = len(report.value_spectra) - 1
    for layer, colour, marker in ((0, _GREEN, "."), (last, _VERMILION, "x")):
        points = sorted((round(z.real, 3), round(z.imag, 3)) for z in report.value_spectra[layer].tolist())
        axes.plot(*zip(*points, strict=True), marker, color=colour, markersize=3, label=f"layer {layer}")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("real part (V ⪰ 0 needs all real and ≥ 0)")
    axes.set_ylabel("imaginary part")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, ncols=2, title="eigenvalues of W_V")
