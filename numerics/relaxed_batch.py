"""The flows of :mod:`numerics.relaxed` by the integrator of this project, over torch, many of one shape at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numerics.integrator import integrate
from numerics.relaxed import SHORTEST, Array, Network, Phases

Request = tuple[Phases, Array]
"""Networks with how long each acts, and the tokens ``(n, d)`` that they act on."""
_RTOL, _ATOL, _STEPS = 1e-12, 1e-14, 20_000
_ROUGH_RTOL, _ROUGH_ATOL, _ROUGH_STEPS = 1e-6, 1e-8, 300


def flow_again(phases: Phases, tokens: Array) -> Array:
    """The tokens ``(n, d)`` after all phases. Raises RuntimeError where it fails."""
    (found,) = _flows([(phases, tokens)], _RTOL, _ATOL, _STEPS)
    if found is None:
        raise RuntimeError("the tokens could not be followed to the end")
    return found


def flows_roughly(requests: Sequence[Request]) -> list[Array | None]:
    """The tokens after all phases of each request, at a tolerance of 1e-6; None where they could not be followed."""
    return _flows(requests, _ROUGH_RTOL, _ROUGH_ATOL, _ROUGH_STEPS)


def _flows(requests: Sequence[Request], rtol: float, atol: float, steps: int) -> list[Array | None]:
    found: list[Array | None] = [None] * len(requests)
    alike: dict[Any, list[int]] = {}
    for k, (phases, tokens) in enumerate(requests):
        alike.setdefault((tokens.shape, tuple(_shape(network) for network, _ in phases)), []).append(k)
    for rows in alike.values():
        here = torch.as_tensor(np.stack([np.asarray(requests[k][1], dtype=float) for k in rows]))
        followed = torch.ones(len(rows), dtype=torch.bool)
        for phase in zip(*(requests[k][0] for k in rows), strict=True):
            block = _stacked([network for network, _ in phase])
            times = torch.tensor([[float(time)] for _, time in phase], dtype=torch.float64)
            solution = integrate(block, here, times, rtol=rtol, atol=atol, max_steps=steps)
            end = solution.states[:, 0]
            if block.sphere:
                end = end / end.norm(dim=-1, keepdim=True)
            followed = followed & solution.converged & end.isfinite().all(dim=2).all(dim=1)
            here = torch.where(followed[:, None, None], end, here)
        for place, k in enumerate(rows):
            found[k] = here[place].numpy() if followed[place] else None
    return found


def _shape(network: Network) -> Any:
    mlp = None if network.mlp is None else network.mlp[0].shape
    return len(network.heads), mlp, network.causal, network.sphere, network.pre_norm


@dataclass(frozen=True)
class _Block:
    """B networks of one shape: attention and value ``(heads, B, d, d)``, the MLP ``(B, k, d)`` and ``(B, d, k)``."""

    attention: Tensor
    value: Tensor
    mlp: tuple[Tensor, Tensor] | None
    causal: bool
    sphere: bool
    pre_norm: bool

    def __call__(self, _t: Tensor, x: Tensor) -> Tensor:
        n, seen = x.shape[1], x
        if self.pre_norm:
            size = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
            seen = x / torch.where(size > SHORTEST, size, torch.nan)
        total = torch.zeros_like(x)
        for A, V in zip(self.attention, self.value, strict=True):
            logits = torch.einsum("bic,bjc->bij", seen @ A.mT, seen)
            if self.causal:
                logits = logits + torch.full((n, n), -torch.inf, dtype=x.dtype).triu(1)
            total = total + logits.softmax(-1) @ seen @ V.mT
        if self.mlp is not None:
            total = total + (seen @ self.mlp[0].mT).clamp(min=0) @ self.mlp[1].mT
        return total - (total * x).sum(-1, keepdim=True) * x if self.sphere else total

    def select(self, index: Tensor) -> _Block:
        """The networks of some of the instances."""
        mlp = None if self.mlp is None else (self.mlp[0][index], self.mlp[1][index])
        heads = self.attention[:, index], self.value[:, index]
        return _Block(*heads, mlp, self.causal, self.sphere, self.pre_norm)


def _stacked(networks: Sequence[Network]) -> _Block:
    first = networks[0]
    heads = np.array([list(network.heads) for network in networks])  # (B, heads, 2, d, d)
    attention, value = (torch.as_tensor(heads[:, :, k]).transpose(0, 1).contiguous() for k in (0, 1))
    mlp = None
    if first.mlp is not None:
        weights = [network.mlp for network in networks if network.mlp is not None]
        mlp = (torch.as_tensor(np.stack([w for w, _ in weights])), torch.as_tensor(np.stack([w for _, w in weights])))
    return _Block(attention, value, mlp, first.causal, first.sphere, first.pre_norm)
