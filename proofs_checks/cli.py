"""The command line ``loraproofs``: parses, runs one command, turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from proofs_checks import others
from proofs_checks.errors import InputError

COMMANDS = (
    "claims",
    "show",
    "verify",
    "derive",
    "instance",
    "replay",
    "certify",
    "check-certificate",
    "falsify",
    "matrix",
    "accept",
    "sweep",
    "report",
    "audit",
    "project",
    "experiment",
)
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141
"""What a shell shows of a program that writes to a reader that has left (``| head``): 128 + SIGPIPE."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors are one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(EXIT_INPUT, f"{self.prog}: {message} (try: {self.prog} --help)\n")


def build_parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands; each is imported only where it is among them."""
    parser = _Parser(
        prog="loraproofs",
        description="Verify the theorems on LoRA and forgetting in mean-field attention (arXiv 2402.15415v2).",
        epilog="exit codes: 0 as expected, 1 not as expected, 2 bad input, 3 undecided, 130 interrupted",
    )
    parser.add_argument(
        "--claims", dest="claims_file", type=Path, metavar="FILE", help="a Python file with more CLAIMS"
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name in commands:
        importlib.import_module(f"proofs_checks.commands.{name.replace('-', '_')}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    asked = words[2:3] if words[:1] == ["--claims"] else words[:1]
    # all commands together take twice as long to load as most of them alone
    args = build_parser(asked if asked and asked[0] in COMMANDS else COMMANDS).parse_args(words)
    try:
        others.add([*others.installed(), *(others.from_file(args.claims_file) if args.claims_file else [])])
        return args.run(args)
    except InputError as error:
        print(f"loraproofs: {error}", file=sys.stderr)
        return EXIT_INPUT
    except KeyboardInterrupt:
        more = "; what is computed is kept, continue with --resume" if hasattr(args, "resume") else ""
        print(f"loraproofs: interrupted{more}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        return EXIT_PIPE


if __name__ == "__main__":
    sys.exit(main())
