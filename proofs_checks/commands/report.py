"""``loraproofs report RUN...``: one self-contained HTML page, and figures for a paper."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from proofs_checks import lock
from proofs_checks.commands.options import add_json, add_store
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, emit_json, write_text
from proofs_checks.store import Store
from theory.claims import CLAIMS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("report", help="one HTML page of everything found, and figures for a paper")
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="folders of `loraproofs sweep`")
    parser.add_argument("--out", type=Path, default=Path("report"), metavar="DIR", help="where to (default report)")
    add_store(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write ``DIR/report.html`` and ``DIR/figures``: 0 written, 2 a run or a package is missing."""
    from proofs_checks.report.page import page
    from proofs_checks.sweep.folder import opened
    from proofs_checks.sweep.pictures import figures, save

    if args.out.exists() and not args.out.is_dir():
        raise InputError(f"{args.out} is a file; name a folder with --out")
    runs = []
    names = [root.resolve().name for root in args.runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two runs are named {twice}: their figures would overwrite each other; rename one folder")
    for root in args.runs:
        folder, sweep, device = opened(root)
        runs.append((folder.root.resolve(), sweep, folder.tables(sweep, device)))
    rows, source = _rows(args.store)
    out = console(args.json)
    target = args.out / "report.html"
    write_text(target, page(rows, runs, source))
    written: list[Path] = []
    for folder, sweep, tables in runs:
        for name, draw in figures(sweep, tables).items():
            written += save(draw(), args.out / "figures", f"{folder.name} {name}")
    out.print(f"{target}, and {len(written)} figures in {args.out / 'figures'}", markup=False)
    emit_json(document("report", None, page=str(target), figures=[str(p) for p in written]), args.json)
    return 0


def _rows(store: Path) -> tuple[dict[str, Any], str]:
    """Claim → row, and where it is from: the last ``verify`` in the store, else the verdicts that are shipped."""
    latest = Store(store).latest()
    if latest is not None:
        found = {r["id"]: r for r in latest["claims"]}
        if set(found) >= set(CLAIMS):
            return found, f"From the last `loraproofs verify` (seed {latest.get('seed')}) in the store."
    return lock.read()["claims"], "The verdicts that the package ships; `loraproofs verify` computes them again."
