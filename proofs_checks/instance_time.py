"""What ``instance`` says about tokens X0 up to a time T: Prop. 3.1's bound, and when Thm. 4.6 lets tokens leave.

Predictions are the formulas of :mod:`theory` on norms, blocks and overlaps of the exact matrices; what is observed is
simulated in float64. Neither needs the spectral criteria: Prop. 3.1 holds for any matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from mpmath import mp

from numerics import high_precision, spectral
from numerics.field import AttentionField
from numerics.first_passage import angle_event, first_exit, last_entry
from numerics.flow import simulate
from numerics.integrator import Solution
from numerics.linear_map import LinearMap
from numerics.transport import exact_w2_batch, labelled_angle
from proofs_checks.deviation import exact_deviation_integral
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.instance_measure import Level, Values
from theory import prop_3_1, thm_4_6
from theory.lowering import to_mpmath

KEYS = (
    "K", "delta", "bound", "observed_angle", "observed_w2", "observed_error",
    "T_dev_lower", "T_dev_upper", "T_dev", "T_plus", "T_plus_observed",
)  # fmt: skip
"""The finite-time numbers of the document, in its order."""
DEFAULT_ANGLE = math.pi / 4
MAX_TOKENS = 1_024
_EXACT_DIMENSION = 24
_DIGITS = 30
_MOST_DIGITS = 700
_RTOL, _ATOL = 1e-12, 1e-14
_STEPS = 2_000
_DENSE = 20_000
"""Coordinates of tokens up to which passage times are looked for: dense output needs much memory."""


@dataclass(frozen=True)
class FiniteTime:
    """The finite-time answer.

    Attributes
    ----------
    values: name → number or None, for :data:`KEYS`. notes: name → why it is None.
    angle: the angle (radians) of ``T_dev`` from u1 and of ``T_plus`` from ũ1. T: the time of the file.
    trivial: whether the bound is π or more, so that it says nothing.
    """

    values: Values
    notes: dict[str, str]
    angle: float
    T: float | None
    trivial: bool = False


@dataclass
class _Answer:
    """Values and the reasons of those that are missing, as they are found."""

    values: Values = field(default_factory=lambda: dict.fromkeys(KEYS))
    notes: dict[str, str] = field(default_factory=dict)

    def missing(self, reason: str, *names: str) -> None:
        """Give the reason for all names that have no value and no reason yet."""
        for name in names:
            if self.values[name] is None:
                self.notes.setdefault(name, reason)


def finite_time(instance: Instance, level: Level | None, digits: int, working_digits: int = 0) -> FiniteTime:
    """K, δ, the bound at T, what is observed there, and the times to leave u1 and to arrive at ũ1.

    ``level``: the spectral measurements, made with ``working_digits``, None where V is degenerate. ``digits``: correct
    digits of the predictions (what is observed has float64's).
    """
    answer = _Answer()
    angle = float(instance.options.get("angle", DEFAULT_ANGLE))
    T = None if instance.T is None else float(instance.T)
    with mp.workdps(max(_DIGITS, digits + 15, min(working_digits, _MOST_DIGITS))):
        answer.values |= _stability(instance)
        if instance.X0 is None:
            answer.missing("the file has no X0", *KEYS)
        else:
            _departure(answer, level, angle)
            _arrival(answer, level, angle)
            _detour(answer, level, angle)
        if T is not None and instance.X0 is not None:
            _observe(answer, instance, level, angle, T)
        answer.missing("the file has no T", "bound", "observed_angle", "observed_w2", "observed_error", "T_dev",
                       "T_plus_observed")  # fmt: skip
        bound = answer.values["bound"]
    return FiniteTime(answer.values, answer.notes, angle, T, trivial=bound is not None and bound >= math.pi)


# --- predictions ------------------------------------------------------------------------------------


def _norm(rows: Any) -> Any:
    if len(rows) > _EXACT_DIMENSION:
        return mp.mpf(float(np.linalg.norm(np.array([[float(x) for x in r] for r in rows]), 2)))
    return high_precision.operator_norm(high_precision.to_matrix(rows))


def _stability(instance: Instance) -> Values:
    """K*, δ* and the bound of prop-3.1/sphere."""
    attention = instance.V if instance.A is None else instance.A
    moved = instance.perturbed_attention()
    change = tuple(tuple(x - y for x, y in zip(r, c, strict=True)) for r, c in zip(moved, attention, strict=True))
    norms = {
        "V_norm": _norm(instance.V),
        "A_norm": _norm(attention),
        "perturbed_V_norm": _norm(high_precision.add(instance.V, instance.dV)),
        "perturbed_A_norm": _norm(moved),
        "dV_norm": _norm(instance.dV),
        "dA_norm": _norm(change),
    }
    values: Values = {f.name: to_mpmath(f, **{k: norms[k] for k in f.arguments}) for f in (prop_3_1.K, prop_3_1.DELTA)}
    if instance.T is None:
        return values
    t = mp.mpf(instance.T.numerator) / instance.T.denominator
    if values["K"] == 0:
        return values | {"bound": values["delta"] * t}  # the limit of the formula
    return values | {"bound": to_mpmath(prop_3_1.BOUND, t=t, **norms)}


def _departure(answer: _Answer, level: Level | None, angle: float) -> None:
    """``T_dev_lower``: thm-4.6/lower about u1."""
    name = "T_dev_lower"
    if level is None or level.position is None:
        return answer.missing("u1 is not defined", name)
    start = level.position.tan_max_angle
    if start is None or start >= mp.tan(angle):
        return answer.missing(f"the tokens start {_beyond(start)} from u1, not within {angle:.4g} rad", name)
    b_norm, c_norm = level.blocks.cone_norms()
    w, kappa = mp.mpf(level.blocks.lambda_1) + level.blocks.a, mp.mpf(level.blocks.kappa())
    cone = {"w": w, "kappa": kappa, "cone_separation": w - kappa, "b_norm": b_norm, "c_norm": c_norm}
    integral = exact_deviation_integral(cone, start, mp.tan(angle))
    if mp.isinf(integral):
        return answer.missing(f"never: the tokens stay within {angle:.4g} rad of u1 (thm-4.6/lower)", name)
    answer.values[name] = to_mpmath(thm_4_6.DEVIATION_TIME, slowness_integral=integral)
    return None


def _beyond(start: Any) -> str:
    return "π/2 or more" if start is None else f"{mp.nstr(mp.atan(start), 4)} rad"


def _arrival(answer: _Answer, level: Level | None, angle: float) -> None:
    """``T_plus``: thm-4.6/upper, all tokens within ``angle`` of ũ1."""
    found, reason = _arrival_time(level, mp.mpf(angle))
    answer.values["T_plus"] = found
    answer.missing(reason, "T_plus")


def _detour(answer: _Answer, level: Level | None, angle: float) -> None:
    """``T_dev_upper``: tokens within ∠(u1, ũ1) - angle of ũ1 are beyond ``angle`` from u1."""
    turned = None if level is None else level.values.get("angle")
    if turned is None or not turned > angle:
        return answer.missing(f"ũ1 is not farther than {angle:.4g} rad from u1", "T_dev_upper")
    found, reason = _arrival_time(level, min(turned - angle, mp.pi / 2 - mp.mpf(10) ** -6))
    answer.values["T_dev_upper"] = found
    answer.missing(reason, "T_dev_upper")
    return None


def _arrival_time(level: Level | None, target: Any) -> tuple[Any, str]:
    if level is None or level.perturbed is None:
        return None, "ũ1 is not defined"
    if level.values["sharp_criterion_margin"] is None:
        return None, "needs symmetric V and ΔV"
    gap = mp.mpf(level.perturbed.dominant_gap)
    if not gap > 0:
        return None, "the dominant gap of V + ΔV is not > 0"
    overlap = min(_overlaps(level))
    if not overlap > 0:
        return None, "a token is not in the open hemisphere of ũ1"
    if overlap >= 1:
        return mp.zero, ""
    names = {"overlap": overlap, "target_angle": target, "perturbed_dominant_gap": gap}
    return to_mpmath(thm_4_6.ARRIVAL_TIME, **names), ""


def _overlaps(level: Level) -> list[Any]:
    """Overlaps of the tokens with ±ũ1, the sign being that of most of them."""
    assert level.perturbed is not None
    found = [high_precision.inner(level.perturbed.vector, x) for x in level.tokens]
    return found if sum(1 if p > 0 else -1 for p in found) >= 0 else [-p for p in found]


# --- what is observed -------------------------------------------------------------------------------


def _observe(answer: _Answer, instance: Instance, level: Level | None, angle: float, T: float) -> None:
    """Both flows to T: the largest angle and W2 between them, and the passage times."""
    names = ("observed_angle", "observed_w2", "observed_error", "T_dev", "T_plus_observed")
    assert instance.X0 is not None
    if len(instance.X0) > MAX_TOKENS:
        return answer.missing(f"more than {MAX_TOKENS} tokens are not simulated", *names)
    try:
        tokens = torch.from_numpy(np.ascontiguousarray(instance.arrays()["X0"])).unsqueeze(0)
        flows = [_simulated(tokens, *instance.flow_matrices(moved), T) for moved in (False, True)]
    except (InputError, ValueError) as error:
        return answer.missing(f"not simulated: {error}", *names)
    (base, _), (perturbed, field) = flows
    if not bool((base.converged & perturbed.converged).all()):
        return answer.missing("the integration did not reach T: ||V|| T or ||A|| is too large", *names)
    first, second = base.states[:, -1], perturbed.states[:, -1]
    answer.values["observed_angle"] = float(labelled_angle(first, second))
    answer.values["observed_w2"] = float(exact_w2_batch(first, second))
    answer.values["observed_error"] = float(base.error[0, -1] + perturbed.error[0, -1])
    if level is not None and level.position is not None:
        u1 = [level.position.sign * x for x in level.pair.vector]
        _passage(answer, "T_dev", first_exit, perturbed, field, u1, angle)
    answer.missing("u1 is not defined", "T_dev")
    if level is not None and level.perturbed is not None:
        side = 1 if _overlaps(level)[0] == high_precision.inner(level.perturbed.vector, level.tokens[0]) else -1
        _passage(answer, "T_plus_observed", last_entry, perturbed, field, [side * x for x in level.perturbed.vector],
                 angle)  # fmt: skip
    answer.missing("ũ1 is not defined", "T_plus_observed")
    return None


def _simulated(
    tokens: torch.Tensor, attention: np.ndarray, value: np.ndarray, T: float
) -> tuple[Solution, AttentionField]:
    maps = [torch.from_numpy(np.ascontiguousarray(x)).unsqueeze(0) for x in (attention, value)]
    end = torch.tensor([[T]], dtype=torch.float64)
    dense = tokens.numel() <= _DENSE
    found = simulate(tokens, maps[0], maps[1], end, rtol=_RTOL, atol=_ATOL, max_steps=_STEPS, dense=dense)
    return found, AttentionField(LinearMap(maps[0]), LinearMap(maps[1]))


def _passage(
    answer: _Answer, name: str, passage: Callable[..., Any], solution: Solution, field: AttentionField, u: list[Any],
    angle: float,
) -> None:  # fmt: skip
    """When the largest angle to u passes ``angle``."""
    if solution.dense is None:
        return answer.missing("too many tokens for first-passage times", name)
    direction = torch.tensor([[float(x) for x in u]], dtype=torch.float64)
    event = angle_event(direction, torch.tensor([angle], dtype=torch.float64))
    found = float(passage(solution, field, event).time)
    if math.isnan(found):
        last = float(spectral.max_angle(solution.states[:, -1], direction))
        return answer.missing(f"not before T (the farthest token is then at {last:.4g} rad)", name)
    answer.values[name] = found
    return None
