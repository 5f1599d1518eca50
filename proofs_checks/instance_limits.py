"""Where the tokens of one instance go: the limits ±u1 of the base and ±ũ1 of the perturbed flow, where that is certain.

One token: ``x(t) = e^{tV}x0 / |e^{tV}x0|`` goes to the side that the left leading eigenvector says, exactly. Several:
a cone about ±u1 with ``S > 0`` and ``ϑ < S/|c|`` is invariant and contracts, so tokens in it are decided; where they
start outside, they are simulated until they enter it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp

from numerics.high_precision import Basin, Eigenpair, inner
from numerics.reference import simulate_reference
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.instance_measure import Level, token_position

MAX_TOKENS = 64
_MAX_STEPS = 2_000  # time times norm: beyond this a simulation costs too much for one answer
_MARGIN = 1e-6  # what a simulated state must be inside by: far above the simulator's error


def token_limits(instance: Instance, level: Level) -> tuple[int | None, int | None]:
    """Signs of the limits about u1 and about ũ1 (with <u1,ũ1> >= 0); None where not shown."""
    if level.perturbed is None:
        return None, None
    perturbed, basin = level.perturbed, level.perturbed_basin
    if inner(level.pair.vector, perturbed.vector) < 0:
        perturbed = _flipped(perturbed)
    first = _exact_limit(level.pair, level.base_basin, level.tokens)
    second = _exact_limit(perturbed, basin, level.tokens)
    if first is None:
        first = _simulated_limit(instance, level.pair, level.base_basin, perturbed=False)
    if second is None:
        second = _simulated_limit(instance, perturbed, basin, perturbed=True)
    return first, second


def _flipped(pair: Eigenpair) -> Eigenpair:
    vector, left = [-x for x in pair.vector], [-x for x in pair.left]
    return Eigenpair(pair.values, pair.value, vector, left, pair.gap, pair.dominant_gap)


def _exact_limit(pair: Eigenpair, basin: Basin | None, tokens: list[list[Any]]) -> int | None:
    noise = mp.mpf(10) ** (-mp.dps // 2)
    if len(tokens) == 1:
        overlap = inner(pair.left, tokens[0])
        return None if abs(overlap) <= noise else (1 if overlap > 0 else -1)
    return _inside(pair, basin, tokens, noise)


def _inside(pair: Eigenpair, basin: Basin | None, tokens: list[list[Any]], margin: Any) -> int | None:
    """The sign of the cone about ±u that holds all tokens, by the margin."""
    position = token_position(pair.vector, tokens)
    if basin is None or position is None or position.tan_max_angle is None or position.gamma <= margin:
        return None
    free = basin.separation - basin.c_norm * position.tan_max_angle
    return position.sign if free > margin * abs(pair.value) and basin.separation > 0 else None


def _simulated_limit(instance: Instance, pair: Eigenpair, basin: Basin | None, *, perturbed: bool) -> int | None:
    """Simulate until the tokens are inside a cone; None where they do not get there in the time given."""
    if basin is None or not basin.separation > 0 or instance.X0 is None or len(instance.X0) > MAX_TOKENS:
        return None
    try:
        arrays = instance.arrays()
    except InputError:
        return None
    attention, value = instance.flow_matrices(perturbed)
    horizon = 30 / float(basin.separation)
    if not horizon * float(np.linalg.norm(value, 2)) < _MAX_STEPS:
        return None
    times = np.linspace(0, horizon, 13)[1:]
    try:
        states = simulate_reference(arrays["X0"], attention, value, times, rtol=1e-11, atol=1e-12)
    except (RuntimeError, FloatingPointError):
        return None
    for state in states:
        limit = _inside(pair, basin, [[mp.mpf(float(x)) for x in row] for row in state], mp.mpf(_MARGIN))
        if limit is not None:
            return limit
    return None
