"""What each claim says of one instance of a relaxed model: predicted by ``theory``, measured twice by ``numerics``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
import torch
from mpmath import mp

from numerics.relaxed import Array, Phases, flow, flow_roughly, layers
from numerics.relaxed_batch import flow_again
from numerics.spectral import max_angle
from numerics.transport import labelled_angle
from proofs_checks.checks.confirmation import DIGITS, Confirmation, exact_values
from proofs_checks.checks.first_passage import cone_values
from proofs_checks.checks.prop_3_1 import exact_norms
from proofs_checks.deviation import exact_deviation_integral
from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import Matrix, parse_number
from proofs_checks.relax.model import before_the_block, extras, networks, shown, start
from theory import prop_3_1, prop_3_3, thm_4_6
from theory.formula import Formula
from theory.lowering import to_mpmath

_LONG = 12
_LAYERS = ("layers in numpy",)


@dataclass(frozen=True)
class Reading:
    """A claim on one instance: ``measured`` (by each method) against ``bound``; relation ``<=``, ``>=`` or ``==``.

    ``error``: relative error charged besides what the measurements differ by.
    """

    measured: tuple[float, ...]
    bound: float
    relation: str = "<="
    error: float = 1e-9
    methods: tuple[str, ...] = ("scipy DOP853", "own integrator")

    def confirmation(self) -> Confirmation:
        """As the contract's violation: beyond ten times the error in every measurement."""
        scale = max(abs(self.bound), *(abs(x) for x in self.measured))
        spread = max(self.measured) - min(self.measured)
        error = max(self.error * scale, spread)
        beyond = {
            "<=": min(self.measured) - self.bound,
            ">=": self.bound - max(self.measured),
            "==": min(abs(x - self.bound) for x in self.measured),
        }[self.relation]
        worst = max(self.measured) if self.relation == ">=" else min(self.measured)
        return Confirmation(worst, self.bound, error, True, beyond > 10 * error, self.methods, self.relation == ">=")


Runs = Sequence[Callable[[Phases, Array], Array]]
ROUGH: Runs = (flow_roughly,)
"""To look for candidates, one at a time."""
BOTH: Runs = (flow, flow_again)
"""To confirm one."""
Read = Callable[[Instance, Runs], Reading | None]
"""None where the hypotheses of the claim (those that are not dropped) do not hold."""


def _value(formula: Formula, values: dict[str, Any], **more: Any) -> float:
    given = values | more
    return float(to_mpmath(formula, **{name: mp.mpf(given[name]) for name in formula.arguments}))


def _ends(runs: Runs, instance: Instance, perturbed: bool, time: float) -> list[Array]:
    first, second = networks(instance, perturbed)
    phases = [(first, time / 2), (second, time / 2)]
    tokens = start(instance, perturbed)
    return [run(phases, tokens) if time > 0 else tokens for run in runs]


def _max_angle(tokens: Array, direction: Array) -> float:
    """Largest angle of tokens (n×d) to a unit vector."""
    return float(max_angle(torch.as_tensor(tokens)[None], torch.as_tensor(direction)[None]))


def _max_between(first: Array, second: Array) -> float:
    """Largest angle of a token to its twin, whatever their lengths."""
    x, y = (torch.as_tensor(tokens / np.linalg.norm(tokens, axis=1, keepdims=True)) for tokens in (first, second))
    return float(labelled_angle(x, y))


def _max_chord(first: Array, second: Array) -> float:
    return float(np.linalg.norm(first - second, axis=1).max())


def _time(instance: Instance) -> float:
    return float(instance.T or 1)


def spectra(instance: Instance) -> dict[str, Any]:
    """Spectral quantities by their names in code."""
    return dict(_spectra(instance.V, instance.dV, tuple(instance.meta.get("u", ()))))


@lru_cache(maxsize=256)
def _spectra(V: Matrix, dV: Matrix, u: tuple[Any, ...]) -> dict[str, Any]:
    with mp.workdps(DIGITS):
        return exact_values(Instance(V, dV, meta={"u": list(u)} if u else {}))


def _direction(values: dict[str, Any], name: str) -> Array:
    u = np.array([float(x) for x in values[name]])
    u1 = np.array([float(x) for x in values["u1"]])
    u1 = u1 * (-1 if u1[0] < 0 else 1)
    return u * (-1 if u @ u1 < 0 else 1)


# --- Prop. 3.1 ---------------------------------------------------------------------------------------


def norms(instance: Instance) -> dict[str, Any]:
    """The six operator norms of Prop. 3.1."""
    return dict(_norms(instance.V, instance.dV, instance.A, instance.dA))


@lru_cache(maxsize=256)
def _norms(V: Matrix, dV: Matrix, A: Matrix | None, dA: Matrix | None) -> dict[str, Any]:
    with mp.workdps(DIGITS):
        return exact_norms(Instance(V, dV, A, dA))


def _grown(formula: Formula, values: dict[str, Any]) -> float:
    """The bound, also at K = 0, where the formula is its limit."""
    K = _value(prop_3_1.K, values)
    if K:
        return _value(formula, values)
    delta = _value(prop_3_1.DELTA, values)
    return float(values.get("initial_angle", 0)) + delta * float(values["t"])


def _angular(instance: Instance) -> bool:
    """Whether tokens are compared by angle: on the sphere, and by their directions under Pre-LN."""
    return bool(extras(instance).get("normalised", True)) or before_the_block(instance)


def sphere(instance: Instance, runs: Runs) -> Reading:
    """Largest distance of twins: an angle on the sphere, a chord off it."""
    time = _time(instance)
    pairs = zip(_ends(runs, instance, False, time), _ends(runs, instance, True, time), strict=True)
    on = _angular(instance)
    measured = tuple((_max_between if on else _max_chord)(x, y) for x, y in pairs)
    return Reading(measured, _grown(prop_3_1.BOUND, norms(instance) | {"t": time}))


def euclidean(instance: Instance, runs: Runs) -> Reading:
    """Largest displacement in R^d against the integral."""
    time = _time(instance)
    ends = [_ends(runs, instance, perturbed, time) for perturbed in (False, True)]
    values = norms(instance) | {"radius_0": float(np.linalg.norm(start(instance, False), axis=1).max()), "t": time}
    if not values["V_norm"] and not values["perturbed_V_norm"]:
        bound = 0.0
    else:
        formula = prop_3_1.EUCLIDEAN_INTEGRAND
        integral: Any = mp.quad(lambda s: _value(formula, values, earlier_time=s), [0, time])
        bound = float(integral)
    return Reading(tuple(_max_chord(x, y) for x, y in zip(*ends, strict=True)), bound)


def _w_infinity(first: Array, second: Array, distance: Callable[[Array, Array], float]) -> float:
    """Over all matchings; for at most three tokens."""
    return min(distance(first, second[list(p)]) for p in permutations(range(len(first))))


def initial(instance: Instance, runs: Runs) -> Reading:
    """W_∞ of the clouds, in the angle (in the chord off the sphere)."""
    time = _time(instance)
    on = _angular(instance)
    distance = _max_between if on else _max_chord
    begin = _w_infinity(start(instance, False), start(instance, True), distance)
    pairs = zip(_ends(runs, instance, False, time), _ends(runs, instance, True, time), strict=True)
    measured = tuple(_w_infinity(x, y, distance) for x, y in pairs)
    return Reading(measured, _grown(prop_3_1.INITIAL_BOUND, norms(instance) | {"t": time, "initial_angle": begin}))


def discrete(instance: Instance, _runs: Runs) -> Reading | None:
    """How much one layer stretches the largest chord."""
    h = float(parse_number(extras(instance)["h"], "meta.model.h"))
    values = norms(instance) | {"h": h}
    if not h * float(values["V_norm"]) < 1:
        return None
    network = networks(instance, False)[0]
    clouds = [start(instance, False), start(instance, True)]
    before = _max_chord(*(shown(instance, x) for x in clouds))
    if not before:
        return None
    after = [shown(instance, layers([network], h, x)) for x in clouds]
    stretch = _max_chord(after[0], after[1]) / before
    return Reading((stretch,), _value(prop_3_1.STEP_LIPSCHITZ, values), methods=_LAYERS)


# --- Prop. 3.3 ---------------------------------------------------------------------------------------


def _rate(
    runs: Runs, instance: Instance, formula: Formula, values: dict[str, Any], about: str, perturbed: bool
) -> Reading | None:
    """Largest angle at T against the arctangent of the bound of its tangent."""
    u = _direction(values, about)
    begin = _max_angle(start(instance, perturbed), u)
    if not begin < math.pi / 2:
        return _far_side(runs, instance, u, perturbed)
    time = _time(instance)
    bound = _value(formula, values, t=time, tan_max_angle_0=math.tan(begin))
    ends = _ends(runs, instance, perturbed, time)
    return Reading(tuple(_max_angle(x, u) for x in ends), math.atan(bound))


def _far_side(runs: Runs, instance: Instance, u: Array, perturbed: bool) -> Reading:
    """A token that does not converge to u: after a long time it is beyond a right angle."""
    ends = _ends(runs, instance, perturbed, _LONG)
    return Reading(tuple(_max_angle(x, u) for x in ends), _value(prop_3_3.FAR_SIDE, {}))


def convergence(instance: Instance, runs: Runs) -> Reading | None:
    """Rate gap*; gap where the dominant gap is dropped."""
    values = spectra(instance)
    if not values["gap"] > 0:
        return None
    plain = values["dominant_gap"] > 0
    formula = prop_3_3.TAN_ANGLE_BOUND if plain else prop_3_3.TAN_ANGLE_BOUND_GAP_ONLY
    return _rate(runs, instance, formula, values, "u1", False)


def heads(instance: Instance, runs: Runs) -> Reading | None:
    """Rate Σ_h gap*_h (gap_h where the dominant gap is dropped) of heads that share u1 = e1."""
    blocks = [instance.V, *(tuple(tuple(parse_number(x, "V") for x in r) for r in h["V"]) for h in _heads(instance))]
    dominant = [float(v[0][0] - max(abs(v[k][k]) for k in range(1, len(v)))) for v in blocks]
    gaps = [float(v[0][0] - max(v[k][k] for k in range(1, len(v)))) for v in blocks]
    if min(float(v[0][0]) for v in blocks) < 0 or min(gaps) <= 0:
        return None
    total = sum(dominant) if min(dominant) > 0 else sum(gaps)
    values = {"u1": [1] + [0] * (instance.d - 1), "dominant_gap_sum": total}
    return _rate(runs, instance, prop_3_3.HEADS_BOUND, values, "u1", False)


def _heads(instance: Instance) -> list[dict[str, Any]]:
    return extras(instance).get("heads", [])


def criterion(instance: Instance, runs: Runs) -> Reading | None:
    """Rate gap̃* towards ũ1, or the far side where the tokens start there."""
    values = spectra(instance)
    if not (values["dominant_gap"] + values["a"] > values["E_norm"] and values["perturbed_dominant_gap"] > 0):
        return None
    return _rate(runs, instance, prop_3_3.PERTURBED_TAN_ANGLE_BOUND, values, "perturbed_u1", True)


def safe_start(instance: Instance) -> bool:
    """``γ > sin θ_b``."""
    values = spectra(instance)
    with mp.workdps(DIGITS):
        needed = _value(prop_3_3.HEMISPHERE_NEEDED, values)
    return math.cos(_max_angle(start(instance, False), _direction(values, "u1"))) > needed


def nonsymmetric(instance: Instance, runs: Runs) -> Reading | None:
    """The cone theorem about e1."""
    values = _cone(instance)
    if not values["cone_separation"] > 2 * mp.sqrt(values["b_norm"] * values["c_norm"]):
        return None
    u = np.eye(instance.d)[0]
    begin = _max_angle(start(instance, True), u)
    if not begin < math.pi / 2:
        spectrum = spectra(instance)
        return _far_side(runs, instance, _direction(spectrum | {"u1": list(u)}, "perturbed_u1"), True)
    outer = _value(prop_3_3.CONE_OUTER_INVERSE, values)
    if not math.tan(begin) * outer < 1:
        return None
    return _rate(runs, instance, prop_3_3.CONE_ANGLE_BOUND, values | {"u1": [1] + [0] * (instance.d - 1)}, "u1", True)


def _cone(instance: Instance) -> dict[str, Any]:
    with mp.workdps(DIGITS):
        return cone_values(instance, [mp.one] + [mp.zero] * (instance.d - 1))


def layered(instance: Instance, _runs: Runs) -> Reading | None:
    """Largest angle to e1 after the layers."""
    given = extras(instance)
    h, depth = float(parse_number(given["h"], "h")), int(given["depth"])
    V = np.array([[float(x) for x in row] for row in instance.V])
    if V[0, 0] < 0:
        return None
    begin = _max_angle(start(instance, False), np.eye(instance.d)[0])
    after = layers([networks(instance, False)[0]] * depth, h, start(instance, False))
    measured = _max_angle(after, np.eye(instance.d)[0])
    if not begin < math.pi / 2:
        return Reading((measured,), math.pi / 2, methods=_LAYERS)
    values = {"h": h, "kappa": float(np.linalg.norm(V[1:, 1:], 2)), "lambda_1": V[0, 0]}
    contraction = _value(prop_3_3.LAYER_CONTRACTION, values)
    return Reading((measured,), math.atan(math.tan(begin) * contraction**depth), methods=_LAYERS)


# --- Thm. 4.6 ----------------------------------------------------------------------------------------


def lower(instance: Instance, runs: Runs) -> Reading | None:
    """The largest tangent reached at T, and the least time in which it may be reached."""
    values, u, time = _cone(instance), np.eye(instance.d)[0], _time(instance)
    begin = _max_angle(start(instance, True), u)
    ends = [_max_angle(x, u) for x in _ends(runs, instance, True, time)]
    if begin > math.pi / 2:  # beyond every r at once
        target = 1.0
        time = 0.0
    else:
        if not begin < min(ends) < math.pi / 2:
            return None
        target = math.tan(min(ends))
    with mp.workdps(15):
        bound = float(exact_deviation_integral(values, mp.mpf(math.tan(begin)), mp.mpf(target)))
    return Reading((time, time), min(bound, 1e9), ">=")


def upper(instance: Instance, runs: Runs) -> Reading | None:
    """Largest angle to ũ1 at the time by which it must be below ρ = 1/4."""
    values, angle = spectra(instance), 0.25
    if mp.isnan(values["perturbed_lambda_1"]):
        return None
    u = _direction(values, "perturbed_u1")
    overlap = math.cos(_max_angle(start(instance, True), u))
    if overlap <= 0:
        return _far_side(runs, instance, u, True)
    rate = values["perturbed_dominant_gap"]
    if not rate > 0:
        rate = values["perturbed_lambda_1"] - _second(instance)
        if not rate > 0:
            return None
    given = {"overlap": overlap, "target_angle": angle, "perturbed_dominant_gap": rate}
    time = _value(thm_4_6.ARRIVAL_TIME, given)
    if not 0 < time < 30:
        return None
    return Reading(tuple(_max_angle(x, u) for x in _ends(runs, instance, True, time)), angle)


def rows(instance: Instance) -> Any:
    """The rows of V and of ΔV, pair by pair."""
    return zip(instance.V, instance.dV, strict=True)


def near_side(instance: Instance) -> bool:
    """``<x_i(0), ũ1> > 0`` for all tokens: what thm-4.6/upper means by the hemisphere."""
    values = spectra(instance)
    if mp.isnan(values["perturbed_lambda_1"]):
        return False
    return _max_angle(start(instance, True), _direction(values, "perturbed_u1")) < math.pi / 2


def _second(instance: Instance) -> float:
    total = np.array([[float(a + b) for a, b in zip(r, s, strict=True)] for r, s in rows(instance)])
    return float(np.sort(np.linalg.eigvals(total).real)[-2])


def cutoff(instance: Instance, runs: Runs) -> Reading | None:
    """Angle of the first token to ũ1 when it must have passed 45 degrees (d = 2)."""
    values = spectra(instance)
    if mp.isnan(values["perturbed_lambda_1"]):
        return None
    u = _direction(values, "perturbed_u1")
    overlap = float(start(instance, True)[0] @ u / np.linalg.norm(start(instance, True)[0]))
    if overlap < 0:
        return _far_side(runs, instance, u, True)
    gap = float(values["perturbed_lambda_1"]) - _second(instance)
    if not (0 < overlap < math.sqrt(0.5) and gap > 0):
        return None
    time = _value(thm_4_6.CUTOFF_UPPER, {"overlap": overlap, "perturbed_gap": gap})
    if not time < 30:
        return None
    return Reading(tuple(_max_angle(x[:1], u) for x in _ends(runs, instance, True, time)), math.pi / 4)


def degenerate(instance: Instance, runs: Runs) -> Reading | None:
    """Angle of the twins at T*(r), r = θ0/2, for V = I and V + ΔV = diag(1, 1 - ε)."""
    weakening = -float(instance.dV[1][1])
    begin = _max_angle(start(instance, False)[:1], np.eye(instance.d)[0])
    if not (weakening > 0 and 0 < begin < math.pi / 2):
        return None
    given = {"angle_0": begin, "deviation": begin / 2, "weakening": weakening}
    time = _value(thm_4_6.DEGENERATE_TIME, given)
    if not time < 30:
        return None
    pairs = zip(_ends(runs, instance, False, time), _ends(runs, instance, True, time), strict=True)
    return Reading(tuple(_max_between(x, y) for x, y in pairs), begin / 2, "==")


TWINS = ("prop-3.1/sphere", "prop-3.1/euclidean", "prop-3.1/initial", "thm-4.6/degenerate")
"""Claims that compare two flows; the other readings follow one, or none."""
READINGS: dict[str, Read] = {
    "prop-3.1/sphere": sphere,
    "prop-3.1/euclidean": euclidean,
    "prop-3.1/initial": initial,
    "prop-3.1/discrete": discrete,
    "prop-3.3/convergence": convergence,
    "prop-3.3/criterion": criterion,
    "prop-3.3/nonsymmetric": nonsymmetric,
    "prop-3.3/layered": layered,
    "prop-3.3/heads": heads,
    "thm-4.6/lower": lower,
    "thm-4.6/upper": upper,
    "thm-4.6/cutoff": cutoff,
    "thm-4.6/degenerate": degenerate,
}
"""Claim → how it is read on one small instance."""
