"""The layered Post-LN model ``x^{l+1} = N(x^l + h (V + ΔV^l) m^l)``, ``N(y) = y/|y|``, for batches of instances.

``m_i = Σ_j softmax_j(<A x_i, x_j>) x_j``, with a causal mask over ``j <= i`` if wanted. Both conventions of time are
the caller's: ``h = T/L`` (T fixed) or h fixed (``T = hL``). States come layer by layer, so that statistics can be
taken along the way without keeping them. In float64 on the CPU a layer is done by the compiled kernel where it is there
(see :mod:`numerics.kernel.library`), else by torch: the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from numerics.adapters import Adapter
from numerics.field import LARGE, normalised, softmax_means, unshifted_limit
from numerics.kernel import layers as kernel

Values = Tensor | Sequence[Tensor]
"""V for all layers, ``(d, d)`` or ``(B, d, d)``, or one such matrix for each layer (untied)."""


def attention_means(tokens: Tensor, attention: Tensor, causal: bool = False, *, shift: bool = True) -> Tensor:
    """``m_i`` ``(B, n, d)``; ``attention`` is A, ``(d, d)`` or ``(B, d, d)``, or its diagonal ``(d,)`` where it has
    nothing else. One token is its own mean.

    ``shift``: subtract the largest logit first; only without need where ``||A||`` is below
    :func:`numerics.field.unshifted_limit` (see :func:`needs_shift`).
    """
    if tokens.shape[1] == 1:
        return tokens
    queries = tokens * attention if attention.ndim == 1 else tokens @ attention.mT
    if tokens.shape[1] >= LARGE:
        return softmax_means(queries, tokens, causal)
    weights = torch.bmm(queries, tokens.mT)
    if causal:
        n = tokens.shape[1]
        weights.masked_fill_(torch.ones(n, n, dtype=torch.bool, device=tokens.device).triu_(1), -torch.inf)
    if shift:
        weights.sub_(weights.amax(dim=2, keepdim=True))
    weights.exp_()
    return torch.bmm(weights, tokens).div_(weights.sum(dim=2, keepdim=True))


def needs_shift(attention: Tensor) -> bool:
    """Whether the logits of unit tokens under A (as in :func:`attention_means`) may overflow or all underflow."""
    over = (-1,) if attention.ndim == 1 else (-2, -1)
    largest = torch.linalg.vector_norm(attention, dim=over).amax()  # Frobenius, at least the operator norm
    return not bool(largest <= unshifted_limit(attention.dtype))  # NaN: shift too


def layered_states(
    tokens: Tensor,
    attention: Tensor,
    value: Values,
    *,
    h: float,
    depth: int,
    adapters: Iterable[Adapter] | None = None,
    causal: bool = False,
) -> Iterator[Tensor]:
    """The tokens after layers 1, ..., ``depth``, each ``(B, n, d)``.

    ``tokens (B, n, d)`` are unit vectors; ``adapters`` gives ΔV^0, ΔV^1, ... (None: the base model). Raises
    ValueError where there are fewer value matrices than layers, or no direction is left to normalise.
    """
    updates = iter(adapters) if adapters is not None else None
    shift = needs_shift(attention)
    batch, n, d = tokens.shape
    step = tokens.new_full((1, 1), h).expand(1, n)
    for layer in range(depth):
        base = _value(value, layer, depth)
        update = None if updates is None else next(updates)
        done = _compiled(tokens, attention, h * base, update, step, shift, causal)
        if done is not None:
            tokens = done
            yield tokens
            continue
        means = attention_means(tokens, attention, causal, shift=shift)
        if update is None:
            tokens = normalised(tokens + h * (means @ base.mT))
        elif d <= n:  # one product with V + ΔV is cheaper than one with each of its factors
            step = base + update.to_dense(batch, d)
            tokens = torch.baddbmm(tokens, means, step.mT, alpha=h)
            tokens.div_(torch.linalg.vector_norm(tokens, dim=2, keepdim=True))
        else:
            tokens = normalised(tokens + h * (means @ base.mT + update.apply(means)))
        yield tokens


def collapsed_states(
    starts: Tensor, value: Values, scales: Tensor, *, h: float, depth: int, adapters: Iterable[Adapter]
) -> Iterator[Tensor]:
    """Collapsed clouds, one token each, at E scales of the same adapters: states ``(B, E, d)`` after each layer.

    ``starts (B, E, d)``; row e moves by ``V + scales[e] ΔV^l`` and sees no other row. All tokens of a collapsed cloud
    stay equal and are their own mean, so this is the full model of such clouds, at the cost of one token; sharing the
    draws over the scales makes curves in the scale smooth.
    """
    factors = scales.reshape(1, -1, 1)
    updates = iter(adapters)
    steps = (h * scales).to(starts).reshape(1, -1)
    for layer in range(depth):
        base, update = _value(value, layer, depth), next(updates)
        done = _compiled(starts, None, h * base, update, steps, False, False)
        if done is None:
            image = starts @ base.mT + factors * update.apply(starts)
            done = normalised(starts + h * image)
        starts = done
        yield starts


def cloud_states(
    tokens: Tensor,
    attention: Tensor,
    value: Tensor,
    scales: Tensor,
    *,
    h: float,
    depth: int,
    adapters: Iterable[Adapter],
    shift: bool | None = None,
) -> Iterator[Tensor]:
    """Clouds ``tokens (B, n, d)`` at E scales of the same adapters: states ``(B, E, n, d)`` after each layer.

    Cloud e moves by ``V + scales[e] ΔV^l`` and sees no other; a scale 0 is the base model. ``attention`` and ``value``
    are one matrix ``(d, d)`` each; ``shift`` is that of :func:`attention_means` (None: by :func:`needs_shift`).
    Sharing the draws over the scales makes curves in the scale smooth, and applies each adapter to ``E n`` tokens at
    once.
    """
    batch, n, d = tokens.shape
    E, shift = len(scales), needs_shift(attention) if shift is None else shift
    updates, factors = iter(adapters), (h * scales).reshape(1, -1, 1)
    step, steps = h * value, (h * scales).reshape(-1, 1).expand(E, n)
    states = tokens.unsqueeze(1).expand(batch, E, n, d).reshape(batch * E, n, d)
    for _ in range(depth):
        update = next(updates)
        done = _compiled(states, attention, step, update, steps, shift, False)
        if done is None:
            means = attention_means(states, attention, shift=shift)
            moved = update.apply(means.reshape(batch, E * n, d)).reshape(batch, E, n * d)
            done = (states + means @ step.mT).add_(moved.mul_(factors).reshape(batch * E, n, d))
            done.div_(torch.linalg.vector_norm(done, dim=2, keepdim=True))
        states = done
        yield states.reshape(batch, E, n, d)


def _compiled(
    tokens: Tensor,
    attention: Tensor | None,
    step: Tensor,
    adapter: Adapter | None,
    factors: Tensor,
    shift: bool,
    causal: bool,
) -> Tensor | None:
    """The tokens after one layer by the compiled kernel, or None where that is not to be used.

    ``step`` is hV; ``factors``: h, times the scale, as in :class:`numerics.kernel.layers.Update`. ``attention`` None:
    every token is its own mean.
    """
    parts = (None, None, None) if adapter is None else (adapter.left, adapter.right, adapter.dense)
    if not kernel.applies(tokens, attention, step, *parts, factors):
        return None
    if tokens.shape[1] == 1:
        attention = None
    elif attention is not None and attention.ndim == 1:
        attention = torch.diag(attention)
    update = None if adapter is None else kernel.Update(*parts, factors)
    return kernel.layer(tokens, attention, step, update, shift=shift, causal=causal)


def recorded(states: Iterable[Tensor], layers: Sequence[int]) -> Tensor:
    """The states after the given layers (numbered from 1, increasing), stacked: ``(B, K, n, d)``."""
    wanted = set(layers)
    kept = [x for number, x in enumerate(states, 1) if number in wanted]
    if len(kept) != len(wanted):
        raise ValueError(f"layers {sorted(wanted)} are asked for, but only {len(kept)} of them were simulated")
    return torch.stack(kept, dim=1)


def _value(value: Values, layer: int, depth: int) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if len(value) < depth:
        raise ValueError(f"{depth} layers need as many value matrices, found {len(value)}")
    return value[layer]
