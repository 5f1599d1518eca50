"""Two flows side by side for Prop. 3.1: general matrices, ΔV and ΔA together, and corners where the bounds are sharp.

Kinds: ``random``; ``rotation`` (equal tokens, ΔV turns them, V next to nothing: δ* by ||ΔV||); ``attention`` (tokens
±e, whose softmax covariance is 1, and ΔA alone: δ* by ||ΔA||); ``unstable`` (equal tokens at the unstable eigenvector:
K*); ``growth`` (V and ΔV multiples of the identity: the radius in R^d). Operator norms are those of the matrices drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_checks import planting
from proofs_checks.families_first_passage import generator, tensors, units
from proofs_checks.instance_file import Instance
from proofs_checks.sampler import Batch
from proofs_checks.sources import Source, instance_of, product_shares
from proofs_checks.spec import Choice, Family
from proofs_checks.stability import EuclideanPair, LayerPair, ShiftedPair, SpherePair
from theory import prop_3_1 as theory
from theory.lowering import to_torch

FRACTIONS = (0.1, 0.3, 0.6, 1.0)
"""The times of an instance, as shares of its T."""
SPHERE = Family("stability", {}, region="hemisphere", simulated=False)
EUCLIDEAN = Family("stability-euclidean", {}, region="hemisphere", simulated=False)
SHIFTED = Family("stability-initial", {}, region="hemisphere", simulated=False)
LAYERS = Family("stability-layers", {}, region="hemisphere", simulated=False)
_KINDS, _SHARES = ("random", "rotation", "attention", "unstable"), (0.7, 0.1, 0.1, 0.1)
Array = np.ndarray


def causal(n: int, d: int, seed: int) -> bool:
    """Whether a block has the causal mask: half of them do."""
    return (n.bit_length() + d.bit_length() + seed) % 2 == 1


def _scaled(rng: np.random.Generator, size: int, d: int, norms: Array, symmetric: Array | None = None) -> Array:
    """Gaussian matrices (B, d, d) with these operator norms; symmetric ones where asked."""
    g = rng.standard_normal((size, d, d))
    if symmetric is not None:
        g = np.where(symmetric[:, None, None], g + g.transpose(0, 2, 1), g)
    return norms[:, None, None] * g / planting.operator_norm(g)[:, None, None]


def _unit_matrix(d: int, i: int, k: int) -> Array:
    out = np.zeros((d, d))
    out[i, k] = 1.0
    return out


def _pieces(rng: np.random.Generator, size: int, n: int, d: int, kind: Array) -> dict[str, Array]:
    """V, ΔV, A, ΔA and tokens in a frame whose first two axes are those of the special kinds."""
    symmetric = rng.integers(4, size=size) == 0
    v, a = rng.uniform(0.1, 1.5, size), rng.uniform(0.0, 3.0, size)
    dv, da = 10.0 ** rng.uniform(-3, 0, (2, size))
    dv, da = dv * (rng.integers(6, size=size) > 0), da * (rng.integers(4, size=size) > 0)
    same = (rng.integers(4, size=size) == 0) & (kind == "random")
    dv = np.where((dv == 0) & ((da == 0) | same), 0.1, dv)
    pieces = {
        "V": _scaled(rng, size, d, v), "dV": _scaled(rng, size, d, dv, symmetric),
        "A": _scaled(rng, size, d, a), "dA": _scaled(rng, size, d, da), "tokens": units(rng, size, n, d),
    }  # fmt: skip
    pieces["A"] = np.where(same[:, None, None], pieces["V"], pieces["A"])
    pieces["dA"] = np.where(same[:, None, None], pieces["dV"], pieces["dA"])
    turn = _unit_matrix(d, 1, 0) - _unit_matrix(d, 0, 1)
    spread = np.diag([1.0, -1.0, *rng.uniform(-1, 1, d - 2)])
    first, second = np.eye(d)[0], np.eye(d)[1]
    signs = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)[:, None]
    strength = rng.uniform(0.02, 0.08, size)
    special = {
        "rotation": {
            "V": 1e-4 * pieces["V"], "dV": strength[:, None, None] * turn, "A": pieces["A"], "dA": 0 * pieces["dA"],
            "tokens": np.broadcast_to(first, (size, n, d)),
        },
        "attention": {
            "V": v[:, None, None] * turn, "dV": 0 * pieces["dV"], "A": 0 * pieces["A"],
            "dA": strength[:, None, None] * _unit_matrix(d, 0, 0),
            "tokens": np.broadcast_to(signs * first, (size, n, d)),
        },
        "unstable": {
            "V": v[:, None, None] * spread, "dV": (1e-3 * strength)[:, None, None] * turn, "A": 0 * pieces["A"],
            "dA": 0 * pieces["dA"], "tokens": np.broadcast_to(second, (size, n, d)),
        },
    }  # fmt: skip
    special["growth"] = {
        "V": v[:, None, None] * np.eye(d), "dV": strength[:, None, None] * np.eye(d), "A": 0 * pieces["A"],
        "dA": 0 * pieces["dA"], "tokens": special["rotation"]["tokens"],
    }  # fmt: skip
    for name, parts in special.items():
        chosen = (kind == name)[:, None, None]
        pieces = {k: np.where(chosen, parts[k], x) for k, x in pieces.items()}
    pieces["symmetric"] = symmetric & (kind == "random")
    pieces["same"] = same
    return pieces


def _norms(pieces: dict[str, Array]) -> dict[str, Array]:
    size = planting.operator_norm
    return {
        "V_norm": size(pieces["V"]), "A_norm": size(pieces["A"]), "dV_norm": size(pieces["dV"]),
        "dA_norm": size(pieces["dA"]), "perturbed_V_norm": size(pieces["V"] + pieces["dV"]),
        "perturbed_A_norm": size(pieces["A"] + pieces["dA"]),
    }  # fmt: skip


def _kind(rng: np.random.Generator, size: int, n: int, extra: str = "unstable") -> Array:
    names = [k if k != "unstable" else extra for k in _KINDS]
    kind = rng.choice(np.array(names), p=_SHARES, size=size)
    return np.where((kind == "attention") & (n % 2 == 1), "random", kind)


def _batch(
    family: Family, rng: np.random.Generator, kind: Array, pieces: dict[str, Array], planted: dict[str, Array],
    T: Array, **columns: Any,
) -> Batch:  # fmt: skip
    """The instances in rotated frames."""
    size, _, d = pieces["V"].shape
    q = planting.orthogonal(rng, size, d, rng.integers(8, size=size) > 0)
    turned = {k: q @ pieces[k] @ q.transpose(0, 2, 1) for k in ("V", "dV", "A", "dA")}
    symmetric = pieces["symmetric"][:, None, None]
    turned["dV"] = np.where(symmetric, (turned["dV"] + turned["dV"].transpose(0, 2, 1)) / 2, turned["dV"])
    if "other_tokens" in columns:
        columns["other_tokens"] = np.ascontiguousarray(columns["other_tokens"] @ q.transpose(0, 2, 1))
    named = {
        "update": np.where(pieces["symmetric"] | (kind == "growth"), "blocks", "general"),
        "base": np.full(size, "general"),
        "attention": np.where(pieces["same"], "value", "general"),
        "kind": kind,
    } | columns
    times = T[:, None] * np.array(FRACTIONS)
    dense = tensors(**turned, tokens=pieces["tokens"] @ q.transpose(0, 2, 1), direction=q[:, :, 0], times=times)
    return Batch(family, named, tensors(**planted), **dense)


def _time_of(bound: Array, norms: dict[str, Array], initial: Array | float = 0.0) -> Array:
    """The time at which the sphere's bound reaches ``bound``: bound + δ/K = (initial + δ/K) e^{Kt}."""
    given = tensors(**norms)
    rate, drive = (to_torch(f, **{k: given[k] for k in f.arguments}).numpy() for f in (theory.K, theory.DELTA))
    return np.log1p((bound - initial) * rate / (initial * rate + drive)) / rate


def draw_stability(size: int, n: int, d: int, seed: int) -> Batch:
    """Both flows from the same tokens; T is where the bound reaches a planted angle below π."""
    rng = generator("stability", n, d, seed)
    kind = _kind(rng, size, n)
    pieces = _pieces(rng, size, n, d, kind)
    norms = _norms(pieces)
    reached = rng.uniform(0.05, 3.0, size)
    T = _time_of(reached, norms)
    T = np.where(kind == "unstable", np.minimum(T, _time_of(np.full(size, 0.05), norms)), T)
    T = np.where(kind == "attention", rng.uniform(0.002, 0.006, size) / norms["V_norm"] / 2, T)
    return _batch(SPHERE, rng, kind, pieces, norms, T, causal=np.full(size, causal(n, d, seed) and n > 1))


def draw_euclidean(size: int, n: int, d: int, seed: int) -> Batch:
    """The same in R^d, all tokens on a sphere of radius R_0."""
    rng = generator("stability-euclidean", n, d, seed)
    kind = _kind(rng, size, n, extra="growth")
    pieces = _pieces(rng, size, n, d, kind)
    norms = _norms(pieces)
    radius = rng.uniform(0.5, 1.5, size)
    largest = np.maximum(norms["V_norm"], norms["perturbed_V_norm"])
    T = rng.uniform(0.05, 0.4, size) / (largest * (1 + 2 * norms["A_norm"] * radius**2))
    T = np.where(kind == "attention", rng.uniform(0.002, 0.006, size) / largest, T)
    T = np.where(kind == "growth", rng.uniform(1.0, 2.0, size) / largest, T)
    T = np.where(kind == "rotation", rng.uniform(0.05, 0.5, size) / np.maximum(norms["dV_norm"], 1e-9) / 50, T)
    return _batch(EUCLIDEAN, rng, kind, pieces, norms | {"radius_0": radius}, T, radius=radius)


def _moved(rng: np.random.Generator, tokens: Array, toward: Array, angle: Array, random: Array) -> Array:
    """Tokens turned by at most ``angle``, the first one by just that: towards ``toward``, or anywhere (``random``)."""
    g = rng.standard_normal(tokens.shape)
    g = np.where(random[:, None, None], g, np.broadcast_to(toward, tokens.shape))
    g = g - (g * tokens).sum(axis=-1, keepdims=True) * tokens
    g = g / np.linalg.norm(g, axis=-1, keepdims=True)
    share = np.where(random[:, None], rng.uniform(size=tokens.shape[:2]), 1.0)
    share[:, 0] = 1.0
    theta = (angle[:, None] * share)[..., None]
    return np.cos(theta) * tokens + np.sin(theta) * g


def draw_initial(size: int, n: int, d: int, seed: int) -> Batch:
    """Two flows from two clouds, labels of the second shuffled in half of the random instances."""
    rng = generator("stability-initial", n, d, seed)
    kind = _kind(rng, size, n)
    kind = np.where(kind == "attention", "random", kind)
    pieces = _pieces(rng, size, n, d, kind)
    norms = _norms(pieces)
    angle = np.where(kind == "random", 10.0 ** rng.uniform(-2.5, -0.5, size), 2e-3)
    toward = np.where((kind == "rotation")[:, None], np.eye(d)[1], np.eye(d)[0])[:, None, :]
    other = _moved(rng, pieces["tokens"], toward, angle, kind == "random")
    T = _time_of(angle + rng.uniform(0.05, 2.5, size), norms, angle)
    T = np.where(kind == "unstable", _time_of(np.full(size, 0.05), norms, angle), T)
    return _batch(SHIFTED, rng, kind, pieces, norms | {"initial_angle": angle}, T, other_tokens=other)


def draw_layers(size: int, n: int, d: int, seed: int) -> Batch:
    """One layer from two nearby clouds, with a step h such that h ||V|| < 1."""
    rng = generator("stability-layers", n, d, seed)
    kind = np.where(rng.integers(4, size=size) == 0, "unstable", "random")
    pieces = _pieces(rng, size, n, d, kind)
    norms = _norms(pieces)
    h = rng.uniform(0.05, 0.9, size) / np.maximum(norms["V_norm"], norms["perturbed_V_norm"])
    angle = np.where(kind == "random", 10.0 ** rng.uniform(-3, -0.5, size), 1e-3)
    toward = np.broadcast_to(np.eye(d)[0], (size, 1, d))
    other = _moved(rng, pieces["tokens"], toward, angle, kind == "random")
    planted = norms | {"h": h, "chord_0": 2 * np.sin(angle / 2)}
    masked = np.full(size, causal(n, d, seed) and n > 1)
    return _batch(LAYERS, rng, kind, pieces, planted, h, other_tokens=other, h=h, causal=masked)


def stability_instance(batch: Batch, row: int, claim_id: str, kind: str) -> Instance:
    """One row as an instance file: the mask, the radius, the other cloud and the step in its metadata."""
    plain = instance_of(batch, row, claim_id, kind)
    meta: dict[str, Any] = {"family": batch.family.name}
    columns = batch.columns
    if "causal" in columns:
        meta["causal"] = bool(columns["causal"][row])
    meta |= {name: repr(float(columns[name][row])) for name in ("radius", "h") if name in columns}
    if "other_tokens" in columns:
        meta["other_tokens"] = [[repr(float(x)) for x in token] for token in columns["other_tokens"][row]]
    return Instance(**{**vars(plain), "meta": meta})


_PAIRS = product_shares(
    Choice((1, 2, 4, 8, 16), (0.16, 0.24, 0.24, 0.2, 0.16)), Choice((2, 3, 4, 8, 16), (0.17, 0.24, 0.24, 0.2, 0.15))
)

SOURCES: dict[str, Source] = {
    "stability": Source("stability", 11_500, _PAIRS, draw_stability, "stability", SpherePair, stability_instance),
    "stability-euclidean": Source(
        "stability-euclidean", 11_500, _PAIRS, draw_euclidean, "euclidean", EuclideanPair, stability_instance
    ),
    "stability-initial": Source(
        "stability-initial", 11_500, _PAIRS, draw_initial, "initial", ShiftedPair, stability_instance
    ),
    "stability-layers": Source(
        "stability-layers", 11_500, _PAIRS, draw_layers, "layers", LayerPair, stability_instance
    ),
}
"""Family name → source."""
