"""``loraproofs claims``: the ledger, with the verdicts of the last ``verify``."""

from __future__ import annotations

import argparse
from typing import Any

from rich.table import Table

from proofs_checks.commands.options import add_json, add_store, chosen_claims
from proofs_checks.ledger import load_row
from proofs_checks.output import console, document, emit_json
from proofs_checks.store import Store
from theory.claims import CLAIMS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("claims", help="list the claims and their last verdicts")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids or groups such as prop-3.3 (default: all)")
    add_store(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the claims."""
    latest = Store(args.store).latest() or {}
    rows = []
    for name in chosen_claims(args.claims):
        claim, known = CLAIMS[name], load_row(latest, name)
        rows.append(
            {
                "id": name,
                "title": claim.title,
                "expected": claim.expected,
                "verdict": known["verdict"] if known else None,
                "assumptions": list(claim.assumptions),
                "statement_depends": list(claim.statement_depends),
                "proof_depends": list(claim.proof_depends),
                "symbols": claim.symbols,
                "arxiv": claim.arxiv,
                "statement_hash": claim.statement_hash,
            }
        )
    emit_json(document("claims", None, claims=rows), args.json)
    if args.json != "-":
        table = Table(box=None, pad_edge=False)
        for heading in ("claim", "expected", "verdict", "what it says"):
            table.add_column(heading, no_wrap=heading != "what it says")
        for r in rows:
            table.add_row(r["id"], r["expected"], r["verdict"] or "not run", r["title"])
        console(args.json).print(table)
    return 0
