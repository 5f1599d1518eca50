"""Everything ``instance`` measures and predicts for one instance, at one working precision.

Measurements come from :mod:`numerics`, predictions are the formulas of :mod:`theory` lowered to mpmath on the measured
blocks. What is exactly zero is decided beforehand on the rationals and put in as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
from mpmath import mp

from numerics import double_precision, high_precision
from numerics.high_precision import Basin, Blocks, Drift, Eigenpair, add, inner, is_symmetric, norm, to_matrix
from proofs_checks.exact_spectrum import ExactEigenvector, Kind, exact_zero_rows, leading_eigenvalue
from proofs_checks.instance_file import Instance
from theory import prop_3_3, remark_3_4
from theory.formula import Formula
from theory.lowering import to_mpmath

Values = dict[str, Any]

MARGINS = (
    "dominant_gap",
    "perturbed_dominant_gap",
    "criterion_margin",
    "sharp_criterion_margin",
    "cone_separation",
    "cone_margin",
    "cone_outer_inverse",
    "bound_denominator",
    "quoted_denominator",
    "quoted_separation",
    "corrected_separation",
    "cosine",
    "gamma",
    "tan_max_angle",
    "hemisphere_margin",
    "cone_token_margin",
    "base_separation",
    "base_token_margin",
)
"""Names whose sign decides; one that cannot be separated from zero is a tie and counts as zero."""

GUARDS = {
    "theta_bound": ("bound_denominator",),
    "drift_bound_sharp": ("bound_denominator",),
    "hemisphere_needed": ("bound_denominator",),
    "hemisphere_margin": ("bound_denominator",),
    "drift_bound_quoted": ("quoted_denominator",),
    "remark34_quoted": ("quoted_separation",),
    "remark34_corrected": ("corrected_separation",),
    "cone_rate": ("cone_margin",),
    "cone_inner": ("cone_margin",),
    "cone_outer_inverse": ("cone_margin",),
    "cone_token_margin": ("cone_margin", "gamma"),
    "tan_max_angle": ("gamma",),
    "base_token_margin": ("gamma",),
    "tan_squared": ("cosine",),
}
"""Name → the margins without which it does not exist."""


@dataclass(frozen=True)
class Decisions:
    """What is decided before anything is measured: symmetry, the kind of both leading eigenvalues, exact zeros.

    ``zeros`` holds names out of ``a``, ``b``, ``c``, ``E``; ``orthogonal`` is None where ũ1 ⊥ u1 was not decided;
    ``exact`` is False where these are float64 decisions with a tolerance.
    """

    symmetric_base: bool
    symmetric_update: bool
    symmetric_perturbed: bool
    base: Kind
    perturbed: Kind
    zeros: frozenset[str] = frozenset()
    orthogonal: bool | None = None
    exact: bool = True

    @property
    def nonzero(self) -> tuple[str, ...]:
        """Names of measured numbers that are known not to vanish."""
        blocks = {"a": "a", "b": "b_norm", "c": "c_norm", "E": "E_norm"}
        gaps = ("gap", "perturbed_gap") if self.perturbed == "simple" else ("gap",)
        return (*gaps, *(name for block, name in blocks.items() if block not in self.zeros))

    @property
    def symmetric(self) -> bool:
        """V and ΔV are both symmetric."""
        return self.symmetric_base and self.symmetric_update


def decide(instance: Instance) -> Decisions:
    """The exact decisions for one instance."""
    total = add(instance.V, instance.dV)
    symmetry = is_symmetric(instance.V), is_symmetric(instance.dV), is_symmetric(total)
    base = leading_eigenvalue(instance.V)
    unchanged = exact_zero_rows(instance.dV)
    perturbed = base if unchanged else leading_eigenvalue(total)
    if unchanged:
        return Decisions(*symmetry, base.kind, base.kind, frozenset("abcE"), False)
    if base.kind != "simple":
        return Decisions(*symmetry, base.kind, perturbed.kind)
    own = ExactEigenvector(instance.V, base)
    zeros = frozenset(name for name, zero in own.zero_blocks(instance.dV).items() if zero)
    orthogonal = None
    if perturbed.kind == "simple":
        orthogonal = own.orthogonal_to(ExactEigenvector(total, perturbed))
    return Decisions(*symmetry, base.kind, perturbed.kind, zeros, orthogonal)


def decide_float64(instance: Instance) -> Decisions:
    """The same decisions in float64, with the tolerance of :mod:`numerics.double_precision`; no exact zeros."""
    arrays = instance.arrays()
    total = arrays["V"] + arrays["dV"]
    symmetry = is_symmetric(instance.V), is_symmetric(instance.dV), is_symmetric(add(instance.V, instance.dV))
    base, perturbed = _float64_kind(arrays["V"], symmetry[0]), _float64_kind(total, symmetry[2])
    zeros = frozenset("abcE") if exact_zero_rows(instance.dV) else frozenset()
    return Decisions(*symmetry, base, perturbed, zeros, False if zeros else None, exact=False)


def _float64_kind(matrix: np.ndarray, symmetric: bool) -> Kind:
    values = np.linalg.eigvalsh(matrix) if symmetric else np.linalg.eigvals(matrix)
    values = sorted(values, key=lambda z: -z.real)
    tolerance = double_precision.RELATIVE_TOLERANCE * max(abs(z) for z in values)
    if abs(values[0].imag) > tolerance:
        return "complex"
    if values[0].real - values[1].real > tolerance:
        return "simple"
    return "complex" if abs(values[1].imag) > tolerance else "multiple"


@dataclass(frozen=True)
class TokenPosition:
    """Where the tokens lie about ``sign * u1``: least overlap, tangent of the largest angle (None beyond π/2)."""

    sign: int
    gamma: Any
    tan_max_angle: Any


@dataclass(frozen=True)
class Level:
    """The measurements of one instance at one precision, and the values made of them (name → number or None).

    ``pair`` and ``perturbed`` are the leading eigenpairs of V and V + ΔV (the latter None where it is degenerate).
    """

    pair: Eigenpair
    perturbed: Eigenpair | None
    blocks: Blocks
    base_basin: Basin
    perturbed_basin: Basin | None
    tokens: list[list[Any]]
    position: TokenPosition | None
    values: Values


def unit_tokens(tokens: Sequence[Sequence[Fraction]] | None) -> list[list[Any]]:
    """The tokens (n×d) with norm one at the working precision; empty where there are none."""
    rows = [[mp.mpf(x.numerator) / x.denominator for x in row] for row in tokens or ()]
    return [[x / norm(row) for x in row] for row in rows]


def token_position(u: Sequence[Any], tokens: list[list[Any]]) -> TokenPosition | None:
    """The tokens about ``+u`` or ``-u``, whichever has more of them in its open hemisphere."""
    if not tokens:
        return None
    overlaps = [inner(u, x) for x in tokens]
    sides = []
    for sign in (1, -1):
        signed = [sign * p for p in overlaps]
        sides.append((sum(p > 0 for p in signed), min(signed), sign))
    _, gamma, sign = max(sides)
    if gamma <= 0:
        return TokenPosition(sign, gamma, None)
    tangents = []
    for x, p in zip(tokens, overlaps, strict=True):
        tangents.append(norm([xi - p * ui for xi, ui in zip(x, u, strict=True)]) / abs(p))
    return TokenPosition(sign, gamma, max(tangents))


def measure(instance: Instance, decisions: Decisions, backend: ModuleType = high_precision) -> Level:
    """Measure the instance at the current working precision (``backend``: high_precision or double_precision).

    Needs a simple real leading eigenvalue of V.
    """
    if backend is high_precision:
        base, update = to_matrix(instance.V), to_matrix(instance.dV)
    else:
        arrays = instance.arrays()
        base, update = arrays["V"], arrays["dV"]
    total = base + update
    pair = backend.leading_eigenpair(base, decisions.symmetric_base)
    blocks = _with_zeros(backend.split(base, update, pair, decisions.symmetric_base), decisions)
    base_basin = backend.basin(base, pair, decisions.symmetric_base)
    perturbed = perturbed_basin = moved = spectrum = None
    if decisions.perturbed == "simple":
        perturbed = backend.leading_eigenpair(total, decisions.symmetric_perturbed)
        perturbed_basin = backend.basin(total, perturbed, decisions.symmetric_perturbed)
        moved = _exact_drift(backend.drift(pair.vector, perturbed.vector), decisions)
    if decisions.symmetric:
        spectrum = backend.perpendicular_spectrum(blocks)
    tokens = unit_tokens(instance.X0)
    position = token_position(pair.vector, tokens)
    values = _block_values(pair, blocks, base, update, backend)
    values |= prop_values(blocks, pair, decisions.symmetric)
    values |= _drift_values(moved, perturbed)
    sizes = [abs(values[k]) for k in decisions.nonzero if values[k]]
    values["smallest"] = min(sizes, default=values["scale"])
    values |= _remark_values(values, blocks, spectrum)
    values |= token_values(values, base_basin, position)
    return Level(pair, perturbed, blocks, base_basin, perturbed_basin, tokens, position, values)


def _with_zeros(blocks: Blocks, decisions: Decisions) -> Blocks:
    zeros = decisions.zeros
    return Blocks(
        lambda_1=blocks.lambda_1,
        a=mp.zero if "a" in zeros else blocks.a,
        b=[mp.zero] * len(blocks.b) if "b" in zeros else blocks.b,
        c=[mp.zero] * len(blocks.c) if "c" in zeros else blocks.c,
        E=blocks.E * 0 if "E" in zeros else blocks.E,
        V_perp=blocks.V_perp,
        c_base=blocks.c_base,
        norm_of=blocks.norm_of,
    )


def _exact_drift(measured: Drift, decisions: Decisions) -> Drift:
    """The drift with what is decided exactly: for b = 0, u1 is an eigenvector of Ṽ; it is ũ1, or ũ1 is another."""
    noise = mp.mpf(10) ** (-mp.dps // 3) if decisions.exact else mp.mpf("1e-9")
    unmoved = "b" in decisions.zeros and measured.sine < noise
    right_angle = decisions.orthogonal or ("b" in decisions.zeros and decisions.symmetric and not unmoved)
    if unmoved:
        return Drift(mp.one, mp.zero, mp.zero, mp.zero, mp.zero)
    if right_angle:
        return Drift(mp.zero, mp.one, mp.pi / 2, mp.sqrt(2), None)
    return measured


def _frobenius(matrix: Any, backend: ModuleType) -> Any:
    entries = list(matrix) if backend is high_precision else [float(np.linalg.norm(matrix))]
    return norm(entries)


def _block_values(pair: Eigenpair, blocks: Blocks, base: Any, update: Any, backend: ModuleType) -> Values:
    return {
        "gap": mp.mpf(pair.gap),
        "dominant_gap": mp.mpf(pair.dominant_gap),
        "a": mp.mpf(blocks.a),
        "b_norm": norm(blocks.b),
        "c_norm": norm(blocks.c),
        "E_norm": mp.mpf(blocks.E_norm),
        "scale": _frobenius(base, backend) + _frobenius(update, backend),
    }


def prop_values(blocks: Blocks, pair: Eigenpair, symmetric: bool, scale: Any = 1) -> Values:
    """The formulas of Prop. 3.3 for ``V + scale ΔV``; None where one does not apply."""
    b_norm, c_norm = blocks.cone_norms(scale)
    cone: Values = {"w": blocks.lambda_1 + scale * blocks.a, "kappa": mp.mpf(blocks.kappa(scale))}
    cone |= {"b_norm": b_norm, "c_norm": c_norm}
    cone["cone_separation"] = to_mpmath(prop_3_3.CONE_SEPARATION, **cone)
    values: Values = {"cone_separation": cone["cone_separation"]}
    values["cone_margin"] = to_mpmath(prop_3_3.CONE_MARGIN, **cone)
    inside = values["cone_margin"] > 0
    for formula in (prop_3_3.CONE_RATE, prop_3_3.CONE_INNER, prop_3_3.CONE_OUTER_INVERSE):
        values[formula.name] = to_mpmath(formula, **cone) if inside else None
    sizes: Values = {
        "gap": mp.mpf(pair.gap),
        "dominant_gap": mp.mpf(pair.dominant_gap),
        "a": scale * mp.mpf(blocks.a),
        "b_norm": scale * norm(blocks.b),
        "E_norm": scale * mp.mpf(blocks.E_norm),
    }
    values["quoted_denominator"] = sizes["gap"] + sizes["a"]
    denominator = sizes["gap"] + sizes["a"] - sizes["E_norm"]
    values["bound_denominator"] = denominator if symmetric else None
    values["criterion_margin"] = to_mpmath(prop_3_3.CRITERION_MARGIN, **sizes)
    values["sharp_criterion_margin"] = to_mpmath(prop_3_3.SHARP_CRITERION_MARGIN, **sizes) if symmetric else None
    bounded = symmetric and denominator > 0
    bounds: tuple[tuple[Formula, bool], ...] = (
        (prop_3_3.DRIFT_BOUND_QUOTED, values["quoted_denominator"] > 0),
        (prop_3_3.THETA_BOUND, bounded),
        (prop_3_3.DRIFT_BOUND_SHARP, bounded),
        (prop_3_3.HEMISPHERE_NEEDED, bounded),
    )
    return values | {formula.name: to_mpmath(formula, **sizes) if defined else None for formula, defined in bounds}


def _drift_values(moved: Drift | None, perturbed: Eigenpair | None) -> Values:
    if moved is None or perturbed is None:
        names = ("drift", "tan_squared", "angle", "cosine", "perturbed_gap", "perturbed_dominant_gap")
        return dict.fromkeys(names)
    return {
        "drift": mp.mpf(moved.chord),
        "tan_squared": None if moved.tan_squared is None else mp.mpf(moved.tan_squared),
        "angle": mp.mpf(moved.angle),
        "cosine": mp.mpf(moved.cosine),
        "perturbed_gap": mp.mpf(perturbed.gap),
        "perturbed_dominant_gap": mp.mpf(perturbed.dominant_gap),
    }


def _remark_values(values: Values, blocks: Blocks, spectrum: tuple[list[Any], list[Any]] | None) -> Values:
    names = ("quoted_separation", "corrected_separation", "remark34_quoted", "remark34_corrected")
    result: Values = dict.fromkeys(names)
    if spectrum is None:
        return result
    mu, alpha = [mp.mpf(x) for x in spectrum[0]], [mp.mpf(x) for x in spectrum[1]]
    lambda_1 = mp.mpf(blocks.lambda_1)
    result["quoted_separation"] = min((lambda_1 - x for x in mu), key=abs)
    result["corrected_separation"] = lambda_1 + values["a"] - max(mu)
    arguments: dict[str, Any] = {"alpha": alpha, "mu": mu, "lambda_1": lambda_1, "a": values["a"]}
    if result["quoted_separation"] != 0:
        result["remark34_quoted"] = to_mpmath(remark_3_4.DRIFT_QUOTED, **arguments)
    if result["corrected_separation"] > 0:
        result["remark34_corrected"] = to_mpmath(remark_3_4.DRIFT_CORRECTED, **arguments)
    return result


def token_values(values: Values, base: Basin, position: TokenPosition | None) -> Values:
    """Whether the tokens lie where the theorems want them, as margins; None without tokens.

    ``hemisphere_margin`` = γ - sin θ_b, ``cone_token_margin`` = 1 - ϑ/t+, ``base_token_margin`` = S - |c|ϑ of V alone.
    """
    names = ("gamma", "tan_max_angle", "hemisphere_margin", "cone_token_margin", "base_token_margin")
    result: Values = {"base_separation": mp.mpf(base.separation), **dict.fromkeys(names)}
    if position is None:
        return result
    result["gamma"], tangent = position.gamma, position.tan_max_angle
    result["tan_max_angle"] = tangent
    if values["hemisphere_needed"] is not None:
        result["hemisphere_margin"] = position.gamma - values["hemisphere_needed"]
    if tangent is not None:
        result["base_token_margin"] = base.separation - base.c_norm * tangent
        if values["cone_outer_inverse"] is not None:
            result["cone_token_margin"] = 1 - values["cone_outer_inverse"] * tangent
    return result
