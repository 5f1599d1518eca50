"""Figures of the experiments. Lines are means over the seeds, thin lines single seeds; every figure says its regime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from proofs_checks.experiment.curves import Curve
from proofs_checks.experiment.result import spread
from proofs_checks.pictures import new_figure
from proofs_checks.sweep.pictures import style

WHERE = {"v": "on v_proj", "ov": "in the residual stream"}
STEP = "fixed step h"
Curves = Mapping[tuple[str, str], Curve]


def _dress(axis: Any, x: str, y: str, title: str) -> None:
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.set_title(title, fontsize=9)
    axis.grid(True, color="#dddddd", linewidth=0.5)


def _draw(axis: Any, x: np.ndarray, y: np.ndarray, k: int, label: str) -> None:
    """The mean of ``y (S, E)`` with its marker, and each seed as a thin line."""
    for row in y if len(y) > 1 else ():
        axis.plot(x, row, color=style(k)["color"], linewidth=0.4, alpha=0.6)
    axis.plot(x, y.mean(axis=0), label=label, **style(k))


def curves_figure(curves: Curves) -> Any:
    """Forgetting, lost accuracy and drift against the norm; one row a place."""
    places = list(dict.fromkeys(place for place, _ in curves))
    drawing = new_figure(9.0, 5.4)
    axes = drawing.subplots(len(places), 3, squeeze=False)
    for line, place in zip(axes, places, strict=True):
        mine = {kind: c for (p, kind), c in curves.items() if p == place}
        for k, (kind, c) in enumerate(mine.items()):
            for axis, y in zip(line, (c.forgetting, c.lost, c.drift), strict=True):
                _draw(axis, c.norms, y, k, kind)
        names = ("forgetting, nats", "share of top-1 accuracy lost", "drift ½|x - x̃|², last layer")
        for axis, name in zip(line, names, strict=True):
            axis.set_xscale("log")
            _dress(axis, "||ΔV|| / ||V||", name, f"{WHERE[place]}, {STEP}")
        line[0].axhline(0.1, color="#999999", linewidth=0.8, linestyle=":")
    axes[0][0].legend(frameon=False, fontsize=7)
    return drawing


def depth_figure(
    counts: np.ndarray, norms: Mapping[tuple[str, str], np.ndarray], powers: Mapping[Any, np.ndarray]
) -> Any:
    """Tolerable norm against the number of layers with adapters; grey: slopes -1/2 and -1."""
    drawing = new_figure(5.6, 4.0)
    axis = drawing.subplots()
    for k, ((place, kind), rows) in enumerate(norms.items()):
        _draw(axis, counts, rows, k, f"{kind}, {WHERE[place]}: slope {spread(powers[place, kind], 2)}")
        if kind == "random":
            for power, dashes in ((-0.5, "--"), (-1.0, ":")):
                start = rows.mean(axis=0)[0]
                axis.plot(counts, start * counts**power, color="#999999", linewidth=0.8, linestyle=dashes)
    axis.set_xscale("log")
    axis.set_yscale("log")
    _dress(axis, "k, layers with adapters", "||ΔV|| / ||V|| at +0.1 nat", f"{STEP}; dashed k^(-1/2), dotted k^(-1)")
    axis.legend(frameon=False, fontsize=7)
    return drawing


def layers_figure(profiles: Mapping[tuple[str, str], np.ndarray]) -> Any:
    """Deviation of the hidden states by layer at the first norm of the grid that costs 0.1 nat."""
    drawing = new_figure(5.6, 3.6)
    axis = drawing.subplots()
    for k, ((place, kind), rows) in enumerate(profiles.items()):
        _draw(axis, np.arange(1, rows.shape[1] + 1), rows, k, f"{kind}, {WHERE[place]}")
    _dress(axis, "layer", "½|x - x̃|²", f"hidden states at the onset of forgetting, {STEP}")
    axis.legend(frameon=False, fontsize=7)
    return drawing


def ablation_figure(curves: Curves) -> Any:
    """Drift of every kind over that of random adapters at the same norm."""
    places = list(dict.fromkeys(place for place, _ in curves))
    drawing = new_figure(8.0, 3.4)
    for axis, place in zip(drawing.subplots(1, len(places), squeeze=False)[0], places, strict=True):
        random = curves[place, "random"]
        others = [(kind, c) for (p, kind), c in curves.items() if p == place and kind != "random"]
        for k, (kind, c) in enumerate(others):
            _draw(axis, c.norms, c.drift / np.maximum(random.drift, 1e-9), k + 1, kind)
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set_xscale("log")
        axis.set_yscale("log")
        _dress(axis, "||ΔV|| / ||V||", "drift over that of random", f"{WHERE[place]}, {STEP}")
        axis.legend(frameon=False, fontsize=7)
    return drawing


def rank_figure(curves: Mapping[tuple[str, int], Curve]) -> Any:
    """Forgetting by rank against the operator norm (left) and the Frobenius norm (right)."""
    places = list(dict.fromkeys(place for place, _ in curves))
    drawing = new_figure(8.0, 5.4)
    axes = drawing.subplots(len(places), 2, squeeze=False)
    for line, place in zip(axes, places, strict=True):
        for k, (rank, c) in enumerate((r, c) for (p, r), c in curves.items() if p == place):
            for axis, x in zip(line, (c.norms, c.frobenius.mean(axis=0)), strict=True):
                axis.plot(x, np.maximum(c.forgetting.mean(axis=0), 1e-4), label=f"rank {rank}", **style(k))
        for axis, name in zip(line, ("||ΔV|| / ||V||", "||ΔV||_F / ||V||"), strict=True):
            axis.set_xscale("log")
            axis.set_yscale("log")
            _dress(axis, name, "forgetting, nats", f"random, {WHERE[place]}, {STEP}")
    axes[0][0].legend(frameon=False, fontsize=7)
    return drawing


def correlation_figure(curves: Curves) -> Any:
    """Forgetting against drift, one mark a family of adapters."""
    places = list(dict.fromkeys(place for place, _ in curves))
    drawing = new_figure(8.0, 3.4)
    for axis, place in zip(drawing.subplots(1, len(places), squeeze=False)[0], places, strict=True):
        for k, (kind, c) in enumerate((kind, c) for (p, kind), c in curves.items() if p == place):
            mark = style(k) | {"linestyle": ""}
            axis.plot(c.drift.flatten(), np.maximum(c.forgetting.flatten(), 1e-4), label=kind, **mark)
        axis.set_xscale("log")
        axis.set_yscale("log")
        _dress(axis, "drift ½|x - x̃|², last layer", "forgetting, nats (at least 1e-4)", f"{WHERE[place]}, {STEP}")
        axis.legend(frameon=False, fontsize=7)
    return drawing


def collapse_figure(bare: np.ndarray, curves: Curves) -> Any:
    """Mean cosine by layer: bare in black, with adapters from small norms (light) to large ones (dark)."""
    drawing = new_figure(8.0, 5.4)
    axes = drawing.subplots(2, 2, sharey=True)
    layers = np.arange(1, bare.shape[1] + 1)
    for axis, ((place, kind), c) in zip(axes.flat, curves.items(), strict=True):
        for k, norm in enumerate(c.norms):
            shade = str(0.85 - 0.75 * k / len(c.norms))
            axis.plot(layers, c.cosine[:, k].mean(axis=0), color=shade, linewidth=0.9)
            if k in (0, len(c.norms) - 1):
                axis.annotate(f"{norm:g}", (layers[-1], c.cosine[:, k, -1].mean()), fontsize=7)
        axis.plot(layers, bare.mean(axis=0), color="#D55E00", linewidth=1.6, label="bare")
        _dress(axis, "layer", "mean cosine of two tokens", f"{kind}, {WHERE[place]}, {STEP}")
    axes.flat[0].legend(frameon=False, fontsize=7)
    return drawing


def spectrum_figure(rows: list[dict[str, Any]]) -> Any:
    """Largest and smallest eigenvalue of the symmetric part of every OV product, over the norm."""
    drawing = new_figure(8.0, 3.4)
    axis = drawing.subplots()
    mine = [r for r in rows if r["kind"] == "ov"]
    heads = 1 + max(r["head"] for r in mine)
    places = [r["layer"] + 1 + (r["head"] - (heads - 1) / 2) * 0.8 / heads for r in mine]
    for name, k, label in (("symmetric_max", 1, "largest"), ("symmetric_min", 2, "smallest (V ⪰ 0 needs ≥ 0)")):
        values = [round(r[name] / r["norm"], 3) for r in mine]
        axis.plot(places, values, label=label, **(style(k) | {"linestyle": ""}))
    axis.axhline(0, color="black", linewidth=0.8)
    _dress(axis, f"layer, its {heads} heads side by side", "eigenvalue of (V + Vᵀ)/2 over ||V||", "OV products")
    axis.legend(frameon=False, fontsize=7, ncols=2)
    return drawing


def indicator_figure(found: Mapping[str, list[dict[str, Any]]]) -> Any:
    """Left: indicator (dashed) and forgetting, over their last values, by step. Right: forgetting against task loss."""
    drawing = new_figure(8.6, 3.6)
    left, right = drawing.subplots(1, 2)
    for k, (name, runs) in enumerate(found.items()):
        steps = [row["step"] for row in runs[0]["path"]]

        def column(key: str, runs: list[dict[str, Any]] = runs) -> np.ndarray:
            return np.array([[row[key] for row in r["path"]] for r in runs]).mean(axis=0)

        norm, forgetting, task = column("norm_over_sqrt_layers"), column("forgetting"), column("task")
        left.plot(steps, norm / norm[-1], **(style(k) | {"linestyle": "--", "marker": ""}))
        left.plot(steps, forgetting / abs(forgetting[-1]), label=name, **style(k))
        right.plot(task, forgetting, label=f"{name}, along the run", **style(k))
    for k, treatment in enumerate(("plain", "off-u1", "off-top", "intruders")):
        rows = [[x for x in r["treated"] if x["treatment"] == treatment] for r in found["v_proj"]]
        task, forgetting = (
            np.array([[x[key] for x in r] for r in rows]).mean(axis=0) for key in ("task", "forgetting")
        )
        words = "scaled down" if treatment == "plain" else treatment
        right.plot(task, forgetting, label=f"v_proj, {words}", **(style(k + 4) | {"linestyle": ":"}))
    left.set_xscale("symlog", linthresh=1)
    _dress(left, "step", "over the last value", f"forgetting; dashed: ||ΔV||/√L ({STEP})")
    _dress(right, "task loss, nats", "forgetting, nats", STEP)
    left.legend(frameon=False, fontsize=7)
    right.legend(frameon=False, fontsize=6)
    return drawing
