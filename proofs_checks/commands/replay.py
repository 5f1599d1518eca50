"""``loraproofs replay FILE``: run a stored instance again and say whether it still shows what it is kept for."""

from __future__ import annotations

import argparse
import math
from typing import Any

from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.commands.options import add_json, known_claim
from proofs_checks.errors import InputError
from proofs_checks.falsify.targets import target
from proofs_checks.instance_file import Instance, load_instance
from proofs_checks.ledger import confirmation_dict
from proofs_checks.output import console, document, emit_json
from proofs_checks.registry import CHECKS
from proofs_checks.relax.search import ALL, confirm, faults
from proofs_checks.special import REPLAY
from proofs_checks.tally import CONTROL_AMOUNT
from theory.claims import CLAIMS
from theory.formula import Formula
from theory.models import assumed


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("replay", help="run a stored instance or counterexample again")
    parser.add_argument("file", metavar="FILE", help="a stored instance (JSON)")
    parser.add_argument("--claim", metavar="CLAIM", help="the claim to test, where the file does not name one")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay the file: exit 0 where it still shows what it is kept for, 1 where it does not."""
    instance = load_instance(args.file)
    name = args.claim or instance.claim
    if name is None:
        raise InputError(f"{args.file} names no claim; say which one with --claim")
    name = known_claim(name)
    if instance.kind == "assumption":
        return _without(args, name, instance)
    if name not in CHECKS and name not in REPLAY:
        raise InputError(f"no check of {name} works on a single instance yet; `loraproofs claims` lists the claims")
    kind = instance.kind or "instance"
    formula, form = _stated(args, name, instance)
    try:
        again = REPLAY.get(name)
        result = again(instance) if again else CHECKS[name].confirm(instance, formula)
    except (ValueError, RuntimeError, ArithmeticError) as error:
        raise InputError(
            f"{args.file} cannot be run for {name}: {error}; check T and the size of the entries"
        ) from error
    controls = _controls(name, instance) if kind == "control" and name in CHECKS else {}
    shows, words = _judge(kind, result, controls)
    emit_json(
        document(
            "replay", None, claim=name, kind=kind, form=form or "as stated", shows=shows, applies=result.applies,
            finding=words, controls=controls, **confirmation_dict(result),
        ),
        args.json,
    )  # fmt: skip
    out = console(args.json)
    out.print(f"{args.file}: {kind} for {name}{form and ', '}{form}", markup=False)
    if result.applies:
        out.print(
            f"  observed {result.observed:.9g}, bound {result.bound:.9g}, ratio {result.ratio:.9g} "
            f"(error {result.error:.1e}; {'; '.join(result.methods)})",
            markup=False,
        )
    out.print(f"  {words}", markup=False)
    if math.isnan(result.observed):
        return 3
    return 0 if shows else 1


def _stated(args: argparse.Namespace, name: str, instance: Instance) -> tuple[Formula, str]:
    """The formula that the instance is held against, and how it differs from the claim's own (empty: it does not)."""
    asked = instance.meta.get("form")
    if asked is None:
        return CLAIMS[name].formulas[0], ""
    if not isinstance(asked, dict) or not all(isinstance(x, str) for x in asked.values()):
        raise InputError(f"{args.file}: meta.form must be an object of tighten, constant, replace, each a text")
    chosen = target(name, asked.get("tighten"), asked.get("constant"), asked.get("replace"))
    return chosen.formula, chosen.form


def _without(args: argparse.Namespace, name: str, instance: Instance) -> int:
    """A counterexample to the claim without one assumption, which satisfies all others."""
    dropped = str(instance.meta.get("dropped"))
    if name not in ALL or dropped not in assumed(CLAIMS[name]):
        raise InputError(f"{args.file}: {name} without {dropped!r} cannot be read; meta.dropped names what it assumes")
    wrong = faults(name, dropped, instance)
    result = confirm(name, dropped, instance)
    shows = result is not None and result.violated
    if wrong:
        words = f"another assumption fails: {', '.join(wrong)}"
    elif result is None:
        words = "the hypotheses of the claim do not hold on this instance"
    else:
        words = f"{'still breaks' if shows else 'no longer breaks'} the claim without {dropped}"
        words += "; every other assumption holds" if shows else ""
    found = {} if result is None else confirmation_dict(result)
    emit_json(
        document("replay", None, claim=name, kind=instance.kind, shows=shows, dropped=dropped, finding=words, **found),
        args.json,
    )
    out = console(args.json)
    out.print(f"{args.file}: counterexample to {name} without {dropped}", markup=False)
    if result is not None:
        out.print(f"  observed {result.observed:.9g}, bound {result.bound:.9g} (error {result.error:.1e}; "
                  f"{'; '.join(result.methods)})", markup=False)  # fmt: skip
    out.print(f"  {words}", markup=False)
    return 0 if shows else 1


def _controls(name: str, instance: Instance) -> dict[str, bool]:
    check, claim = CHECKS[name], CLAIMS[name]
    return {t.name: check.confirm(instance, t.apply(CONTROL_AMOUNT)).violated for t in claim.tightenings}


def _judge(kind: str, result: Confirmation, controls: dict[str, bool]) -> tuple[bool, str]:
    if not result.applies:
        return False, "the hypotheses of the claim do not hold on this instance"
    if math.isnan(result.observed):
        return False, "undecided: the tokens could not be simulated to T"
    if kind == "counterexample":
        return result.violated, "still refutes the claim" if result.violated else "no longer refutes the claim"
    if kind == "control":
        broken = [n for n, refuted in controls.items() if refuted]
        return bool(broken), f"refutes the claim with a constant made 1 % stronger: {', '.join(broken) or 'none'}"
    return not result.violated, "violates the claim" if result.violated else "the claim holds on it"
