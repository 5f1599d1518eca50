"""Closed forms that the sweeps are compared with and that no claim of the ledger states.

The AR(1) sum without a well, and the mean time after which noise carries a token out of the well of u1 in the plane
(d = 2, collapsed, V = diag(g, 0), the SDE limit of Thm. 4.2): the angle θ from u1 obeys
``dθ = -(g/2) sin 2θ dt + σ dB``, so the mean time T(θ) until ``|θ| = Θ`` solves
``(σ²/2) T'' - (g/2) sin 2θ T' = -1``, ``T'(0) = 0``, ``T(Θ) = 0``.
"""

from __future__ import annotations

import math

import numpy as np

from theory import symbols as s
from theory.formula import Formula

_NODES = 96

AR1_FLAT_SUM = Formula(
    name="ar1_flat_sum",
    expr=s.L * (1 + s.correlation) / (1 - s.correlation)
    - 2 * s.correlation * (1 - s.correlation**s.L) / (1 - s.correlation) ** 2,
    lhs=r"\sum_{k,k'<L}\rho^{|k-k'|}",
    source="geometric sums along k - k'",
    domain="0 <= ρ < 1",
)


def escape_time(gap: float, sigma: float, end: float = math.pi / 2) -> float:
    """Mean time from θ = 0 until ``|θ| = end`` (radians), by Gauss-Legendre quadrature of the exact double integral.

    ``T = (2/σ²) ∫_0^end e^{Φ(y)} ∫_0^y e^{-Φ(z)} dz dy``, ``Φ(θ) = (g/σ²) sin²θ``.
    """
    barrier = gap / sigma**2
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    share = (nodes + 1) / 2  # in [0, 1]
    y = end * share
    z = y[:, None] * share[None]
    inner = y / 2 * (np.exp(barrier * (np.sin(y)[:, None] ** 2 - np.sin(z) ** 2)) @ weights)
    return float(2 / sigma**2 * end / 2 * (inner @ weights))
