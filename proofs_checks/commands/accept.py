"""``loraproofs accept``: make the last ``verify`` what later runs are compared with."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from proofs_checks import lock
from proofs_checks.commands.options import add_json, add_store
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, dumps, emit_json, write_text
from proofs_checks.store import Store
from theory.claims import CLAIMS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("accept", help="rewrite the lock from the last verify, after showing what differs")
    parser.add_argument("--lock", type=Path, default=lock.PATH, metavar="FILE", help="the lock (default: the shipped)")
    parser.add_argument("--dry-run", action="store_true", help="show the difference and write nothing")
    add_store(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the difference and write the lock: 0 written or nothing to write, 1 with --dry-run where it differs."""
    latest = Store(args.store).latest()
    if latest is None:
        raise InputError(f"there is no result in {args.store}: run `loraproofs verify` first")
    rows = [r for r in latest["claims"] if r["id"] in CLAIMS]
    outdated = [r["id"] for r in rows if r["statement_hash"] != CLAIMS[r["id"]].statement_hash]
    if outdated:
        raise InputError(f"{', '.join(outdated)} changed after the last verify: run it again, then accept")
    old = lock.read(args.lock) if args.lock.exists() else None
    difference = lock.compare(old or {"claims": {}}, rows)
    out = console(args.json)
    for line in lock.report(difference, rows):
        out.print(line, markup=False, soft_wrap=True)
    written = not args.dry_run
    if written:
        write_text(args.lock, dumps(lock.build(rows, old)))
    words = "nothing differs" if not difference else f"{'written to' if written else 'not written to'} {args.lock}"
    out.print(words, markup=False, soft_wrap=True)
    emit_json(
        document("accept", None, written=written, lock=str(args.lock), difference=difference.as_dict()), args.json
    )
    return 1 if args.dry_run and difference else 0
