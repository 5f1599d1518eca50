"""A second, independent look at one instance: 50-digit spectra (mpmath), and tokens by two integrators.

What a batch measured in float64 is a violation only where this confirms it. The same code answers ``replay``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from mpmath import mp

from numerics import high_precision, spectral
from numerics.flow import simulate
from numerics.reference import simulate_reference
from proofs_checks.checks.comparison import TOLERANCE_FACTOR
from proofs_checks.instance_file import Instance
from theory.formula import Formula
from theory.lowering import to_mpmath

DIGITS = 50
_RTOL, _ATOL = 1e-13, 1e-15
_STATIC_ERROR = 1e-30


@dataclass(frozen=True)
class Confirmation:
    """The claim on one instance, measured again.

    Attributes
    ----------
    observed, bound, error: as in a comparison; observed is the smaller of the independent measurements.
    applies: whether the claim's hypotheses hold on this instance.
    violated: whether the claim fails on it beyond 10 times the error.
    methods: how it was measured.
    lower: whether the bound is a lower one.
    """

    observed: float
    bound: float
    error: float
    applies: bool
    violated: bool
    methods: tuple[str, ...]
    lower: bool = False

    @property
    def ratio(self) -> float:
        """observed / bound; bound / observed where it is a lower bound."""
        above, below = (self.bound, self.observed) if self.lower else (self.observed, self.bound)
        return above / below if below else float("inf")


def exact_values(instance: Instance) -> dict[str, Any]:
    """Spectral quantities of the instance at the current mpmath precision, by their names in code.

    With ``u`` in the instance's metadata, ``w``, ``kappa``, ``b_norm``, ``c_norm`` are those of V + ΔV about u;
    otherwise about u1 of V. ``mu`` and ``alpha`` are there where V and ΔV are symmetric.
    """
    V, dV = high_precision.to_matrix(instance.V), high_precision.to_matrix(instance.dV)
    symmetric = high_precision.is_symmetric(instance.V)
    both = symmetric and high_precision.is_symmetric(instance.dV)
    pair, perturbed = _leading_or_none(V, symmetric), _leading_or_none(V + dV, both)
    given = _given_direction(instance)
    values = dict.fromkeys(_EIGEN_NAMES, mp.nan)
    values |= {"symmetric": both, "symmetric_base": symmetric}
    # A complex leading pair is no error: the hypotheses that need it compare with NaN and fail.
    anywhere = [mp.one] + [mp.zero] * (instance.d - 1)
    values["u1"] = pair.vector if pair else (given or anywhere)
    values["u"] = given or values["u1"]
    values["perturbed_u1"] = perturbed.vector if perturbed else values["u1"]
    if pair or given:
        values |= _about(V + dV, values["u"])
    if pair and perturbed:
        values |= _pair_values(V, dV, pair, perturbed, symmetric, both)
    return values


_EIGEN_NAMES = (
    "lambda_1", "gap", "smallest", "dominant_gap", "a", "E_norm", "perturbed_lambda_1", "perturbed_dominant_gap",
    "w", "kappa", "cone_separation", "b_norm", "c_norm", "chord", "angle", "tan_squared",
)  # fmt: skip


def _leading_or_none(matrix: Any, symmetric: bool) -> high_precision.Eigenpair | None:
    try:
        return high_precision.leading_eigenpair(matrix, symmetric)
    except high_precision.NoRealLeadingEigenvalue:
        return None


def _pair_values(
    V: Any,
    dV: Any,
    pair: high_precision.Eigenpair,
    perturbed: high_precision.Eigenpair,
    symmetric: bool,
    both: bool,
) -> dict[str, Any]:
    blocks = high_precision.split(V, dV, pair, symmetric)
    values: dict[str, Any] = {
        "lambda_1": pair.value,
        "gap": pair.gap,
        "smallest": min(mp.re(x) for x in pair.values),
        "dominant_gap": pair.dominant_gap,
        "a": blocks.a,
        "E_norm": high_precision.operator_norm(blocks.E),
        "perturbed_lambda_1": perturbed.value,
        "perturbed_dominant_gap": perturbed.dominant_gap,
    }
    moved = high_precision.drift(pair.vector, perturbed.vector)
    values |= {"chord": moved.chord, "angle": moved.angle, "tan_squared": moved.tan_squared}
    if both:
        values["mu"], values["alpha"] = high_precision.perpendicular_spectrum(blocks)
    return values


def _given_direction(instance: Instance) -> list[Any] | None:
    given = instance.meta.get("u")
    if given is None:
        return None
    vector = [mp.mpf(str(x)) for x in given]
    size = high_precision.norm(vector)
    return [x / size for x in vector]


def _about(matrix: Any, u: list[Any]) -> dict[str, Any]:
    q = high_precision.frame(u)
    own = q.T * matrix * q
    rest = range(1, own.rows)
    kappa = high_precision.operator_norm(own[1:, 1:])
    return {
        "w": own[0, 0],
        "kappa": kappa,
        "cone_separation": own[0, 0] - kappa,
        "b_norm": high_precision.norm([own[i, 0] for i in rest]),
        "c_norm": high_precision.norm([own[0, i] for i in rest]),
    }


def confirm_static(
    instance: Instance,
    formula: Formula,
    observed: str,
    applies: Callable[[dict[str, Any]], bool],
    relation: Literal["<=", "=="] = "<=",
) -> Confirmation:
    """A claim about matrices alone: ``observed`` (a name of :func:`exact_values`) against the formula, at 50 digits."""
    with mp.workdps(DIGITS):
        values = exact_values(instance)
        if not applies(values) or values[observed] is None:
            return Confirmation(0.0, 0.0, 0.0, False, False, (f"mpmath at {DIGITS} digits",))
        bound = to_mpmath(formula, **{name: values[name] for name in formula.arguments})
        excess = values[observed] - bound
        excess = abs(excess) if relation == "==" else excess
        error = _STATIC_ERROR * max(abs(bound), abs(values[observed]))
        violated = bool(excess > TOLERANCE_FACTOR * error)
        return Confirmation(
            float(values[observed]), float(bound), float(error), True, violated, (f"mpmath at {DIGITS} digits",)
        )


Reading = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(states (1, K, n, d), direction (1, d)) → observed (1, K)."""


def confirm_tokens(
    instance: Instance,
    formula: Formula,
    *,
    perturbed: bool,
    about: str,
    reading: Reading,
    applies: Callable[[dict[str, Any]], bool],
) -> Confirmation:
    """A claim about tokens: simulated at a 100 times tighter tolerance and by scipy's DOP853, spectra at 50 digits.

    ``about`` names the direction (``u1``, ``u`` or ``perturbed_u1``); the formula is evaluated at T/3 and T.
    """
    methods = (f"own integrator at rtol {_RTOL:g}", "scipy DOP853 at rtol 1e-13", f"mpmath at {DIGITS} digits")
    if instance.X0 is None or instance.T is None:
        return Confirmation(0.0, 0.0, 0.0, False, False, methods)
    arrays = instance.arrays()
    tokens = arrays["X0"]
    with mp.workdps(DIGITS):
        values = exact_values(instance)
        direction = _oriented(np.array([float(x) for x in values[about]]), values, tokens)
        reach = torch.from_numpy(direction).unsqueeze(0)
        start = spectral.tan_max_angle(torch.from_numpy(tokens).unsqueeze(0), reach)
        values["tan_max_angle_0"] = mp.mpf(float(start))
        if not bool(start.isfinite().all()) and "tan_max_angle_0" in formula.arguments:
            return Confirmation(0.0, 0.0, 0.0, False, False, methods)
        if not applies(values):
            return Confirmation(0.0, 0.0, 0.0, False, False, methods)
        times = np.array([float(instance.T) / 3, float(instance.T)])
        bounds = [
            float(to_mpmath(formula, **{k: mp.mpf(t) if k == "t" else values[k] for k in formula.arguments}))
            for t in times
        ]
    own, own_error, reference = _two_simulations(instance, tokens, times, perturbed)
    first, second = (reading(torch.from_numpy(x).unsqueeze(0), reach)[0].numpy() for x in (own, reference))
    first, second = np.broadcast_to(first, times.shape), np.broadcast_to(second, times.shape)
    observed = np.minimum(first, second)
    error = np.maximum(own_error * (1 + first**2), np.abs(first - second))
    limits = np.maximum(np.array(bounds), np.finfo(float).tiny)  # a bound may underflow at a huge T
    excess = observed - limits - TOLERANCE_FACTOR * error
    if not np.isfinite(observed).any():
        return Confirmation(math.nan, bounds[-1], math.inf, True, False, (*methods, "not simulated to T"))
    k = int(np.nanargmax(observed / limits))
    return Confirmation(float(observed[k]), bounds[k], float(error[k]), True, bool(np.any(excess > 0)), methods)


def _oriented(direction: np.ndarray, values: dict[str, Any], tokens: np.ndarray) -> np.ndarray:
    """u1 on the tokens' side, ũ1 with <u1, ũ1> >= 0; a given u as it is."""
    u1 = np.array([float(x) for x in values["u1"]])
    u1 = u1 * (-1.0 if np.sign(tokens @ u1).sum() < 0 else 1.0)
    if values["u"] is not values["u1"]:
        u1 = np.array([float(x) for x in values["u"]])
    return direction * (-1.0 if direction @ u1 < 0 else 1.0)


def _two_simulations(
    instance: Instance, tokens: np.ndarray, times: np.ndarray, perturbed: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    attention, value = instance.flow_matrices(perturbed)
    batch = [torch.from_numpy(np.ascontiguousarray(x)).unsqueeze(0) for x in (tokens, attention, value, times)]
    own = simulate(*batch, rtol=_RTOL, atol=_ATOL)
    reference = simulate_reference(tokens, attention, value, times)
    return own.states[0].numpy(), own.error[0].numpy(), reference
