"""Checks of Proposition 3.1: two flows from the same tokens, in R^d too, from two clouds, and one layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mpmath import mp

from numerics import high_precision
from numerics.euclidean import simulate_euclidean
from numerics.flow import simulate
from numerics.reference import attention_velocity, simulate_reference
from numerics.transport import labelled_angle
from proofs_checks.checks.check import Check
from proofs_checks.checks.comparison import TOLERANCE_FACTOR, Comparison
from proofs_checks.checks.confirmation import DIGITS, Confirmation
from proofs_checks.families_stability import FRACTIONS
from proofs_checks.instance_file import Instance
from proofs_checks.sampler import Batch
from proofs_checks.stability import EuclideanPair, LayerPair, ShiftedPair, SpherePair
from theory import prop_3_1 as theory
from theory.formula import Formula
from theory.lowering import to_mpmath, to_torch

_RTOL, _ATOL = 1e-13, 1e-15
_METHODS = (f"own integrator at rtol {_RTOL:g}", "scipy DOP853 at rtol 1e-13", f"norms by mpmath at {DIGITS} digits")
_NODES = 24
_ROUNDING = 1e-15
Flow = Callable[[bool], tuple[np.ndarray, np.ndarray, np.ndarray]]


# --- on batches -------------------------------------------------------------------------------------


def _everywhere(batch: Batch) -> torch.Tensor:
    return torch.ones(len(batch), dtype=torch.bool)


def _at_times(formula: Formula, batch: Batch, **more: torch.Tensor) -> torch.Tensor:
    """The formula at the times of the batch (B, K)."""
    given = {k: batch.planted[k].unsqueeze(1) for k in formula.arguments if k in batch.planted}
    return to_torch(formula, t=batch.times, **given, **more)


def compare_sphere(batch: Batch, measured: SpherePair, formula: Formula) -> tuple[Comparison, ...]:
    """The largest angle between twins at four times, and W2 at the last, against the bound."""
    bound, applies = _at_times(formula, batch), _everywhere(batch)
    return (
        Comparison("angle", *measured.angle, bound, applies.unsqueeze(1), trivial=np.pi),
        Comparison("W2", *measured.w2, bound[:, -1], applies, trivial=2.0),
    )


def euclidean_bound(formula: Formula, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The integral of the integrand from 0 to each time (B, K) by Gauss-Legendre, and its error."""

    def integral(nodes: int) -> torch.Tensor:
        x, w = np.polynomial.legendre.leggauss(nodes)
        t = batch.times.unsqueeze(2)
        earlier = t * torch.from_numpy((x + 1) / 2)
        given = {k: batch.planted[k][:, None, None] for k in formula.arguments if k in batch.planted}
        values = to_torch(formula, t=t, earlier_time=earlier, **given)
        return batch.times * (values @ torch.from_numpy(w / 2))

    fine, coarse = integral(_NODES), integral(_NODES - 6)
    return fine, (fine - coarse).abs() + _ROUNDING * fine


def compare_euclidean(batch: Batch, measured: EuclideanPair, formula: Formula) -> tuple[Comparison, ...]:
    """The largest displacement in R^d at four times against the integral."""
    bound, error = euclidean_bound(formula, batch)
    observed, own = measured.displacement
    return (Comparison("displacement", observed, own + error, bound, _everywhere(batch).unsqueeze(1)),)


def compare_initial(batch: Batch, measured: ShiftedPair, formula: Formula) -> tuple[Comparison, ...]:
    """Labelled angle from two clouds; W_∞ to W_∞ where that bound is meant; W2 to W2 at rate K_2 for equal flows."""
    applies = _everywhere(batch)
    bound = _at_times(formula, batch)
    start, end, error = measured.w_infinity
    given = {k: batch.planted[k] for k in formula.arguments if k in batch.planted} | {"initial_angle": start}
    measures = to_torch(formula, t=batch.times[:, -1], **given)
    first, last, own = measured.same_flow_w2
    names = {k: batch.planted[k] for k in theory.W2_GROWTH.arguments if k in batch.planted}
    growth = to_torch(theory.W2_GROWTH, t=batch.times[:, -1], **names)
    return (
        Comparison("angle", *measured.angle, bound, applies.unsqueeze(1), trivial=np.pi),
        Comparison("W_∞", end, error, measures, applies, trivial=np.pi),
        Comparison("W2", last, own, growth * first, applies, trivial=2.0),
    )


def compare_discrete(batch: Batch, measured: LayerPair, formula: Formula) -> tuple[Comparison, ...]:
    """The largest chord after one layer, and after two untied ones, against the product of the constants."""
    start, one, two = measured.chords
    p = batch.planted
    first = to_torch(formula, **{k: p[k] for k in formula.arguments})
    other = dict(p) | {"V_norm": p["perturbed_V_norm"]}
    second = to_torch(formula, **{k: other[k] for k in formula.arguments})
    error = torch.full_like(one, 8e-16 * batch.V.shape[-1])
    applies = _everywhere(batch)
    return (
        Comparison("one layer", one, error, first * p["chord_0"], applies, trivial=2.0),
        Comparison("two untied layers", two, error, first * second * start, applies, trivial=2.0),
    )


# --- on one instance --------------------------------------------------------------------------------


def exact_norms(instance: Instance) -> dict[str, Any]:
    """The six operator norms of Prop. 3.1 at mpmath's precision."""
    base = instance.V if instance.A is None else instance.A
    moved = instance.perturbed_attention()
    change = tuple(tuple(x - y for x, y in zip(r, c, strict=True)) for r, c in zip(moved, base, strict=True))
    matrices = {
        "V_norm": instance.V, "A_norm": base, "dV_norm": instance.dV, "dA_norm": change,
        "perturbed_V_norm": high_precision.add(instance.V, instance.dV), "perturbed_A_norm": moved,
    }  # fmt: skip
    return {name: high_precision.operator_norm(high_precision.to_matrix(m)) for name, m in matrices.items()}


def _times(instance: Instance) -> np.ndarray:
    return float(instance.T or 0) * np.array(FRACTIONS)


def _two_simulations(
    instance: Instance, tokens: np.ndarray, perturbed: bool, sphere: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States (K, n, d) by both integrators, and the first one's error (K,)."""
    attention, value = instance.flow_matrices(perturbed)
    mask, times = bool(instance.meta.get("causal", False)), _times(instance)
    batch = [torch.from_numpy(np.ascontiguousarray(x)).unsqueeze(0) for x in (tokens, attention, value, times)]
    own = (simulate if sphere else simulate_euclidean)(*batch, rtol=_RTOL, atol=_ATOL, causal=mask)
    other = simulate_reference(tokens, attention, value, times, sphere=sphere, causal=mask)
    return own.states[0].numpy(), other, own.error[0].numpy()


def _judged(observed: list[np.ndarray], errors: np.ndarray, bounds: list[float]) -> Confirmation:
    """Both measurements (K,) against the bounds (K,): the smaller counts, what they differ by is an error too."""
    limits = np.maximum(np.array(bounds), np.finfo(float).tiny)  # a bound of zero: ΔV = ΔA = 0
    smaller = np.minimum(*observed)
    error = np.maximum(errors, np.abs(observed[0] - observed[1]))
    k = int(np.nanargmax(smaller / limits))
    violated = bool(np.any(smaller - limits > TOLERANCE_FACTOR * error))
    return Confirmation(float(smaller[k]), float(limits[k]), float(error[k]), True, violated, _METHODS)


_NOT_APPLICABLE = Confirmation(0.0, 0.0, 0.0, False, False, _METHODS)


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return labelled_angle(torch.from_numpy(first), torch.from_numpy(second)).numpy()


def confirm_sphere(instance: Instance, formula: Formula) -> Confirmation:
    """The largest angle between twins on one instance."""
    return _confirm_angle(instance, formula, shifted=False)


def confirm_initial(instance: Instance, formula: Formula) -> Confirmation:
    """The same from the two clouds of the file."""
    return _confirm_angle(instance, formula, shifted=True)


def _confirm_angle(instance: Instance, formula: Formula, shifted: bool) -> Confirmation:
    if instance.X0 is None or instance.T is None or (shifted and "other_tokens" not in instance.meta):
        return _NOT_APPLICABLE
    tokens = instance.arrays()["X0"]
    other = _other_tokens(instance) if shifted else tokens
    base, moved = _two_simulations(instance, tokens, False), _two_simulations(instance, other, True)
    with mp.workdps(DIGITS):
        values = exact_norms(instance) | {"initial_angle": mp.mpf(float(_angles(tokens, other)))}
        if to_mpmath(theory.K, **{k: values[k] for k in theory.K.arguments}) == 0:
            return _NOT_APPLICABLE
        given = {k: values[k] for k in formula.arguments if k != "t"}
        bounds = [float(to_mpmath(formula, t=mp.mpf(t), **given)) for t in _times(instance)]
    return _judged([_angles(base[k], moved[k]) for k in (0, 1)], base[2] + moved[2], bounds)


def _other_tokens(instance: Instance) -> np.ndarray:
    found = np.array([[float(x) for x in row] for row in instance.meta["other_tokens"]])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def confirm_euclidean(instance: Instance, formula: Formula) -> Confirmation:
    """The largest displacement in R^d on one instance, ``radius`` being in its metadata."""
    if instance.X0 is None or instance.T is None or "radius" not in instance.meta:
        return _NOT_APPLICABLE
    radius = float(instance.meta["radius"])
    tokens = radius * instance.arrays()["X0"]
    base, moved = (_two_simulations(instance, tokens, perturbed, sphere=False) for perturbed in (False, True))
    with mp.workdps(DIGITS):
        values = exact_norms(instance) | {"radius_0": mp.mpf(radius)}
        given = {k: values[k] for k in formula.arguments if k not in ("t", "earlier_time")}
        bounds = []
        for t in (mp.mpf(x) for x in _times(instance)):
            integral: Any = mp.quad(lambda s, t=t: to_mpmath(formula, t=t, earlier_time=s, **given), [0, t])
            bounds.append(float(integral))
    observed = [np.linalg.norm(base[k] - moved[k], axis=-1).max(axis=-1) for k in (0, 1)]
    return _judged(observed, base[2] + moved[2], bounds)


def confirm_discrete(instance: Instance, formula: Formula) -> Confirmation:
    """One layer on one instance, token by token in numpy."""
    if instance.X0 is None or not {"h", "other_tokens"} <= set(instance.meta):
        return _NOT_APPLICABLE
    attention, value = instance.flow_matrices(perturbed=False)
    h, mask = float(instance.meta["h"]), bool(instance.meta.get("causal", False))
    clouds = [instance.arrays()["X0"], _other_tokens(instance)]
    after = [x + h * attention_velocity(x, attention, value, sphere=False, causal=mask) for x in clouds]
    after = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in after]
    start, end = (float(np.linalg.norm(x - y, axis=1).max()) for x, y in (clouds, after))
    with mp.workdps(DIGITS):
        values = exact_norms(instance) | {"h": mp.mpf(h)}
        if not values["V_norm"] * h < 1:
            return _NOT_APPLICABLE
        bound = start * float(to_mpmath(formula, **{k: values[k] for k in formula.arguments}))
    error = 1e-15 * instance.d
    methods = ("layer in numpy", f"norms by mpmath at {DIGITS} digits")
    return Confirmation(end, bound, error, True, end - bound > TOLERANCE_FACTOR * error, methods)


CHECKS = (
    Check("prop-3.1/sphere", ("stability",), compare_sphere, confirm_sphere, readings={"W2": 8_000}, tightness=0.99),
    Check("prop-3.1/euclidean", ("stability-euclidean",), compare_euclidean, confirm_euclidean, tightness=0.99),
    Check(
        "prop-3.1/initial", ("stability-initial",), compare_initial, confirm_initial,
        readings={"W_∞": 8_000, "W2": 4_000}, tightness=0.99,
    ),
    Check(
        "prop-3.1/discrete", ("stability-layers",), compare_discrete, confirm_discrete,
        readings={"two untied layers": 8_000}, tightness=0.99,
    ),
)  # fmt: skip
