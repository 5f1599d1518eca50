"""``loraproofs verify``: every claim against simulations, and the table of verdicts."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from proofs_checks import lock
from proofs_checks.commands.options import add_run, chosen_claims
from proofs_checks.derivations import add_to_rows, missing_checkers, needed, run_derivations
from proofs_checks.ledger import open_row, sampled_row
from proofs_checks.output import console, document, emit_json
from proofs_checks.registry import CHECKS
from proofs_checks.special import SPECIAL
from proofs_checks.store import Run, Store
from proofs_checks.verification import plan, run_blocks
from theory.claims import CLAIMS

_COLOUR = {True: "green", False: "red"}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("verify", help="hold every claim against simulations: the table of verdicts")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids or groups such as prop-3.3 (default: all)")
    parser.add_argument(
        "--changed", action="store_true", help="only claims that changed since the lock, and what rests on them"
    )
    parser.add_argument(
        "--against", type=Path, default=None, metavar="LOCK", help="compare with this lock, not the shipped one"
    )
    add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify the claims: exit 0 where every verdict is as expected and as in the lock, 1 where one is not."""
    started = time.perf_counter()
    torch.set_num_threads(1)  # the matrices are tiny: a second thread doubles the CPU time and gains nothing
    wanted = chosen_claims(args.claims)
    known = lock.read(args.against or lock.PATH) if args.against or args.changed or lock.PATH.exists() else None
    if args.changed and known is not None:
        touched = lock.changed_claims(known)
        wanted = [i for i in wanted if i in touched]
        if not wanted:
            console(args.json).print("nothing has changed since the lock", markup=False)
            emit_json(document("verify", args.seed, profile=args.profile, met=True, claims=[]), args.json)
            return 0
    store = Store(args.store)
    rows = _rows(wanted, args, store)
    difference = lock.compare(known, rows, derivations=not missing_checkers()) if known else lock.Difference()
    seconds = time.perf_counter() - started
    result = document(
        "verify", args.seed, profile=args.profile, seconds=round(seconds, 1), threads=torch.get_num_threads(),
        met=all(r["met"] for r in rows), claims=rows, lock=difference.as_dict(),
    )  # fmt: skip
    store.keep(".", "verify", result)
    emit_json(result, args.json)
    out = console(args.json)
    out.print(table(rows))
    _say_why(out, rows)
    if missing_checkers():
        out.print("derivations are not checked: pip install 'loraproofs[certify]'", markup=False)
    unmet = [r["id"] for r in rows if not r["met"]]
    count = "1 claim" if len(rows) == 1 else f"{len(rows)} claims"
    judged = f"not as expected: {', '.join(unmet)}" if unmet else "every verdict is as expected"
    out.print(f"{count} in {seconds:.0f} s; {judged}", markup=False)
    if difference:
        out.print(f"differs from the lock {args.against or lock.PATH} (`loraproofs accept` rewrites it):", markup=False)
        for line in lock.report(difference, rows):
            out.print(f"  {line}", markup=False, soft_wrap=True)
    return 1 if unmet or difference else 0


def _rows(wanted: list[str], args: argparse.Namespace, store: Store) -> list[dict[str, Any]]:
    blocks = plan(wanted, args.profile, args.seed)
    judged = [i for i in wanted if i in CHECKS or i in SPECIAL]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("simulating", total=len(blocks))
        results = run_blocks(blocks, wanted, store, args.resume, lambda _: progress.advance(task))
        task = progress.add_task("confirming", total=len(judged))
        rows = []
        for name in wanted:
            if name in CHECKS:
                rows.append(sampled_row(CLAIMS[name], results, store))
            elif name in SPECIAL:
                rows.append(SPECIAL[name](CLAIMS[name], Run(store, args.seed, args.profile, args.resume)))
            else:
                rows.append(open_row(CLAIMS[name]))
                continue
            progress.advance(task)
        _derive(rows, wanted, args, store, progress)
    _certify(rows)
    return rows


def _derive(
    rows: list[dict[str, Any]], wanted: list[str], args: argparse.Namespace, store: Store, progress: Progress
) -> None:
    """Check the derivations of the claims, where what checks them is installed."""
    ids = needed(wanted)
    if not ids or missing_checkers():
        return
    task = progress.add_task("deriving", total=len(ids))
    outcomes = run_derivations(ids, Run(store, 0, "derive", args.resume), lambda _: progress.advance(task))
    add_to_rows(rows, outcomes)


def _certify(rows: list[dict[str, Any]]) -> None:
    """Check again the shipped certificates that disprove claims, where ball arithmetic is installed."""
    if missing_checkers():
        return
    from proofs_checks.certify.shipped import certified_instances  # ball arithmetic is an extra

    for r in rows:
        r["certified_instances"] = certified_instances(r["id"])


def table(rows: list[dict[str, Any]]) -> Table:
    """The table of verdicts."""
    result = Table(box=None, pad_edge=False)
    result.add_column("claim", overflow="fold")
    for heading in ("expected", "verdict"):
        result.add_column(heading, no_wrap=True)
    for heading in ("counted", "violated", "max ratio", "controls"):
        result.add_column(heading, justify="right", no_wrap=True)
    for r in rows:
        ratio = "" if r["max_ratio"] is None else f"{r['max_ratio']:.6g}"
        refuted = sum(r["controls"].values())
        controls = f"{refuted}/{len(r['controls'])}" if r["controls"] else ""
        checked = r["instances"] > 0
        result.add_row(
            r["id"], r["expected"], f"[{_COLOUR[r['met']]}]{r['verdict']}[/]",
            str(r["nonvacuous"]) if checked else "", str(r["violations"]) if checked else "", ratio, controls,
        )  # fmt: skip
    return result


def _say_why(out: Console, rows: list[dict[str, Any]]) -> None:
    for r in rows:
        if r["expected"] == "refuted" and r["counterexample"]:
            proved = ", proved by a certificate" if r["certified_instances"] else ""
            out.print(f"{r['id']}: refuted by {r['counterexample']['file']}{proved}", markup=False, soft_wrap=True)
        if r["unconfirmed"]:
            out.print(f"{r['id']}: {r['unconfirmed']} candidate(s) not confirmed by the second look", markup=False)
        if r.get("finding"):
            out.print(f"{r['id']}: {r.get('experiment') or ''} {r['finding']}", markup=False, soft_wrap=True)
        if not r["met"] or (r["verdict"] == "inconclusive"):
            for reason in r["reasons"]:
                out.print(f"{r['id']}: {reason}", markup=False, soft_wrap=True)
