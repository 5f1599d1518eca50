"""Predicted leading eigenvalue: the root of theory's secular equation above the largest ``mu``, in batches."""

from __future__ import annotations

from typing import Any

import torch
from mpmath import mp

from theory.lowering import to_mpmath, to_torch
from theory.remark_3_4 import SECULAR_RESIDUAL

_BISECTIONS = 72  # 8 to find the magnitude, then one bit each


def shifted_arguments(planted: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """``lambda_1``, ``mu``, ``alpha``, ``a`` with the origin at the largest ``mu``.

    The secular equation does not depend on the origin; from there the small difference λ̃1 - mu_max keeps its digits.
    """
    origin = planted["mu"].amax(dim=-1)
    return {
        "lambda_1": planted["lambda_1"] - origin,
        "a": planted["a"],
        "mu": planted["mu"] - origin.unsqueeze(-1),
        "alpha": planted["alpha"],
    }


def secular_root(planted: dict[str, torch.Tensor]) -> torch.Tensor:
    """λ̃1 - mu_max (B,) by bisection in the logarithm; NaN where there is no root above mu_max (then ũ1 ⊥ u1)."""
    values = shifted_arguments(planted)
    reach = values["alpha"].norm(dim=-1)
    start = values["lambda_1"] + values["a"]
    high = torch.maximum(start, torch.zeros_like(start)) + reach + torch.finfo(start.dtype).tiny
    low = torch.maximum(start, high * 1e-40)

    def residual(x: torch.Tensor) -> torch.Tensor:
        return to_torch(SECULAR_RESIDUAL, perturbed_lambda_1=x, **values)

    exists = residual(low) <= 0
    for _ in range(_BISECTIONS):
        middle = torch.where(high > 4 * low, (low * high).sqrt(), (low + high) / 2)
        below = residual(middle) < 0
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return torch.where(exists, (low + high) / 2, torch.nan)


def exact_root(values: dict[str, Any]) -> Any:
    """λ̃1, the root above every ``mu``, by bisection at the current mpmath precision.

    ``values`` has ``lambda_1``, ``a``, ``mu``, ``alpha``. Only for instances that have such a root.
    """
    arguments = {name: values[name] for name in ("lambda_1", "a", "mu", "alpha")}
    top = max(values["mu"])
    reach = mp.sqrt(mp.fsum(x * x for x in values["alpha"]))
    low = max(values["lambda_1"] + values["a"], top)
    high = low + reach + mp.eps
    for _ in range(mp.prec + 16):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if to_mpmath(SECULAR_RESIDUAL, perturbed_lambda_1=middle, **arguments) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
