"""``loraproofs check-certificate FILE``: check a certificate again by a second, independent program."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from proofs_checks.commands.certify import require_balls
from proofs_checks.commands.options import add_json
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, emit_json

_LARGEST = 200_000_000


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("check-certificate", help="check a certificate by a second, independent program")
    parser.add_argument("file", metavar="FILE", help="a certificate, as certify --json writes it")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the certificate: 0 valid, 1 not."""
    require_balls()
    from proofs_checks.certify.checker import Rejected, check  # ball arithmetic is an extra

    certificate = _read(Path(args.file))
    reason, verdicts = "", 0
    try:
        verdicts = check(certificate)
    except Rejected as error:
        reason = str(error)
    out = console(args.json)
    out.print(
        f"{args.file}: {'valid, ' + str(verdicts) + ' verdicts found again' if not reason else 'NOT valid: ' + reason}",
        markup=False,
    )
    emit_json(
        document("check-certificate", None, file=str(args.file), valid=not reason, verdicts=verdicts, reason=reason),
        args.json,
    )
    return 1 if reason else 0


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is larger than {_LARGEST:,} bytes: it is no certificate")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise InputError(f"{path} is not JSON: give a file that certify --json has written") from None
    if not isinstance(found, dict) or found.get("command") != "certify":
        raise InputError(f"{path} is no certificate: give a file that certify --json has written")
    return found
