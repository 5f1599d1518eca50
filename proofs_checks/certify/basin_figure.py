"""The figure of the basin map."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from proofs_checks.certify.basin import DV, FATES, V
from proofs_checks.pictures import BASE, BLACK, LORA, new_figure, save_figure

_COLOURS = {"both to ũ1": BASE, "both to -ũ1": "#56B4E9", "split": LORA, "undecided": "#000000"}


def draw(grid: list[list[str]], path: Path) -> list[Path]:
    """Draw the map; angles in degrees from u1. Returns the files."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch, Rectangle

    names = list(_COLOURS)
    numbers = np.array([[names.index(FATES[fate[:2]]) for fate in row] for row in grid])
    centre_only = np.array([[len(fate) > 2 for fate in row] for row in grid])
    total = np.array(V, dtype=float) + np.array(DV, dtype=float)
    _, vectors = np.linalg.eigh(total)
    moved = math.degrees(math.atan(vectors[1, 1] / vectors[0, 1]))

    drawing = new_figure(6.4, 5.4)
    axis = drawing.subplots()
    axis.imshow(
        numbers.T, origin="lower", extent=(-180, 180, -180, 180), cmap=ListedColormap(list(_COLOURS.values())),
        vmin=-0.5, vmax=len(names) - 0.5, interpolation="nearest", alpha=0.85,
    )  # fmt: skip
    shade = np.zeros((*centre_only.T.shape, 4))
    shade[..., 3] = 0.45 * centre_only.T
    axis.imshow(shade, origin="lower", extent=(-180, 180, -180, 180), interpolation="nearest")
    quoted = Rectangle((-90, -90), 180, 180, fill=False, edgecolor=BLACK, linestyle="--", linewidth=1.4)
    safe = Rectangle((moved - 90, moved - 90), 180, 180, fill=False, edgecolor=BLACK, linewidth=1.4)
    for frame in (quoted, safe):
        axis.add_patch(frame)
    axis.plot([moved], [moved], "X", color="white", markeredgecolor=BLACK, markersize=9)
    axis.annotate("ũ1", (moved, moved), (6, 6), textcoords="offset points")
    axis.plot([0], [0], "*", color="white", markeredgecolor=BLACK, markersize=12)
    axis.annotate("u1", (0, 0), (-4, -14), textcoords="offset points")
    axis.set_xticks(range(-180, 181, 90))
    axis.set_yticks(range(-180, 181, 90))
    axis.set_xlabel("first token: initial angle to u1 (degrees)")
    axis.set_ylabel("second token")
    handles = [Patch(color=_COLOURS[name], alpha=0.85, label=name) for name in names]
    handles += [
        Patch(color="#808080", label="darker: proved for the\ncentre of the cell only"),
        Patch(fill=False, edgecolor=BLACK, linestyle="--", label="γ > 0, as quoted"),
        Patch(fill=False, edgecolor=BLACK, label="hemisphere of ũ1"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return save_figure(drawing, path)
