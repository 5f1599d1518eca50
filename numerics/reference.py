"""A second simulator of the flows, independent of the first: scipy's DOP853 on one instance, in numpy.

Shares no code with :mod:`numerics.field` and :mod:`numerics.integrator`. Slow; meant to check them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import softmax

Array = NDArray[np.float64]


def attention_velocity(
    tokens: Array, attention: Array, value: Array, *, sphere: bool = True, causal: bool = False
) -> Array:
    """``P_{x_i} V m_i`` token by token, for tokens ``(n, d)``; P_x = I - x xᵀ as written, also off the sphere.

    Without ``sphere`` the velocity is ``V m_i``; with ``causal`` token i attends to the tokens ``j <= i`` alone.
    """
    velocity = np.empty_like(tokens)
    for i, x in enumerate(tokens):
        seen = tokens[: i + 1] if causal else tokens
        weights = softmax(seen @ (attention @ x))
        drive = value @ (weights @ seen)
        velocity[i] = drive - np.dot(x, drive) * x if sphere else drive
    return velocity


def simulate_reference(
    tokens: Array,
    attention: Array,
    value: Array,
    times: Array,
    rtol: float = 1e-13,
    atol: float = 1e-14,
    *,
    sphere: bool = True,
    causal: bool = False,
) -> Array:
    """Tokens ``(K, n, d)`` at the increasing times ``(K,)``, from ``tokens (n, d)`` at time zero.

    The tokens are not projected on the way, only normalised at output. Raises RuntimeError where scipy fails or the
    velocity is not finite. The global error is that of the tolerances times the growth of the flow, about 1e-12.
    ``sphere`` and ``causal`` as in :func:`attention_velocity`; without ``sphere`` tokens keep their lengths.
    """
    tokens = np.asarray(tokens, dtype=np.float64)
    times = np.asarray(times, dtype=np.float64)
    shape = tokens.shape

    def velocity(_t: float, flat: Array) -> Array:
        found = attention_velocity(flat.reshape(shape), attention, value, sphere=sphere, causal=causal).ravel()
        if not np.isfinite(found).all():  # scipy would shorten its step for ever
            raise RuntimeError("the velocity of the tokens is not finite")
        return found

    current, start, states = tokens.ravel(), 0.0, []
    for time in times:  # stop at each time: an interpolant would be less accurate than the steps
        if time > start:
            solved = solve_ivp(velocity, (start, time), current, method="DOP853", rtol=rtol, atol=atol)
            if not solved.success:
                raise RuntimeError(f"scipy's DOP853 failed: {solved.message}")
            current, start = solved.y[:, -1], time
        states.append(current.reshape(shape))
    result = np.stack(states)
    return result / np.linalg.norm(result, axis=-1, keepdims=True) if sphere else result
