"""Figures of a sweep fit for a paper: PDF (vector, fonts embedded) and PNG.

Colours are Okabe and Ito's and every curve has a marker of its own; bars are bootstrap intervals; lines without markers
are theory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from proofs_checks.pictures import new_figure
from proofs_checks.sweep.families import Escapes, Passages, Sweep
from proofs_checks.sweep.folder import Table
from proofs_checks.sweep.laws import Curves, drawn, escape_prediction, grid_of, linear
from proofs_checks.sweep.predictions import critical, exponent
from proofs_checks.transition import value_of
from theory import thm_4_6

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8B4513")
MARKERS = "os^Dv<>ph"


def style(k: int) -> dict[str, Any]:
    """Colour and marker of the k-th curve; the second nine have open markers."""
    face = {} if k < 9 else {"markerfacecolor": "white"}
    return {"color": COLOURS[k % 9], "marker": MARKERS[k % 9], "markersize": 3.5, "linewidth": 1, **face}


def figures(sweep: Sweep, tables: dict[str, Table]) -> dict[str, Callable[[], Any]]:
    """Name → what draws it, for the figures that this sweep has data for."""
    clouds = drawn(sweep, tables)
    found: dict[str, Callable[[], Any]] = {}
    wide = [c for c in clouds.values() if len(c.family.etas) >= 8 and len(c.family.depths) >= 3]
    for c in wide:
        found[f"curves {c.family.name}"] = lambda c=c: curves_figure(c)
    several = [c for c in clouds.values() if len(c.family.depths) >= 3 and np.isfinite(c.critical).all()]
    if several:
        found["critical norm"] = lambda: critical_figure(several)
    alone = [c for c in clouds.values() if len(c.family.depths) == 1 and len(c.family.etas) >= 8]
    if len(alone) >= 2:
        found["curves by rank"] = lambda: beside_figure(alone)
    single = [c for c in clouds.values() if len(c.family.depths) == 1 and len(c.family.etas) < 8]
    if len(single) >= 2:
        found["critical norm by family"] = lambda: families_figure(single)
    passages = [f for f in sweep.families if isinstance(f, Passages)]
    for shape in ("cutoff", "degenerate"):
        chosen = [f for f in passages if f.shape == shape]
        if chosen:
            found[shape] = lambda chosen=chosen, shape=shape: passage_figure(shape, chosen, tables)
    escapes = [f for f in sweep.families if isinstance(f, Escapes)]
    if escapes:
        found["escape"] = lambda: escape_figure(escapes, tables)
    return found


def save(drawing: Any, folder: Path, name: str) -> list[Path]:
    """Write the figure as PDF and PNG below ``folder``; the same bytes each time."""
    import matplotlib as mpl

    mpl.rcParams["pdf.fonttype"] = 42  # TrueType, embedded
    folder.mkdir(parents=True, exist_ok=True)
    stem = "".join(x if x.isalnum() else "-" for x in name).strip("-")
    pdf, png = folder / f"{stem}.pdf", folder / f"{stem}.png"
    drawing.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    drawing.savefig(png, dpi=200, metadata={"Software": None})
    return [pdf, png]


def _dress(axis: Any, x: str, y: str, title: str = "") -> None:
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.set_title(title, fontsize=9)
    axis.grid(True, color="#dddddd", linewidth=0.5)


def label(power: float) -> str:
    """``η/L^p`` as it is written on an axis."""
    return {0.0: "η", 0.5: "η/√L", -0.5: "η√L", -1.0: "ηL"}.get(power, f"η/L^{power:g}")


def curves_figure(c: Curves) -> Any:
    """D of one family against η, and against the scaling of the theorem."""
    family = c.family
    drawing = new_figure(7.2, 3.0)
    powers = [0.0, 0.5] if family.fixed == "T" else [0.0, family.power]
    for axis, power in zip(drawing.subplots(1, 2, sharey=True), powers, strict=True):
        for k, depth in enumerate(family.depths):
            x = c.scales * depth ** (family.power - power)
            error = c.samples[:, k].std(axis=0) / math.sqrt(len(c.samples))
            axis.errorbar(x, c.means[k], yerror_of(error), label=f"L = {depth:,}", **style(k))
        axis.axhline(family.threshold, color="#999999", linewidth=0.8, linestyle=":")
        axis.set_xscale("log")
        _dress(axis, label(power), "D = ½ E W2²" if power == powers[0] else "")
    drawing.axes[0].legend(frameon=False, fontsize=7)
    drawing.suptitle(f"{family.name}: n = {family.tokens}, d = {family.d}, r = {family.rank}", fontsize=9)
    return drawing


def yerror_of(standard: np.ndarray) -> np.ndarray:
    """Half-widths of a 95 % interval from standard errors."""
    return 1.96 * standard


def critical_figure(several: list[Curves]) -> Any:
    """η_c against L; lines: the exponent of the theorem through the deepest point, or the linearised prediction."""
    drawing = new_figure(6.4, 4.2)
    axis = drawing.subplots()
    for k, c in enumerate(several):
        etas = [c.critical_eta(i) for i in range(len(c.depths))]
        value = np.array([x.value for x in etas])
        bars = np.array([[x.value - x.low for x in etas], [x.high - x.value for x in etas]])
        axis.errorbar(c.depths, value, np.nan_to_num(bars), linestyle="", capsize=2, label=c.family.name, **_points(k))
        power = exponent(c.family)
        if linear(c.family):
            line = np.array([critical(c.family, int(L)) for L in c.depths])
        elif power is not None:
            line = value[-1] * (c.depths / c.depths[-1]) ** power
        else:
            continue
        axis.plot(c.depths, line, color=COLOURS[k % 9], linewidth=0.9, linestyle="-" if k < 9 else "--")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    _dress(axis, "L", "η_c")
    drawing.legend(*axis.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=7)
    return drawing


def _points(k: int) -> dict[str, Any]:
    return {key: x for key, x in style(k).items() if key != "linewidth"}


def beside_figure(alone: list[Curves]) -> Any:
    """D of several families of one depth in one picture."""
    drawing = new_figure(4.6, 3.2)
    axis = drawing.subplots()
    for k, c in enumerate(alone):
        error = c.samples[:, 0].std(axis=0) / math.sqrt(len(c.samples))
        axis.errorbar(c.scales, c.means[0], yerror_of(error), label=c.family.name, **style(k))
    axis.set_xscale("log")
    _dress(axis, label(alone[0].family.power), "D = ½ E W2²", f"L = {alone[0].family.depths[0]:,}")
    axis.legend(frameon=False, fontsize=7)
    return drawing


def families_figure(single: list[Curves]) -> Any:
    """η_c of families of one depth, measured and by the linearised model."""
    drawing = new_figure(5.2, 0.5 + 0.32 * len(single))
    axis = drawing.subplots()
    for k, c in enumerate(single):
        found, y = c.critical_eta(0), len(single) - k
        bars = np.nan_to_num([[found.value - found.low], [found.high - found.value]])
        axis.errorbar([found.value], [y], xerr=bars, capsize=3, label="measured" if k == 0 else None, **_points(1))
        if linear(c.family):
            axis.plot([critical(c.family, c.family.depths[0])], [y], "|", color="#000000", markersize=12,
                      label="linearised theory" if k == 0 else None)  # fmt: skip
    axis.set_yticks(range(len(single), 0, -1), [c.family.name for c in single], fontsize=7)
    _dress(axis, f"η_c at L = {single[0].family.depths[0]:,}", "")
    axis.legend(frameon=False, fontsize=7)
    return drawing


def passage_figure(shape: str, families: list[Passages], tables: dict[str, Table]) -> Any:
    """T* against ε."""
    drawing = new_figure(4.6, 3.2)
    axis = drawing.subplots()
    for k, family in enumerate(families):
        epsilons, times = grid_of(family, tables[family.name], "time")
        mean, low, high = times.mean(axis=1), times.min(axis=1), times.max(axis=1)
        scale = family.gap if shape == "cutoff" else 1.0
        axis.errorbar(epsilons, scale * mean, scale * np.stack([mean - low, high - mean]), linestyle="", capsize=2,
                      label=family.name, **_points(k))  # fmt: skip
    epsilons = np.array(sorted(families[0].epsilons))
    if shape == "cutoff":
        exact = [families[0].gap * value_of(thm_4_6.CUTOFF_UPPER, overlap=x, perturbed_gap=families[0].gap)
                 for x in epsilons]  # fmt: skip
        words = "T*·(λ̃1-λ̃2)"
    else:
        angle = families[0].angle
        exact = [value_of(thm_4_6.DEGENERATE_TIME, angle_0=angle, deviation=angle / 2, weakening=x) for x in epsilons]
        axis.set_yscale("log")
        words = "T*"
    axis.plot(epsilons, exact, color="#999999", linewidth=1, label="theory, one cluster")
    axis.set_xscale("log")
    _dress(axis, "ε", words)
    axis.legend(frameon=False, fontsize=7)
    return drawing


def escape_figure(families: list[Escapes], tables: dict[str, Table]) -> Any:
    """Mean time to leave the well against gap/σ²."""
    drawing = new_figure(4.6, 3.2)
    axis = drawing.subplots()
    for k, family in enumerate(families):
        times = tables[family.name]["time"].reshape(len(family.barriers), family.seeds)
        error = times.std(axis=1) / math.sqrt(family.seeds)
        x = np.array(family.barriers)
        axis.errorbar(x, family.gap * times.mean(axis=1), family.gap * yerror_of(error), linestyle="", capsize=2,
                      label=family.name, **_points(k))  # fmt: skip
        fine = np.linspace(x.min(), x.max(), 40)
        axis.plot(fine, [family.gap * escape_prediction(family, b) for b in fine], color=COLOURS[k], linewidth=0.9,
                  label="exact mean time of the SDE" if k == 0 else None)  # fmt: skip
    axis.set_yscale("log")
    _dress(axis, "gap/σ²", "gap · mean time to leave", "the linearised model never leaves")
    axis.legend(frameon=False, fontsize=7)
    return drawing
