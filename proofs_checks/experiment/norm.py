"""exp-norm: forgetting against the norm of random, tied and projected adapters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_checks.experiment import plan
from proofs_checks.experiment.adapters import KINDS, PLACES
from proofs_checks.experiment.curves import Curve, measured, reached, s_shaped, steepest, window
from proofs_checks.experiment.pictures import curves_figure
from proofs_checks.experiment.result import Result, sentence, spread
from proofs_checks.experiment.session import Session
from proofs_checks.experiment.tolerance import LEVEL

SMOOTH = 2.0
"""A rise from 10 to 90 % over more than this factor in the norm is called smooth."""


def all_curves(session: Session) -> dict[tuple[str, str], Curve]:
    """(place, kind) → curve at rank 8."""
    bare = [session.point(plan.bare(seed)) for seed in session.seeds]
    return {
        (place, kind): measured([plan.curve(s, kind, place) for s in session.seeds], bare, session.point)
        for place in PLACES
        for kind in KINDS
    }


def run(session: Session) -> Result:
    """The curves, their onset (+0.1 nat), middle and steepest point, in ``||ΔV||/||V||`` and in η/√L."""
    curves = all_curves(session)
    seeds, depth = len(session.seeds), session.depth
    shapes = [s_shaped(c.norms, y) for (_, k), c in curves.items() if k in ("random", "tied") for y in c.forgetting]
    widths = [window(c.norms, y) for (_, k), c in curves.items() if k == "random" for y in c.drift]
    onsets = {key: onset(c) for key, c in curves.items()}
    apart = [bool(x < y) for p in PLACES for x, y in zip(onsets[p, "tied"], onsets[p, "random"], strict=True)]
    factor = {p: onsets[p, "random"] / onsets[p, "tied"] for p in PLACES}
    sentences = (
        sentence(
            "perplexity against the norm is an S-shape",
            "log-perplexity is steepest inside the grid of norms and its slope then falls below half, random and tied",
            shapes, seeds,
            "the loss is steepest at ||ΔV||/||V|| = "
            + ", ".join(f"{spread([steepest(c.norms, y)[0] for y in c.forgetting])} ({k}, {p})"
                        for (p, k), c in curves.items() if k in ("random", "tied"))
            + f"; of the bounded measure, top-1 accuracy, half is gone at {_middles(curves)}.",
        ),
        sentence(
            "random drift is smooth in η/√L",
            f"the drift goes from 10 to 90 % over more than a factor {SMOOTH:g} of the norm",
            [bool(w > SMOOTH) for w in widths], seeds,
            f"that factor is {spread(widths)} (at least, where the grid ends below 90 %); a collapsed cloud"
            " without a well has 4.67. With one L the variable η/√L is only another unit of the norm.",
            ledger=False,
        ),
        sentence(
            "the transition of tied adapters is at another norm than that of random ones",
            "forgetting reaches 0.1 nat at a smaller norm for tied adapters",
            apart, seeds,
            f"random over tied: {spread(factor['v'])} with LoRA on v_proj, {spread(factor['ov'])} in the"
            " residual stream.",
            ours=True,
        ),
    )  # fmt: skip
    table = tuple(_row(place, kind, c, depth) for (place, kind), c in curves.items())
    figures = {"experiment_norm": lambda: curves_figure(curves)}
    return Result("exp-norm", session.model_name, seeds, sentences, table, figures=figures)


def _middles(curves: dict[tuple[str, str], Curve]) -> str:
    return ", ".join(
        f"{spread([reached(c.norms, y, 0.5) for y in c.lost])} ({k}, {p})"
        for (p, k), c in curves.items()
        if k in ("random", "tied")
    )


def _row(place: str, kind: str, c: Curve, depth: int) -> dict[str, Any]:
    return {
        "place": place,
        "adapters": kind,
        "onset, +0.1 nat": spread(onset(c)),
        "half of the accuracy gone": spread([reached(c.norms, y, 0.5) for y in c.lost]),
        "loss steepest": spread([steepest(c.norms, y)[0] for y in c.forgetting]),
        "onset in η/√L": spread(onset(c, s=True) / math.sqrt(depth)),
        "drift, 90 % over 10 %": spread([window(c.norms, y) for y in c.drift]),
    }


def onset(c: Curve, s: bool = False) -> np.ndarray:
    """``||ΔV||`` (with ``s``: ``||ΔV||_F``) at which forgetting reaches :data:`LEVEL`, of each seed, over ``||V||``.

    NaN where the grid does not reach it.
    """
    found = np.array([reached(c.norms, y, LEVEL) for y in c.forgetting])
    return found * float((c.frobenius / c.norms).mean()) if s else found
