"""Phase diagrams and curves that can be zoomed and read off, by plotly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_checks.errors import InputError
from proofs_checks.sweep.families import Escapes, Passages, Sweep
from proofs_checks.sweep.folder import Table
from proofs_checks.sweep.laws import Curves, drawn, escape_prediction, grid_of
from proofs_checks.sweep.pictures import COLOURS, label, yerror_of

SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "triangle-left", "triangle-right", "pentagon",
           "hexagon")  # fmt: skip


def library() -> str:
    """The script that all diagrams need; raises InputError where plotly is missing."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InputError("reports need more packages: pip install 'loraproofs[report]'") from None
    return get_plotlyjs()


def diagrams(sweep: Sweep, tables: dict[str, Table], prefix: str) -> list[str]:
    """HTML of every diagram of a sweep; ``prefix`` makes their ids unique on the page."""
    found = []
    for c in drawn(sweep, tables).values():
        if len(c.family.depths) >= 3 and len(c.family.etas) >= 8:
            found += [phase(c), curves(c)]
    for family in sweep.families:
        if isinstance(family, Passages):
            found.append(passages(family, tables[family.name]))
        elif isinstance(family, Escapes):
            found.append(escapes(family, tables[family.name]))
    options: dict[str, Any] = {"full_html": False, "include_plotlyjs": False, "config": {"responsive": True}}
    return [x.to_html(div_id=f"{prefix}-{k}", **options) for k, x in enumerate(found)]


def _figure(title: str, x: str, y: str, **axes: Any) -> Any:
    import plotly.graph_objects as go

    drawing = go.Figure()
    drawing.update_layout(
        title={"text": title, "font": {"size": 14}}, template="plotly_white", height=420, margin={"t": 50, "b": 50},
        xaxis={"title": x, "type": "log", "dtick": 1, **axes.get("xaxis", {})},
        yaxis={"title": y, **axes.get("yaxis", {})},
    )  # fmt: skip
    return drawing


def phase(c: Curves) -> Any:
    """D over η and L as a heat map, with the measured critical norm."""
    import plotly.graph_objects as go

    logs = np.log10(c.scales)[None] + c.family.power * np.log10(c.depths)[:, None]
    grid = np.linspace(logs.min(), logs.max(), 80)
    z = np.full((len(c.depths), len(grid)), np.nan)
    for k, row in enumerate(logs):
        inside = (grid >= row[0]) & (grid <= row[-1])
        z[k, inside] = np.interp(grid[inside], row, c.means[k])
    drawing = _figure(f"{c.family.name}: D(η, L)", "η", "L", yaxis={"type": "log", "dtick": math.log10(4)})
    shown = "η %{x:.3g}<br>L %{y}<br>D %{z:.3f}<extra></extra>"
    drawing.add_trace(go.Heatmap(x=10**grid, y=c.depths, z=z, zmin=0, zmax=1, colorscale="Viridis",
                                 colorbar={"title": "D"}, hovertemplate=shown))  # fmt: skip
    etas = [c.critical_eta(k).value for k in range(len(c.depths))]
    drawing.add_trace(go.Scatter(x=etas, y=c.depths, mode="lines+markers", name=f"D = {c.family.threshold:g}",
                                 line={"color": "white"}, showlegend=False))  # fmt: skip
    return drawing


def curves(c: Curves) -> Any:
    """D against the scaling of the theorem, one curve for each depth."""
    import plotly.graph_objects as go

    drawing = _figure(f"{c.family.name}: one curve in {label(c.family.power)}", label(c.family.power), "D = ½ E W2²")
    error = c.samples.std(axis=0) / math.sqrt(len(c.samples))
    for k, depth in enumerate(c.family.depths):
        drawing.add_trace(go.Scatter(
            x=c.scales, y=c.means[k], name=f"L = {depth:,}", mode="lines+markers",
            line={"color": COLOURS[k % 9], "width": 1}, marker={"symbol": SYMBOLS[k % 9]},
            error_y={"type": "data", "array": yerror_of(error[k]), "thickness": 1},
        ))  # fmt: skip
    return drawing


def passages(family: Passages, table: Table) -> Any:
    """T* against ε."""
    import plotly.graph_objects as go

    epsilons, times = grid_of(family, table, "time")
    scaled = family.shape == "cutoff"
    words = "T*·(λ̃1-λ̃2)" if scaled else "T*"
    drawing = _figure(family.name, "ε", words, yaxis={} if scaled else {"type": "log"})
    y = times.mean(axis=1) * (family.gap if scaled else 1)
    drawing.add_trace(go.Scatter(x=epsilons, y=y, mode="lines+markers", line={"color": COLOURS[1]}))
    return drawing


def escapes(family: Escapes, table: Table) -> Any:
    """Mean time to leave the well."""
    import plotly.graph_objects as go

    times = table["time"].reshape(len(family.barriers), family.seeds)
    drawing = _figure(
        family.name, "gap/σ²", "mean time", xaxis={"type": "linear", "dtick": None}, yaxis={"type": "log"}
    )
    error = yerror_of(times.std(axis=1) / math.sqrt(family.seeds))
    drawing.add_trace(go.Scatter(x=family.barriers, y=times.mean(axis=1), mode="markers", name="measured",
                                 marker={"color": COLOURS[1]}, error_y={"type": "data", "array": error}))  # fmt: skip
    exact = [escape_prediction(family, b) for b in family.barriers]
    drawing.add_trace(
        go.Scatter(x=family.barriers, y=exact, mode="lines", name="SDE, exact", line={"color": "#000000"})
    )
    return drawing
