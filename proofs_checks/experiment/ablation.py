"""exp-ablation and exp-rank: tied, random, orthogonal adapters at equal norm; high against low rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_checks.experiment import plan
from proofs_checks.experiment.adapters import PLACES
from proofs_checks.experiment.curves import Curve, measured
from proofs_checks.experiment.norm import all_curves, onset
from proofs_checks.experiment.pictures import ablation_figure, rank_figure
from proofs_checks.experiment.result import Result, sentence, spread
from proofs_checks.experiment.session import Session

SMALL, LARGE = 0.005, 0.5
"""Drifts of random adapters between these are compared: below is nothing to see, above it saturates."""
ORTHOGONAL = ("off-u1", "off-top", "off-rows")
SAME = 1.25
"""Norms within this factor of each other count as the same."""


def ratios(kind: Curve, random: Curve, quantity: str = "drift") -> np.ndarray:
    """Geometric mean over the norms, where random adapters drift by SMALL ... LARGE, of kind over random; ``(S,)``."""
    found = []
    for s in range(len(random.drift)):
        inside = (random.drift[s] > SMALL) & (random.drift[s] < LARGE)
        pair = getattr(kind, quantity)[s][inside], getattr(random, quantity)[s][inside]
        positive = (pair[0] > 0) & (pair[1] > 0)
        logs = np.log(pair[0][positive] / pair[1][positive])
        found.append(float(np.exp(logs.mean())) if len(logs) else float("nan"))
    return np.array(found)


def run(session: Session) -> Result:
    """Ratios to random adapters at equal ``||ΔV||``."""
    curves, seeds = all_curves(session), len(session.seeds)
    drift = {key: ratios(c, curves[key[0], "random"]) for key, c in curves.items()}
    harm = {key: ratios(c, curves[key[0], "random"], "forgetting") for key, c in curves.items()}
    sentences = (
        sentence(
            "tied adapters drift more",
            "drift after the last layer at equal norm larger than that of random ones",
            [bool(x > 1) for p in PLACES for x in drift[p, "tied"]], seeds,
            f"tied over random: {spread(drift['v', 'tied'])} with LoRA on v_proj, {spread(drift['ov', 'tied'])} in the"
            " residual stream.",
        ),
        sentence(
            "orthogonal adapters reduce drift",
            "drift at equal norm smaller than that of random ones, for each of the three projections",
            [bool(x < 1) for p in PLACES for k in ORTHOGONAL for x in drift[p, k]], seeds,
            "projected over random: "
            + ", ".join(f"{spread(drift[p, k])} ({k}, {p})" for p in PLACES for k in ORTHOGONAL) + ".",
        ),
    )  # fmt: skip
    table = tuple(
        {
            "place": p,
            "adapters": k,
            "drift over random": spread(drift[p, k]),
            "forgetting over random": spread(harm[p, k]),
        }
        for p, k in curves
        if k != "random"
    )
    figures = {"experiment_ablation": lambda: ablation_figure(curves)}
    return Result("exp-ablation", session.model_name, seeds, sentences, table, figures=figures)


def run_rank(session: Session) -> Result:
    """Rank 64 against rank 1, random adapters: tolerable ``||ΔV||``, and ``||ΔV||_F``, which stands for ``||s||``."""
    seeds = len(session.seeds)
    bare = [session.point(plan.bare(seed)) for seed in session.seeds]
    curves = {
        (place, r): measured([plan.curve(s, "random", place, r) for s in session.seeds], bare, session.point)
        for place in PLACES
        for r in plan.RANKS
    }
    low, high = min(plan.RANKS), max(plan.RANKS)
    equal_norm = {p: onset(curves[p, low]) / onset(curves[p, high]) for p in PLACES}
    equal_s = {p: onset(curves[p, low], s=True) / onset(curves[p, high], s=True) for p in PLACES}
    sentences = (
        sentence(
            "high rank is more dangerous",
            f"rank {high} reaches 0.1 nat at a smaller ||ΔV|| than rank {low}",
            [bool(x > 1) for p in PLACES for x in equal_norm[p]], seeds,
            f"rank {low} tolerates {_both(equal_norm)} times the ||ΔV|| of rank {high}.", ledger=False,
        ),
        sentence(
            "at equal ||s|| rank does not matter",
            f"ranks {low} and {high} reach 0.1 nat at the same ||ΔV||_F within a factor {SAME:g}",
            [bool(1 / SAME < x < SAME) for p in PLACES for x in equal_s[p]], seeds,
            f"rank {low} tolerates {_both(equal_s)} times the ||ΔV||_F of rank {high}.", ours=True,
        ),
    )  # fmt: skip
    table = tuple(_rank_row(p, r, c) for (p, r), c in curves.items())
    figures = {"experiment_rank": lambda: rank_figure(curves)}
    return Result("exp-rank", session.model_name, seeds, sentences, table, figures=figures)


def _both(found: dict[str, np.ndarray]) -> str:
    return ", ".join(f"{spread(x)} ({p})" for p, x in found.items())


def _rank_row(place: str, rank: int, c: Curve) -> dict[str, Any]:
    chosen = plan.RANK_NORMS[place]
    where = [int(np.argmin(np.abs(c.norms - x))) for x in chosen]
    cells = {f"||ΔV||/||V|| = {c.norms[k]:g}": spread(c.forgetting[:, k]) for k in where}
    unit = float((c.frobenius / c.norms).mean())
    return {
        "place": place,
        "rank": rank,
        "||ΔV||_F / ||ΔV||": f"{unit:.2f}",
        "onset, +0.1 nat": spread(onset(c)),
        **cells,
    }
