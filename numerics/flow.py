"""Simulation of the attention flow on the sphere: batches of tokens, one pair of matrices for each instance."""

from __future__ import annotations

import torch
from torch import Tensor

from numerics.field import AttentionField, normalised
from numerics.integrator import Solution, integrate
from numerics.linear_map import LinearMap

UNIT_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
"""How far the length of a token may be from one; tokens within it are normalised before the start."""


def simulate(
    tokens: Tensor,
    attention: LinearMap | Tensor,
    value: LinearMap | Tensor,
    times: Tensor,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 20_000,
    dense: bool = False,
    causal: bool = False,
) -> Solution:
    """Solve ``x_i' = P_{x_i} V m_i``, ``m_i = Σ_j softmax_j(<A x_i, x_j>) x_j`` for B instances at once.

    Parameters
    ----------
    tokens: ``(B, n, d)``, unit vectors, float64 or float32, on the device that shall do the work.
    attention, value: A and V, general; :class:`LinearMap` or ``(B, d, d)``, same type and device.
    times: ``(B, K)``, increasing, not negative.
    rtol, atol, max_steps, dense: as in :func:`numerics.integrator.integrate`. Tokens have length one, so that the
        local error of a token is held below ``rtol + atol``. For float32 ``rtol`` is at least 1e-5.
    causal: token i attends to the tokens ``j <= i`` alone.

    Raises ValueError for arguments that do not fit. Dense output costs about twice the time and much memory.
    """
    _check_tokens(tokens)
    return integrate(
        AttentionField(fitting_map("attention", attention, tokens), fitting_map("value", value, tokens), causal=causal),
        normalised(tokens),
        times,
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        project=normalised,
        dense=dense,
    )


def simulate_pair(
    tokens: Tensor,
    attention: LinearMap | Tensor,
    value: LinearMap | Tensor,
    perturbed_attention: LinearMap | Tensor,
    perturbed_value: LinearMap | Tensor,
    times: Tensor,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 20_000,
    dense: bool = False,
    causal: bool = False,
) -> tuple[Solution, Solution]:
    """The base and the perturbed flow from the same tokens, in one batch of 2B; arguments as in :func:`simulate`.

    Each keeps its own step lengths: the results are those of two separate calls, up to rounding.
    """
    _check_tokens(tokens)
    base = fitting_map("attention", attention, tokens), fitting_map("value", value, tokens)
    other = (
        fitting_map("perturbed_attention", perturbed_attention, tokens),
        fitting_map("perturbed_value", perturbed_value, tokens),
    )
    both = simulate(
        torch.cat([tokens, tokens]),
        LinearMap.cat([base[0], other[0]]),
        LinearMap.cat([base[1], other[1]]),
        torch.cat([times, times]),
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        dense=dense,
        causal=causal,
    )
    index = torch.arange(2 * tokens.shape[0], device=tokens.device)
    first, second = index.chunk(2)
    return both.select(first), both.select(second)


def fitting_map(name: str, matrix: LinearMap | Tensor, tokens: Tensor) -> LinearMap:
    """The argument ``name`` as a linear map that fits the tokens; ValueError where it does not."""
    linear_map = matrix if isinstance(matrix, LinearMap) else LinearMap(matrix)
    parts = [x for x in (linear_map.dense, linear_map.left, linear_map.right) if x is not None]
    if linear_map.dense.shape[:2] != tokens.shape[::2]:
        raise ValueError(f"{name} of shape {tuple(linear_map.dense.shape)} does not fit tokens {tuple(tokens.shape)}")
    for part in parts:
        if part.dtype != tokens.dtype or part.device != tokens.device:
            raise ValueError(f"{name} is {part.dtype} on {part.device}, tokens {tokens.dtype} on {tokens.device}")
        if not bool(part.isfinite().all()):
            raise ValueError(f"{name} must be finite")
    return linear_map


def _check_tokens(tokens: Tensor) -> None:
    """Raise ValueError unless the tokens are finite unit vectors of a supported type."""
    tolerance = UNIT_TOLERANCE.get(tokens.dtype)
    if tokens.ndim != 3 or 0 in tokens.shape[1:] or tolerance is None:
        raise ValueError(
            f"tokens must be float32 or float64 of shape (B, n, d), found {tokens.dtype} {tuple(tokens.shape)}"
        )
    if not bool(tokens.isfinite().all()):
        raise ValueError("tokens must be finite")
    off = (torch.linalg.vector_norm(tokens, dim=2) - 1).abs()
    if bool((off > tolerance).any()):
        raise ValueError(f"tokens must be unit vectors: a length is off by {float(off.max()):.1e}")
