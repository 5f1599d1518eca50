"""Adapters of the layered model: one ``ΔV^l`` a layer and instance, drawn layer by layer, kept as factors.

``ΔV^l = M + η Σ_{k<=r} s_k u_k v_kᵀ`` with ``u_k, v_k ~ N(0, I_d/d)``. Nothing here holds the adapters of two layers
at once, so the memory does not grow with depth; only the AR(1) law keeps a d×d state for each instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["tied", "random", "ar1"]


@dataclass(frozen=True)
class Adapter:
    """The update of one layer for B instances, ``left right + dense``.

    Attributes
    ----------
    left, right: ``(B, d, r)`` and ``(B, r, d)``, or both None.
    dense: ``(B, d, d)`` or one matrix ``(d, d)`` for all instances, or None.
    """

    left: Tensor | None = None
    right: Tensor | None = None
    dense: Tensor | None = None

    def apply(self, m: Tensor) -> Tensor:
        """Rows ``ΔV_b m_bi`` of ``m (B, n, d)``."""
        image = None
        if self.left is not None and self.right is not None:
            image = torch.bmm(torch.bmm(m, self.right.mT), self.left.mT)
        if self.dense is not None:
            dense = m @ self.dense.mT
            image = dense if image is None else image + dense
        return torch.zeros_like(m) if image is None else image

    def to_dense(self, batch: int, d: int) -> Tensor:
        """The matrices ``(B, d, d)``, multiplied out (for tests and small d)."""
        parts = []
        if self.left is not None and self.right is not None:
            parts.append(torch.bmm(self.left, self.right))
        if self.dense is not None:
            parts.append(self.dense.expand(batch, d, d))
        if not parts:
            raise ValueError("an adapter without factors and matrix has no type to be made dense in")
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@dataclass(frozen=True)
class AdapterLaw:
    """How the adapters of the layers are distributed.

    Attributes
    ----------
    kind: ``random``: independent over layers; ``tied``: one draw for all layers; ``ar1``: ``ΔV^{l+1} = ρ ΔV^l +
        √(1-ρ²) fresh`` on the matrix itself, stationary from the first layer on.
    weights: ``s_1 ... s_r``. scale: η. correlation: ρ of the AR(1) law, 0 <= ρ < 1.
    off: ``(d, m)`` with orthonormal columns, or None: both factors are projected off their span.
    mean: M, ``(d, d)``, or None. It is neither scaled nor projected.
    """

    kind: Kind = "random"
    weights: tuple[float, ...] = (1.0,)
    scale: float = 1.0
    correlation: float = 0.0
    off: Tensor | None = None
    mean: Tensor | None = None

    def __post_init__(self) -> None:
        if not self.weights:
            raise ValueError("an adapter needs at least one weight s_k")
        if not 0 <= self.correlation < 1 or (self.correlation and self.kind != "ar1"):
            raise ValueError(f"the correlation must be in [0, 1), and 0 unless kind is ar1, found {self.correlation}")

    def layers(
        self, batch: int, d: int, generator: torch.Generator, dtype: torch.dtype = torch.float64
    ) -> Iterator[Adapter]:
        """The adapters of layers 0, 1, ... without end, on the device of the generator; equal seeds, equal adapters."""
        first = self._fresh(batch, d, generator, dtype)
        if self.kind == "tied":
            while True:
                yield self._with_mean(first)
        if self.kind == "random":
            while True:
                yield self._with_mean(first)
                first = self._fresh(batch, d, generator, dtype)
        state = torch.bmm(*first)
        innovation = (1 - self.correlation**2) ** 0.5
        while True:
            yield Adapter(dense=state if self.mean is None else state + self.mean.to(state))
            left, right = self._fresh(batch, d, generator, dtype)
            state = torch.baddbmm(state, left, right, beta=self.correlation, alpha=innovation)

    def _fresh(self, batch: int, d: int, generator: torch.Generator, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """One independent draw, ``(B, d, r)`` and ``(B, r, d)``.

        The normals are drawn in float32 and converted: eight times as fast on a CPU; their grain of 1e-7 and tails
        cut near 6 standard deviations are far below what any number of seeds used here resolves.
        """
        r, device = len(self.weights), generator.device
        shape = (2, batch, d, r)
        left, right = torch.randn(shape, generator=generator, device=device, dtype=torch.float32).to(dtype)
        if self.off is not None:
            frame = self.off.to(left)
            left, right = (x - frame @ (frame.mT @ x) for x in (left, right))
        weights = torch.tensor(self.weights, dtype=dtype, device=device) * (self.scale / d)
        return left.mul_(weights), right.mT

    def _with_mean(self, factors: tuple[Tensor, Tensor]) -> Adapter:
        left, right = factors
        return Adapter(left, right, None if self.mean is None else self.mean.to(left))
