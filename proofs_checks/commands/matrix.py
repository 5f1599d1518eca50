"""``loraproofs matrix``: for every claim and assumption, whether it is needed, not needed, or open."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table

from proofs_checks import matrix
from proofs_checks.commands.options import add_json, chosen_claims
from proofs_checks.output import console, document, emit_json, write_text
from theory.assumptions import ASSUMPTIONS
from theory.claims import CLAIMS

_COLOUR = {"needed": "bold blue", "not_needed": "cyan", "open": "yellow", "na": "dim"}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("matrix", help="claims × assumptions: needed, not needed, or open")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids or groups such as prop-3.3 (default: all)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one HTML page")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write a LaTeX table")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the matrix."""
    cells = matrix.matrix(chosen_claims(args.claims))
    for file, text in ((args.html, matrix.html), (args.latex, matrix.latex)):
        if file is not None:
            write_text(file, text(cells))
    share = matrix.open_share(cells)
    emit_json(document("matrix", None, cells=cells, counts=matrix.counts(cells), open_share=round(share, 4)), args.json)
    out = console(args.json)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("claim", no_wrap=True)
    for number, _ in enumerate(ASSUMPTIONS, 1):
        table.add_column(str(number), justify="center", no_wrap=True)
    for name in dict.fromkeys(c["claim"] for c in cells):
        row = [c for c in cells if c["claim"] == name]
        false = " (false)" if CLAIMS[name].expected == "refuted" else ""
        table.add_row(name + false, *(f"[{_COLOUR[c['state']]}]{matrix.SIGNS[c['state']]}[/]" for c in row))
    out.print(table)
    out.print("  ".join(f"{number} {name}" for number, name in enumerate(ASSUMPTIONS, 1)), markup=False)
    found = matrix.counts(cells)
    out.print(", ".join(f"{found[s]} {matrix.SIGNS[s]} {matrix.WORDS[s]}" for s in matrix.STATES), markup=False)
    out.print(f"open: {100 * share:.0f} % of what occurs", markup=False)
    return 0
