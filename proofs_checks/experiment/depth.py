"""exp-depth: the tolerable norm against the number of layers with adapters, and the hidden states layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_checks.experiment import plan
from proofs_checks.experiment.adapters import PLACES
from proofs_checks.experiment.curves import Curve, exponent
from proofs_checks.experiment.norm import all_curves
from proofs_checks.experiment.pictures import depth_figure, layers_figure
from proofs_checks.experiment.result import Result, sentence, spread
from proofs_checks.experiment.session import Session
from proofs_checks.experiment.tolerance import LEVEL, Search

KINDS = ("random", "tied")
SHALLOW, LITTLE = 1 / 3, 0.1
"""Shallow layers are the first third; little is a tenth of the final deviation."""
SUDDEN = 0.25
"""A rise from 10 to 90 % of the deviation within this share of the layers is called sudden."""
NEAR = 0.1
"""An exponent counts as the theorem's where it is that near."""


def run(session: Session) -> Result:
    """Exponents of the tolerable norm, and where along the layers the hidden states leave those of the bare model."""
    seeds = len(session.seeds)
    counts = np.array(plan.counts(session.depth), dtype=float)
    norms = {
        (place, kind): np.array(
            [[session.tolerable(Search(s, kind, place, int(k))) for k in counts] for s in session.seeds]
        )
        for place in PLACES
        for kind in KINDS
    }
    powers = {key: np.array([exponent(counts, x) for x in rows]) for key, rows in norms.items()}
    profiles = {key: profile(c) for key, c in all_curves(session).items() if key[1] in KINDS}
    early = [bool(shallow(row) < LITTLE) for rows in profiles.values() for row in rows]
    sudden = [bool(rise(row) <= SUDDEN) for rows in profiles.values() for row in rows]
    sentences = (
        sentence(
            "the critical norm grows as √L",
            "exponent of the tolerable norm (+0.1 nat) in the number of layers with adapters within 0.1 of +1/2",
            [bool(abs(x - 0.5) < NEAR) for rows in powers.values() for x in rows], seeds,
            "exponents " + ", ".join(f"{spread(x)} ({k}, {p})" for (p, k), x in powers.items())
            + ". That +1/2 is the law at fixed T; at a fixed step the theorem has -1/2.", ledger=False,
        ),
        sentence(
            "at a fixed step the tolerable norm of random adapters falls as L^(-1/2)",
            "exponent within 0.1 of -1/2",
            [bool(abs(x + 0.5) < NEAR) for p in PLACES for x in powers[p, "random"]], seeds,
            ", ".join(f"{spread(powers[p, 'random'])} ({p})" for p in PLACES) + ".", ours=True, ledger=False,
        ),
        sentence(
            "at a fixed step the tolerable norm of tied adapters falls as L^(-1)",
            "exponent within 0.1 of -1, adapters tied in the residual stream",
            [bool(abs(x + 1) < NEAR) for x in powers["ov", "tied"]], seeds,
            f"{spread(powers['ov', 'tied'])} in the residual stream; {spread(powers['v', 'tied'])} where the same LoRA"
            " stands on every v_proj, which another W_O in each layer unties. Exponents"
            " between -1 and 0 are what a crossover to the theorem's plateau looks like; no plateau is seen.",
            ours=True, ledger=False,
        ),
        sentence(
            "little movement in shallow layers",
            "after the first third of the layers the deviation is below a tenth of the last layer's",
            early, seeds, "share of the final deviation after the first third: "
            + ", ".join(f"{spread([shallow(r) for r in rows])} ({k}, {p})" for (p, k), rows in profiles.items()) + ".",
        ),
        sentence(
            "then sudden deviation",
            "from a tenth to nine tenths of the last layer's deviation within a quarter of the layers",
            sudden, seeds, "that takes this share of the layers: "
            + ", ".join(f"{spread([rise(r) for r in rows])} ({k}, {p})" for (p, k), rows in profiles.items()) + ".",
        ),
    )  # fmt: skip
    table = tuple(_row(place, kind, counts, rows, powers[place, kind]) for (place, kind), rows in norms.items())
    figures = {
        "experiment_depth": lambda: depth_figure(counts, norms, powers),
        "experiment_layers": lambda: layers_figure(profiles),
    }
    return Result("exp-depth", session.model_name, seeds, sentences, table, figures=figures)


def profile(c: Curve) -> np.ndarray:
    """Deviation by layer ``(S, L)`` of each seed at the first norm of the grid with forgetting above the onset."""
    first = [int(np.argmax(y > LEVEL)) for y in c.forgetting]
    return np.array([c.by_layer[s, k] for s, k in enumerate(first)])


def shallow(row: np.ndarray) -> float:
    """Deviation after the first third of the layers over that after the last; ``row (L,)``."""
    return float(row[max(round(SHALLOW * len(row)) - 1, 0)] / row[-1])


def rise(row: np.ndarray) -> float:
    """Share of the layers between a tenth and nine tenths of the last deviation, each when it is first reached."""
    low, high = (int(np.argmax(row >= share * row[-1])) for share in (0.1, 0.9))
    return (high - low) / len(row)


def _row(place: str, kind: str, counts: np.ndarray, rows: np.ndarray, powers: np.ndarray) -> dict[str, Any]:
    found = {f"k = {int(k)}": spread(rows[:, i]) for i, k in enumerate(counts)}
    return {"place": place, "adapters": kind, **found, "exponent": spread(powers)}
