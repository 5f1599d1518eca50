"""The dependency graph of assumptions, lemmas and claims as SVG, one picture for each result of the paper.

As in the blueprints of formal mathematics: the border tells what a statement is expected to be, the fill what evidence
there is, and no node shows more than the weakest that its proof rests on. Solid edges are uses in a proof, dashed ones
uses in a statement, dotted ones assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from proofs_checks.derivations import uses
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS

GROUPS = ("prop-3.1", "prop-3.3", "remark-3.4", "thm-4.2", "thm-4.6")
FILL = {
    "derived": "#0072b2",
    "supported": "#9ecae1",
    "refuted": "#e69f00",
    "inconclusive": "#f5e6a8",
    "stale": "#cccccc",
    "open": "#ffffff",
    "assumption": "#f4f4f4",
}
BORDER = {"holds": "#004b76", "refuted": "#a65e00", "open": "#777777", "assumption": "#aaaaaa"}
_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 210, 30, 24, 64, 20


@dataclass(frozen=True)
class Node:
    """A claim, a lemma (``lemma/...``) or an assumption; ``state`` is a key of FILL, ``expected`` of BORDER."""

    name: str
    state: str
    expected: str


@dataclass(frozen=True)
class Graph:
    """Nodes by name and edges (from, to, kind); kind is ``proof``, ``statement`` or ``assumption``."""

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str, str], ...]


def build(group: str, verdicts: Mapping[str, Mapping[str, Any]]) -> Graph:
    """The graph of the claims of one result, with everything that they rest on.

    ``verdicts``: claim → ``verdict`` and ``effective`` (the weakest along its proof), as ``verify`` gives them.
    """
    wanted = [i for i in CLAIMS if i.startswith(group + "/")]
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str, str]] = []
    waiting = list(wanted)
    while waiting:
        name = waiting.pop(0)
        if name in nodes:
            continue
        claim = CLAIMS.get(name)
        if claim is None:
            nodes[name] = Node(name, "derived", "holds")
        else:
            found = verdicts.get(name, {})
            word = found.get("verdict") or "open"
            shown = found.get("effective") or word
            nodes[name] = Node(name, shown if word in ("derived", "supported") else word, claim.expected)
        applied = uses(name) if name in DERIVATIONS else []
        proof = list(dict.fromkeys([*applied, *(claim.proof_depends if claim else ())]))
        statement = [i for i in (claim.statement_depends if claim else ()) if i not in proof]
        edges += [(below, name, "proof") for below in proof] + [(below, name, "statement") for below in statement]
        waiting += [*proof, *statement]
        if name in wanted and claim is not None:
            for assumption in claim.assumptions:
                nodes.setdefault(assumption, Node(assumption, "assumption", "assumption"))
                edges.append((assumption, name, "assumption"))
    return Graph(nodes, tuple(edges))


def layers(graph: Graph) -> list[list[str]]:
    """Nodes by how many edges are above them, each layer put in order by the mean place of its neighbours."""
    below: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target, _ in graph.edges:
        below[target].append(source)
    depth: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((of(x) for x in below[name]), default=-1)
        return depth[name]

    rows: list[list[str]] = []
    for name in graph.nodes:
        level = of(name)
        rows += [[] for _ in range(level + 1 - len(rows))]
        rows[level].append(name)
    near: dict[str, list[str]] = {name: list(x) for name, x in below.items()}
    for source, target, _ in graph.edges:
        near[source].append(target)
    for _ in range(8):
        place = {name: (k + 0.5) / len(row) for row in rows for k, name in enumerate(row)}
        rows = [
            sorted(row, key=lambda n: (sum(place[x] for x in near[n]) / len(near[n]) if near[n] else 0.5, n))
            for row in rows
        ]
    return [part for row in rows for part in _broken(row)]


def _broken(row: list[str], longest: int = 6) -> list[list[str]]:
    """A long layer on several lines."""
    count = -(-len(row) // longest)
    size = -(-len(row) // count) if count else 1
    return [row[k : k + size] for k in range(0, len(row), size)]


def svg(graph: Graph, link: str = "claim/{}.html") -> str:
    """The picture. ``link`` makes the address of a claim's or lemma's page from its page name."""
    rows = layers(graph)
    width = max(len(row) for row in rows) * (_WIDTH + _ACROSS) + 2 * _MARGIN
    height = len(rows) * (_HEIGHT + _DOWN) + 2 * _MARGIN + 40
    where = {}
    for level, row in enumerate(rows):
        free = width - len(row) * (_WIDTH + _ACROSS)
        for k, name in enumerate(row):
            where[name] = (
                free / 2 + k * (_WIDTH + _ACROSS) + _WIDTH / 2 + _ACROSS / 2,
                _MARGIN + level * (_HEIGHT + _DOWN),
            )
    parts = [_HEAD.format(width=round(width), height=height)]
    parts += [_edge(where[source], where[target], kind) for source, target, kind in graph.edges]
    parts += [_node(node, where[name], link) for name, node in graph.nodes.items()]
    parts.append(_legend(height - 34))
    return "\n".join([*parts, "</svg>\n"])


_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
font-family="Helvetica, Arial, sans-serif" font-size="12">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0 L8 4 L0 8 z" fill="#666666"/></marker></defs>
<rect width="100%" height="100%" fill="#ffffff"/>"""
_DASH = {"proof": "", "statement": ' stroke-dasharray="7 4"', "assumption": ' stroke-dasharray="2 3"'}
_INK = {"proof": "#444444", "statement": "#444444", "assumption": "#aaaaaa"}


def _edge(source: tuple[float, float], target: tuple[float, float], kind: str) -> str:
    (x, y), (u, v) = (source[0], source[1] + _HEIGHT), target
    bend = max(20.0, (v - y) / 2)
    return (
        f'<path d="M{x:.0f} {y:.0f} C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}" fill="none" '
        f'stroke="{_INK[kind]}"{_DASH[kind]} marker-end="url(#arrow)"/>'
    )


def _node(node: Node, place: tuple[float, float], link: str) -> str:
    x, y = place[0] - _WIDTH / 2, place[1]
    ink = "#ffffff" if node.state == "derived" else "#000000"
    round_ = 15 if node.state == "assumption" else 3
    title = f"{node.name}: {node.state}" if node.state != "assumption" else f"assumption {node.name}"
    box = (
        f'<g><title>{escape(title)}</title><rect x="{x:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="{round_}" fill="{FILL[node.state]}" stroke="{BORDER[node.expected]}" stroke-width="2"'
        + (' stroke-dasharray="5 3"' if node.expected in ("refuted", "open") else "")
        + f'/><text x="{place[0]:.0f}" y="{y + 19:.0f}" text-anchor="middle" fill="{ink}">'
        f"{escape(_short(node.name))}</text></g>"
    )
    if node.state == "assumption":
        return box
    return f'<a href="{escape(link.format(node.name.replace("/", "_")))}" target="_top">{box}</a>'


def _short(name: str, longest: int = 31) -> str:
    text = name.removeprefix("lemma/") if name.startswith("lemma/") else name
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _legend(y: float) -> str:
    parts, x = [], float(_MARGIN)
    for state, words in (("derived", "derived"), ("supported", "supported"), ("refuted", "refuted"), ("open", "open")):
        parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="16" height="16" fill="{FILL[state]}" stroke="#444444"/>'
            f'<text x="{x + 22:.0f}" y="{y + 13:.0f}">{words}</text>'
        )
        x += 100
    for kind, words in (("proof", "used by the proof"), ("statement", "by the statement"), ("assumption", "assumed")):
        parts.append(
            f'<path d="M{x:.0f} {y + 8:.0f} h34" fill="none" stroke="{_INK[kind]}"{_DASH[kind]}/>'
            f'<text x="{x + 40:.0f}" y="{y + 13:.0f}">{words}</text>'
        )
        x += 170
    return "\n".join(parts)
