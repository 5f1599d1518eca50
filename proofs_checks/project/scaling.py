"""The largest scale of a layer's update at which every head that can keep a criterion keeps it.

Scaling both factors' updates by s gives ``ΔV(s) = s X + s² Y``, ``Y = δO_h δW_g D``; with one of them adapted Y = 0 and
the quoted margin ``gap + s a - 2s|b| - s||E||`` is linear in s. Otherwise the edge is searched for from 0 on in steps
of 10 % and then bisected, as the audit does for the cone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.factored import compress
from numerics.spectral import split_symmetric
from proofs_checks.audit.model import LayerWeights
from proofs_checks.audit.updates import cone_margin, criterion_scale, margins
from proofs_checks.real_weights import TOLERANCE, spectrum_of_product

CRITERIA = ("quoted", "cone")
INSIDE = 0.999
"""Share of the largest scale that is taken, so that a margin above 0 is left."""
_FIRST, _STEP = 1e-3, 1.1


@dataclass(frozen=True)
class _Path:
    """``V + s X + s² Y``, small matrices in a common basis, and unit vectors ``(1, k)`` that a cone may stand about."""

    V: Tensor
    X: Tensor
    Y: Tensor
    vectors: list[Tensor]

    def change(self, s: float) -> Tensor:
        return s * self.X + s**2 * self.Y


def layer_scale(weights: LayerWeights, value: Tensor | None, output: Tensor | None, criterion: str) -> float:
    """Largest scale found, at most 1, of both updates (``ΔW_V``, ``ΔW_O``; None: not adapted).

    Heads that no scale helps (:func:`helped`) are left out. 1 where the full update keeps the criterion.
    """
    linear, found = value is None or output is None, 1.0
    edges: dict[int, float] = {}
    paths = {head: _path(weights, value, output, head) for head in range(weights.shape.heads)}
    tests = {head: safe for head, path in paths.items() if (safe := _test(path, criterion)) is not None}
    while True:  # at a smaller scale a head that was safe may not be: then its own edge counts too
        head = next((h for h, safe in tests.items() if h not in edges and not safe(found)), None)
        if head is None:
            return found
        path = paths[head]
        if criterion == "quoted" and linear:
            edges[head] = criterion_scale(split_symmetric(path.V.unsqueeze(0), path.X.unsqueeze(0)))
        else:
            edges[head] = _edge(tests[head])
        found = min(found, INSIDE * edges[head])


def helped(weights: LayerWeights, head: int, criterion: str) -> bool:
    """Whether a small enough update keeps the criterion: ``λ1 > λ2``, or V itself has a cone."""
    return _test(_path(weights, None, None, head), criterion) is not None


def _test(path: _Path, criterion: str) -> Callable[[float], bool] | None:
    """Whether a scale keeps the criterion; None where none does."""
    return _quoted(path) if criterion == "quoted" else _cone(path)


def _quoted(path: _Path) -> Callable[[float], bool] | None:
    split = split_symmetric(path.V.unsqueeze(0), torch.zeros_like(path.V).unsqueeze(0))
    if float(split.gap) <= _slack(path):
        return None

    def safe(s: float) -> bool:
        moved = split_symmetric(path.V.unsqueeze(0), path.change(s).unsqueeze(0))
        return margins(moved)["criterion_margin"] > 0

    return safe


def _cone(path: _Path) -> Callable[[float], bool] | None:
    u = max(path.vectors, key=lambda x: cone_margin(path.V, x))
    if cone_margin(path.V, u) <= _slack(path):
        return None
    return lambda s: cone_margin(path.V + path.change(s), u) > 0


def _slack(path: _Path) -> float:
    return TOLERANCE * float(torch.linalg.matrix_norm(path.V, ord=2))


def _edge(safe: Callable[[float], bool]) -> float:
    """The end of the stretch from 0 on where ``safe`` holds, for a criterion that holds near 0 and not at 1."""
    low = _FIRST
    while not safe(low):
        low /= 2
    high = low * _STEP
    while high < 1 and safe(high):
        low, high = high, high * _STEP
    high = min(high, 1.0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if safe(middle) else (low, middle)
    return low


def _path(weights: LayerWeights, value: Tensor | None, output: Tensor | None, head: int) -> _Path:
    base, both = weights.head_factors(head), weights.updated(value, output).head_factors(head)
    small = compress(base, both)
    V, moved = small.matrices

    def inside(left: Tensor, right: Tensor) -> Tensor:
        return (small.basis.mT @ left) @ (right @ small.basis)

    Y = (
        inside(both[0] - base[0], both[1] - base[1])
        if value is not None and output is not None
        else torch.zeros_like(V)
    )
    right = spectrum_of_product(*base)[1]
    u1 = split_symmetric(V.unsqueeze(0), torch.zeros_like(V).unsqueeze(0)).u1
    return _Path(V, moved - V - Y, Y, [u1] if right is None else [u1, right @ small.basis])
