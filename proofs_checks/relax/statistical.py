"""The laws of random adapters on one small instance, without sampling.

For small adapters every second moment is that of a linear response: with the derivative ``D_k`` of what is observed by
the entries of ΔV^k, ``E y² = (η²/d²) Σ_kk' ρ^|k-k'| <D_k, D_k'> + (Σ_k <D_k, M>)²``, ρ the correlation of successive
layers (0 independent, 1 tied). Where they are not small, one or two layers of rank one in the plane: a mean over four
Gaussian numbers, or over all outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from numerics.relaxed import Array, Network, layers, square_by_covariance, square_by_innovations
from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import parse_number
from proofs_checks.relax.model import NOT_GAUSSIAN, correlation, extras, matrix, networks, shown, start
from proofs_checks.relax.readings import Read, Reading, Runs
from theory import remark_3_4, thm_4_2
from theory.formula import Formula
from theory.lowering import to_mpmath

_STEPS = (1e-4, 1e-5)
"""Two steps of the differences: two measurements."""
_NODES = (14, 18)
_ERROR = 1e-5
_FINITE_DEPTH = 0.02
"""Relative error of a slope between finite depths: it must be off by a fifth."""
_METHODS = ("linear response or quadrature at two resolutions",)
_STRONG = 3.0
ETA = 1e-3
"""Scale of the adapters at which second moments are read; its fourth powers are left out."""


def _value(formula: Formula, **given: float) -> float:
    return float(to_mpmath(formula, **{name: given[name] for name in formula.arguments}))


def _setting(instance: Instance) -> tuple[float, int, list[Network]]:
    given = extras(instance)
    h, depth = float(parse_number(given["h"], "meta.model.h")), int(given["depth"])
    first, second = networks(instance, False)
    return h, depth, [first] * (depth - depth // 2) + [second] * (depth // 2)


def _moved(network: Network, update: Array) -> Network:
    (attention, value), *rest = network.heads
    return replace(network, heads=((attention, value + update), *rest))


def _run(instance: Instance, updates: list[Array]) -> Array:
    h, _, blocks = _setting(instance)
    after = layers([_moved(b, u) for b, u in zip(blocks, updates, strict=True)], h, start(instance, True))
    return shown(instance, after)


Observe = Callable[[Array], Array]
"""Tokens → the numbers whose squares are summed."""
Square = Callable[[Array, float], float]
_SQUARES: tuple[Square, ...] = (square_by_covariance, square_by_innovations)
"""With each of the two steps another evaluation of the law."""


def second_moment(
    instance: Instance, observe: Observe, step: float, square: Square = square_by_covariance, *, at_rest: bool = True
) -> float:
    """``E Σ y²`` to second order in the adapters, of scale :data:`ETA`, plus the mean of y squared.

    Without ``at_rest`` what is observed without adapters is left out of that mean.
    """
    d, given = instance.d, extras(instance)
    _, depth, _ = _setting(instance)
    still = [np.zeros((d, d)) for _ in range(depth)]
    rows = []
    for k in range(depth):
        for i, j in product(range(d), repeat=2):
            ends = []
            for sign in (1, -1):
                updates = [u.copy() for u in still]
                updates[k][i, j] = sign * step
                ends.append(observe(_run(instance, updates)))
            rows.append((ends[0] - ends[1]) / (2 * step))
    D = np.array(rows).reshape(depth, d * d, -1)
    law = given.get("adapters", "independent")
    if law not in ("independent", "tied", "ar1", *NOT_GAUSSIAN):  # the last have the same second moments
        raise ValueError(f"second moments are not known of adapters {law!r}")
    spread = square(D, correlation(instance))
    mean = observe(_run(instance, still)) if at_rest else np.zeros(D.shape[2])
    if "mean" in given:
        M = np.array([[float(x) for x in row] for row in matrix(given["mean"], "mean")]).ravel() * ETA
        mean = mean + np.einsum("kep,e->p", D, M)
    return ETA**2 / d**2 * spread + float((mean**2).sum())


def _tangents(tokens: Array) -> Array:
    if not np.abs(tokens[:, 0]).min() > 1e-6:
        raise ArithmeticError("a token is orthogonal to u1")
    return tokens[:, 1:] / tokens[:, :1]


def _levels(instance: Instance) -> list[float]:
    return [float(instance.V[k][k]) for k in range(instance.d)]


def _moments(instance: Instance, observe: Observe, bound: float, relation: str = "==") -> Reading:
    measured = tuple(second_moment(instance, observe, s, q) for s, q in zip(_STEPS, _SQUARES, strict=True))
    return Reading(measured, bound, relation, error=_ERROR, methods=_METHODS)


def critical(instance: Instance, _runs: Runs) -> Reading:
    """``E tan²`` of the first token, from the start at u1, against the closed form summed over the directions."""
    h, depth, _ = _setting(instance)
    top, *rest = _levels(instance)
    given = {"h": h, "eta": ETA, "s_norm": 1, "d": instance.d, "lambda_1": top, "L": depth}
    flat = depth * _value(thm_4_2.LAYER_NOISE, **given)
    total = sum(flat if x == top else _value(thm_4_2.CRITICAL_VARIANCE, lambda_j=x, **given) for x in rest)
    return _moments(instance, lambda x: _tangents(x)[0], total)


def subcritical(instance: Instance, _runs: Runs) -> Reading | None:
    """``E RMS²`` of the chords between the models against the bound, both proportional to η²."""
    h, depth, blocks = _setting(instance)
    (attention, value), *_ = blocks[0].heads
    norms = {"V_norm": float(np.linalg.norm(value, 2)), "A_norm": float(np.linalg.norm(attention, 2))}
    if not h * norms["V_norm"] < 1:
        return None
    given = {"noise_scale": math.sqrt(h) * ETA, "s_norm": 1, "d": instance.d, "h": h, "T": h * depth} | norms
    limit = ETA**2 * h * h * depth / instance.d  # at K_2 = 0
    bound = _value(thm_4_2.SUBCRITICAL_BOUND, **given) if norms["V_norm"] else limit
    base = shown(instance, layers(blocks, h, start(instance, False)))
    n = len(base)
    return _moments(instance, lambda x: ((x - base) / math.sqrt(n)).ravel(), bound, "<=")


def _slope(at_depth: Callable[[int], Instance], depths: tuple[int, int], step: float) -> float:
    """Log-log slope of η_c between two depths: the drift of the first token from the base reaches a given level."""
    if extras(at_depth(depths[0])).get("adapters") == "ar1":
        raise ValueError("the slope of AR(1) adapters is that of independent ones at great depth alone")
    grown = [second_moment(at_depth(L), lambda x: x[0], step, at_rest=False) for L in depths]
    return -0.5 * math.log(grown[1] / grown[0]) / math.log(depths[1] / depths[0])


def _with(instance: Instance, **changes: Any) -> Instance:
    return replace(instance, meta=instance.meta | {"model": extras(instance) | changes})


def fixed_time(instance: Instance, _runs: Runs) -> Reading:
    """Slope 1/2 of η_c(L) at fixed T = 1 for independent adapters without a well (V = 0)."""
    slopes = tuple(_slope(lambda L: _with(instance, h=f"1/{L}", depth=L), (16, 64), s) for s in _STEPS)
    return Reading(slopes, 0.5, "==", error=_FINITE_DEPTH, methods=_METHODS)


def fixed_step(instance: Instance, _runs: Runs) -> Reading:
    """Slope -1/2 of η_c(L) at fixed h for independent adapters without a well (V = 0)."""
    slopes = tuple(_slope(lambda L: _with(instance, depth=L), (8, 32), s) for s in _STEPS)
    return Reading(slopes, -0.5, "==", error=_FINITE_DEPTH, methods=_METHODS)


def rank(instance: Instance, _runs: Runs) -> Reading | None:
    """Mean square of the first-order drift of the leading eigenvector."""
    top, *rest = _levels(instance)
    if top in rest:
        return None
    d = instance.d
    V = np.array([[float(x) for x in row] for row in instance.V])
    bound = float(to_mpmath(remark_3_4.MEAN_DRIFT, eta=ETA, s_norm=1, d=d, gaps=[top - x for x in rest]))
    measured = []
    for step in _STEPS:
        total, mean = 0.0, np.zeros(d - 1)
        for i, j in product(range(d), repeat=2):
            ends = []
            for sign in (1, -1):
                moved = V.copy()
                moved[i, j] += sign * step
                ends.append(_leading(moved))
            D = (ends[0] - ends[1]) / (2 * step)
            total += float((D**2).sum())
            if "mean" in extras(instance):
                mean = mean + D * ETA * float(parse_number(extras(instance)["mean"][i][j], "mean"))
        measured.append(ETA**2 / d**2 * total + float((mean**2).sum()))
    return Reading(tuple(measured), bound, "==", error=_ERROR, methods=_METHODS)


def _leading(matrix_: Array) -> Array:
    values, vectors = np.linalg.eig(matrix_)
    u = np.real(vectors[:, int(np.argmax(np.real(values)))])
    return u[1:] / u[0]


# --- adapters that are not small: rank one in the plane -----------------------------------------------


def _outcomes(law: str, nodes: int) -> tuple[Array, Array]:
    """Values and weights of one entry of u or v (variance 1/2)."""
    if law == "signs":
        return np.array([-1.0, 1.0]) / math.sqrt(2), np.array([0.5, 0.5])
    if law == "rare":  # zero half of the time
        return np.array([-1.0, 0.0, 1.0]), np.array([0.25, 0.5, 0.25])
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    return x / math.sqrt(2), w / w.sum()


def _one_layer(instance: Instance, tokens: Array, eta: float, u: Array, v: Array, block: Network) -> Array:
    """Tokens (m, n, d) after one layer with ΔV = η (u vᵀ + M), for m outcomes at once; A = 0 heads and the MLP."""
    seen = shown(instance, tokens)
    h, given = _setting(instance)[0], extras(instance)
    (_, V), *rest = block.heads
    mean = seen.mean(axis=1, keepdims=True) * np.ones_like(seen)
    drive = mean @ V.T + eta * np.einsum("md,mnd->mn", v, mean)[:, :, None] * u[:, None, :]
    if "mean" in given:
        M = np.array([[float(x) for x in row] for row in matrix(given["mean"], "mean")])
        drive = drive + eta * mean @ M.T
    for _, other in rest:
        drive = drive + mean @ other.T
    if block.mlp is not None:
        drive = drive + np.maximum(seen @ block.mlp[0].T, 0) @ block.mlp[1].T
    after = tokens + h * drive
    size = np.linalg.norm(after, axis=2, keepdims=True)
    return after / np.where(size > 0, size, 1) if block.sphere else after


def expectation(instance: Instance, observe: Callable[[Array], Array], eta: float, nodes: int) -> float:
    """Mean of ``observe`` (tokens (m, n, 2) → (m,)) after two layers, over the law of the adapters. A = 0."""
    law = extras(instance).get("adapters", "independent")
    x, w = _outcomes(law if law in ("signs", "rare") else "gaussian", nodes)
    grid = np.array(list(product(range(len(x)), repeat=4)))
    u, v, weight = x[grid[:, :2]], x[grid[:, 2:]], w[grid].prod(axis=1)
    tokens = np.broadcast_to(start(instance, True), (len(grid), *start(instance, True).shape))
    _, _, blocks = _setting(instance)
    if law == "tied":
        for block in blocks:
            tokens = _one_layer(instance, tokens, eta, u, v, block)
        return float(weight @ observe(shown(instance, tokens)))
    if law == "ar1":
        raise ValueError("AR(1) adapters are not integrated over")
    for block in blocks:
        if len(blocks) > 1:
            raise ValueError("independent adapters are integrated over one layer")
        tokens = _one_layer(instance, tokens, eta, u, v, block)
    return float(weight @ observe(shown(instance, tokens)))


def _same_law(instance: Instance, eta: float, nodes: int) -> float:
    """``ρ = E<N(e + hη u vᵀe), e>`` for Gaussian factors."""
    x, w = _outcomes("gaussian", nodes)
    grid = np.array(list(product(range(len(x)), repeat=3)))
    h = _setting(instance)[0]
    along, across, first = (x[grid[:, k]] for k in range(3))
    y = np.stack([1 + h * eta * along * first, h * eta * across * first], axis=1)
    return float(w[grid].prod(axis=1) @ (y[:, 0] / np.linalg.norm(y, axis=1)))


def variance(instance: Instance, _runs: Runs) -> Reading:
    """``E<x^L, x^0> = ρ^L`` for V = 0."""
    depth, begin = _setting(instance)[1], shown(instance, start(instance, False))[0]
    size = float(np.linalg.norm(begin))
    measured = tuple(expectation(instance, lambda x: x[:, 0] @ begin / size, _STRONG, k) for k in _NODES)
    return Reading(measured, _same_law(instance, _STRONG, _NODES[1]) ** depth, "==", error=_ERROR, methods=_METHODS)


def two_level(instance: Instance, _runs: Runs) -> Reading | None:
    """Drift of log tan per time, or its variance where the drift is as predicted; adapters off u1, small h."""
    h, depth, blocks = _setting(instance)
    top, low = _levels(instance)
    begin = start(instance, True)
    if not begin[0, 1] or not begin[0, 0]:
        return None
    d, sigma = instance.d, math.sqrt(h) * ETA / instance.d
    given = {"lambda_1": top, "lambda_2": low, "sigma": sigma, "d": d}

    def log_tan(x: Array) -> Array:
        return np.log(np.abs(x[:1, 1] / x[:1, 0]))

    shift = np.zeros((d, d))
    if "mean" in extras(instance):
        shift[1, 1] = float(parse_number(extras(instance)["mean"][1][1], "meta.model.mean"))
    after = layers([_moved(block, shift) for block in blocks], h, begin)
    drift = float((log_tan(after) - log_tan(begin))[0]) / (h * depth)
    expected = _value(thm_4_2.LOG_TAN_DRIFT, **given)
    if abs(drift - expected) > 0.02 * max(abs(drift), abs(expected)):
        return Reading((drift, drift), expected, "==", error=4 * h, methods=_METHODS)
    measured = []
    for step, square in zip(_STEPS, _SQUARES, strict=True):
        D = []
        for k in range(depth):
            ends = []
            for sign in (1, -1):
                updates = [np.zeros((d, d)) for _ in range(depth)]
                updates[k][1, 1] = sign * step
                ends.append(log_tan(_run(instance, updates))[0])
            D.append((ends[0] - ends[1]) / (2 * step))
        spread = square(np.array(D)[:, None, None], correlation(instance))
        measured.append(ETA**2 / d**2 * spread / (h * depth))
    bound = _value(thm_4_2.LOG_TAN_VARIANCE, **given)
    return Reading(tuple(measured), bound, "==", error=4 * h, methods=_METHODS)


def supercritical(instance: Instance, _runs: Runs) -> Reading | None:
    """``½E|x - x̃|² = 1`` as η → ∞ (here η = 10^6), the base standing still (V = 0); all m_i ≠ 0."""
    begin = shown(instance, start(instance, False))
    if not np.linalg.norm(shown(instance, start(instance, True)).mean(axis=0)) > 0.1:
        return None
    eta = 1e6

    def half_square(x: Array) -> Array:
        direct = ((x - begin) ** 2).sum(axis=2).mean(axis=1)
        swapped = ((x[:, ::-1] - begin) ** 2).sum(axis=2).mean(axis=1)
        return np.minimum(direct, swapped) / 2

    measured = tuple(expectation(instance, half_square, eta, k) for k in _NODES)
    return Reading(
        measured, _value(thm_4_2.SUPERCRITICAL_LEVEL, mean_overlap=0.0), "==", error=_ERROR, methods=_METHODS
    )


STATISTICAL: dict[str, Read] = {
    "remark-3.4/rank": rank,
    "thm-4.2/variance": variance,
    "thm-4.2/subcritical": subcritical,
    "thm-4.2/critical": critical,
    "thm-4.2/supercritical": supercritical,
    "thm-4.2/two-level": two_level,
    "thm-4.2/collapse": fixed_time,
    "thm-4.2/fixed-step": fixed_step,
    "thm-4.6/random": critical,
}
"""Claim → how it is read on one small instance."""
