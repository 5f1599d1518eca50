"""Several attention heads: the sum of their fields, ``x_i' = P_{x_i} Σ_h V_h m_i^h``."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from numerics.field import AttentionField
from numerics.kernel.flow import Heads


@dataclass(frozen=True)
class MultiHeadField:
    """Right-hand side ``(t (B,), tokens (B, n, d)) -> (B, n, d)`` of several heads, each with its own A and V."""

    heads: tuple[AttentionField, ...]

    def __post_init__(self) -> None:
        if not self.heads:
            raise ValueError("a field of several heads needs at least one")

    def __call__(self, t: Tensor, tokens: Tensor) -> Tensor:
        """The velocities of the tokens."""
        total = self.heads[0](t, tokens)
        for head in self.heads[1:]:
            total = total + head(t, tokens)
        return total

    def select(self, index: Tensor) -> MultiHeadField:
        """The field of the instances ``index``."""
        return MultiHeadField(tuple(head.select(index) for head in self.heads))

    def compiled(self) -> Heads | None:
        """The field as the compiled kernel reads it, where all heads can be and have the same mask."""
        known = [head.compiled() for head in self.heads]
        found = [x for x in known if x is not None]
        if type(self) is not MultiHeadField or len(found) < len(known) or len({x.causal for x in found}) > 1:
            return None
        attention, value = (tuple(getattr(x, name)[0] for x in found) for name in ("attention", "value"))
        return Heads(attention, value, any(x.shift for x in found), found[0].causal, sphere=True)
