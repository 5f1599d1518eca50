"""Exact solutions and invariants of the flow on the sphere: what a simulation is held against.

None of them uses a formula of the claims. Torch functions keep type and device of their arguments.
"""

from __future__ import annotations

import math

import torch
from scipy.integrate import quad
from scipy.optimize import brentq
from torch import Tensor

from numerics.linear_map import LinearMap


def one_token(token: Tensor, value: Tensor, times: Tensor) -> Tensor:
    """One token alone, ``e^{tV} x0 / |e^{tV} x0|``: ``(B, K, d)`` from ``token (B, d)``, V ``(B, d, d)``, ``(B, K)``.

    Accurate while ``t ||V||`` is moderate: the matrix exponential overflows beyond 700 (float32: 88), and loses
    digits in proportion to it.
    """
    flow = torch.linalg.matrix_exp(value.unsqueeze(1) * times.unsqueeze(-1).unsqueeze(-1))
    moved = torch.matmul(flow, token.unsqueeze(1).unsqueeze(-1)).squeeze(-1)
    return moved / torch.linalg.vector_norm(moved, dim=-1, keepdim=True)


def kuramoto_order(angle: Tensor, times: Tensor) -> Tensor:
    """Length ``r`` of the mean of two tokens on the circle, V = I, A = 0, that start ``angle`` apart (radians).

    ``r = 1/√(1 + tan²(angle/2) e^{-2t})``, for ``angle`` in [0, π); shapes broadcast.
    """
    return (1 + (torch.tan(angle / 2) * torch.exp(-times)) ** 2).rsqrt()


def equiangular_cosine(cosine: float, beta: float, n: int, time: float) -> float:
    """Common cosine ρ(t) of n >= 2 equiangular tokens, V = I, A = βI, from ``cosine`` in (-1/(n-1), 1).

    ``ρ' = 2 e^{βρ} (1-ρ)((n-1)ρ+1) / (e^β + (n-1)e^{βρ})``. In ``u = log(((n-1)ρ+1)/(1-ρ))`` time is the integral
    ``t = ∫ (e^{β(1-ρ)} + n-1)/(2n) du`` of a smooth function; it is inverted by bracketing. Error about 1e-12.
    """
    if not -1 / (n - 1) < cosine < 1:
        raise ValueError(f"{n} equiangular tokens that move have a cosine in (-1/{n - 1}, 1), found {cosine}")

    def cosine_at(u: float) -> float:
        return 1 - n / (math.exp(u) + n - 1)

    def pace(u: float) -> float:
        return (math.exp(beta * (1 - cosine_at(u))) + n - 1) / (2 * n)

    def lateness(u: float) -> float:
        return quad(pace, start, u, epsabs=1e-14, epsrel=1e-13, limit=200)[0] - time

    start = math.log(((n - 1) * cosine + 1) / (1 - cosine))
    slowest = (math.exp(min(0.0, beta * (1 + 1 / (n - 1)))) + n - 1) / (2 * n)
    if time == 0:
        return cosine
    end = brentq(lateness, start, start + 1.01 * time / slowest, xtol=1e-13)
    return cosine_at(float(end))  # type: ignore[arg-type]


def equiangular_tokens(n: int, dimension: int, cosine: float) -> Tensor:
    """n unit tokens of R^d, n <= d, with all pairwise cosines equal, float64 ``(n, d)``; -1/(n-1) <= cosine <= 1."""
    gram = (1 - cosine) * torch.eye(n, dtype=torch.float64) + cosine
    eigenvalues, vectors = torch.linalg.eigh(gram)
    tokens = torch.zeros(n, dimension, dtype=torch.float64)
    tokens[:, :n] = vectors * eigenvalues.clamp(min=0).sqrt()
    return tokens


def cross_ratios(tokens: Tensor) -> Tensor:
    """``|x_i-x_j||x_k-x_l| / (|x_i-x_l||x_k-x_j|)`` of each four consecutive tokens: ``(..., n, d)`` to ``(..., n-3)``.

    Conserved where A = 0: all tokens then follow the same vector field, whose flow is a Möbius map of the sphere.
    """
    i, j, k, m = (tokens.narrow(-2, shift, tokens.shape[-2] - 3) for shift in range(4))

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return torch.linalg.vector_norm(x - y, dim=-1)

    return distance(i, j) * distance(k, m) / (distance(i, m) * distance(k, j))


def energy(attention: LinearMap, tokens: Tensor) -> Tensor:
    """``Σ_ij e^{<A x_i, x_j>}``, ``(B,)``; it never decreases along the flow where V = A is symmetric."""
    return torch.bmm(attention.apply(tokens), tokens.mT).exp().sum(dim=(1, 2))


def energy_rate(attention: LinearMap, tokens: Tensor, velocity: Tensor) -> Tensor:
    """``2 Σ_i Z_i |x_i'|²``, ``(B,)``, the rate of :func:`energy` for V = A symmetric; Z_i the softmax denominator."""
    denominator = torch.bmm(attention.apply(tokens), tokens.mT).exp().sum(dim=2)
    return 2 * (denominator * (velocity * velocity).sum(dim=2)).sum(dim=1)
