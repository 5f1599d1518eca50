"""The flow on the sphere, or in R^d, as a function that autograd goes through: a fixed number of Runge-Kutta steps.

For ascent on how near a bound is; nothing is measured with it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def velocity(attention: Tensor, value: Tensor, tokens: Tensor, sphere: bool = True) -> Tensor:
    """``P_{x_i} V m_i`` for B instances (off the sphere ``V m_i``): matrices ``(B, d, d)``, tokens ``(B, n, d)``."""
    weights = (tokens @ attention.mT @ tokens.mT).softmax(dim=2)
    pull = weights @ tokens @ value.mT
    return pull - (pull * tokens).sum(dim=2, keepdim=True) * tokens if sphere else pull


def flow(
    attention: Tensor, value: Tensor, tokens: Tensor, time: Tensor, steps: int = 12, sphere: bool = True
) -> Tensor:
    """Tokens ``(B, n, d)`` after ``time (B,)``: ``steps`` classical Runge-Kutta steps, each back on the sphere.

    Without ``sphere`` the tokens have any length and move in R^d.
    """
    h = (time / steps)[:, None, None]
    for _ in range(steps):
        k1 = velocity(attention, value, tokens, sphere)
        k2 = velocity(attention, value, tokens + h / 2 * k1, sphere)
        k3 = velocity(attention, value, tokens + h / 2 * k2, sphere)
        k4 = velocity(attention, value, tokens + h * k3, sphere)
        tokens = tokens + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if sphere:
            tokens = tokens / torch.linalg.vector_norm(tokens, dim=2, keepdim=True)
    return tokens
