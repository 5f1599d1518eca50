"""exp-collapse: mean cosine of two tokens by layer, bare and with adapters."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_checks.experiment import plan
from proofs_checks.experiment.adapters import PLACES
from proofs_checks.experiment.curves import rank_correlation
from proofs_checks.experiment.norm import all_curves
from proofs_checks.experiment.pictures import collapse_figure
from proofs_checks.experiment.result import Result, sentence, spread
from proofs_checks.experiment.session import Session

STRONG = 0.5


def run(session: Session) -> Result:
    """Whether tokens come together along the layers, and what adapters change of it."""
    seeds = len(session.seeds)
    bare = np.array([session.point(plan.bare(seed))["cosine"] for seed in session.seeds])
    trend = np.array([rank_correlation(np.arange(len(row)), row) for row in bare])
    curves = {key: c for key, c in all_curves(session).items() if key[1] in ("random", "tied")}
    peak = bare.argmax(axis=1) + 1
    # the largest norm of the grid: the adapters rule there
    ends = {key: c.cosine[:, -1, -1] for key, c in curves.items()}
    sentences = (
        sentence(
            "tokens collapse along the layers",
            f"the mean cosine after the last layer is above that after the first, and Spearman's coefficient of layer"
            f" and cosine is above {STRONG:g}",
            [bool(row[-1] > row[0] and t > STRONG) for row, t in zip(bare, trend, strict=True)], seeds,
            f"mean cosine {spread(bare[:, 0])} after the first layer, {spread(bare[:, -1])} after the last, largest"
            f" ({spread(bare.max(axis=1))}) after layer {spread(peak)}; Spearman's coefficient {spread(trend)}.",
        ),
        sentence(
            "large adapters collapse the tokens",
            "at the largest norm of the grid the mean cosine after the last layer is above that of the bare model",
            [bool(x > y) for end in ends.values() for x, y in zip(end, bare[:, -1], strict=True)], seeds,
            f"bare {spread(bare[:, -1])}; " + ", ".join(f"{spread(x)} ({k}, {p})" for (p, k), x in ends.items()) + ".",
            ledger=False,
        ),
    )  # fmt: skip
    table = tuple(_row(place, kind, curves[place, kind], bare) for place in PLACES for kind in ("random", "tied"))
    figures = {"experiment_collapse": lambda: collapse_figure(bare, curves)}
    return Result("exp-collapse", session.model_name, seeds, sentences, table, figures=figures)


def _row(place: str, kind: str, c: Any, bare: np.ndarray) -> dict[str, Any]:
    layers = bare.shape[1]
    at = {f"after layer {k + 1}": k for k in (0, layers // 2 - 1, layers - 1)}
    half = int(np.argmin(np.abs(c.lost.mean(axis=0) - 0.5)))
    found: dict[str, Any] = {"place": place, "adapters": kind, "||ΔV||/||V||": f"{c.norms[half]:g}"}
    for name, k in at.items():
        found[name] = f"{spread(c.cosine[:, half, k])}; bare {spread(bare[:, k])}"
    return found
