"""``loraproofs project ADAPTER --model MODEL --out DIR``: an adapter kept off dangerous directions, or scaled."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.table import Table

from proofs_checks.commands.options import add_json, whole_number
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, emit_json
from proofs_checks.project.document import fields, finding, guarantees
from proofs_checks.project.run import KEEP_OFF, Change, Options, ProjectReport, project
from proofs_checks.project.scaling import CRITERIA

COLUMNS = (
    "layer", "kept of value", "of output", "ranks", "scale", "||ΔV||/√L", "||b||", "small-gap mass", "quoted margin",
    "in cone",
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "project", help="keep an adapter off dangerous directions, or scale it", description=__doc__
    )
    parser.add_argument("adapter", metavar="ADAPTER", type=Path, help="a local PEFT adapter")
    parser.add_argument("--model", metavar="MODEL", type=Path, required=True, help="the local model that it is of")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where the new adapter goes")
    parser.add_argument(
        "--keep-off", choices=KEEP_OFF,
        help="top-m: ΔV does nothing to the leading eigenvectors (b = 0); small-gap: it pushes into none of small gap",
    )  # fmt: skip
    parser.add_argument("--m", type=whole_number, metavar="N", help="how many of top-m, for every head (default 1)")
    parser.add_argument(
        "--scale", choices=CRITERIA,
        help="scale each layer, after any projection, until the quoted or the cone margin is above 0 in every head "
        "that a scale helps (without --keep-off and --scale: quoted)",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace an adapter that is already in DIR")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the new adapter; 1 where the audit does not find what was promised (then nothing is written)."""
    scale = args.scale or ("quoted" if args.keep_off is None else None)
    if args.m is not None and args.keep_off != "top-m":
        raise InputError("--m counts the directions of --keep-off top-m: add that, or leave --m out")
    options = Options(args.keep_off, args.m or 1, scale)
    report = project(args.adapter, args.model, args.out, options, overwrite=args.overwrite, progress=_progress)
    terminal = console(args.json)
    for line in guarantees(options):
        terminal.print(line, markup=False)
    terminal.print(_table(report))
    for line in finding(report):
        terminal.print(line, markup=False)
    if report.written:
        terminal.print(f"written: {args.out}", markup=False)
    emit_json(document("project", None, **fields(report)), args.json)
    return 0 if report.written else 1


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\rstep {done} of {of}", end="\n" if done == of else "", file=sys.stderr, flush=True)


def _table(report: ProjectReport) -> Table:
    table = Table(title=f"{report.adapter}, before → after by layer", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="right", overflow="fold")
    for layer in sorted({change.layer for change in report.changes}):
        table.add_row(*_line(report, layer))
    return table


def _rank(change: Change) -> str:
    same = change.rank_before == change.rank_after
    return str(change.rank_after) if same else f"{change.rank_before} → {change.rank_after}"


def _line(report: ProjectReport, layer: int) -> tuple[str, ...]:
    changes = {c.side: c for c in report.changes if c.layer == layer}
    heads = [h for h in report.heads if h.layer == layer]

    def kept(side: str) -> str:
        change = changes.get(side)
        return "-" if change is None or change.kept is None else f"{100 * change.kept:.1f} %"

    def both(name: str, pick: Any, form: str = "{:.2g}") -> str:
        old, new = (pick(getattr(getattr(h, when), name) for h in heads) for when in ("before", "after"))
        return f"{form.format(old)} → {form.format(new)}"

    cones = [sum("prop-3.3/nonsymmetric" in getattr(h, when).theorems for h in heads) for when in ("before", "after")]
    return (
        str(layer),
        kept("value"),
        kept("output"),
        ", ".join(_rank(c) for c in changes.values()),
        f"{min(c.scale for c in changes.values()):.4g}",
        both("norm_over_sqrt_layers", max),
        both("b_norm", max),
        both("small_gap_mass", max),
        both("criterion_margin", min),
        f"{cones[0]} → {cones[1]} of {len(heads)}",
    )
