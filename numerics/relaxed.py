"""Attention flows and layers with what the theorems leave out: more heads, an MLP block, a mask, Pre-LN, no LayerNorm.

By scipy's DOP853 over numpy, for single small systems; :mod:`numerics.relaxed_batch` is the other integrator, which
shares only the equations as text, and :mod:`numerics.flow` has the large ones. Correlated adapters enter through the
square of a linear response, again evaluated in two ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
_RTOL, _ATOL = 1e-12, 1e-14
SHORTEST = 1e-6
"""Length below which a token of a Pre-LN stream has no direction."""


@dataclass(frozen=True)
class Network:
    """One block: ``drive_i = Σ_h V_h m_i^h + W2 max(W1 x_i, 0)``.

    Attributes
    ----------
    heads: pairs (A, V), each d×d.
    mlp: (W1 (k×d), W2 (d×k)) or None.
    causal: token i attends to the tokens ``j <= i`` alone.
    sphere: tokens move on the sphere (``P_x`` in a flow, normalisation after a layer); otherwise freely.
    pre_norm: off the sphere, the block reads the tokens normalised (Pre-LN), the stream itself is not.
    """

    heads: tuple[tuple[Array, Array], ...]
    mlp: tuple[Array, Array] | None = None
    causal: bool = False
    sphere: bool = True
    pre_norm: bool = False

    def drive(self, tokens: Array) -> Array:
        """The drive of every token ``(n, d)``.

        Raises RuntimeError where a token that is to be normalised has no direction left: such a stream may reach 0.
        """
        if self.pre_norm:
            size = np.linalg.norm(tokens, axis=1, keepdims=True)
            if not size.min() > SHORTEST:
                raise RuntimeError("a token has no direction left")
            tokens = tokens / size
        total = np.zeros_like(tokens)
        for A, V in self.heads:
            logits = tokens @ A.T @ tokens.T
            if self.causal:
                logits[np.triu_indices(len(tokens), 1)] = -np.inf
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            total += weights / weights.sum(axis=1, keepdims=True) @ tokens @ V.T
        if self.mlp is not None:
            total += np.maximum(tokens @ self.mlp[0].T, 0) @ self.mlp[1].T
        return total


Phases = Sequence[tuple[Network, float]]
"""Networks one after the other, each with how long it acts."""


def flow_roughly(phases: Phases, tokens: Array) -> Array:
    """:func:`flow` at a tolerance of 1e-6: to look for candidates."""
    return flow(phases, tokens, 1e-6, 1e-8)


def flow(phases: Phases, tokens: Array, rtol: float = _RTOL, atol: float = _ATOL) -> Array:
    """The tokens ``(n, d)`` after all phases, by scipy's DOP853. Raises RuntimeError where it fails."""
    here = np.array(tokens, dtype=float)
    for network, time in phases:

        def velocity(_t: float, flat: Array, network: Network = network, shape: tuple[int, ...] = here.shape) -> Array:
            x = flat.reshape(shape)
            pull = network.drive(x)
            return (pull - np.sum(pull * x, axis=1, keepdims=True) * x if network.sphere else pull).ravel()

        solved = solve_ivp(velocity, (0.0, time), here.ravel(), method="DOP853", rtol=rtol, atol=atol)
        if not solved.success or not np.isfinite(solved.y[:, -1]).all():
            raise RuntimeError(f"scipy's DOP853 failed: {solved.message}")
        here = solved.y[:, -1].reshape(here.shape)
        if network.sphere:
            here = here / np.linalg.norm(here, axis=1, keepdims=True)
    return here


def layers(networks: Sequence[Network], h: float, tokens: Array) -> Array:
    """The tokens after the layers ``x + h drive``, normalised where the network is on the sphere.

    Raises RuntimeError where no direction is left to normalise.
    """
    here = np.array(tokens, dtype=float)
    for network in networks:
        here = here + h * network.drive(here)
        if network.sphere:
            size = np.linalg.norm(here, axis=1, keepdims=True)
            if not size.min() > 1e-9:
                raise RuntimeError("a token has no direction left")
            here = here / size
    return here


def square_by_covariance(responses: Array, correlation: float) -> float:
    """``E|Σ_l <D_l, ΔV^l>|²`` for stationary AR(1) adapters with entries of variance one.

    ``responses``: D, ``(L, entries, observed)``; ``correlation``: ρ of successive layers, 0 independent, 1 tied. The
    covariance of two layers is ``ρ^|l - l'|``.
    """
    lag = np.abs(np.subtract.outer(np.arange(len(responses)), np.arange(len(responses))))
    return float(np.einsum("kl,kep,lep->", float(correlation) ** lag, responses, responses))


def square_by_innovations(responses: Array, correlation: float) -> float:
    """The same from ``ΔV^{l+1} = ρ ΔV^l + √(1-ρ²) fresh``: the response to each fresh draw, backwards in the layers."""
    fresh, later, total = 1 - correlation**2, np.zeros_like(responses[0]), 0.0
    for depth in range(len(responses) - 1, -1, -1):
        later = responses[depth] + correlation * later
        total += float((later**2).sum()) * (fresh if depth else 1.0)
    return total
