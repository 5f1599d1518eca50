"""Near gap collapse: what Remark 3.4 says as quoted, what u1 does, and what the sharp bound says, in high precision.

Dense rational instances with planted a, α and e: V = Q diag(1, 1 - gap, ...) Qᵀ with Q rational orthogonal (the Cayley
transform of a small integer skew matrix), ΔV = Q (fixed small rational symmetric matrix) Qᵀ. Predictions use the
planted numbers, measurements the dense matrices alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp
from sympy.polys.matrices import DomainMatrix

from numerics.high_precision import agreement, drift, leading_eigenpair, to_matrix
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import Matrix
from theory import prop_3_3, remark_3_4
from theory.lowering import to_mpmath

GAP_EXPONENTS = (2, 3, 5, 10, 20, 30, 50, 100, 150, 200, 250, 300)
DIGITS = 40
"""Digits on which the two precisions are to agree."""


@dataclass(frozen=True)
class Family:
    """ΔV in the frame of V, fixed while the gap closes.

    ``a``; ``alpha`` (d-1,): b in the frame; ``e`` (d-1,): the diagonal of E there. The other eigenvalues of V are
    ``1 - gap, 1/2, 0, ...``.
    """

    name: str
    a: Fraction
    alpha: tuple[Fraction, ...]
    e: tuple[Fraction, ...]

    @property
    def d(self) -> int:
        """Dimension."""
        return 1 + len(self.alpha)


def _family(name: str, a: str, alpha: str, e: str) -> Family:
    numbers = [tuple(Fraction(x) for x in text.split()) for text in (alpha, e)]
    return Family(name, Fraction(a), *numbers)


FAMILIES = (
    _family("plain", "0", "1/10", "0"),
    _family("e < 0", "0", "1/10", "-1/5"),
    _family("a > 0", "1/20", "1/50", "0"),
    _family("a > e > 0", "1/10", "1/1000", "1/20"),
    _family("a < 0", "-1/20", "1/30", "0"),
    _family("past the crossing", "0", "1/40", "1/8"),
    _family("e = a", "1/7", "1/9", "1/7"),
    _family("three levels", "0", "1/10 1/20", "0 0"),
    _family("three levels, a > 0", "1/5", "1/20 1/10", "0 0"),
    _family("three levels, e < 0", "1/20", "1/30 -1/25", "-1/10 1/50"),
    _family("four levels", "1/50", "1/10 1/20 -1/30", "0 1/40 -1/40"),
)


@dataclass(frozen=True)
class CollapseRow:
    """One instance at one gap, ``10^-gap_exponent``.

    Attributes
    ----------
    observed_angle: angle of u1 and ũ1 (rad), from the dense matrices. tan_squared: its tan².
    two_level_angle: the prediction of the two-level system, exact for d = 2; None for d > 2.
    theta_bound: θ_b; None where gap + a <= ||E||.
    remark34_quoted: as quoted. remark34_corrected: with a; None where λ1 + a is not above all λj + ej.
    agreement_digits: digits on which the angles at the two precisions agree. working_digits: the higher one.
    """

    gap_exponent: int
    family: str
    d: int
    observed_angle: Any
    two_level_angle: Any
    theta_bound: Any
    tan_squared: Any
    remark34_quoted: Any
    remark34_corrected: Any
    agreement_digits: float
    working_digits: int
    instance: Instance


def rational_orthogonal(d: int, rng: np.random.Generator) -> Matrix:
    """An exact orthogonal matrix (d×d), ``(I - K)(I + K)^{-1}`` with a small integer skew matrix K ≠ 0."""
    skew = np.zeros((d, d), dtype=int)
    upper = np.triu_indices(d, 1)
    skew[upper] = rng.choice([-3, -2, -1, 1, 2, 3], size=len(upper[0]))
    exact = DomainMatrix([[int(x) for x in row] for row in skew - skew.T], (d, d), sp.ZZ).convert_to(sp.QQ)
    eye = DomainMatrix.eye(d, sp.QQ).to_dense()
    rows = ((eye - exact) * (eye + exact).inv()).to_list()
    return tuple(tuple(Fraction(int(x.numerator), int(x.denominator)) for x in row) for row in rows)


def _conjugate(q: Matrix, inner: list[list[Fraction]]) -> Matrix:
    """``Q M Qᵀ``, exact."""
    size = range(len(q))
    half = [[sum((q[i][k] * inner[k][j] for k in size), Fraction(0)) for j in size] for i in size]
    return tuple(tuple(sum((half[i][k] * q[j][k] for k in size), Fraction(0)) for j in size) for i in size)


def base_eigenvalues(d: int, gap: Fraction) -> tuple[Fraction, ...]:
    """``1, 1 - gap, 1/2, 0, -1/2, ...``."""
    return (Fraction(1), 1 - gap, *(Fraction(1 - k, 2) for k in range(d - 2)))


def collapse_instance(family: Family, gap: Fraction, q: Matrix) -> Instance:
    """The dense instance of one family at one gap, in the frame of ``q`` (d×d)."""
    d, eigenvalues = family.d, base_eigenvalues(family.d, gap)
    base = [[eigenvalues[i] if i == j else Fraction(0) for j in range(d)] for i in range(d)]
    update = [[Fraction(0)] * d for _ in range(d)]
    update[0][0] = family.a
    for k in range(1, d):
        update[0][k] = update[k][0] = family.alpha[k - 1]
        update[k][k] = family.e[k - 1]
    return Instance(V=_conjugate(q, base), dV=_conjugate(q, update))


def observed(instance: Instance) -> tuple[Any, Any]:
    """Angle of u1 and ũ1 and its tan² from the dense symmetric matrices, at the current precision."""
    base, update = to_matrix(instance.V), to_matrix(instance.dV)
    first, second = leading_eigenpair(base, True), leading_eigenpair(base + update, True)
    moved = drift(first.vector, second.vector)
    return moved.angle, moved.tan_squared


def predicted(family: Family, gap: Fraction) -> dict[str, Any]:
    """The formulas on the planted numbers, at the current precision; None where one does not apply."""

    def number(x: Fraction) -> Any:
        return mp.mpf(x.numerator) / x.denominator

    mu = [x + e for x, e in zip(base_eigenvalues(family.d, gap)[1:], family.e, strict=True)]
    E_norm = max(abs(e) for e in family.e)
    alpha = [number(x) for x in family.alpha]
    scalars = {"gap": number(gap), "a": number(family.a), "E_norm": number(E_norm), "b_norm": mp.norm(alpha)}
    vectors = {"alpha": alpha, "mu": [number(x) for x in mu], "lambda_1": mp.one, "a": number(family.a)}
    result: dict[str, Any] = dict.fromkeys(("theta_bound", "two_level_angle", "remark34_quoted", "remark34_corrected"))
    if gap + family.a > E_norm:
        result["theta_bound"] = to_mpmath(prop_3_3.THETA_BOUND, **scalars)
    if family.d == 2:
        level = {"alpha_abs": abs(alpha[0]), "e": number(family.e[0])}
        result["two_level_angle"] = to_mpmath(remark_3_4.TWO_LEVEL_ANGLE, **scalars, **level)
    if all(x != 1 for x in mu):
        result["remark34_quoted"] = to_mpmath(remark_3_4.DRIFT_QUOTED, **vectors)
    if all(1 + family.a > x for x in mu):
        result["remark34_corrected"] = to_mpmath(remark_3_4.DRIFT_CORRECTED, **vectors)
    return result


def collapse_row(family: Family, exponent: int, q: Matrix, digits: int = DIGITS) -> CollapseRow:
    """One row: measured at a precision that follows the gap, and again at twice that precision.

    The gap takes its digits away from u1, so the lower precision is 2.2 times the gap's digits plus those wanted.
    """
    gap = Fraction(1, 10**exponent)
    instance = collapse_instance(family, gap, q)
    level = digits + 20 + int(2.2 * exponent)
    with mp.workdps(level):
        first, _ = observed(instance)
    with mp.workdps(2 * level):
        angle, tan_squared = observed(instance)
        values = predicted(family, gap)
        agreed = float(min(agreement(first, angle), mp.mpf(2 * level)))
    return CollapseRow(
        gap_exponent=exponent,
        family=family.name,
        d=family.d,
        observed_angle=angle,
        tan_squared=tan_squared,
        agreement_digits=agreed,
        working_digits=2 * level,
        instance=instance,
        **values,
    )


def run_collapse(
    gaps: Sequence[int] = GAP_EXPONENTS, seed: int = 0, families: Sequence[Family] = FAMILIES
) -> list[CollapseRow]:
    """All families at the gaps ``10^-k`` for k in ``gaps``; the seed chooses the frames."""
    rng = np.random.default_rng(seed)
    frames = [(family, rational_orthogonal(family.d, rng)) for family in families]
    return [collapse_row(family, exponent, q) for family, q in frames for exponent in gaps]


def figure(rows: Sequence[CollapseRow], path: str | Path) -> list[Path]:
    """Draw what happens as the gap closes: on the left the quoted form diverges, on the right the angle saturates.

    ``rows`` must hold the families of :data:`DRAWN`. Writes SVG and PNG beside each other (the suffix of ``path`` is
    replaced), deterministically. Raises :class:`InputError` where matplotlib is missing.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'loraproofs[report]'") from None
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "loraproofs", "font.size": 9, "svg.fonttype": "path"}):
        drawing = Figure(figsize=(9.0, 3.6), layout="constrained")
        left, right = drawing.subplots(1, 2)
        _diverging(left, _family_rows(rows, DRAWN[0][0]))
        for name, color, marker in DRAWN:
            _saturating(right, _family_rows(rows, name), color, marker)
        right.set_ylim(0, 1)
        right.set_ylabel("angle (rad)")
        right.set_title("measured angle (solid) and sharp bound (dotted)")
        right.legend(loc="lower right", frameon=False)
        for axis in (left, right):
            axis.set_xlabel(r"$k$, gap $= 10^{-k}$")
            axis.grid(True, color="#dddddd", linewidth=0.5)
            axis.set_axisbelow(True)
        svg, png = path.with_suffix(".svg"), path.with_suffix(".png")
        drawing.savefig(svg, metadata={"Date": None, "Creator": None})
        drawing.savefig(png, dpi=150, metadata={"Software": None})
    return [svg, png]


# Okabe-Ito colours with a marker of their own: the curves stay apart for every kind of colour vision, and in grey
DRAWN = (("three levels, a > 0", "#000000", "o"), ("plain", "#0072B2", "s"), ("a > 0", "#D55E00", "^"))
"""The families of the figure: name, colour, marker. The first is the one on the left."""


def _family_rows(rows: Sequence[CollapseRow], name: str) -> list[CollapseRow]:
    return sorted((row for row in rows if row.family == name), key=lambda row: row.gap_exponent)


def _diverging(axis: Any, rows: Sequence[CollapseRow]) -> None:
    def curve(values: Sequence[Any], **style: Any) -> None:
        points = [(row.gap_exponent, float(mp.log10(v))) for row, v in zip(rows, values, strict=True) if v]
        axis.plot([k for k, _ in points], [y for _, y in points], **style)

    quoted = [None if row.remark34_quoted is None else mp.sqrt(row.remark34_quoted) for row in rows]
    curve(quoted, color="#D55E00", marker="s", markersize=4, linestyle="--", label="Remark 3.4 as quoted (its root)")
    curve(
        [row.theta_bound for row in rows],
        color="#0072B2",
        marker="^",
        markersize=8,
        markerfacecolor="none",
        linestyle=":",
        label="sharp bound",
    )
    curve([row.observed_angle for row in rows], color="#000000", marker="o", markersize=3, label="measured angle")
    axis.set_ylabel(r"$\log_{10}$ of the angle (rad)")
    axis.set_title(f"{rows[0].family}, d = {rows[0].d}: the quoted form diverges")
    axis.legend(loc="upper left", frameon=False)


def _saturating(axis: Any, rows: Sequence[CollapseRow], color: str, marker: str) -> None:
    exponents = [row.gap_exponent for row in rows]
    angles = [float(row.observed_angle) for row in rows]
    bounds = [np.nan if row.theta_bound is None else float(row.theta_bound) for row in rows]
    axis.plot(exponents, angles, color=color, marker=marker, markersize=3, label=f"{rows[0].family}, d = {rows[0].d}")
    axis.plot(
        exponents, bounds, color=color, marker=marker, markersize=8, markerfacecolor="none", linestyle=":", alpha=0.7
    )
