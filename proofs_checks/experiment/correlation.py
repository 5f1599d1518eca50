"""exp-correlation: geometric drift against forgetting, over all adapters, and over those of one norm."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from proofs_checks.experiment.curves import Curve, rank_correlation
from proofs_checks.experiment.norm import all_curves
from proofs_checks.experiment.pictures import correlation_figure
from proofs_checks.experiment.result import Result, sentence, spread
from proofs_checks.experiment.session import Session

STRONG = 0.5
OFTEN = 2 / 3
SMALL = 0.005
"""Adapters of one norm are compared where each drifts at least that much."""


def run(session: Session) -> Result:
    """Spearman's coefficient of drift and forgetting, and how often they order two adapters of one norm alike."""
    curves, seeds = all_curves(session), len(session.seeds)
    overall = np.array([pooled(curves, s) for s in range(seeds)])
    alike = np.array([concordance(curves, s) for s in range(seeds)])
    sentences = (
        sentence(
            "drift correlates with perplexity",
            f"Spearman's coefficient over all adapters above {STRONG:g}, and of two of one norm and place"
            " the one that drifts more forgets more in over two thirds of the pairs",
            [bool(x > STRONG and y > OFTEN) for x, y in zip(overall, alike, strict=True)], seeds,
            f"coefficient {spread(overall)} over all norms, where both grow with the norm; at equal norm"
            f" the pairs agree in {spread(100 * alike)} %.",
        ),
    )  # fmt: skip
    table = tuple(
        {
            "place": place,
            "adapters": kind,
            "Spearman over the norms": spread(
                [rank_correlation(x, y) for x, y in zip(c.drift, c.forgetting, strict=True)]
            ),
            "drift at +0.1 nat": spread([_drift_at_onset(x, y) for x, y in zip(c.drift, c.forgetting, strict=True)]),
        }
        for (place, kind), c in curves.items()
    )
    figures = {"experiment_correlation": lambda: correlation_figure(curves)}
    return Result("exp-correlation", session.model_name, seeds, sentences, table, figures=figures)


def pooled(curves: dict[tuple[str, str], Curve], seed: int) -> float:
    """Spearman's coefficient over all curves of one seed."""
    drift = np.concatenate([c.drift[seed] for c in curves.values()])
    forgetting = np.concatenate([c.forgetting[seed] for c in curves.values()])
    return rank_correlation(drift, forgetting)


def concordance(curves: dict[tuple[str, str], Curve], seed: int) -> float:
    """Share of pairs of kinds, at one place and norm, that drift and forgetting order alike; NaN without pairs."""
    found = []
    for (first, x), (second, y) in combinations(curves.items(), 2):
        if first[0] != second[0]:
            continue
        inside = np.minimum(x.drift[seed], y.drift[seed]) > SMALL
        signs = (x.drift[seed] - y.drift[seed]) * (x.forgetting[seed] - y.forgetting[seed])
        found += (signs[inside] > 0).tolist()
    return float(np.mean(found)) if found else float("nan")


def _drift_at_onset(drift: np.ndarray, forgetting: np.ndarray) -> float:
    k = int(np.argmax(forgetting > 0.1))
    if k == 0 or forgetting[k - 1] <= 0:
        return float("nan")
    share = np.log(0.1 / forgetting[k - 1]) / np.log(forgetting[k] / forgetting[k - 1])
    return float(np.exp(np.log(drift[k - 1]) + share * np.log(drift[k] / drift[k - 1])))
