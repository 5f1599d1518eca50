"""Spectral measurements of value matrices, in batches: eigenvectors, the blocks of ΔV, the cone, angles of tokens.

Everything is read from dense matrices ``(B, d, d)`` or from simulated tokens. No planted quantity and no formula
under test enters. Every measured eigenvector comes with an estimate of its own error. Angles are in radians.
No function branches on the values, so all of them run on any device without synchronising.

Notation: ``u1`` unit eigenvector of the largest eigenvalue λ1 of V, ``Ṽ = V + ΔV``, ``P⊥ = I - u1 u1ᵀ``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_BACKWARD_ERROR = 4.0
"""LAPACK's eigensolvers are exact for a matrix that is off by ``p(d) eps ||M||``; measured ``p(d) < 4 d``."""


@dataclass(frozen=True)
class SpectralSplit:
    """V and ΔV in the frame of u1. Shape ``(B,)`` unless said otherwise.

    Attributes
    ----------
    lambda_1, gap, dominant_gap: λ1, ``λ1 - λ2`` and ``λ1 - max_{j>=2} |λ_j|`` of V.
    a, b_norm, c_norm, E_norm: ``u1ᵀΔVu1`` and the norms of ``b = P⊥ΔVu1``, ``c = P⊥ΔVᵀu1``, ``E = P⊥ΔVP⊥``
        (operator norm).
    w, kappa: ``u1ᵀṼu1`` and the operator norm of ``P⊥ṼP⊥``.
    u1: ``(B, d)``, unit; its sign is arbitrary.
    basis: ``(B, d, d-1)``, orthonormal columns that span u1⊥: eigenvectors of V, largest eigenvalue first.
    eigenvalues: ``(B, d)`` of V, largest first.
    b, c, E: the blocks in that basis, ``(B, d-1)``, ``(B, d-1)``, ``(B, d-1, d-1)``.
    vector_error: estimated error of u1 (norm); infinite where the gap is 0.
    """

    lambda_1: Tensor
    gap: Tensor
    dominant_gap: Tensor
    a: Tensor
    b_norm: Tensor
    c_norm: Tensor
    E_norm: Tensor
    w: Tensor
    kappa: Tensor
    u1: Tensor
    basis: Tensor
    eigenvalues: Tensor
    b: Tensor
    c: Tensor
    E: Tensor
    vector_error: Tensor


@dataclass(frozen=True)
class ConeSplit:
    """A matrix Ṽ about a unit vector u, each ``(B,)``: ``w = uᵀṼu``, ``b_norm = |P⊥Ṽu|``, ``c_norm = |P⊥Ṽᵀu|``,
    ``kappa = ||P⊥ṼP⊥||``.
    """

    w: Tensor
    b_norm: Tensor
    c_norm: Tensor
    kappa: Tensor


@dataclass(frozen=True)
class SymmetricPair:
    """Leading eigenpair of symmetric matrices: ``value (B,)``, unit ``vector (B, d)`` of arbitrary sign,
    ``gap (B,)`` = λ1 - λ2, ``dominant_gap (B,)`` = λ1 - max_{j>=2} |λ_j|, ``vector_error (B,)``.
    """

    value: Tensor
    vector: Tensor
    gap: Tensor
    dominant_gap: Tensor
    vector_error: Tensor


@dataclass(frozen=True)
class LeadingPair:
    """Eigenvalue of largest real part of general matrices, and its right eigenvector.

    Attributes
    ----------
    value: ``(B,)``, its real part.
    vector: ``(B, d)``, unit, of arbitrary sign; without meaning where ``real_simple`` is False.
    real_simple: ``(B,)`` of bool: the eigenvalue is real, no other has its real part, and rounding does not blur
        either statement (a double eigenvalue and a pair closer than its own rounding error are not simple).
    real_gap: ``(B,)``, distance of the two largest real parts.
    dominant_gap: ``(B,)``, ``value`` minus the largest modulus of the others.
    separation: ``(B,)``, smallest singular value of ``λI - QᵀMQ`` (Q an orthonormal basis of vector⊥). A change δM
        turns the vector by at most about ``||δM|| / separation``; for symmetric M it is λ1 - λ2.
    vector_error: ``(B,)``, estimated error of the vector (norm); infinite where ``real_simple`` is False.
    """

    value: Tensor
    vector: Tensor
    real_simple: Tensor
    real_gap: Tensor
    dominant_gap: Tensor
    separation: Tensor
    vector_error: Tensor


@dataclass(frozen=True)
class Drift:
    """How far a direction moved, each ``(B,)``: the ``chord`` |u - ũ|, the ``angle``, and ``tan_squared`` of it
    (infinite from π/2 on).
    """

    chord: Tensor
    angle: Tensor
    tan_squared: Tensor


@dataclass(frozen=True)
class ClusterDrift:
    """:class:`Drift` between two clusters, and ``radius (B,)``: the larger of their two radii, in radians."""

    chord: Tensor
    angle: Tensor
    tan_squared: Tensor
    radius: Tensor


def split_symmetric(V: Tensor, dV: Tensor) -> SpectralSplit:
    """Split ΔV ``(B, d, d)``, any matrix, in the frame of the leading eigenvector of symmetric V ``(B, d, d)``.

    V is symmetrised; what was antisymmetric is counted in ``vector_error``, so a V that is not symmetric shows there.
    Where the gap is near 0 the vector u1 and all that depends on it mean nothing: look at ``vector_error``.
    Raises ``ValueError`` for other shapes or d < 2.
    """
    _check_square(V)
    if V.shape != dV.shape:
        raise ValueError(f"V and ΔV differ in shape: {tuple(V.shape)} and {tuple(dV.shape)}")
    values, vectors = _descending_eigh(V)
    u1, basis = vectors[..., 0], vectors[..., 1:]
    forward, backward = _apply(dV, u1), _apply(dV.mT, u1)
    b, c = _apply(basis.mT, forward), _apply(basis.mT, backward)
    E = basis.mT @ dV @ basis
    a = (u1 * forward).sum(-1)
    gap = values[..., 0] - values[..., 1]
    return SpectralSplit(
        lambda_1=values[..., 0],
        gap=gap,
        dominant_gap=values[..., 0] - values[..., 1:].abs().amax(-1),
        a=a,
        b_norm=b.norm(dim=-1),
        c_norm=c.norm(dim=-1),
        E_norm=torch.linalg.matrix_norm(E, ord=2),
        w=values[..., 0] + a,
        kappa=torch.linalg.matrix_norm(torch.diag_embed(values[..., 1:]) + E, ord=2),
        u1=u1,
        basis=basis,
        eigenvalues=values,
        b=b,
        c=c,
        E=E,
        vector_error=_symmetric_vector_error(V, values),
    )


def leading_eigenvector_symmetric(M: Tensor) -> SymmetricPair:
    """Leading eigenpair of symmetric ``M (B, d, d)``, symmetrised as in :func:`split_symmetric`."""
    _check_square(M)
    values, vectors = _descending_eigh(M)
    gap = values[..., 0] - values[..., 1]
    return SymmetricPair(
        value=values[..., 0],
        vector=vectors[..., 0],
        gap=gap,
        dominant_gap=values[..., 0] - values[..., 1:].abs().amax(-1),
        vector_error=_symmetric_vector_error(M, values),
    )


def leading_eigenvector_general(M: Tensor) -> LeadingPair:
    """Eigenvalue of largest real part, and its right eigenvector, of any real ``M (B, d, d)``.

    ``real_simple`` compares the distance to the next real part with the eigenvalue's own rounding error, ``eps ||M||``
    times its condition number. Raises ``ValueError`` for other shapes or d < 2.
    """
    _check_square(M)
    values, vectors = torch.linalg.eig(M)
    leader = values.real.argmax(dim=-1, keepdim=True)
    leads = torch.arange(M.shape[-1], device=M.device) == leader
    value = values.real.gather(-1, leader).squeeze(-1)
    imaginary = values.imag.gather(-1, leader).squeeze(-1).abs()
    vector = torch.take_along_dim(vectors.real, leader.unsqueeze(-2), dim=-1).squeeze(-1)
    vector = vector / vector.norm(dim=-1, keepdim=True)
    real_gap = value - values.real.masked_fill(leads, -torch.inf).amax(-1)
    basis = orthonormal_complement(vector)
    rest = torch.diag_embed(value.unsqueeze(-1).expand(basis.shape[0], M.shape[-1] - 1)) - basis.mT @ M @ basis
    left, singular, right = torch.linalg.svd(rest)
    separation = singular[..., -1]
    # left eigenvector (1, z) in the frame (vector, basis): z = (λ - QᵀMᵀQ)⁻¹QᵀMᵀx, condition number sqrt(1 + |z|²)
    departure = _apply(right, _apply(basis.mT, _apply(M.mT, vector)))
    z = _apply(left, departure / singular.clamp(min=torch.finfo(M.dtype).tiny))
    rounding = _rounding(M)
    eigenvalue_error = rounding * torch.hypot(torch.ones_like(separation), z.norm(dim=-1))
    real_simple = (imaginary <= rounding) & (real_gap > eigenvalue_error)
    return LeadingPair(
        value=value,
        vector=vector,
        real_simple=real_simple,
        real_gap=real_gap,
        dominant_gap=value - values.abs().masked_fill(leads, 0.0).amax(-1),
        separation=separation,
        vector_error=(rounding / separation).masked_fill(~real_simple, torch.inf),
    )


def split_about(M: Tensor, u: Tensor) -> ConeSplit:
    """The quantities of the cone about any unit vectors ``u (B, d)`` for any ``M (B, d, d)``."""
    _check_square(M)
    basis = orthonormal_complement(u)
    forward, backward = _apply(M, u), _apply(M.mT, u)
    return ConeSplit(
        w=(u * forward).sum(-1),
        b_norm=_apply(basis.mT, forward).norm(dim=-1),
        c_norm=_apply(basis.mT, backward).norm(dim=-1),
        kappa=torch.linalg.matrix_norm(basis.mT @ M @ basis, ord=2),
    )


def orthonormal_complement(u: Tensor) -> Tensor:
    """Orthonormal columns ``(B, d, d-1)`` that span the complement of unit vectors ``u (B, d)`` (Householder)."""
    mirror = u.clone()
    # adding the sign of u_1 never cancels, so the reflection is accurate for every u
    mirror[..., 0] += torch.copysign(torch.ones_like(u[..., 0]), u[..., 0])
    mirror = mirror / mirror.norm(dim=-1, keepdim=True)
    identity = torch.eye(u.shape[-1], dtype=u.dtype, device=u.device)
    return (identity - 2 * mirror.unsqueeze(-1) * mirror.unsqueeze(-2))[..., 1:]


def drift(u1: Tensor, u1_tilde: Tensor) -> Drift:
    """Drift of an eigenvector, ``(B, d)`` each; the sign of ũ1 is chosen so that ``<u1, ũ1> >= 0``, angle <= π/2."""
    return _angle_between(u1, u1_tilde, signed=False)


def drift_from_tokens(x: Tensor, y: Tensor) -> ClusterDrift:
    """Drift between the mean directions of two clusters of tokens, ``(B, n, d)`` each; the sign counts (angle <= π).

    Means something only where both clusters have converged: the limits can be off by about ``radius``, which is
    π/2 or more for tokens whose mean is 0.
    """
    found = _angle_between(_mean_direction(x), _mean_direction(y), signed=True)
    radius = torch.maximum(cluster_radius(x), cluster_radius(y))
    return ClusterDrift(chord=found.chord, angle=found.angle, tan_squared=found.tan_squared, radius=radius)


def cluster_radius(tokens: Tensor) -> Tensor:
    """Largest angle of the tokens ``(B, n, d)`` to their own mean, ``(B,)``; at least π/2 where the mean is 0."""
    return max_angle(tokens, _mean_direction(tokens))


def max_angle(tokens: Tensor, direction: Tensor) -> Tensor:
    """Largest angle of tokens ``(B, ..., n, d)`` to a direction ``(B, d)``, shape ``(B, ...)``, from 0 to π.

    By atan2 of the parts across and along the direction: accurate for tiny angles, where arccos is not, and beyond
    π/2; below 1e-150 the squares underflow to 0. The tokens' lengths do not matter, the direction is a unit vector.
    """
    across, along = _parts(tokens, direction)
    return torch.atan2(across, along).amax(-1)


def tan_max_angle(tokens: Tensor, direction: Tensor) -> Tensor:
    """``ϑ``: tangent of :func:`max_angle`, ``(B, ...)``; infinite where a token is at π/2 or beyond."""
    across, along = _parts(tokens, direction)
    return torch.where(along > 0, across / along, torch.inf).amax(-1)


def _parts(tokens: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Length across the direction and signed length along it, ``(B, ..., n)``."""
    if tokens.dim() < 2 or direction.dim() != 2 or tokens.shape[0] != direction.shape[0]:
        raise ValueError(
            f"tokens (B, ..., n, d) and directions (B, d) are needed, "
            f"not {tuple(tokens.shape)} and {tuple(direction.shape)}"
        )
    u = direction.reshape(direction.shape[0], *[1] * (tokens.dim() - 2), direction.shape[1])
    along = (tokens * u).sum(-1)
    return (tokens - along.unsqueeze(-1) * u).norm(dim=-1), along


def _angle_between(u: Tensor, v: Tensor, *, signed: bool) -> Drift:
    across, along = _parts(v.unsqueeze(1), u)
    across, along = across.squeeze(1), along.squeeze(1)
    if not signed:
        along = along.abs()
    angle = torch.atan2(across, along)
    tangent = torch.where(along > 0, across / along, torch.inf)
    return Drift(chord=2 * torch.sin(angle / 2), angle=angle, tan_squared=tangent.square())


def _mean_direction(tokens: Tensor) -> Tensor:
    """Normalised mean ``(B, d)``; the zero vector (not NaN) where the mean is 0."""
    return torch.nn.functional.normalize(tokens.mean(dim=-2), dim=-1, eps=torch.finfo(tokens.dtype).tiny)


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _descending_eigh(M: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh((M + M.mT) / 2)
    return values.flip(-1), vectors.flip(-1)


def _rounding(M: Tensor) -> Tensor:
    """Size ``(B,)`` of the change of M that a backward stable eigensolver amounts to."""
    scale = torch.linalg.matrix_norm(M, ord=2)
    return _BACKWARD_ERROR * M.shape[-1] * torch.finfo(M.dtype).eps * scale


def _symmetric_vector_error(M: Tensor, values: Tensor) -> Tensor:
    """(rounding of the eigensolver + antisymmetric part, which it does not see) / gap, ``(B,)``; infinite at gap 0."""
    rounding = _BACKWARD_ERROR * M.shape[-1] * torch.finfo(M.dtype).eps * values.abs().amax(-1)
    gap = values[..., 0] - values[..., 1]
    error = (rounding + torch.linalg.matrix_norm(M - M.mT) / 2) / gap
    return error.masked_fill(gap <= 0, torch.inf)


def _check_square(M: Tensor) -> None:
    if M.dim() != 3 or M.shape[-1] != M.shape[-2] or M.shape[-1] < 2:
        raise ValueError(f"matrices of shape (B, d, d) with d >= 2 are needed, not {tuple(M.shape)}")
