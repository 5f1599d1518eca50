"""Figure of Theorem 4.2: the drift D(η, L) of random and of tied adapters at fixed time, for many depths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from proofs_checks.pictures import BASE, BLACK, LORA, new_figure, save_figure
from proofs_checks.transition_curves import WELL, Setting, T, drifts

DEPTHS = (16, 64, 256, 1_024)
SEED, SEEDS = 0, 1_000
_STYLES = ((BLACK, "o"), (BASE, "s"), (LORA, "^"), ("#009E73", "D"))


def curves(setting: Setting, grid: torch.Tensor, power: float) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(η, D) for each depth, at ``η = grid * L**power``."""
    found = []
    for depth in DEPTHS:
        etas = grid * depth**power
        D = drifts(setting, etas, h=T / depth, depth=depth, seeds=SEEDS, seed=SEED).mean(dim=0)
        found.append((etas, D))
    return found


def _panel(axis: Any, found: list[tuple[torch.Tensor, torch.Tensor]], power: float, label: str, title: str) -> None:
    for (etas, D), depth, (colour, marker) in zip(found, DEPTHS, _STYLES, strict=True):
        x = (etas / depth**power).numpy()
        axis.plot(x, D.numpy(), color=colour, marker=marker, markersize=3, linewidth=1, label=f"L = {depth:,}")
    axis.set_xscale("log")
    axis.tick_params(axis="x", which="minor", labelbottom=False)
    axis.set_ylim(-0.03, 1.08)
    axis.set_xlabel(label)
    axis.set_ylabel("D = ½ E|x - x̃|²")
    axis.set_title(title, fontsize=9)
    axis.grid(True, color="#dddddd", linewidth=0.5)
    axis.legend(frameon=False, loc="upper left", fontsize=8)


def transition(path: Path) -> list[Path]:
    """Random adapters against η and against η/√L, tied ones against η."""
    drawing = new_figure(9.6, 3.4)
    left, middle, right = drawing.subplots(1, 3)
    random = curves(Setting(WELL), torch.logspace(-0.9, 0.7, 15, dtype=torch.float64), 0.5)
    tied = curves(Setting(WELL, "tied"), torch.logspace(-1, 1.4, 15, dtype=torch.float64), 0.0)
    _panel(left, random, 0.0, "η", "random adapters: not one curve in η")
    _panel(middle, random, 0.5, "η/√L", "random adapters: one curve in η/√L")
    _panel(right, tied, 0.0, "η", "tied adapters: one curve in η")
    return save_figure(drawing, path)
