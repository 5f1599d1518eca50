"""``loraproofs derive``: check the derivations step by step, and write them as LaTeX and PDF."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from proofs_checks.commands.options import add_run, chosen_claims
from proofs_checks.derivations import needed, run_derivations
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, emit_json
from proofs_checks.paper import build_pdf, require_latexmk, write_files
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.tex import files

EXPANSION = "remark-3.4/expansion"


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("derive", help="check the derivations step by step; write LaTeX and PDF")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids or groups such as prop-3.3 (default: all)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write one .tex a claim, the macros and the book to DIR"
    )
    parser.add_argument("--pdf", action="store_true", help="build the book as PDF in DIR (needs --out and latexmk)")
    parser.add_argument("--instance", type=Path, metavar="FILE", help=f"{EXPANSION}: the expansion for this V and ΔV")
    parser.add_argument("--order", type=int, default=4, metavar="K", help="order of that expansion (default 4)")
    add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the derivations: exit 0 where every step follows, 1 where one does not."""
    if args.instance is not None:
        from proofs_checks.expansion_report import run_instance  # its imports are of no use to the other forms

        return run_instance(args)
    ids = _chosen(args.claims)
    if args.pdf:
        if args.out is None:
            raise InputError("--pdf needs a place: give --out DIR")
        require_latexmk()
    started = time.perf_counter()
    outcomes = _checked(ids, args)
    rows = list(outcomes.values())
    failed = [r for r in rows if not r["ok"]]
    steps = sum(len(r["steps"]) for r in rows)
    cited = sum(bool(s["cited"]) for r in rows for s in r["steps"])
    result = document(
        "derive", args.seed, seconds=round(time.perf_counter() - started, 1), steps=steps, cited=cited,
        ok=not failed, claims=rows,
    )  # fmt: skip
    out = console(args.json)
    out.print(table(rows))
    for r in failed:
        out.print(f"{r['id']}: {r['first_failure']}", markup=False)
    out.print(
        f"{len(rows)} derivations, {steps} steps, {cited} cited, {result['seconds']:.0f} s; "
        + ("every step follows" if not failed else f"not as expected: {', '.join(r['id'] for r in failed)}"),
        markup=False,
    )
    if args.out is not None and not failed:
        written = write_files(args.out, files({i: DERIVATIONS[i] for i in outcomes}, CLAIMS))
        out.print(f"{len(written)} files in {args.out}", markup=False)
        if args.pdf:
            out.print(f"wrote {build_pdf(args.out)}", markup=False)
    elif args.out is not None:
        out.print(f"nothing written to {args.out}: not every step follows", markup=False)
    emit_json(result, args.json)
    return 1 if failed else 0


def _chosen(names: list[str]) -> list[str]:
    if not names:
        return list(DERIVATIONS)
    lemmas = [n for n in names if n in DERIVATIONS and n not in CLAIMS]
    others = [n for n in names if n not in lemmas]
    ids = lemmas + (chosen_claims(others) if others else [])
    without = [i for i in ids if i not in DERIVATIONS]
    if without and not set(ids) - set(without):
        raise InputError(f"{', '.join(without)}: there is no derivation, it is an experiment; see `loraproofs show`")
    return [i for i in ids if i in DERIVATIONS]


def _checked(ids: list[str], args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    state = Run(Store(args.store), 0, "derive", args.resume)
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("checking", total=len(needed(ids)))
        return run_derivations(ids, state, lambda _: progress.advance(task))


def table(rows: list[dict[str, Any]]) -> Table:
    """The table of derivations."""
    result = Table(box=None, pad_edge=False)
    result.add_column("claim", overflow="fold")
    for heading in ("steps", "cited", "seconds"):
        result.add_column(heading, justify="right", no_wrap=True)
    result.add_column("checked", no_wrap=True)
    result.add_column("scope")
    for r in rows:
        good = sum(s["ok"] for s in r["steps"])
        count = "chain broken" if good == len(r["steps"]) else f"{good} of {len(r['steps'])}"
        word = "[green]every step[/]" if r["ok"] else f"[red]{count}[/]"
        seconds = sum(s["seconds"] for s in r["steps"])
        result.add_row(
            r["id"], str(len(r["steps"])), str(sum(bool(s["cited"]) for s in r["steps"])), f"{seconds:.1f}", word,
            r["scope"] or ("conditional" if r["conditional"] else "general"),
        )  # fmt: skip
    return result
