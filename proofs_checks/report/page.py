"""The page of a report, put together from what other modules know."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from shlex import quote
from typing import Any

from proofs_checks import graph, matrix
from proofs_checks.certify import shipped
from proofs_checks.ledger import shipped_counterexample
from proofs_checks.report.diagrams import diagrams, library
from proofs_checks.report.maths import formula, words
from proofs_checks.store import file_name
from proofs_checks.sweep.families import Sweep
from proofs_checks.sweep.folder import Table
from proofs_checks.sweep.law_words import DIFFERS, HEADS, cells
from proofs_checks.sweep.laws import Law, laws
from theory.claim import Claim
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.kernel.step import Derivation, Step
from theory.typeset import lines, premise_labels

Row = Mapping[str, Any]
Part = tuple[Path, Sweep, dict[str, Table]]
SECTIONS = ("verdicts", "matrix", "graphs", "sweeps", "claims", "lemmas", "certificates", "reproduce")
VERDICT_COLOURS = {"derived": "#0072b2", "supported": "#56b4e9", "refuted": "#d55e00", "open": "#777777",
                   "inconclusive": "#e69f00", "stale": "#777777"}  # fmt: skip


def page(rows: Mapping[str, Row], runs: Sequence[Part], source: str) -> str:
    """The whole page. ``rows``: claim → row of ``verify`` (or entry of the lock); ``source`` says in words which."""
    bodies = {
        "verdicts": f"<p>{escape(source)}</p>{verdicts(rows)}",
        "matrix": _matrix(),
        "graphs": "".join(f"<h3>{g}</h3><div class='wide'>{graph.svg(graph.build(g, rows), '#{}')}</div>"
                          for g in graph.GROUPS),
        "sweeps": "".join(sweep_section(k, *run) for k, run in enumerate(runs)) or "<p>No sweep was given.</p>",
        "claims": "".join(claim_section(c, rows.get(i, {})) for i, c in CLAIMS.items()),
        "lemmas": "".join(_details(d.claim, f"{d.claim}: {escape(d.title)}", derivation(d))
                          for i, d in DERIVATIONS.items() if i not in CLAIMS),
        "certificates": certificates(),
        "reproduce": reproduce(runs),
    }  # fmt: skip
    links = " ".join(f'<a href="#{s}">{s}</a>' for s in SECTIONS)
    sections = "".join(f'<section id="{s}"><h2>{s.capitalize()}</h2>{bodies[s]}</section>' for s in SECTIONS)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>loraproofs: report</title>'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style><script>{library()}</script></head>'
        f"<body><nav>{links}</nav><main><h1>Theorems on LoRA and forgetting: what holds</h1>"
        f"<p>H. Koubbi, L. Hernandez, M. Boussard, arXiv 2402.15415v2, checked by loraproofs. Nothing on this page "
        f"comes from a network.</p>{sections}</main><script>{_SCRIPT}</script></body></html>\n"
    )


def verdicts(rows: Mapping[str, Row]) -> str:
    """The table of verdicts."""
    numbers = {"instances that say something": "nonvacuous", "violations": "violations",
               "largest observed / bound": "max_ratio"}  # fmt: skip
    shown = {head: key for head, key in numbers.items() if any(row.get(key) is not None for row in rows.values())}
    body = []
    for name, claim in CLAIMS.items():
        row = rows.get(name, {})
        verdict = str(row.get("verdict", "not run"))
        colour = VERDICT_COLOURS.get(verdict, "#777777")
        link = f'<a href="#{file_name(name)}">{name}</a>'
        cells = (link, escape(claim.title), claim.expected, f'<b style="color:{colour}">{verdict}</b>',
                 *(_number(row.get(key)) for key in shown.values()))  # fmt: skip
        body.append("<tr>" + "".join(f"<td>{x}</td>" for x in cells) + "</tr>")
    return _table(("claim", "", "expected", "verdict", *shown), body)


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{h}</th>" for h in heads)
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide"><table class="rows">{body}</table></div>'


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _matrix() -> str:
    legend = ", ".join(f"{matrix.SIGNS[s]} {matrix.WORDS[s]}" for s in matrix.STATES)
    table = matrix.fragment(matrix.matrix(), "#{}").replace('#derivation">', '">')
    return f"<p>{legend}. Hover over a cell for its evidence.</p><div class='wide'>{table}</div>"


# --- sweeps -----------------------------------------------------------------------------------------


def sweep_section(number: int, folder: Path, sweep: Sweep, tables: dict[str, Table]) -> str:
    """Laws and diagrams of one sweep."""
    seeds = ", ".join(f"{f.name}: {f.seeds:,}" for f in sweep.families)
    body = [f"<h3>{sweep.kind} ({escape(folder.name)})</h3><p>Seed {sweep.seed}. Replicas: {escape(seeds)}.</p>"]
    body.append(law_table(laws(sweep, tables)))
    body += [f'<div class="diagram">{x}</div>' for x in diagrams(sweep, tables, f"sweep{number}")]
    return "".join(body)


def law_table(found: Sequence[Law]) -> str:
    """The laws as a table."""
    rows = []
    for law in found:
        *words_, last = (escape(x) for x in cells(law))
        shown = [*words_, f"<b>{last}</b>" if last == DIFFERS else last]
        rows.append("<tr>" + "".join(f"<td>{x}</td>" for x in shown) + "</tr>")
    return _table(HEADS, rows)


# --- claims -----------------------------------------------------------------------------------------


def claim_section(claim: Claim, row: Row) -> str:
    """One claim: the paper's words, ours, the counterexample, the derivation."""
    parts = [f"<p><b>The paper says.</b> {escape(claim.quoted)}</p>" if claim.quoted else ""]
    parts.append(f"<p><b>We state.</b> {words(claim.statement)}</p>")
    parts += [formula(f.latex, True) for f in claim.formulas]
    parts.append(f"<p>{escape(claim.note)}</p>" if claim.note else "")
    parts.append(f"<p>Assumes: {', '.join(claim.assumptions)}.</p>" if claim.assumptions else "")
    found = shipped_counterexample(claim.id)
    if found is not None:
        parts.append(f"<p>Counterexample:</p><pre>{escape(json.dumps(found.to_dict(), ensure_ascii=False))}</pre>")
    if claim.id in DERIVATIONS:
        parts.append("<h4>Derivation</h4>" + derivation(DERIVATIONS[claim.id]))
    head = f"{claim.id}: {escape(claim.title)} <i>({row.get('verdict', 'not run')})</i>"
    return _details(claim.id, head, "".join(parts))


def _details(name: str, head: str, body: str) -> str:
    return f'<details id="{file_name(name)}"><summary>{head}</summary><div>{body}</div></details>'


def derivation(found: Derivation) -> str:
    """What is given, and the steps."""
    labels = premise_labels(found)
    parts = [f"<p><b>Conditional.</b> {words(found.conditional)}</p>" if found.conditional else ""]
    for name, statement in {**found.setting, **found.assumptions}.items():
        maths = "".join(formula(line, True) for line in lines(statement))
        parts.append(f"<p>({escape(labels[name])}) {escape(name.replace('-', ' '))}</p>{maths}")
    return "".join(parts) + "".join(_step(step, labels) for step in found.steps)


def _step(step: Step, labels: Mapping[str, str]) -> str:
    maths = "".join(formula(line, True) for line in lines(step.says))
    used = getattr(step.rule, "uses", None)
    how = f'{step.rule.kind} of <a href="#{file_name(used)}">{used}</a>' if used else step.rule.kind
    how += f", cited: {escape(step.rule.cited)}" if step.rule.cited else ""
    sources = ", ".join(f"({labels.get(p, p)})" for p in step.premises)
    tail = f"<i>{how}</i>" + (f"; from {escape(sources)}" if sources else "")
    return f"<p>({labels[step.id]}) {words(step.why)}</p>{maths}<p class='how'>{tail}</p>"


def certificates() -> str:
    """The certificates that the package ships, each to be saved and checked."""
    rows = []
    for name in CLAIMS:
        found = shipped.certificate(name)
        if found is None:
            continue
        text = json.dumps(found, indent=1, ensure_ascii=False)
        data = base64.b64encode(text.encode()).decode()
        file = f"{file_name(name)}.certificate.json"
        proved = "; ".join(f"{c['claim']}: {c['verdict']}" for c in found["claims"])
        rows.append(f'<tr><td><a href="#{file_name(name)}">{name}</a></td><td>{escape(proved)}</td>'
                    f'<td><a download="{file}" href="data:application/json;base64,{data}">{file}</a></td>'
                    f"<td><code>loraproofs check-certificate {file}</code></td></tr>")  # fmt: skip
    return _table(("claim", "verdict", "certificate", "check it"), rows)


def reproduce(runs: Sequence[Part]) -> str:
    """The command behind every number on the page."""
    lines_ = ["loraproofs verify --store .loraproofs", "loraproofs matrix", "loraproofs derive"]
    for folder, sweep, _ in runs:
        profile = next((p for p in ("quick", "full") if _is_preset(sweep, p)), None)
        if profile:
            lines_.append(
                f"loraproofs sweep {sweep.kind} --profile {profile} --seed {sweep.seed} --out {quote(folder.name)}"
            )
        else:
            lines_.append(f"# {folder.name}: its families are in {folder.name}/sweep.json")
    lines_.append(" ".join(["loraproofs report", *(quote(folder.name) for folder, _, _ in runs)]))
    return f"<pre>{escape(chr(10).join(lines_))}</pre>"


def _is_preset(sweep: Sweep, profile: str) -> bool:
    from proofs_checks.sweep.presets import sweep as preset

    return preset(sweep.kind, profile, sweep.seed) == sweep


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 0; color: #222; background: #fff; }
nav { position: sticky; top: 0; background: #fff; border-bottom: 1px solid #ddd; padding: .6em 1.5em; z-index: 9; }
nav a { margin-right: 1em; } a { color: #00609c; }
main { max-width: 1100px; margin: 0 auto; padding: 0 1.5em 4em; }
section { scroll-margin-top: 3em; } details { border-bottom: 1px solid #eee; padding: .3em 0; scroll-margin-top: 3em; }
details > div { padding: .2em 1.2em; overflow-x: auto; } summary { cursor: pointer; }
.wide { overflow-x: auto; } table.rows { border-collapse: collapse; font-size: 13px; }
table.rows td, table.rows th { padding: .25em .7em; text-align: left; border-bottom: 1px solid #eee;
  vertical-align: top; }
pre { background: #f6f6f6; padding: .7em; overflow-x: auto; white-space: pre-wrap; font-size: 12px; }
math[display=block] { margin: .3em 0; text-align: left; } .how { color: #666; font-size: 13px; margin-top: 0; }
"""
_SCRIPT = """
function opened() {
  const there = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (there && there.tagName === "DETAILS") { there.open = true; there.scrollIntoView(); }
}
addEventListener("hashchange", opened); opened();
"""
