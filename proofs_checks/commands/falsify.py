"""``loraproofs falsify CLAIM``: search for an instance that breaks a claim or a stronger form of it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from proofs_checks.commands.options import add_json, add_store, known_claim
from proofs_checks.errors import InputError
from proofs_checks.falsify.certified import Certified, certified
from proofs_checks.falsify.gradient import OBJECTIVES, ascend
from proofs_checks.falsify.guided import families, guided
from proofs_checks.falsify.search import Outcome, search
from proofs_checks.falsify.shrink import shrink
from proofs_checks.falsify.targets import Target, target
from proofs_checks.instance_numbers import matrix_json, number_text
from proofs_checks.ledger import confirmation_dict
from proofs_checks.output import console, document, emit_json
from proofs_checks.relax.search import ALL
from proofs_checks.relax.search import search as search_without
from proofs_checks.store import Store, file_name
from theory.claims import CLAIMS
from theory.models import assumed

SHRINKING = 0.5
"""Share of the budget that making a counterexample small may take on top."""


METHODS = {"random": search, "gradient": ascend, "hypothesis": guided}


@dataclass(frozen=True)
class Kept:
    """The files of a counterexample, empty where there are none, and what is proved of it."""

    file: str = ""
    certificate: str = ""
    proof: Certified = field(default_factory=lambda: Certified(note="nothing found"))


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("falsify", help="search for an instance that breaks a claim, or a stronger one")
    parser.add_argument("claim", metavar="CLAIM", help="a claim that is checked on random instances")
    parser.add_argument("--drop", action="append", default=[], metavar="ASSUMPTION", help="search in models without it")
    parser.add_argument("--tighten", metavar="P", help="the sharp constant stronger by P (0.01 is one per cent)")
    parser.add_argument("--constant", metavar="NAME", help="which constant --tighten means (default: the first)")
    parser.add_argument("--replace", metavar="EXPRESSION", help="another formula in the names of the claim's own")
    parser.add_argument("--budget", type=_seconds, default=60.0, metavar="SECONDS", help="time to search (default 60)")
    parser.add_argument(
        "--method", choices=("auto", *METHODS), default="auto",
        help="random draws and mutations, gradient ascent, or hypothesis (default: random, then gradient where it can)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="random seed (default 0)")
    add_store(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Search: 0 found and confirmed, 3 nothing found in the budget."""
    torch.set_num_threads(1)
    if args.seed < 0:
        raise InputError("--seed must be 0 or more")
    if args.drop:
        return _without(args)
    chosen = target(known_claim(args.claim), args.tighten, args.constant, args.replace)
    outcome = _search(chosen, args)
    store = Store(args.store)
    kept = Kept()
    if outcome.instance is not None and outcome.confirmation is not None:
        instance, confirmation = shrink(
            outcome.instance, outcome.confirmation, lambda i: chosen.confirm(i, chosen.formula),
            SHRINKING * args.budget,
        )  # fmt: skip
        outcome.instance, outcome.confirmation = instance, confirmation
        name = f"{file_name(chosen.claim)}-{time.strftime('%Y%m%d-%H%M%S')}"
        kept = _keep(store, name, _described(chosen, outcome, args), certified(chosen.claim, chosen.form, instance))
    _print(console(args.json), f"{chosen.claim}, {chosen.form}", outcome, kept)
    emit_json(_document(args, chosen.claim, chosen.form, str(chosen.formula.expr), outcome, kept), args.json)
    return 0 if outcome.instance is not None else 3


def _without(args: argparse.Namespace) -> int:
    """The claim without one assumption, on small instances of the model without it."""
    name = known_claim(args.claim)
    if args.tighten or args.replace:
        raise InputError("--drop stands alone: leave out --tighten and --replace")
    if len(args.drop) != 1 or args.drop[0] not in assumed(CLAIMS[name]):
        known = ", ".join(assumed(CLAIMS[name])) or "nothing that can be dropped"
        raise InputError(f"{name} without {' and '.join(args.drop)}: drop one of what it assumes: {known}")
    if name not in ALL:
        raise InputError(f"{name} cannot be read on a model without an assumption; those that can: {', '.join(ALL)}")
    dropped = args.drop[0]
    with _progress(args) as advance:
        found = search_without(name, dropped, args.budget, args.seed, advance)
    outcome = Outcome(found.instance, found.confirmation, found.tried, found.best_ratio, 0, found.seconds)
    form, kept = f"without {dropped}", Kept()
    if found.instance is not None:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        told = found.instance.to_dict() | {"note": f"breaks {name} without {dropped}; every other assumption holds"}
        proof = certified(name, form, found.instance)
        kept = _keep(Store(args.store), f"{file_name(name)}--{dropped}-{stamp}", told, proof)
    _print(console(args.json), f"{name}, {form}", outcome, kept)
    emit_json(_document(args, name, form, None, outcome, kept), args.json)
    return 0 if found.instance is not None else 3


def _keep(store: Store, name: str, instance: dict[str, Any], proof: Certified) -> Kept:
    """Write the counterexample and, where there is one, its certificate beside it."""
    file = str(store.keep("falsified", name, instance))
    beside = "" if proof.document is None else str(store.keep("falsified", f"{name}.certificate", proof.document))
    return Kept(file, beside, proof)


def _described(chosen: Target, outcome: Outcome, args: argparse.Namespace) -> dict[str, Any]:
    """The instance, with what `replay` needs to build the form of the claim that it breaks."""
    assert outcome.instance is not None
    found = outcome.instance.to_dict()
    asked = {x: getattr(args, x) for x in ("tighten", "constant", "replace") if getattr(args, x) is not None}
    meta = {**found.get("meta", {}), **({"form": asked} if asked else {})}
    return {**found, "meta": meta, "note": f"breaks {chosen.claim}, {chosen.form}"}


def _search(chosen: Target, args: argparse.Namespace) -> Outcome:
    ways = [args.method] if args.method != "auto" else ["random", *(["gradient"] if chosen.claim in OBJECTIVES else [])]
    if args.method == "gradient" and chosen.claim not in OBJECTIVES:
        raise InputError(f"--method gradient climbs on {', '.join(OBJECTIVES)}; for {chosen.claim} leave it out")
    if args.method == "hypothesis" and not families(chosen):
        raise InputError(f"hypothesis has no strategy for {chosen.claim}: use --method random")
    total = Outcome()
    with _progress(args) as advance:
        for way in ways:
            found = METHODS[way](chosen, args.budget / len(ways), args.seed, advance)
            total = found.after(total)
            if total.instance is not None:
                break
    return total


@contextmanager
def _progress(args: argparse.Namespace) -> Iterator[Callable[[float, int, float | None], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("searching", total=args.budget)

        def advance(seconds: float, tried: int, best: float | None) -> None:
            shown = "" if best is None else f", best ratio {best:.6g}"
            progress.update(task, completed=seconds, description=f"{tried:,} tried{shown}")

        yield advance


def _document(
    args: argparse.Namespace, claim: str, form: str, formula: str | None, outcome: Outcome, kept: Kept
) -> dict[str, Any]:
    result = outcome.confirmation
    return document(
        "falsify",
        args.seed,
        claim=claim,
        form=form,
        formula=formula,
        found=outcome.instance is not None,
        instance=None if outcome.instance is None else outcome.instance.to_dict(),
        file=kept.file or None,
        certificate=_certificate_json(kept),
        certificate_note=kept.proof.note,
        ratio=None if result is None else result.ratio,
        confirmation=None if result is None else confirmation_dict(result),
        confirmed_by=[] if result is None else list(result.methods),
        tried=outcome.tried,
        best_ratio=outcome.best_ratio,
        unconfirmed=outcome.unconfirmed,
        seconds=round(outcome.seconds, 2),
    )


def _certificate_json(kept: Kept) -> dict[str, Any] | None:
    if not kept.certificate:
        return None
    proof = kept.proof
    return {"file": kept.certificate, "verdict": proof.verdict, "checked": proof.checked, "shows": proof.shows}


def _print(out: Console, what: str, outcome: Outcome, kept: Kept) -> None:
    best = "none said anything" if outcome.best_ratio is None else f"largest observed / bound {outcome.best_ratio:.9g}"
    searched = f"{outcome.tried:,} instances in {outcome.seconds:.1f} s, {best}"
    if outcome.instance is None or outcome.confirmation is None:
        out.print(f"{what}: nothing found. {searched}", markup=False)
        return
    found, instance = outcome.confirmation, outcome.instance
    out.print(f"{what}: broken. {searched}", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in ("V", "dV", "A", "dA", "X0"):
        rows = getattr(instance, name)
        if rows is not None:
            table.add_row(name, "  ".join(str([str(x) for x in row]).replace("'", "") for row in matrix_json(rows)))
    if instance.T is not None:
        table.add_row("T", str(number_text(instance.T)))
    for name, value in instance.meta.get("model", {}).items():
        table.add_row(name, str(value).replace("'", ""))
    table.add_row("observed", f"{found.observed:.12g}")
    table.add_row("bound", f"{found.bound:.12g} (ratio {found.ratio:.9g}, error {found.error:.1e})")
    table.add_row("confirmed by", "; ".join(found.methods))
    table.add_row("file", kept.file)
    proof = kept.proof
    table.add_row(
        "certificate", f"{kept.certificate}: {proof.verdict}, {proof.note}" if kept.certificate else proof.note
    )
    out.print(table)
