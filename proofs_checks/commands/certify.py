"""``loraproofs certify INSTANCE``: prove or disprove the claims on one exact instance, in ball arithmetic."""

from __future__ import annotations

import argparse
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mpmath import mp
from rich.console import Console
from rich.table import Table

from proofs_checks.commands.options import add_json, known_claim
from proofs_checks.derivations import missing_checkers
from proofs_checks.errors import InputError
from proofs_checks.instance_analysis import show
from proofs_checks.instance_file import load_instance
from proofs_checks.output import console, emit_json
from theory.claims import CLAIMS

if TYPE_CHECKING:
    from proofs_checks.certify.certificate import Certificate

_COLOURS = {"proved_true": "green", "proved_false": "red", "undecided": "yellow", "degenerate": "magenta"}
MOST_BITS = 1 << 14


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("certify", help="prove or disprove the claims on one exact instance")
    parser.add_argument("instance", metavar="INSTANCE", help="an instance file (docs: instance file)")
    parser.add_argument(
        "--claim", action="append", metavar="CLAIM", help="only this claim (may be repeated); default: all that apply"
    )
    parser.add_argument(
        "--bits", type=int, default=MOST_BITS, metavar="N", help=f"highest precision tried (default {MOST_BITS})"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def require_balls() -> None:
    """Raise :class:`InputError` with the install line where ball arithmetic is missing."""
    missing = missing_checkers()
    if missing:
        raise InputError(f"certificates need {' and '.join(missing)}: pip install 'loraproofs[certify]'")


def run(args: argparse.Namespace) -> int:
    """Certify the instance: 0 decided, 1 a claim expected to hold is disproved, 3 something is undecided."""
    require_balls()
    from proofs_checks.certify.certificate import QUESTIONS, certify  # ball arithmetic is an extra

    if args.bits < 64:
        raise InputError(f"--bits {args.bits}: give at least 64 bits")
    claims = None
    if args.claim:
        claims = list(dict.fromkeys(known_claim(c) for c in args.claim))
        for name in claims:
            if name not in QUESTIONS:
                raise InputError(f"{name} is not certified on instances; those that are: {', '.join(QUESTIONS)}")
    certificate = certify(load_instance(args.instance), claims, args.bits)
    _print(console(args.json), args.instance, certificate)
    emit_json(certificate.document(), args.json)
    words = {a.claim: a.decision.value for a in certificate.answers if a.decision is not None}
    if any(word == "proved_false" and CLAIMS[claim].expected == "holds" for claim, word in words.items()):
        return 1
    return 3 if "undecided" in words.values() else 0


def _print(out: Console, name: str, certificate: Certificate) -> None:
    from proofs_checks.certify.certificate import QUESTIONS

    table = Table(title=f"{name}: claims on this instance", title_justify="left")
    for column in ("claim", "verdict", "why"):
        table.add_column(column, overflow="fold")
    for answer in certificate.answers:
        if answer.decision is None:
            table.add_row(answer.claim, "[dim]says nothing[/]", answer.reason)
        else:
            word = answer.decision.value
            why = answer.reason or f"its hypotheses hold; {QUESTIONS[answer.claim].conclusion} decides"
            table.add_row(answer.claim, f"[{_COLOURS[word]}]{word}[/]", why)
    out.print(table)
    statements = Table(title="Statements", title_justify="left")
    for column in ("statement", "verdict", "margin", "by"):
        statements.add_column(column, overflow="fold")
    for f in certificate.findings.values():
        margin = "" if f.lower is None or f.upper is None else _short((f.lower + f.upper) / 2)
        by = f"{f.method}, {f.bits} bits" if f.bits else f.method
        statements.add_row(f.name, f.decision.value, margin, f"{by}: {f.reason}" if f.reason else by)
    out.print(statements)
    for m in certificate.motions.values():
        out.print(f"{m.name}: {m.decision.value}. {_motion_words(m)}", markup=False)


def _short(value: Fraction) -> str:
    return show(mp.mpf(value.numerator) / value.denominator)  # beyond the range of floats, too


def _motion_words(motion: Any) -> str:
    if not motion.states:
        return motion.reason
    end = motion.states[-1]
    followed = f"{len(motion.states) - 1} segments to time {float(end.time):g}, radius {float(end.radius):.1e}"
    words = followed if len(motion.states) > 1 else "seen at time 0"
    if motion.signs is not None:
        target = "ũ1" if motion.flow == "perturbed" else "u1"
        ends = ", ".join(f"token {k + 1} to {'+' if s > 0 else '-'}{target}" for k, s in enumerate(motion.signs))
        words += f"; as t → ∞: {ends}"
    return words + f" ({motion.bits} bits)"
