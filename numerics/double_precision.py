"""The measurements of :mod:`numerics.high_precision` in float64 (numpy), for matrices too large for mpmath.

The results have the same types, with float64 entries. Do not trust them where a gap is below 1e-6 of the matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numerics.high_precision import Basin, Blocks, Drift, Eigenpair, NoRealLeadingEigenvalue

RELATIVE_TOLERANCE = 1e-9
"""Eigenvalues closer than this times the norm count as equal."""


def operator_norm(matrix: Any) -> float:
    """Largest singular value."""
    return float(np.linalg.norm(np.asarray(matrix, dtype=float), 2))


def leading_eigenpair(matrix: np.ndarray, symmetric: bool) -> Eigenpair:
    """The eigenpair of largest real part of ``matrix`` (d×d); float64.

    Raises :class:`NoRealLeadingEigenvalue` where it is complex.
    """
    if symmetric:
        values, vectors = np.linalg.eigh(matrix)
    else:
        values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-np.real(values), kind="stable")
    values, vectors = np.asarray(values)[order], np.asarray(vectors)[:, order]
    scale = float(np.abs(values).max())
    if abs(np.imag(values[0])) > RELATIVE_TOLERANCE * scale:
        raise NoRealLeadingEigenvalue(f"leading eigenvalue {values[0]:.6g}")
    vector, top = _unit(vectors[:, 0]), float(np.real(values[0]))
    left = vector if symmetric else _left(matrix, top)
    left = -left if left @ vector < 0 else left
    others = values[1:]
    gap, dominant = top - float(np.real(others).max()), top - float(np.abs(others).max())
    return Eigenpair(list(values), top, list(vector), list(left), gap, dominant)


def _left(matrix: np.ndarray, value: float) -> np.ndarray:
    values, vectors = np.linalg.eig(matrix.T)
    return _unit(vectors[:, int(np.abs(values - value).argmin())])


def _unit(vector: np.ndarray) -> np.ndarray:
    real = np.real(vector / vector[np.abs(vector).argmax()])
    return real / np.linalg.norm(real)


def frame(u: Any) -> np.ndarray:
    """An orthogonal matrix (d×d) whose first column is the unit vector ``u``."""
    u = np.asarray(u, dtype=float)
    v = u.copy()
    v[0] += 1.0 if u[0] > 0 else -1.0
    columns = np.eye(len(u)) - 2 * np.outer(v, v) / (v @ v)
    columns[:, 0] = u
    return columns


def split(value_matrix: np.ndarray, update: np.ndarray, pair: Eigenpair, symmetric_base: bool) -> Blocks:
    """The blocks of V and ΔV (d×d) in the frame of the leading eigenvector of V."""
    q = frame(pair.vector)
    base, delta = q.T @ value_matrix @ q, q.T @ update @ q
    c_base = np.zeros(len(q) - 1) if symmetric_base else base[0, 1:]
    b, c = list(delta[1:, 0]), list(delta[0, 1:])
    return Blocks(pair.value, delta[0, 0], b, c, delta[1:, 1:], base[1:, 1:], list(c_base), operator_norm)


def basin(matrix: np.ndarray, pair: Eigenpair, symmetric: bool) -> Basin:
    """The quantities of the cone about the leading eigenvector of ``matrix`` (d×d)."""
    if symmetric:
        return Basin(pair.dominant_gap, 0.0)
    own = frame(pair.vector).T @ matrix @ frame(pair.vector)
    return Basin(pair.value - operator_norm(own[1:, 1:]), float(np.linalg.norm(own[0, 1:])))


def drift(u: Any, perturbed: Any) -> Drift:
    """The drift between two unit vectors, up to the sign of the second."""
    own = frame(u).T @ np.asarray(perturbed, dtype=float)
    cosine, sine = abs(float(own[0])), float(np.linalg.norm(own[1:]))
    angle = float(np.arctan2(sine, cosine))
    tan_squared = (sine / cosine) ** 2 if cosine > 0 else None
    return Drift(cosine, sine, angle, 2 * float(np.sin(angle / 2)), tan_squared)


def perpendicular_spectrum(blocks: Blocks) -> tuple[list[float], list[float]]:
    """Eigenvalues ``mu_j`` of ``P⊥(V + ΔV)P⊥`` and the components of b in its eigenvectors (symmetric case)."""
    values, vectors = np.linalg.eigh(blocks.V_perp + blocks.E)
    return list(values), list(vectors.T @ np.asarray(blocks.b, dtype=float))
