"""The attention flow without normalisation, ``x_i' = V m_i``: the same attention, tokens of any length."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from numerics.field import AttentionField, attention_sums
from numerics.flow import fitting_map
from numerics.integrator import Solution, integrate
from numerics.kernel.flow import Heads
from numerics.linear_map import LinearMap


@dataclass(frozen=True)
class EuclideanField:
    """Right-hand side ``(t (B,), tokens (B, n, d)) -> (B, n, d)`` of the flow in R^d; does not depend on t.

    The softmax always subtracts its maximum: the logits grow with the square of the tokens' lengths, which have no
    bound, so that no norm of A makes the shift unnecessary.

    Attributes
    ----------
    attention, value: A and V, of B instances each.
    causal: whether token i attends to the tokens ``j <= i`` alone.
    """

    attention: LinearMap
    value: LinearMap
    causal: bool = False

    def __post_init__(self) -> None:
        if self.attention.dense.shape != self.value.dense.shape:
            shapes = tuple(self.attention.dense.shape), tuple(self.value.dense.shape)
            raise ValueError(f"attention and value matrices differ in shape: {shapes[0]} and {shapes[1]}")

    def __call__(self, _t: Tensor, tokens: Tensor) -> Tensor:
        """The velocities of the tokens."""
        sums, denominator = attention_sums(self.attention, tokens, shift=True, causal=self.causal)
        return self.value.apply(sums / denominator)

    def select(self, index: Tensor) -> EuclideanField:
        """The field of the instances ``index``."""
        return EuclideanField(self.attention.select(index), self.value.select(index), self.causal)

    def compiled(self) -> Heads | None:
        """The field as the compiled kernel reads it, as :meth:`numerics.field.AttentionField.compiled` does."""
        found = AttentionField(self.attention, self.value, shift=True, causal=self.causal).compiled()
        return None if found is None or type(self) is not EuclideanField else replace(found, sphere=False)


def simulate_euclidean(
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
    """Solve ``x_i' = V m_i``, ``m_i = Σ_j softmax_j(<A x_i, x_j>) x_j`` for B instances at once.

    ``tokens (B, n, d)`` may have any length; the other arguments are those of :func:`numerics.flow.simulate`. The local
    error of a token is held below ``atol + rtol |x_i|``. Tokens grow up to ``e^{||V||t}``, logits with their squares:
    where those grow large the problem is stiff, and an instance ends with another status than ``converged``.
    Raises ValueError for arguments that do not fit.
    """
    if tokens.ndim != 3 or 0 in tokens.shape[1:] or tokens.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"tokens must be float32 or float64 of shape (B, n, d), found {tokens.dtype} {tuple(tokens.shape)}"
        )
    if not bool(tokens.isfinite().all()):
        raise ValueError("tokens must be finite")
    field = EuclideanField(fitting_map("attention", attention, tokens), fitting_map("value", value, tokens), causal)
    return integrate(field, tokens, times, rtol=rtol, atol=atol, max_steps=max_steps, dense=dense)
