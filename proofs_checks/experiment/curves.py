"""Curves of forgetting, accuracy and drift against the norm, seeds along the first axis, and what is read off them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from proofs_checks.experiment.points import Point

Array = np.ndarray
Measured = Callable[[Point], dict[str, Any]]
"""What gives the numbers of a point."""


@dataclass(frozen=True)
class Curve:
    """One kind of adapters at one place.

    Attributes
    ----------
    norms: ``(E,)``, ``||ΔV||/||V||``. frobenius: ``(S, E)``, ``||ΔV||_F/||V||``, the theorems' ``η ||s||``.
    forgetting: ``(S, E)``, nats. lost: ``(S, E)``, share of the bare model's top-1 accuracy that is gone (bounded).
    drift: ``(S, E)``, mean of ``½|x - x̃|²`` after the last layer. by_layer: ``(S, E, L)``, after each.
    """

    norms: Array
    frobenius: Array
    forgetting: Array
    lost: Array
    drift: Array
    by_layer: Array
    cosine: Array


def measured(points: list[list[Point]], bare: list[dict[str, Any]], once: Measured) -> Curve:
    """The curve of ``points[seed]``, norms increasing; ``bare[seed]`` is the bare model."""
    rows = [[once(p) for p in seed] for seed in points]

    def column(name: str) -> Array:
        return np.array([[r[name] for r in seed] for seed in rows])

    accuracy = np.array([b["accuracy"] for b in bare])[:, None]
    layers = column("deviation")
    norms = np.array([p.adapters.norm for p in points[0] if p.adapters is not None])
    return Curve(norms, column("frobenius"), column("forgetting"), 1 - column("accuracy") / accuracy,
                 layers[..., -1], layers, column("cosine"))  # fmt: skip


def reached(x: Array, y: Array, level: float) -> float:
    """The first x at which y rises through the level: in log x, and in log y where both ends are positive; else NaN."""
    for k in range(len(x) - 1):
        low, high = y[k], y[k + 1]
        if low <= level < high:
            logs = low > 0 and level > 0
            share = np.log(level / low) / np.log(high / low) if logs else (level - low) / (high - low)
            return float(np.exp(np.log(x[k]) + share * np.log(x[k + 1] / x[k])))
    return float("nan")


def steepest(x: Array, y: Array) -> tuple[float, int]:
    """Where y grows fastest in log x, the middle of a step of the grid; and the number of that step."""
    slopes = np.diff(y) / np.diff(np.log(x))
    k = int(np.argmax(slopes))
    return float(np.sqrt(x[k] * x[k + 1])), k


def s_shaped(x: Array, y: Array) -> bool:
    """Steepest inside the grid, and after that the slope falls below half of the largest."""
    slopes = np.diff(y) / np.diff(np.log(x))
    k = int(np.argmax(slopes))
    return 0 < k < len(slopes) - 1 and bool(slopes[k + 1 :].min() < slopes[k] / 2)


def window(x: Array, y: Array, top: float = 1.0) -> float:
    """The norm at 90 % of ``top`` over that at 10 %: 1 is a jump, and ``1 - exp(-c x²)`` has 4.67.

    Where 90 % is not reached it is the end of the grid over that at 10 %, which is a lower bound.
    """
    end = reached(x, y, 0.9 * top)
    return (float(x[-1]) if np.isnan(end) else end) / reached(x, y, 0.1 * top)


def exponent(counts: Array, norms: Array) -> float:
    """Least-squares slope of log norm in log count; NaN where a norm is."""
    if np.isnan(norms).any():
        return float("nan")
    return float(np.polyfit(np.log(counts), np.log(norms), 1)[0])


def rank_correlation(x: Array, y: Array) -> float:
    """Spearman's coefficient of two samples ``(N,)``."""
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
