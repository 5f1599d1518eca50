"""The assumption matrix: for every claim and every assumption, what is known of the claim without it.

``needed``: a stored counterexample that satisfies every other assumption; ``not_needed``: a derivation that does not
use it; ``open``: neither, with what was tried; ``na``: the claim's model has no such part.
"""

from __future__ import annotations

from html import escape
from typing import Any

from proofs_checks import lock
from proofs_checks.relax.stored import path, tried
from proofs_checks.store import file_name
from theory.assumptions import ASSUMPTIONS, RELAXATIONS
from theory.claim import Claim
from theory.claims import CLAIMS
from theory.models import assumed, implied, occurs

STATES = ("needed", "not_needed", "open", "na")
SIGNS = {"needed": "●", "not_needed": "○", "open": "?", "na": "·"}
WORDS = {
    "needed": "needed: a counterexample without it",
    "not_needed": "not needed: derived without it",
    "open": "open",
    "na": "does not occur",
}


def cell(claim: Claim, assumption: str, verdicts: dict[str, str]) -> dict[str, Any]:
    """One cell. ``verdicts``: claim → verdict of its present statement."""
    state, evidence = _state(claim, assumption, verdicts)
    return {
        "claim": claim.id,
        "assumption": assumption,
        "state": state,
        "assumed": assumption in assumed(claim),
        "evidence": evidence,
    }


def _state(claim: Claim, assumption: str, verdicts: dict[str, str]) -> tuple[str, dict[str, Any]]:
    if not occurs(claim, assumption):
        return "na", {"why": "the claim's model has no such part"}
    if claim.expected == "refuted":
        file = f"counterexamples/{file_name(claim.id)}.json"
        return "needed", {"counterexample": file, "why": "false as it stands, so false without any assumption"}
    if claim.expected == "open":
        return "open", {"tried": "the claim itself is open"}
    if assumption in assumed(claim):
        if path(claim.id, assumption).exists():
            return "needed", {"counterexample": f"counterexamples/assumptions/{path(claim.id, assumption).name}"}
        return "open", {"tried": _tried(claim.id, assumption)}
    stronger = implied(claim, assumption)
    if verdicts.get(claim.id) == "derived":
        why = f"implied by {stronger}, and not used by itself" if stronger else "the derivation does not use it"
        return "not_needed", {"derivation": claim.id, "why": why}
    return "open", {"tried": f"the claim does not assume it, and is {verdicts.get(claim.id, 'not run')}, not derived"}


def _tried(claim_id: str, assumption: str) -> str:
    found = tried().get(f"{claim_id} {assumption}")
    if not found or not found["tried"]:
        return "nothing: no model without it can be read for this claim"
    return f"{found['tried']} random small instances, largest observed / bound {found['best_ratio']}"


def matrix(claim_ids: list[str] | None = None) -> list[dict[str, Any]]:
    """All cells of the claims, row by row. Verdicts are the lock's, where the statement is still the same."""
    known = lock.read()["claims"]
    verdicts = {
        i: known[i]["verdict"]
        for i, c in CLAIMS.items()
        if i in known and known[i]["statement_hash"] == c.statement_hash
    }
    return [cell(CLAIMS[i], a, verdicts) for i in claim_ids or CLAIMS for a in ASSUMPTIONS]


def counts(cells: list[dict[str, Any]]) -> dict[str, int]:
    """How many cells there are of each state."""
    return {state: sum(c["state"] == state for c in cells) for state in STATES}


def open_share(cells: list[dict[str, Any]]) -> float:
    """Share of open cells among those that are not ``na``."""
    found = counts(cells)
    known = len(cells) - found["na"]
    return found["open"] / known if known else 0.0


def _rows(cells: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for c in cells:
        rows.setdefault(c["claim"], []).append(c)
    return {name: row for name, row in rows.items() if any(c["state"] != "na" for c in row)}


def open_cells(cells: list[dict[str, Any]]) -> str:
    """What is open and what was tried, as a Markdown table."""
    lines = ["| claim | assumption | tried |", "| --- | --- | --- |"]
    grouped: dict[tuple[str, str], list[str]] = {}
    for c in cells:
        if c["state"] == "open":
            grouped.setdefault((c["claim"], c["evidence"]["tried"]), []).append(c["assumption"])
    for (claim, words), names in grouped.items():
        lines.append(f"| `{claim}` | {', '.join(f'`{n}`' for n in names)} | {words} |")
    return "\n".join(lines) + "\n"


def latex(cells: list[dict[str, Any]]) -> str:
    """The matrix as a LaTeX table (needs ``graphicx`` for the slanted headings, ``amssymb``)."""
    signs = {"needed": r"$\bullet$", "not_needed": r"$\circ$", "open": "?", "na": r"$\cdot$"}
    heads = " & ".join(rf"\rotatebox{{90}}{{{a}}}" for a in ASSUMPTIONS)
    lines = [rf"\begin{{tabular}}{{l{'c' * len(ASSUMPTIONS)}}}", rf"claim & {heads} \\ \hline"]
    lines += [f"{name} & " + " & ".join(signs[c["state"]] for c in row) + r" \\" for name, row in _rows(cells).items()]
    lines += [r"\end{tabular}", r"% $\bullet$ needed, $\circ$ not needed, ? open, $\cdot$ does not occur"]
    return "\n".join(lines) + "\n"


def html(cells: list[dict[str, Any]]) -> str:
    """The matrix as one HTML page that needs no network; evidence shows on hover and below."""
    legend = ", ".join(f"{SIGNS[s]} {WORDS[s]}" for s in STATES)
    listed = "".join(
        f"<li><code>{c['claim']}</code> without <code>{c['assumption']}</code>: {escape(_words(c))}</li>"
        for c in cells
        if c["state"] != "na"
    )
    return _PAGE.format(legend=legend, table=fragment(cells), listed=listed)


def fragment(cells: list[dict[str, Any]], link: str | None = None) -> str:
    """The table alone. ``link`` makes the address of a claim's derivation from its page name, for cells not needed."""
    heads = "".join(f'<th title="{escape(RELAXATIONS[a])}"><span>{a}</span></th>' for a in ASSUMPTIONS)
    body = []
    for name, row in _rows(cells).items():
        false = " <em>(false)</em>" if CLAIMS[name].expected == "refuted" else ""
        head = f'<a href="{link.format(file_name(name))}">{name}</a>' if link else name
        entries = "".join(_entry(c, link) for c in row)
        body.append(f"<tr><th>{head}{false}</th>{entries}</tr>")
    rows = "\n".join(body)
    return f'{_STYLE}<table class="matrix"><thead><tr><th></th>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>\n'


def _entry(c: dict[str, Any], link: str | None) -> str:
    sign = SIGNS[c["state"]]
    if link and c["state"] == "not_needed":
        sign = f'<a href="{link.format(file_name(c["claim"]))}#derivation">{sign}</a>'
    return f'<td class="{c["state"]}" title="{escape(c["assumption"])}: {escape(_words(c))}">{sign}</td>'


def _words(c: dict[str, Any]) -> str:
    e = c["evidence"]
    parts = [f"{k}: {v}" if k in ("counterexample", "derivation", "tried") else str(v) for k, v in e.items()]
    return f"{WORDS[c['state']]}; {'; '.join(parts)}"


_STYLE = """<style>
table.matrix { border-collapse: collapse; font-size: 13px; }
table.matrix td { text-align: center; width: 1.6em; border: 1px solid #ddd; padding: 0; }
table.matrix td a { text-decoration: none; color: inherit; }
table.matrix thead th { height: 11em; vertical-align: bottom; font-weight: normal; padding: 0; }
table.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
table.matrix tbody th { text-align: left; font-weight: normal; padding-right: 1em; white-space: nowrap; }
table.matrix .needed { background: #0072b2; color: white; }
table.matrix .not_needed { background: #d6ecf5; color: #222; }
table.matrix .open { background: #f0c36d; color: #222; }
table.matrix .na { color: #aaa; }
</style>
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>loraproofs: assumption matrix</title>
<style>body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; }}</style></head><body>
<h1>Assumption matrix</h1><p>{legend}. Hover over a cell for its evidence.</p>
{table}
<h2>Evidence</h2><ul>{listed}</ul></body></html>
"""
