"""``loraproofs show CLAIM``: what the paper says, what we state, and the evidence."""

from __future__ import annotations

import argparse
from typing import Any

import sympy as sp
from rich.console import Console

from proofs_checks.commands.options import add_json, add_store, known_claim
from proofs_checks.ledger import load_row, shipped_counterexample
from proofs_checks.output import console, document, emit_json
from proofs_checks.store import Store
from theory.assumptions import ASSUMPTIONS
from theory.claim import Claim
from theory.claims import CLAIMS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("show", help="show one claim: quote, statement, formulas, evidence")
    parser.add_argument("claim", metavar="CLAIM", help="id of the claim, e.g. prop-3.3/drift")
    parser.add_argument("--latex", action="store_true", help="print the formulas as LaTeX")
    add_store(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the claim."""
    claim = CLAIMS[known_claim(args.claim)]
    known = load_row(Store(args.store).latest() or {}, claim.id)
    shipped = shipped_counterexample(claim.id)
    fields = {
        "id": claim.id,
        "title": claim.title,
        "quoted": claim.quoted,
        "statement": claim.statement,
        "assumptions": {name: ASSUMPTIONS[name] for name in claim.assumptions},
        "expected": claim.expected,
        "required": claim.required,
        "statement_depends": list(claim.statement_depends),
        "proof_depends": list(claim.proof_depends),
        "formulas": [
            {"name": f.name, "latex": f.latex, "sympy": sp.sstr(f.closed), "source": f.source, "domain": f.domain}
            for f in claim.formulas
        ],
        "sharp_constants": [t.name for t in claim.tightenings],
        "symbols": claim.symbols,
        "note": claim.note,
        "arxiv": claim.arxiv,
        "statement_hash": claim.statement_hash,
        "evidence": known,
        "counterexample": shipped.to_dict() if shipped else None,
    }
    emit_json(document("show", None, claim=fields), args.json)
    if args.json != "-":
        _print(console(args.json), claim, known, args.latex)
    return 0


def _print(out: Console, claim: Claim, known: dict[str, Any] | None, latex: bool) -> None:
    out.print(f"[bold]{claim.id}[/bold]  {claim.title}")
    out.print(f"\nThe paper ({claim.arxiv}) says: {claim.quoted or 'nothing; this claim is ours'}", markup=False)
    out.print(f"\nWe state: {claim.statement}", markup=False)
    out.print("\nAssumptions: " + (", ".join(claim.assumptions) or "none"), markup=False)
    if claim.statement_depends or claim.proof_depends:
        out.print("Depends on: " + ", ".join((*claim.statement_depends, *claim.proof_depends)), markup=False)
    parts = {part.name: part for formula in claim.formulas for part in (formula, *formula.where)}
    for part in parts.values():
        text = part.latex if latex else f"{part.name} = {sp.sstr(part.expr)}"
        out.print(f"\n  {text}", markup=False)
        out.print(f"    from: {part.source}" + (f"; {part.domain}" if part.domain else ""), markup=False)
    if claim.note:
        out.print(f"\nNote: {claim.note}", markup=False)
    out.print(f"\nExpected: {claim.expected}. ", end="")
    if known is None:
        out.print("No evidence in the store yet: run `loraproofs verify " + claim.id + "`.")
        return
    out.print(f"Verdict: [bold]{known['verdict']}[/bold].")
    out.print(
        f"  {known['nonvacuous']} non-vacuous of {known['instances']} instances, {known['violations']} violations, "
        f"largest observed/bound {known['max_ratio']}"
    )
    if known.get("finding"):
        out.print(f"  {known.get('experiment') or ''} {known['finding']}".rstrip(), markup=False, soft_wrap=True)
    for s in known.get("sentences") or known.get("language_model") or ():
        out.print(
            f"  “{s['says']}”: {s['word'] or 'open'} ({s['found'][0]} of {s['found'][1]}); {s['why']}", markup=False
        )
    for reason in known["reasons"]:
        out.print(f"  {reason}", markup=False)
    for name, refuted in known["controls"].items():
        out.print(f"  control: {name} made 1 % stronger: {'refuted' if refuted else 'NOT refuted'}", markup=False)
    for key in ("counterexample", "extreme"):
        if known.get(key):
            out.print(f"  {key}: loraproofs replay {known[key]['file']}", markup=False)
