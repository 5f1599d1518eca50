"""From specifications to planted instances: spectra, blocks and tokens chosen in the frame of u1 (numpy, batched).

Everything is built so that the hypotheses hold by construction; nothing is drawn and thrown away. The frame's first
axis is u1 (for a general V: the unit vector u about which the cone is taken). All arrays have the batch first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from proofs_checks.spec import Family
from theory import prop_3_3
from theory.lowering import to_torch

_UNSET = 1e-300
_ANGLE_ARGUMENTS = ("gap", "a", "b_norm", "c_norm", "E_norm", "cone_separation")


@dataclass(frozen=True)
class Blocks:
    """A d×d matrix in the frame of u: corner (B,), column b and row c (B, d-1), block (B, d-1, d-1)."""

    corner: np.ndarray
    column: np.ndarray
    row: np.ndarray
    block: np.ndarray

    @staticmethod
    def of(matrix: np.ndarray) -> Blocks:
        """The blocks of matrices (B, d, d)."""
        return Blocks(matrix[:, 0, 0], matrix[:, 1:, 0], matrix[:, 0, 1:], matrix[:, 1:, 1:])

    def matrix(self) -> np.ndarray:
        """The matrices (B, d, d) with these blocks."""
        size, k = self.column.shape
        out = np.empty((size, k + 1, k + 1))
        out[:, 0, 0], out[:, 1:, 0], out[:, 0, 1:], out[:, 1:, 1:] = self.corner, self.column, self.row, self.block
        return out

    def scaled(self, factor: np.ndarray) -> Blocks:
        """Each matrix times its factor (B,)."""
        f = factor
        return Blocks(f * self.corner, f[:, None] * self.column, f[:, None] * self.row, f[:, None, None] * self.block)

    def __add__(self, other: Blocks) -> Blocks:
        return Blocks(
            self.corner + other.corner,
            self.column + other.column,
            self.row + other.row,
            self.block + other.block,
        )


@dataclass(frozen=True)
class Seeds:
    """Random generators of the three independent parts of an instance."""

    frame: np.random.Generator
    directions: np.random.Generator
    placement: np.random.Generator


def norm(vectors: np.ndarray) -> np.ndarray:
    """Euclidean norms of vectors (B, k)."""
    return np.linalg.norm(vectors, axis=-1)


def operator_norm(matrices: np.ndarray) -> np.ndarray:
    """Operator norms of matrices (B, k, k)."""
    return np.linalg.norm(matrices, ord=2, axis=(-2, -1))


def orthogonal(rng: np.random.Generator, size: int, d: int, random: np.ndarray) -> np.ndarray:
    """Orthogonal matrices (B, d, d): Haar where ``random`` (B,) is true, the identity elsewhere."""
    q, r = np.linalg.qr(rng.standard_normal((size, d, d)))
    q = q * np.sign(np.einsum("bii->bi", r))[:, None, :]
    return np.where(random[:, None, None], q, np.eye(d))


def _units(rng: np.random.Generator, size: int, k: int, random: np.ndarray) -> np.ndarray:
    """Unit vectors (B, k): random where asked, the first axis elsewhere."""
    g = rng.standard_normal((size, k))
    first = np.zeros(k)
    first[0] = 1.0
    return np.where(random[:, None], g / norm(g)[:, None], first)


def spectrum(columns: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Eigenvalues (B, d) of V, decreasing, with the gap (and gap* > 0 unless ``indefinite``) of the specification."""
    size, d = len(columns["scale"]), int(columns["d"][0])
    top = columns["scale"]
    gap = top * columns["gap"] * 10.0 ** -columns["collapse"].astype(float)
    second = top - gap
    kind, psd = columns["spectrum"], columns["base"] == "psd"
    floor = np.where(psd, np.minimum(0.0, second), -np.abs(second))
    inner = np.sort(rng.uniform(size=(size, d - 2)), axis=-1)[:, ::-1] if d > 2 else np.empty((size, 0))
    rest = floor[:, None] + inner * (second - floor)[:, None]
    if d > 2:
        flat, tie, mirror = kind == "flat", kind == "tie", (kind == "mirror") & ~psd
        rest = np.where(flat[:, None], second[:, None], rest)
        rest[:, 0] = np.where(tie, second, rest[:, 0])
        rest[:, -1] = np.where(mirror, -np.abs(second), rest[:, -1])
    rest = np.sort(rest, axis=-1)[:, ::-1]
    values = np.concatenate([top[:, None], second[:, None], rest], axis=-1)
    # λ1 > λ2 but |λ_d| = 2 λ1: the gap is there, the dominant gap is not.
    values[:, -1] = np.where(kind == "indefinite", -2.0 * top, values[:, -1])
    return values


def base_blocks(columns: dict[str, np.ndarray], rng: np.random.Generator, values: np.ndarray) -> Blocks:
    """V in the frame of u: diagonal with the eigenvalues, or (``general``) full, with S > 0 about u."""
    size, d = values.shape
    diagonal = np.zeros((size, d - 1, d - 1))
    np.einsum("bii->bi", diagonal)[:] = values[:, 1:]
    zero = np.zeros((size, d - 1))
    general = columns["base"] == "general"
    separation = columns["scale"] * columns["gap"]
    g = rng.standard_normal((size, d - 1, d - 1))
    full = g * ((columns["scale"] - separation) / operator_norm(g))[:, None, None]
    b = _units(rng, size, d - 1, np.ones(size, bool)) * (0.2 * separation * rng.uniform(size=size))[:, None]
    c = _units(rng, size, d - 1, np.ones(size, bool)) * (0.2 * separation * rng.uniform(size=size))[:, None]
    return Blocks(
        values[:, 0],
        np.where(general[:, None], b, zero),
        np.where(general[:, None], c, zero),
        np.where(general[:, None, None], full, diagonal),
    )


def dominant_gap(values: np.ndarray) -> np.ndarray:
    """gap* = λ1 - max_{j>=2} |λ_j| (B,)."""
    return values[:, 0] - np.abs(values[:, 1:]).max(axis=-1)


def _planted_blocks(columns: dict[str, np.ndarray], rng: np.random.Generator, values: np.ndarray) -> Blocks:
    """Symmetric ΔV with planted a, ||b||, ||E||; seed 0 attains the drift bound (E >= 0 along b, b along u2)."""
    size, d = values.shape
    random = columns["directions"] != 0
    gap, gap_star = values[:, 0] - values[:, 1], np.abs(dominant_gap(values))
    a = columns["a"] * np.minimum(gap_star, gap)
    radius = columns["block"] * (np.minimum(gap_star, gap) + a)
    entries = rng.uniform(-1, 1, size=(size, d - 1)) * random[:, None]
    entries[:, 0] = 1.0
    rotation = orthogonal(rng, size, d - 1, random)
    # A quarter of the random ones keep b along the eigenvector of E with eigenvalue +||E||: near the bound.
    along = (columns["directions"] % 4 == 1)[:, None]
    direction = np.where(along, rotation[:, :, 0], _units(rng, size, d - 1, random))
    block = np.einsum("bij,bj,bkj->bik", rotation, radius[:, None] * entries, rotation)
    column = direction * (columns["coupling"] * (gap + a - radius))[:, None]
    orthogonal_kind = (columns["update"] == "orthogonal")[:, None]
    column = np.where(orthogonal_kind, 0.0, column)
    return Blocks(a, column, column, (block + block.transpose(0, 2, 1)) / 2)


def low_rank_factors(
    columns: dict[str, np.ndarray], rng: np.random.Generator, d: int, symmetric: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Factors left (B, d, r), right (B, r, d) of one ΔV = left @ right per instance, r the largest rank asked for."""
    size = len(columns["rank"])
    rank = np.minimum(columns["rank"], d)
    top = int(rank.max())
    keep = np.arange(top)[None, :] < rank[:, None]
    left = rng.standard_normal((size, d, top)) * keep[:, None, :]
    right = rng.standard_normal((size, top, d)) * keep[:, :, None]
    signs = rng.choice([-1.0, 1.0], size=(size, top))
    right = np.where(symmetric[:, None, None], signs[:, :, None] * left.transpose(0, 2, 1), right)
    return left, right


def _aligned_blocks(columns: dict[str, np.ndarray], rng: np.random.Generator, values: np.ndarray) -> Blocks:
    """Rank one: c only (u1 vᵀ) for an even ``directions`` seed, b only (v u1ᵀ) for an odd one; a = 0."""
    size, d = values.shape
    direction = _units(rng, size, d - 1, columns["directions"] > 1)
    vector = direction * (columns["level"] * np.abs(values[:, 0] - values[:, 1]))[:, None]
    into = (columns["directions"] % 2 == 0)[:, None]
    zero = np.zeros(size)
    return Blocks(zero, np.where(into, 0.0, vector), np.where(into, vector, 0.0), np.zeros((size, d - 1, d - 1)))


def _scale_inside(columns: dict[str, np.ndarray], base: Blocks, update: Blocks, values: np.ndarray) -> np.ndarray:
    """Scale of ``update`` at fraction ``level`` of a lower bound for the largest one that the criterion allows.

    ``S(s) - 2 sqrt(|b||c|) >= S0 - s p - |b| θ - |c| / θ`` for any θ > 0, with p = ||E|| - a (both for s = 1).
    Symmetric updates need only ``gap* + s a > s ||E||``, but the same scale serves them.
    """
    general = columns["base"] == "general"
    room = np.where(general, columns["scale"] * columns["gap"], np.abs(dominant_gap(values)))
    size = operator_norm(update.matrix())
    reach = room / size
    b1, c1 = norm(update.column), norm(update.row)
    b, c = norm(base.column) + reach * b1, norm(base.row) + reach * c1
    theta = np.sqrt(np.maximum(c, _UNSET) / np.maximum(b, _UNSET))
    theta = np.where(general, np.clip(theta, 0.5, 2.0), np.clip(theta, 1e-3, 1e3))
    room = room - norm(base.column) * theta - norm(base.row) / theta
    slope = operator_norm(update.block) - update.corner + b1 * theta + c1 / theta
    return columns["level"] * room / np.maximum(slope, 0.25 * size)


def update_blocks(columns: dict[str, np.ndarray], rng: np.random.Generator, base: Blocks, values: np.ndarray) -> Blocks:
    """ΔV in the frame of u, of the kind and strength that the specification names."""
    size, d = values.shape
    kind = columns["update"]
    planted = _planted_blocks(columns, rng, values).matrix()
    aligned = _aligned_blocks(columns, rng, values).matrix()
    left, right = low_rank_factors(columns, rng, d, symmetric=kind == "gram")
    product = Blocks.of(left @ right)
    product = product.scaled(_scale_inside(columns, base, product, values)).matrix()
    drawn = np.isin(kind, ("gram", "lowrank"))[:, None, None]
    out = np.where(drawn, product, np.where((kind == "aligned")[:, None, None], aligned, planted))
    return Blocks.of(out.reshape(size, d, d))


def allowed_angle(family: Family, planted: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest angle (B,) to u1 that the family's hypotheses allow for the outermost token."""
    zero = np.zeros_like(planted["a"])
    half = np.full_like(zero, np.pi / 2)
    if family.region == "hemisphere":
        return zero, half
    values = {name: torch.from_numpy(planted[name]) for name in _ANGLE_ARGUMENTS}
    if family.region == "cone":
        outer_inverse = to_torch(prop_3_3.CONE_OUTER_INVERSE, **values).numpy()
        return zero, np.arctan2(1.0, outer_inverse)
    theta = to_torch(prop_3_3.THETA_BOUND, **values).numpy()
    return (half - theta, half) if family.region == "beyond" else (zero, half - theta)


def place_tokens(
    columns: dict[str, np.ndarray],
    rng: np.random.Generator,
    axis: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (B, n, d) in the frame of u, and the angle (B,) of the outermost one.

    ``axis`` (B, d-1) is the direction of planar tokens. The outermost token stands exactly at
    ``low + spread (high - low)``; without a lower bound the others lie anywhere inside.
    """
    size, k = axis.shape
    n = int(columns["n"][0])
    outer = low + columns["spread"] * (high - low)
    kind = columns["tokens"]
    readable = columns["placement"] == 0
    radii = rng.uniform(size=(size, n))
    indefinite = (columns["spectrum"] == "indefinite")[:, None]
    radii = np.where((kind == "clustered")[:, None] | indefinite, 1 - 0.05 * radii, radii)
    radii = np.where(readable[:, None] & ~indefinite, 1 - np.arange(n) / (2.0 * n), radii)
    radii[:, 0] = 1.0
    inner = np.where(low > 0, low, 0.0)[:, None]
    angles = inner + radii * (outer[:, None] - inner)

    free = rng.standard_normal((size, n, k))
    centre = rng.standard_normal((size, 1, k))
    clustered = centre + 0.05 * free
    # Readable planar tokens sit on the side away from the axis, where the drift turns against them.
    signs = np.where(readable[:, None], -1.0, rng.choice([-1.0, 1.0], size=(size, n)))
    signs = np.where(indefinite, (-1.0) ** np.arange(n)[None, :], signs)
    planar = signs[:, :, None] * axis[:, None, :]
    directions = np.where(
        (kind == "planar")[:, None, None], planar, np.where((kind == "cone")[:, None, None], free, clustered)
    )
    # Beyond the hemisphere of ũ1 means away from the axis, not just far from u1.
    away = 0.02 * (kind == "clustered")[:, None, None] * free - axis[:, None, :]
    directions = np.where((low > 0)[:, None, None], away, directions)
    directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    tokens = np.concatenate([np.cos(angles)[:, :, None], np.sin(angles)[:, :, None] * directions], axis=-1)
    return tokens, outer
