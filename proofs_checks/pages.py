"""One page a claim for the documentation: what the paper says, what we find, the evidence, and the derivation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofs_checks import near
from proofs_checks.claims_table import escape
from proofs_checks.derivations import uses
from proofs_checks.ledger import shipped_counterexample
from theory.assumptions import ASSUMPTIONS
from theory.claim import Claim
from theory.claims import CLAIMS, descendants
from theory.derivations import DERIVATIONS
from theory.kernel.step import Derivation, Step
from theory.tex import GROUPS
from theory.typeset import lines, premise_labels

VERDICTS = Path(__file__).resolve().parents[1] / "docs" / "generated" / "tables" / "verdicts.json"


def page_name(claim_id: str) -> str:
    """The page of a claim, without its ending: ``prop-3.3/drift`` → ``prop-3.3_drift``."""
    return claim_id.replace("/", "_")


def committed_verdicts() -> dict[str, dict[str, Any]]:
    """The verdicts that ``make figures`` wrote last; empty where there are none."""
    return json.loads(VERDICTS.read_text(encoding="utf-8")) if VERDICTS.exists() else {}


def pages() -> dict[str, str]:
    """Name → Markdown of every page: the claims, the lemmas, and the index of derivations."""
    verdicts = committed_verdicts()
    found = {page_name(i): claim_page(claim, verdicts.get(i, {})) for i, claim in CLAIMS.items()}
    found |= {page_name(i): lemma_page(d) for i, d in DERIVATIONS.items() if i not in CLAIMS}
    return found


def claim_page(claim: Claim, verdict: Mapping[str, Any]) -> str:
    """The page of one claim."""
    parts = [_label(claim.id), f"# {claim.id}\n\n{escape(claim.title)}\n\n"]
    parts.append("## The paper says\n\n" + (f"> {escape(claim.quoted)}\n\n" if claim.quoted else
                 "Nothing; this claim is ours.\n\n") + f"(arXiv {claim.arxiv})\n\n")  # fmt: skip
    parts.append(f"## We find\n\n{claim.statement}\n\n")
    parts += [f"$${formula.latex}$$\n\n" for formula in claim.formulas]
    if claim.note:
        parts.append(escape(claim.note) + "\n\n")
    if claim.assumptions:
        parts.append("Assumptions:\n\n")
        parts += [f"- `{name}`: {ASSUMPTIONS[name]}\n" for name in claim.assumptions]
        parts.append("\n")
    parts.append(_relations(claim))
    parts.append("## Evidence\n\n" + _evidence(claim, verdict))
    if claim.id in DERIVATIONS:
        parts.append(_derivation(DERIVATIONS[claim.id]))
    return "".join(parts)


def lemma_page(derivation: Derivation) -> str:
    """The page of one lemma."""
    head = f"{_label(derivation.claim)}# {derivation.claim}\n\n{escape(derivation.title)}\n\n"
    statement = "".join(_display(line) for line in lines(derivation.steps[-1].says))
    return head + statement + _derivation(derivation)


def _label(claim_id: str) -> str:
    return f"(claim-{page_name(claim_id)})=\n\n"


def link(claim_id: str) -> str:
    """A reference to the page of a claim or lemma."""
    return f"[{claim_id}](#claim-{page_name(claim_id)})"


def _relations(claim: Claim) -> str:
    rows: list[str] = []
    if claim.statement_depends:
        rows.append("- The statement uses " + ", ".join(map(link, claim.statement_depends)) + ".\n")
    if claim.proof_depends:
        rows.append("- The proof uses " + ", ".join(map(link, claim.proof_depends)) + ".\n")
    below = descendants(claim.id)
    if below:
        rows.append("- Used by " + ", ".join(map(link, below)) + ".\n")
    return "What rests on what:\n\n" + "".join(rows) + "\n" if rows else ""


def _evidence(claim: Claim, verdict: Mapping[str, Any]) -> str:
    rows = []
    if verdict:
        rows.append(f"- Expected: {claim.expected}. Verdict: **{verdict['verdict']}**.\n")
    else:
        rows.append(f"- Expected: {claim.expected}.\n")
    if claim.required:
        controls = ", ".join(escape(t.name) for t in claim.tightenings)
        needed = f"at least {claim.required:,} non-vacuous instances"
        rows.append(
            f"- Numerically: {needed}" + (f"; made stronger it must be refuted: {controls}" if controls else "") + ".\n"
        )
    if verdict.get("modulo"):
        rows.append("- Modulo what is cited: " + "; ".join(escape(m) for m in verdict["modulo"]) + ".\n")
    rows.append(f"- To see it: `loraproofs verify {claim.id}`")
    rows.append(f", `loraproofs derive {claim.id}`.\n\n" if claim.id in DERIVATIONS else ".\n\n")
    counterexample = shipped_counterexample(claim.id)
    if counterexample is not None:
        file = f"proofs_checks/evidence/counterexamples/{page_name(claim.id)}.json"
        rows.append(f"The counterexample, which `loraproofs replay {file}` runs again:\n\n")
        rows.append(f"```{{literalinclude}} ../../{file}\n:language: json\n```\n\n")
    rows.append(_mind(claim.id, near.committed().get(claim.id)))
    return "".join(rows)


def _mind(claim_id: str, found: Mapping[str, Any] | None) -> str:
    """What would change our mind: the nearest that a verification came to a violation."""
    if not found:
        return ""
    rows = ["### What would change our mind\n\n"]
    counted = f"among {found['counted']:,} non-vacuous instances (`loraproofs verify {claim_id}`, seed 0)"
    if "ratio" in found:
        margin = 1 - found["ratio"]
        words = "the bound is attained" if abs(margin) < 1e-6 else f"a margin of {margin:.2g}"
        rows.append(
            f"An instance with observed / bound above 1. The nearest {counted} has {found['ratio']:.7g}: {words}.\n\n"
        )
    if "deviation" in found:
        where = f", at {escape(found['where'])}" if found.get("where") else ""
        rows.append(
            f"A mean further from its formula than {found['allowed']:.1f} standard errors. The furthest of "
            f"{found['counted']} comparisons (`loraproofs verify {claim_id}`, seed 0) is "
            f"{found['deviation']:.2g}{where}.\n\n"
        )
    if "instance" in found:
        rows.append(f"```json\n{_one_line_each(found['instance'])}\n```\n\n")
    return "".join(rows) if len(rows) > 1 else ""


def _one_line_each(instance: Mapping[str, Any]) -> str:
    """JSON with one line for each row of a matrix."""
    parts = []
    for name, value in instance.items():
        rows = isinstance(value, list) and value and isinstance(value[0], list)
        text = "[\n  " + ",\n  ".join(json.dumps(r) for r in value) + "\n]" if rows else json.dumps(value)
        parts.append(f'"{name}": {text}')
    return "{" + ",\n ".join(parts) + "}"


def _derivation(derivation: Derivation) -> str:
    labels = premise_labels(derivation)
    parts = ["## Derivation\n\n"]
    if derivation.remark:
        parts.append(escape(derivation.remark, keep_math=True) + "\n\n")
    if derivation.conditional:
        parts.append("**Conditional.** " + escape(derivation.conditional, keep_math=True) + "\n\n")
    if derivation.scope:
        parts.append("Scope: " + escape(derivation.scope, keep_math=True) + ".\n\n")
    given = {**derivation.setting, **derivation.assumptions}
    if given:
        parts.append("What is given:\n\n")
        for name, statement in given.items():
            mark = labels[name]
            head = f"({mark}) {name.replace('-', ' ')}" if name in derivation.setting else f"`{name}`"
            parts.append(f"{head}:\n" + "".join(_display(line) for line in lines(statement)))
    parts.append("The steps:\n\n")
    parts += [_step(step, labels) for step in derivation.steps]
    return "".join(parts)


def _step(step: Step, labels: Mapping[str, str]) -> str:
    sources = ", ".join(f"({labels[p]})" if labels.get(p, p) != p else f"`{p}`" for p in step.premises)
    how = step.rule.kind
    applied = getattr(step.rule, "uses", None)
    if applied:
        how = f"{how} of {link(applied)}"
    if step.rule.cited:
        how += f", cited: {escape(step.rule.cited)}"
    maths = "".join(_display(line) for line in lines(step.says))
    tail = f"*{how}*" + (f"; from {sources}" if sources else "")
    return f"({labels[step.id]}) {escape(step.why, keep_math=True)}\n\n{maths}{tail}\n\n"


def _display(line: str) -> str:
    return f"\n$$\n{line}\n$$\n\n"


def index_page() -> str:
    """The index: claims by result, with a table of the derivations."""
    parts = ["# The claims, one by one\n\n"]
    parts.append(
        "For each claim: what the paper says, what we find, the evidence, and the derivation, step by step.\n\n"
    )
    for prefix, title in {**GROUPS, "exp-": "Experiments"}.items():
        names = [i for i in [*CLAIMS, *DERIVATIONS] if i.startswith(prefix)]
        names = [page_name(i) for i in dict.fromkeys(names)]
        if names:
            rows = "\n".join(names)
            parts.append(f"## {title}\n\n```{{toctree}}\n:maxdepth: 1\n\n{rows}\n```\n\n")
    return "".join(parts)


def derivations_table() -> str:
    """The derivations as a Markdown table: steps, cited ones, what is applied."""
    rows = ["| Claim | Steps | Cited | Applies | Scope |", "| --- | --- | --- | --- | --- |"]
    for name, derivation in DERIVATIONS.items():
        cited = sum(bool(s.rule.cited) for s in derivation.steps)
        applied = ", ".join(f"`{u}`" for u in uses(name)) or "–"
        word = "conditional" if derivation.conditional else "general"
        rows.append(
            f"| `{name}` | {len(derivation.steps)} | {cited} | {applied} | {escape(derivation.scope) or word} |"
        )
    return "\n".join(rows) + "\n"
