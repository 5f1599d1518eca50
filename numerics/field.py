"""The vector field of attention on the sphere, ``x_i' = P_{x_i} V m_i``, for batches of instances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from numerics.kernel.flow import Heads
from numerics.linear_map import LinearMap

_HEADROOM = 20.0
"""Left free in the exponent for the sum over tokens: log n is below this for every n that fits in memory."""
_SQUARED_LENGTH = 2.0
"""Stages of a step may leave the sphere a little; |x|² up to this cannot overflow."""


MULTIPLIED_OUT = 128
"""Up to this dimension a matrix that is known by factors is multiplied out for the compiled kernel."""
LARGE = 1_024
"""From this number of tokens on the means are computed without an n×n matrix (and faster)."""


def softmax_means(queries: Tensor, tokens: Tensor, causal: bool = False) -> Tensor:
    """``Σ_j softmax_j(<q_i, x_j>) x_j`` for ``queries`` and ``tokens`` ``(B, n, d)``, in memory of order n."""
    keys = tokens.unsqueeze(1)  # torch's kernels that never hold the matrix take four dimensions
    return scaled_dot_product_attention(queries.unsqueeze(1), keys, keys, is_causal=causal, scale=1.0).squeeze(1)


def unshifted_limit(dtype: torch.dtype) -> float:
    """Largest ``||A||`` for which ``exp(<A x_i, x_j>)`` needs no max shift (float64: 344, float32: 33).

    Below it neither a sum over the tokens overflows nor do all of its terms underflow.
    """
    info = torch.finfo(dtype)
    return (min(math.log(info.max), -math.log(info.tiny)) - _HEADROOM) / _SQUARED_LENGTH


def attention_sums(
    attention: LinearMap, tokens: Tensor, *, shift: bool | None, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """Numerator ``Σ_j e^{<A x_i, x_j>} x_j`` ``(B, n, d)`` and denominator ``(B, n, 1)`` of the softmax means ``m_i``.

    With ``shift`` both carry the factor ``e^{-max}``; without it the caller knows that nothing overflows. ``causal``:
    token i attends to the tokens ``j <= i`` alone. From :data:`LARGE` tokens on: the means themselves, and ones.
    """
    queries = attention.apply(tokens)
    if tokens.shape[1] >= LARGE:
        return softmax_means(queries, tokens, causal), tokens.new_ones(*tokens.shape[:2], 1)
    weights = torch.bmm(queries, tokens.mT)
    if causal:
        n = tokens.shape[1]
        weights.masked_fill_(torch.ones(n, n, dtype=torch.bool, device=tokens.device).triu_(1), -torch.inf)
    if shift:
        weights.sub_(weights.amax(dim=2, keepdim=True))
    weights.exp_()
    return torch.bmm(weights, tokens), weights.sum(dim=2, keepdim=True)


@dataclass(frozen=True)
class AttentionField:
    """Right-hand side ``(t (B,), tokens (B, n, d)) -> (B, n, d)`` of the flow on the sphere; does not depend on t.

    ``m_i = Σ_j softmax_j(<A x_i, x_j>) x_j`` and ``P_x = I - x xᵀ/|x|²``. The division by ``|x|²``, which is one on
    the sphere, keeps ``|x|`` constant: the extension off the sphere then adds no stiffness of its own. (With ``x xᵀ``
    alone the radius contracts at rate 2λ1 near a cluster: twice as many steps where V ⪰ 0.)

    Attributes
    ----------
    attention, value: A and V, of B instances each.
    shift: whether the softmax subtracts the maximum. None (default): where the bound of ``||A||`` of any instance
        is above :func:`unshifted_limit`.
    causal: whether token i attends to the tokens ``j <= i`` alone.
    """

    attention: LinearMap
    value: LinearMap
    shift: bool | None = None
    causal: bool = False

    def __post_init__(self) -> None:
        if self.attention.dense.shape != self.value.dense.shape:
            shapes = tuple(self.attention.dense.shape), tuple(self.value.dense.shape)
            raise ValueError(f"attention and value matrices differ in shape: {shapes[0]} and {shapes[1]}")
        if self.shift is None:
            limit = unshifted_limit(self.attention.dense.dtype)
            within = self.attention.norm_bound() <= limit  # false for NaN: then shift too
            object.__setattr__(self, "shift", not bool(within.all()))

    def __call__(self, _t: Tensor, tokens: Tensor) -> Tensor:
        """The velocities of the tokens."""
        # The softmax denominator is divided out last, where the rows are shortest to scale.
        sums, denominator = attention_sums(self.attention, tokens, shift=self.shift, causal=self.causal)
        image = self.value.apply(sums)
        radial = (image * tokens).sum(dim=2, keepdim=True)
        radial.div_((tokens * tokens).sum(dim=2, keepdim=True))
        return image.addcmul_(tokens, radial, value=-1).mul_(denominator.reciprocal_())

    def select(self, index: Tensor) -> AttentionField:
        """The field of the instances ``index``."""
        return AttentionField(self.attention.select(index), self.value.select(index), self.shift, self.causal)

    def compiled(self) -> Heads | None:
        """The field as the compiled kernel reads it; None for large matrices known by factors, and for subclasses."""
        maps = self.attention, self.value
        if type(self) is not AttentionField or any(m.left is not None and m.dimension > MULTIPLIED_OUT for m in maps):
            return None
        attention, value = (m.to_dense() for m in maps)
        return Heads((attention,), (value,), shift=bool(self.shift), causal=self.causal, sphere=True)


def normalised(tokens: Tensor) -> Tensor:
    """Tokens ``(..., d)`` back on the sphere."""
    return tokens / torch.linalg.vector_norm(tokens, dim=-1, keepdim=True)
