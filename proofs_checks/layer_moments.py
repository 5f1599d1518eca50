"""Moments of one layer of a random adapter, by Gauss quadrature: the oracle for the exact finite-depth laws.

For rank one and a unit vector e, ``e + k u <v, e>`` with Gaussian u, v depends on three independent numbers: the two
normals ``<v, e>``, ``<u, e>`` and the length of u across e, which is chi distributed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import roots_genlaguerre, roots_hermitenorm

NODES = 80


def one_layer_mean(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], strength: float, across: int, nodes: int = NODES
) -> float:
    """E f(along, across) for ``e + strength g (p e + q)``: g, p ~ N(0, 1), q ~ N(0, I) in ``across`` dimensions.

    f takes the component along e and the length across it, as arrays.
    """
    x, w = roots_hermitenorm(nodes)
    w = w / w.sum()
    y, v = roots_genlaguerre(nodes, across / 2 - 1)
    v = v / v.sum()
    g, p, r = x[:, None, None], x[None, :, None], np.sqrt(2 * y)[None, None, :]
    values = function(1 + strength * g * p, np.abs(strength * g) * r)
    return float(np.einsum("i,j,k,ijk->", w, w, v, values))


def overlap(along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """<N(y), e>."""
    return along / np.hypot(along, across)


def log_length(along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """log |y|."""
    return np.log(np.hypot(along, across))
