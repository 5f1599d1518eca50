"""The audit as one HTML page that needs no network: words, hypotheses, heat maps layer × head, the table per layer."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from proofs_checks.audit.hypotheses import finding, hypotheses
from proofs_checks.audit.run import AuditReport, Row
from proofs_checks.audit.tables import BASE, UPDATE, base_lines, best_margin, update_lines

_CELL = 18
_LEFT, _TOP = 40, 22
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { border-bottom: 1px solid #8886; padding: .25rem .6rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.words.words { text-align: left; white-space: normal; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
figure { margin: 1.5rem 0; }
"""


def page(report: AuditReport) -> str:
    """The whole document."""
    title = f"Audit of {report.model}"
    words = "".join(f"<p>{escape(line)}</p>" for line in finding(report))
    maps = [
        _figure(report, "Asymmetry of V", "0 symmetric, 0.71 as random entries, 1 antisymmetric", _asymmetry, 1.0),
        _figure(report, "Cone margin of V over its norm", "blue (positive): the cone applies", best_margin, None),
    ]
    maps += [
        _figure(report, f"||ΔV|| / ||V||, {name}", "empty: no update", _relative(name), None)
        for name in report.adapters
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{escape(_sizes(report))}</p>\n{words}\n<h2>Hypotheses</h2>\n{_hypotheses(report)}\n"
        f"<h2>Heads</h2>\n{''.join(maps)}\n<h2>Layers</h2>\n{_layers(report)}\n</body>\n</html>\n"
    )


def _sizes(report: AuditReport) -> str:
    s = report.shape
    return f"{report.architecture.name}: {s.layers} layers of {s.heads} heads ({s.kv_heads} key-value), width {s.width}"


def _hypotheses(report: AuditReport) -> str:
    body = ""
    for name, fact in hypotheses(report).items():
        value = "" if fact.value_of in (None, 0) else f"{fact.value_holds} of {fact.value_of}"
        words = escape(fact.words)
        body += f'<tr><td>{escape(name)}</td><td>{fact.count}</td><td>{value}</td><td class="words">{words}</td></tr>'
    head = '<tr><th>hypothesis</th><th>holds in</th><th>value matrices</th><th class="words">what it says</th></tr>'
    return f'<div class="wide"><table>{head}{body}</table></div>'


def _layers(report: AuditReport) -> str:
    parts = [_table(BASE, base_lines(report))]
    for name in report.adapters:
        parts.append(f"<h3>{escape(name)}</h3>{_table(UPDATE, update_lines(report, name))}")
    return "\n".join(parts)


def _table(columns: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(x)}</td>" for x in line) + "</tr>" for line in lines)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _asymmetry(row: Row) -> float:
    return row.matrix.asymmetry


def _relative(adapter: str) -> Callable[[Row], float | None]:
    return lambda row: next((u.relative_norm for u in row.updates if u.adapter == adapter), None)


def _figure(report: AuditReport, title: str, note: str, value: Callable[[Row], float | None], top: float | None) -> str:
    """A heat map of a number of every head: blue from 0 up to ``top`` or the largest, vermilion below 0."""
    cells = {(row.matrix.layer, row.matrix.head or 0): value(row) for row in report.of_kind("ov")}
    largest = top or max((abs(x) for x in cells.values() if x is not None), default=0.0)
    width, height = _LEFT + _CELL * report.shape.heads + 4, _TOP + _CELL * report.shape.layers + 4
    marks = [_cell(layer, head, x, largest) for (layer, head), x in cells.items()]
    marks += [
        f'<text x="{_LEFT - 6}" y="{_TOP + _CELL * k + 13}" text-anchor="end">{k}</text>'
        for k in range(report.shape.layers)
    ]
    step = 1 if report.shape.heads <= 16 else 4
    marks += [
        f'<text x="{_LEFT + _CELL * k + 9}" y="{_TOP - 7}" text-anchor="middle">{k}</text>'
        for k in range(0, report.shape.heads, step)
    ]
    caption = f"{title} (rows: layers, columns: heads; full colour at {largest:.3g}). {note[0].upper()}{note[1:]}."
    return (
        f'<figure class="wide"><svg width="{width}" height="{height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(marks)}</svg><figcaption>{escape(caption)}</figcaption></figure>\n"
    )


def _cell(layer: int, head: int, x: float | None, largest: float) -> str:
    place = f'x="{_LEFT + _CELL * head}" y="{_TOP + _CELL * layer}" width="{_CELL - 1}" height="{_CELL - 1}"'
    if x is None:
        return f'<rect {place} fill="none" stroke="#8884"/>'
    colour = "#0072B2" if x >= 0 else "#D55E00"
    share = min(1.0, abs(x) / largest) if largest else 0.0
    label = f"<title>layer {layer}, head {head}: {x:.4g}</title>"
    return f'<rect {place} fill="{colour}" fill-opacity="{0.06 + 0.94 * share:.3f}">{label}</rect>'
