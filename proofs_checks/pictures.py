"""Figures of the page "the theorems in pictures": tokens on the sphere, and the cutoff.

Each is made from simulated tokens with fixed numbers, so that one command writes the same file again
(``make figures``). Colours are Okabe and Ito's, every curve has a marker or line style of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from numerics import spectral
from numerics.flow import simulate, simulate_pair
from proofs_checks.errors import InputError
from theory.lowering import to_torch
from theory.thm_4_6 import CUTOFF_PROFILE

BASE, LORA, BLACK = "#0072B2", "#D55E00", "#000000"
CUTOFF_OVERLAPS = (1e-2, 1e-4, 1e-6, 1e-8)
CUTOFF_GAP = 0.5


def new_figure(width: float, height: float) -> Any:
    """An empty figure, inches; raises :class:`InputError` where matplotlib is missing."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'loraproofs[report]'") from None
    mpl.rcParams.update({"svg.hashsalt": "loraproofs", "svg.fonttype": "path", "font.size": 9})
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(drawing: Any, path: Path) -> list[Path]:
    """Write SVG and PNG, the same bytes each time; return the files."""
    svg, png = path.with_suffix(".svg"), path.with_suffix(".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(svg, metadata={"Date": None, "Creator": None})
    drawing.savefig(png, dpi=150, metadata={"Software": None})
    return [svg, png]


def sphere_case(inside: bool) -> dict[str, np.ndarray]:
    """Eight tokens on S² under V and V + ΔV: paths (K, 8, 3), u1 and ũ1.

    ``inside``: all tokens have <x, u1> > sin θ_b and follow ũ1. Otherwise they start beyond the hemisphere of ũ1 (still
    with <x, u1> > 0) and go to -ũ1 under V + ΔV, while they go to u1 under V.
    """
    rng = np.random.default_rng(4)
    V = torch.diag(torch.tensor([1.5, 0.5, 0.3], dtype=torch.float64))
    dV = torch.zeros(3, 3, dtype=torch.float64)
    dV[0, 1] = dV[1, 0] = 0.45
    if inside:
        directions = rng.uniform(0, 2 * np.pi, 8)
        angles = rng.uniform(0.4, 1.1, 8)
    else:
        directions = np.pi + rng.uniform(-0.12, 0.12, 8)
        angles = rng.uniform(1.34, 1.5, 8)
    tokens = np.stack(
        [np.cos(angles), np.sin(angles) * np.cos(directions), np.sin(angles) * np.sin(directions)], axis=1
    )
    times = torch.linspace(0, 25, 400, dtype=torch.float64).unsqueeze(0)
    base, lora = simulate_pair(
        torch.from_numpy(tokens).unsqueeze(0), V[None], V[None], (V + dV)[None], (V + dV)[None], times
    )
    moved = spectral.leading_eigenvector_symmetric((V + dV)[None]).vector[0].numpy()
    return {
        "base": base.states[0].numpy(),
        "lora": lora.states[0].numpy(),
        "u1": np.array([1.0, 0.0, 0.0]),
        "moved": moved * np.sign(moved[0]),
    }


def sphere(path: Path) -> list[Path]:
    """Base and LoRA tokens on S²: inside the safe zone, and where the quoted criterion fails."""
    drawing = new_figure(9.0, 4.4)
    panels = drawing.subplots(1, 2)
    titles = ("<x, u1> > sin θ_b: LoRA tokens go to ũ1", "<x, u1> > 0 alone: they go to -ũ1")
    for axis, inside, title in zip(panels, (True, False), titles, strict=True):
        _draw_sphere(axis, sphere_case(inside), title)
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    return save_figure(drawing, path)


def _project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right, up and towards the viewer, seen from a point between the axes u1, -e2 and e3."""
    towards = np.array([0.62, -0.72, 0.32])
    towards /= np.linalg.norm(towards)
    right = np.cross(np.array([0.0, 0.0, 1.0]), towards)
    right /= np.linalg.norm(right)
    up = np.cross(towards, right)
    return points @ right, points @ up, points @ towards


def _draw_sphere(axis: Any, case: dict[str, np.ndarray], title: str) -> None:
    circle = np.linspace(0, 2 * np.pi, 200)
    axis.plot(np.cos(circle), np.sin(circle), color="#888888", linewidth=1)
    for latitude in (-60, -30, 0, 30, 60):
        a = np.deg2rad(latitude)
        ring = np.stack([np.full(200, np.sin(a)), np.cos(a) * np.cos(circle), np.cos(a) * np.sin(circle)], axis=1)
        x, y, depth = _project(ring)
        axis.plot(np.where(depth > 0, x, np.nan), y, color="#dddddd", linewidth=0.6)
    for name, colour, style, label in (("base", BASE, "-", "base tokens"), ("lora", LORA, "--", "LoRA tokens")):
        for token in range(case[name].shape[1]):
            x, y, depth = _project(case[name][:, token])
            shown = {"label": label} if token == 0 else {}
            axis.plot(np.where(depth > 0, x, np.nan), y, color=colour, linestyle=style, linewidth=1.2, **shown)
            axis.plot(np.where(depth <= 0, x, np.nan), y, color=colour, linestyle=style, linewidth=0.6, alpha=0.45)
    x, y, _ = _project(case["base"][0])
    axis.plot(x, y, "o", color=BLACK, markersize=3, label="start")
    for point, marker, label in ((case["u1"], "*", "±u1"), (case["moved"], "X", "±ũ1")):
        for k, sign in enumerate((1.0, -1.0)):
            x, y, depth = _project(sign * point[None])
            fill = {} if sign > 0 else {"markerfacecolor": "white"}
            colour = BASE if marker == "*" else LORA
            shown = {"label": label} if k == 0 else {}
            axis.plot(
                x, y, marker, color=colour, markersize=11 if marker == "*" else 8, markeredgecolor=BLACK,
                markeredgewidth=0.7, linestyle="none", alpha=1.0 if depth[0] > 0 else 0.5, **fill, **shown,
            )  # fmt: skip
    axis.set_title(title)
    axis.set_aspect("equal")
    axis.axis("off")


def cutoff_case(overlap: float, scaled: np.ndarray) -> np.ndarray:
    """<x(t), ũ1> of one token that starts near -ũ2's side, at ``(λ̃1 - λ̃2) t = log(√(1-ε²)/ε) + scaled``."""
    V = torch.diag(torch.tensor([1.0 + CUTOFF_GAP, 1.0], dtype=torch.float64))[None]
    start = torch.tensor([[[overlap, np.sqrt(1 - overlap**2)]]], dtype=torch.float64)
    times = (np.log(np.sqrt(1 - overlap**2) / overlap) + scaled) / CUTOFF_GAP
    return simulate(start, V, V, torch.from_numpy(times)[None]).states[0, :, 0, 0].numpy()


def cutoff(path: Path) -> list[Path]:
    """The jump to ũ1: on the time axis it moves out as the overlap ε shrinks, in scaled time it is one profile."""
    drawing = new_figure(9.0, 3.6)
    left, right = drawing.subplots(1, 2)
    scaled = np.linspace(-4.5, 4.5, 37)
    for k, (overlap, marker) in enumerate(zip(CUTOFF_OVERLAPS, "os^D", strict=True)):
        colour = (BLACK, BASE, LORA, "#009E73")[k]
        observed = cutoff_case(overlap, scaled)
        times = (np.log(1 / overlap) + scaled) / CUTOFF_GAP
        name = f"ε = 1e-{round(-np.log10(overlap))}"
        left.plot(times, observed, color=colour, marker=marker, markersize=3, label=name)
        right.plot(scaled[k::4], observed[k::4], marker, color=colour, markersize=5, markerfacecolor="none", label=name)
    profile = to_torch(CUTOFF_PROFILE, scaled_time=torch.from_numpy(scaled)).numpy()
    right.plot(scaled, profile, color="#888888", linewidth=1, zorder=0, label="predicted profile")
    left.set_xlabel("t")
    right.set_xlabel("(λ̃1 - λ̃2) t - log(√(1-ε²)/ε)")
    for axis in (left, right):
        axis.set_ylabel("overlap with ũ1")
        axis.grid(True, color="#dddddd", linewidth=0.5)
        axis.legend(frameon=False, loc="lower right")
    return save_figure(drawing, path)
