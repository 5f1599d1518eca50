"""The largest tolerable norm: where forgetting reaches a level, found by search with few forward passes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from proofs_checks.experiment.adapters import Adapters
from proofs_checks.experiment.points import Bench

LEVEL = 0.1
"""Nats of forgetting that count as its onset."""
CLOSE = 0.05
"""Relative closeness to the level that is good enough."""
MOST = 9
"""Evaluations at most."""
START = {"v": 0.2, "ov": 0.05}
"""Place → norm at which the search starts with adapters on all layers."""


def tolerable(forgetting: Callable[[float], float], start: float, level: float = LEVEL) -> tuple[float, int]:
    """The norm at which ``forgetting(norm)`` reaches ``level``, and the number of evaluations; NaN where none is found.

    Brackets by factors of two, then interpolates in log-log (regula falsi with bisection where a value is not
    positive). Between two norms it finds one crossing, not the first where the curve is not monotone.
    """
    low: tuple[float, float] | None = None
    high: tuple[float, float] | None = None
    norm = start
    for count in range(1, MOST + 1):
        found = forgetting(norm)
        if abs(found / level - 1) < CLOSE:
            return norm, count
        if found < level:
            low = (norm, found)
        else:
            high = (norm, found)
        if low is None:
            norm /= 2
        elif high is None:
            norm *= 2
        elif math.log(high[0] / low[0]) < CLOSE / 2:
            return norm, count
        else:
            norm = _between(low, high, level)
    return (math.nan, MOST) if low is None or high is None else (_between(low, high, level), MOST)


def _between(low: tuple[float, float], high: tuple[float, float], level: float) -> float:
    (x0, y0), (x1, y1) = low, high
    share = 0.5 if y0 <= 0 else math.log(level / y0) / math.log(y1 / y0)
    return math.exp(math.log(x0) + min(max(share, 0.1), 0.9) * math.log(x1 / x0))


@dataclass(frozen=True)
class Search:
    """The tolerable norm of adapters on ``count`` layers, drawn by the seed."""

    seed: int
    kind: str
    place: str
    count: int

    @property
    def name(self) -> dict[str, Any]:
        """What the result depends on, beside the model and the code."""
        return {"what": "tolerance", **asdict(self)}

    def layers(self, depth: int) -> tuple[int, ...]:
        """Which layers: a random choice of ``count`` of ``depth``, nested in ``count``."""
        order = torch.randperm(depth, generator=torch.Generator().manual_seed(self.seed + 7_919))
        return tuple(sorted(order[: self.count].tolist()))

    def measure(self, bench: Bench) -> dict[str, Any]:
        """``norm`` (``||ΔV||/||V||`` where forgetting reaches :data:`LEVEL`) and ``evaluations``."""
        depth = bench.model.depth
        layers = self.layers(depth)

        def forgetting(norm: float) -> float:
            return bench.forgetting(self.seed, Adapters(self.kind, self.place, norm, seed=self.seed, layers=layers))

        norm, evaluations = tolerable(forgetting, START[self.place] * math.sqrt(depth / self.count))
        return {"norm": norm, "evaluations": evaluations}
