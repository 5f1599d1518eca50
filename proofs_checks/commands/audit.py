"""``loraproofs audit MODEL [--adapter DIR ...]``: which hypotheses real weights meet, and what then follows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from proofs_checks.audit.document import fields
from proofs_checks.audit.hypotheses import finding, hypotheses
from proofs_checks.audit.page import page
from proofs_checks.audit.run import AuditReport, audit
from proofs_checks.audit.tables import BASE, UPDATE, base_lines, update_lines
from proofs_checks.commands.options import add_json
from proofs_checks.experiment.smollm2 import NAME, default_model
from proofs_checks.output import console, document, emit_json, write_text


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "audit", help="hold a real model and its LoRA adapters against the hypotheses", description=__doc__
    )
    parser.add_argument(
        "model", metavar="MODEL", type=Path, nargs="?",
        help=f"a local directory: config.json and safetensors (default {NAME}, converted once into the user's cache)",
    )  # fmt: skip
    parser.add_argument(
        "--adapter", metavar="DIR", type=Path, action="append", default=[],
        help="a local PEFT adapter; again for several (each and their sum)",
    )  # fmt: skip
    parser.add_argument(
        "--heads-only", action="store_true",
        help="leave out the value matrices of whole layers: faster for wide models (no intruder dimensions)",
    )  # fmt: skip
    parser.add_argument("--html", metavar="FILE", type=Path, help="write one page that needs no network")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Audit the model; always 0 for well-formed input, whatever holds."""
    model = default_model() if args.model is None else args.model
    report = audit(model, args.adapter, _progress, heads_only=args.heads_only)
    if args.html is not None:  # before anything is printed: a reader such as `head` may close the output early
        write_text(args.html, page(report))
    _print(console(args.json), report)
    emit_json(document("audit", None, **fields(report)), args.json)
    return 0


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\rlayer {done} of {of}", end="\n" if done == of else "", file=sys.stderr, flush=True)


def _print(terminal: Console, report: AuditReport) -> None:
    table = Table(title="Hypotheses", title_justify="left")
    for column in ("hypothesis", "holds in", "what it says"):
        table.add_column(column, overflow="fold")
    for name, fact in hypotheses(report).items():
        if fact.holds is not None:
            table.add_row(name, fact.count, fact.words)
    terminal.print(table)
    for line in finding(report):
        terminal.print(line, markup=False)
    _print_layers(terminal, f"{report.model}, heads by layer", BASE, base_lines(report))
    for name in report.adapters:
        _print_layers(terminal, f"{name}, heads by layer", UPDATE, update_lines(report, name))


def _print_layers(terminal: Console, title: str, columns: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    for line in lines:
        table.add_row(*line)
    terminal.print(table)
