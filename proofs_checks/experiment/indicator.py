"""exp-indicator: ``||ΔV||/√L`` along LoRA fine-tuning as early warning, and what projecting and scaling buy."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np

from proofs_checks.experiment.pictures import indicator_figure
from proofs_checks.experiment.result import Result, sentence, spread
from proofs_checks.experiment.session import Session
from proofs_checks.experiment.training import Training

RUNS = {
    "v_proj": (("v_proj",), "plain", 1e-2),
    "q_proj + v_proj": (("q_proj", "v_proj"), "plain", 1e-2),
    "v_proj, orthogonal start": (("v_proj",), "orthogonal", 1e-2),
    "v_proj, slow": (("v_proj",), "plain", 2e-3),
}
EARLY = 0.1
"""The share of its final value at which a quantity counts as risen."""
OFTEN = 2 / 3
PROJECTED = ("off-u1", "off-top")
TREATMENTS = (*PROJECTED, "intruders")


def run(session: Session) -> Result:
    """The runs; who rises first; whether the indicator ranks runs by damage; gains at equal task loss."""
    seeds = len(session.seeds)
    found = {
        name: [session.training(Training(s, targets, start, rate, session.steps)) for s in session.seeds]
        for name, (targets, start, rate) in RUNS.items()
    }
    first = {name: [(risen(r["path"], "norm_over_sqrt_layers"), risen(r["path"], "forgetting")) for r in rows]
             for name, rows in found.items()}  # fmt: skip
    ranks = np.array([concordance([found[name][s]["path"] for name in RUNS]) for s in range(seeds)])
    gains = {(name, t): np.array([gain(r, t) for r in rows]) for name, rows in found.items() for t in TREATMENTS}
    starts = np.array([gain_of_run(a["path"], b["path"])
                       for a, b in zip(found["v_proj"], found["v_proj, orthogonal start"], strict=True)])  # fmt: skip
    gaussian = {name: np.array([_last(r, "gaussian", "forgetting") for r in rows]) for name, rows in found.items()}
    sentences = (
        sentence(
            "the indicator rises before the base loss does",
            "||ΔV||/√L passes a tenth of its final value at an earlier checkpoint than forgetting (where it rises)",
            [bool(i < f) for rows in first.values() for i, f in rows if not np.isnan(f)], seeds,
            "steps at which indicator and forgetting have passed a tenth: "
            + ", ".join(f"{spread([i for i, _ in rows])} and {spread([f for _, f in rows])} ({name})"
                        for name, rows in first.items())
            + ". The norm grows from the first step on, whatever is learned: that it is early says little.",
            ledger=False,
        ),
        sentence(
            "the indicator ranks adapters by damage",
            "of two runs at one step the one with the larger ||ΔV||/√L forgets more in over two thirds of the pairs",
            [bool(x > OFTEN) for x in ranks], seeds,
            f"true of {spread(100 * ranks)} % of the pairs. The runs differ in targets, start and rate. The cone"
            f" margin, {_margins(found)} of ||V|| on the average of the layers, is below 0 throughout: no"
            " warning.",
        ),
        sentence(
            "projecting ΔV lowers the damage",
            "at equal task loss the projected update forgets less than the plain one scaled down (where it gets there)",
            [bool(x > 0) for (_, t), rows in gains.items() if t in PROJECTED for x in rows if not np.isnan(x)],
            seeds,
            "nats less than plain LoRA scaled to the same task loss: "
            + ", ".join(f"{spread(x)} ({t}, {name})" for (name, t), x in gains.items())
            + f"; an orthogonal start instead of the plain one: {spread(starts)}. Scaling is the plain curve itself.",
        ),
    )  # fmt: skip
    table = tuple(_row(name, rows, gaussian[name]) for name, rows in found.items())
    return Result(
        "exp-indicator", session.model_name, seeds, sentences, table,
        figures={"experiment_indicator": lambda: indicator_figure(found)},
    )  # fmt: skip


def risen(path: list[dict[str, float]], name: str) -> float:
    """The first step whose value has passed :data:`EARLY` of the last one (of a positive one; else NaN)."""
    last = path[-1][name]
    if last <= 0:
        return float("nan")
    return next(row["step"] for row in path if row[name] > EARLY * last)


def concordance(paths: list[list[dict[str, float]]]) -> float:
    """Share of pairs of runs, at each step but the first, that indicator and forgetting order alike."""
    alike = []
    for one, other in combinations(paths, 2):
        for x, y in zip(one[1:], other[1:], strict=True):
            norm = x["norm_over_sqrt_layers"] - y["norm_over_sqrt_layers"]
            alike.append(norm * (x["forgetting"] - y["forgetting"]) > 0)
    return float(np.mean(alike)) if alike else float("nan")


def gain(run: dict[str, Any], name: str) -> float:
    """Forgetting of plain LoRA less that of the treated update, at the task loss of the treated one at full scale.

    The plain update is scaled to that task loss (linear between its scales, none included); NaN where no scale between
    0 and 1 reaches it.
    """
    plain = [(run["path"][0]["task"], 0.0)]
    plain += [(r["task"], r["forgetting"]) for r in run["treated"] if r["treatment"] == "plain"]
    return _at_equal_task(plain, _last(run, name, "task")) - _last(run, name, "forgetting")


def gain_of_run(plain: list[dict[str, float]], other: list[dict[str, float]]) -> float:
    """The same for two runs, along their paths: forgetting of the first less that of the second at equal task loss."""
    least = max(min(r["task"] for r in plain), min(r["task"] for r in other))
    found = [_at_equal_task([(r["task"], r["forgetting"]) for r in path], least) for path in (plain, other)]
    return found[0] - found[1]


def _at_equal_task(points: list[tuple[float, float]], task: float) -> float:
    """Forgetting at this task loss, on the points in their order: the first segment that spans it; NaN without one."""
    for (t0, f0), (t1, f1) in pairwise(points):
        if min(t0, t1) <= task <= max(t0, t1):
            return f0 if t0 == t1 else f0 + (task - t0) / (t1 - t0) * (f1 - f0)
    return float("nan")


def _last(run: dict[str, Any], treatment: str, quantity: str) -> float:
    return next(r[quantity] for r in run["treated"] if r["treatment"] == treatment and r["scale"] == 1.0)


def _margins(found: dict[str, list[dict[str, Any]]]) -> str:
    values = [row["cone_margin"] for runs in found.values() for r in runs for row in r["path"]]
    return f"{min(values):.2f} to {max(values):.2f}"


def _row(name: str, runs: list[dict[str, Any]], gaussian: np.ndarray) -> dict[str, Any]:
    first, last = (([r["path"][k] for r in runs]) for k in (0, -1))

    def shape(key: str) -> str:
        ours, theirs = (np.mean([r["shape"][x][key] for r in runs]) for x in ("trained", "gaussian"))
        return f"{ours:.2g} ({theirs:.2g})"

    return {
        "run": name,
        "task loss": f"{spread([x['task'] for x in first])} → {spread([x['task'] for x in last])}",
        "forgetting": spread([x["forgetting"] for x in last]),
        "||ΔV||/||V||": spread([x["relative_norm"] for x in last]),
        "||ΔV||/√L": spread([x["norm_over_sqrt_layers"] for x in last]),
        "forgetting of a Gaussian of its norms": spread(gaussian),
        "stable rank (Gaussian)": shape("stable_rank"),
        "cosine between layers (Gaussian)": shape("between_layers"),
        "along the leading 16 (Gaussian)": shape("along_top"),
    }
