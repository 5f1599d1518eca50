"""One update ΔV of one value matrix: its blocks, the criteria and bounds, and which theorem carries any of them.

The blocks a, b, c, E stand in the frame of the leading eigenvector u1 of V. Where V is not symmetric that is the one
of its symmetric part: then the criterion and the drift bounds are no statements of any theorem, and only the cone,
which holds for any matrix about any unit vector, may apply.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.factored import Factors, compress
from numerics.spectral import SpectralSplit, drift, leading_eigenvector_symmetric, split_about, split_symmetric
from proofs_checks.audit.reference import reference
from proofs_checks.real_weights import TOLERANCE, MatrixAudit, spectrum_of_product
from theory import prop_3_3
from theory.formula import Formula
from theory.lowering import to_torch

SMALL_GAP = 0.1
"""A direction u_j is of small gap where ``λ1 - λ_j`` is below this share of ``λ1 - λ_d`` (of the symmetric part)."""
_UNLIMITED = 1e6  # multiples of ||V||/||ΔV||: safe there counts as safe at every scale
_STEP = 1.1


@dataclass(frozen=True)
class UpdateAudit:
    """ΔV of one adapter in one matrix V. None where a number does not exist, infinity where there is no limit.

    Attributes
    ----------
    adapter: name of the adapter, or ``sum``.
    norm, frobenius, relative_norm: ``||ΔV||``, ``||ΔV||_F`` and ``||ΔV||/||V||``.
    norm_over_sqrt_layers: ``||ΔV||/√L``, the indicator of Thm. 4.2.
    symmetric: ΔV is symmetric to the tolerance.
    a, b_norm, c_norm, E_norm: blocks about u1.
    criterion_margin, sharp_criterion_margin: quoted and sharp margin; ``criterion_applies`` and ``sharp_applies`` say
        whether their hypotheses on V and ΔV hold (symmetric; V ⪰ 0 with a gap, or gap* > 0).
    criterion_scale: largest s for which sΔV keeps the quoted margin above 0.
    theta_bound, drift_bound_sharp, drift_bound_quoted: of u1 to ũ1; only for symmetric V and ΔV.
    cone_margin: largest margin of V + ΔV found, about four vectors; positive: prop-3.3/nonsymmetric applies.
    cone_scale: largest s found (in steps of 10 %) up to which sΔV keeps the margin about the best vector of V above 0;
        0 where V alone has none.
    cone_angle: bound on the angle of V's own right eigenvector to ũ1, where the cone about it has margin > 0.
    drift: measured, between the leading right eigenvectors of V and V + ΔV, where both are real and simple.
    top_real: the leading eigenvalue of V + ΔV is real.
    small_gap_directions, small_gap_mass: number of directions of small gap, and the share of ``||ΔV||_F²`` that leads
        into them from u1 and from themselves.
    reference_random, reference_tied, critical_random, critical_tied: as in :mod:`proofs_checks.audit.reference`.
    theorems: ids of the claims whose hypotheses on V and ΔV hold here.
    intruders: intruder dimensions of the weights behind it (whole layers only): ``{"value": n, "output": n}``.
    """

    adapter: str
    norm: float
    frobenius: float
    relative_norm: float | None
    norm_over_sqrt_layers: float
    symmetric: bool
    a: float
    b_norm: float
    c_norm: float
    E_norm: float
    criterion_margin: float
    sharp_criterion_margin: float
    criterion_applies: bool
    sharp_applies: bool
    criterion_scale: float
    theta_bound: float | None
    drift_bound_sharp: float | None
    drift_bound_quoted: float | None
    cone_margin: float
    cone_scale: float
    cone_angle: float | None
    drift: float | None
    top_real: bool
    small_gap_directions: int
    small_gap_mass: float
    reference_random: float | None
    reference_tied: float | None
    critical_random: float | None
    critical_tied: float | None
    theorems: tuple[str, ...]
    intruders: dict[str, int] | None = None


def audit_update(
    adapter: str, base: Factors, updated: Factors, matrix: MatrixAudit, right_vector: Tensor | None, depth: int
) -> UpdateAudit:
    """Audit ``updated - base`` (each ``left (d, r)``, ``right (r, d)``) against ``matrix``, the audit of ``base``.

    ``right_vector (1, d)`` is the leading right eigenvector of ``base`` where it has one, ``depth`` the number L of
    layers of the model.
    """
    d = base[0].shape[0]
    small = compress(base, updated)
    V, moved = small.matrices
    dV = moved - V
    split = split_symmetric(V.unsqueeze(0), dV.unsqueeze(0))
    norm, frobenius = float(torch.linalg.matrix_norm(dV, ord=2)), float(dV.norm())
    symmetric = norm == 0 or float((dV - dV.mT).norm()) <= 2 * TOLERANCE * frobenius
    own = None if right_vector is None else right_vector @ small.basis
    spectrum, right = spectrum_of_product(*updated)
    new = None if right is None else right @ small.basis
    numbers = margins(split)
    bounds = _drift_bounds(split) if matrix.symmetric and symmetric else _NO_BOUNDS
    quoted, sharp = matrix.hypothesis and symmetric, _sharp_hypothesis(matrix) and symmetric
    vectors = [split.u1, leading_eigenvector_symmetric(((moved + moved.mT) / 2).unsqueeze(0)).vector]
    vectors += [x for x in (own, new) if x is not None]
    cone = max(cone_margin(moved, u) for u in vectors)
    slack = TOLERANCE * max(float(torch.linalg.matrix_norm(moved, ord=2)), matrix.norm)
    directions, mass = small_gap(split, d - V.shape[0])
    curves = reference(frobenius / matrix.norm, depth, d) if matrix.norm else None
    leader = spectrum[spectrum.real.argmax()]
    return UpdateAudit(
        adapter=adapter,
        norm=norm,
        frobenius=frobenius,
        relative_norm=norm / matrix.norm if matrix.norm else None,
        norm_over_sqrt_layers=norm / math.sqrt(depth),
        symmetric=symmetric,
        a=float(split.a),
        b_norm=float(split.b_norm),
        c_norm=float(split.c_norm),
        E_norm=float(split.E_norm),
        criterion_margin=numbers["criterion_margin"],
        sharp_criterion_margin=numbers["sharp_criterion_margin"],
        criterion_applies=quoted,
        sharp_applies=sharp,
        criterion_scale=criterion_scale(split),
        theta_bound=bounds["theta_bound"],
        drift_bound_sharp=bounds["drift_bound_sharp"],
        drift_bound_quoted=bounds["drift_bound_quoted"],
        cone_margin=cone,
        cone_scale=cone_scale(V, dV, [x for x in (split.u1, own) if x is not None]) if matrix.in_cone else 0.0,
        cone_angle=None if own is None else cone_angle(moved, own, slack),
        drift=None if own is None or new is None else float(drift(own, new).chord),
        top_real=abs(float(leader.imag)) <= slack,
        small_gap_directions=directions,
        small_gap_mass=mass,
        reference_random=curves.random if curves else None,
        reference_tied=curves.tied if curves else None,
        critical_random=curves.critical_random if curves else None,
        critical_tied=curves.critical_tied if curves else None,
        theorems=_theorems(numbers, quoted, sharp, cone, slack),
    )


_NO_BOUNDS: dict[str, float | None] = dict.fromkeys(("theta_bound", "drift_bound_sharp", "drift_bound_quoted"))


def _sharp_hypothesis(matrix: MatrixAudit) -> bool:
    return matrix.symmetric and matrix.top_simple and matrix.dominant_gap > TOLERANCE * matrix.norm


def margins(split: SpectralSplit) -> dict[str, float]:
    """``criterion_margin``, as quoted, and ``sharp_criterion_margin``."""
    return {f.name: _at(f, split) for f in (prop_3_3.CRITERION_MARGIN, prop_3_3.SHARP_CRITERION_MARGIN)}


def _at(formula: Formula, split: SpectralSplit) -> float:
    return float(to_torch(formula, **{name: getattr(split, name) for name in formula.arguments}))


def _drift_bounds(split: SpectralSplit) -> dict[str, float | None]:
    found = dict(_NO_BOUNDS)
    if float(split.gap + split.a - split.E_norm) > 0:
        found["theta_bound"] = _at(prop_3_3.THETA_BOUND, split)
        found["drift_bound_sharp"] = _at(prop_3_3.DRIFT_BOUND_SHARP, split)
    if _at(prop_3_3.CRITERION_MARGIN, split) > 0:
        found["drift_bound_quoted"] = _at(prop_3_3.DRIFT_BOUND_QUOTED, split)
    return found


def _theorems(numbers: dict[str, float], quoted: bool, sharp: bool, cone: float, slack: float) -> tuple[str, ...]:
    found = []
    if quoted and numbers["criterion_margin"] > slack:
        found.append("prop-3.3/drift-quoted")
    if sharp and numbers["sharp_criterion_margin"] > slack:
        found.append("prop-3.3/criterion")
    if cone > slack:
        found.append("prop-3.3/nonsymmetric")
    return tuple(found)


def criterion_scale(split: SpectralSplit) -> float:
    """Largest s with ``gap + s a > 2 s|b| + s|E|``: linear in s; infinite where no scale breaks it."""
    gap, cost = float(split.gap), float(2 * split.b_norm + split.E_norm - split.a)
    if gap <= 0:
        return 0.0
    return gap / cost if cost > 0 else math.inf


def cone_margin(matrix: Tensor, u: Tensor) -> float:
    """``S - 2 √(|b||c|)`` of ``matrix (k, k)`` about ``u (1, k)``."""
    cone = split_about(matrix.unsqueeze(0), u)
    separation = cone.w - cone.kappa
    return float(to_torch(prop_3_3.CONE_MARGIN, cone_separation=separation, b_norm=cone.b_norm, c_norm=cone.c_norm))


def cone_angle(matrix: Tensor, u: Tensor, slack: float) -> float | None:
    """``arctan t-``: ũ1 lies within this angle of u; None where the cone about u has no margin."""
    cone = split_about(matrix.unsqueeze(0), u)
    separation = cone.w - cone.kappa
    if cone_margin(matrix, u) <= slack:
        return None
    inner = to_torch(prop_3_3.CONE_INNER, cone_separation=separation, b_norm=cone.b_norm, c_norm=cone.c_norm)
    return math.atan(float(inner))


def cone_scale(V: Tensor, dV: Tensor, vectors: list[Tensor]) -> float:
    """Largest s, in steps of 10 %, up to which ``V + s dV`` keeps a positive margin about the best vector of V."""
    norm, size = (float(torch.linalg.matrix_norm(x, ord=2)) for x in (V, dV))
    u = max(vectors, key=lambda x: cone_margin(V, x))
    if cone_margin(V, u) <= TOLERANCE * norm:
        return 0.0
    if size == 0:
        return math.inf

    def safe(scale: float) -> bool:
        return cone_margin(V + scale * dV, u) > 0

    unit = norm / size
    low = unit / 1_000
    while not safe(low):
        low /= 2
    high = low * _STEP
    while safe(high):
        if high > unit * _UNLIMITED:
            return math.inf
        # beyond 100 units only the sign of ΔV's own margin counts
        low, high = high, high * (_STEP if high < 100 * unit else 2)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if safe(middle) else (low, middle)
    return low


def small_gap(split: SpectralSplit, zeros: int) -> tuple[int, float]:
    """Number of directions of small gap (``zeros`` more eigenvalues are 0), and ΔV's share in them.

    The share of ``||ΔV||_F²`` in what leads from u1 into them (their part of b) and from them into them (of E).
    """
    values = split.eigenvalues.squeeze(0)
    limit = SMALL_GAP * float(values[0] - values[-1])
    near = (values[0] - values[1:]) <= limit
    count = int(near.sum()) + (zeros if float(values[0]) <= limit else 0)
    b, E = split.b.squeeze(0), split.E.squeeze(0)
    total = float(split.a) ** 2 + float(b.square().sum() + split.c.square().sum() + E.square().sum())
    part = float(b[near].square().sum() + E[near][:, near].square().sum())
    return count, part / total if total > 0 else 0.0
