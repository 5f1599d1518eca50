"""Options that several commands share, with their checks."""

from __future__ import annotations

import argparse
from pathlib import Path

from proofs_checks.errors import InputError
from proofs_checks.store import DEFAULT
from theory.claims import CLAIMS, claim


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json FILE|-``."""
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON to FILE, or to stdout with -")


def add_store(parser: argparse.ArgumentParser) -> None:
    """``--store DIR``."""
    parser.add_argument("--store", type=Path, default=DEFAULT, metavar="DIR", help=f"results (default {DEFAULT})")


def add_run(parser: argparse.ArgumentParser) -> None:
    """``--profile``, ``--seed``, ``--store``, ``--resume``, ``--json``: what every long command has."""
    parser.add_argument("--profile", choices=("quick", "full"), default="quick", help="how much work (default quick)")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="random seed (default 0)")
    parser.add_argument("--resume", action="store_true", help="keep what an interrupted run has computed")
    add_store(parser)
    add_json(parser)


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("the seed must be 0 or more")
    return value


def whole_number(text: str) -> int:
    """The type of an option that is a whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return value


def chosen_claims(ids: list[str]) -> list[str]:
    """The ids given, in the ledger's order; all of them where none is. A prefix such as ``prop-3.3`` names several."""
    if not ids:
        return list(CLAIMS)
    wanted: set[str] = set()
    for name in ids:
        group = {i for i in CLAIMS if i.startswith((f"{name}/", f"{name}-")) and name not in CLAIMS}
        wanted |= group or {known_claim(name)}
    return [i for i in CLAIMS if i in wanted]


def known_claim(name: str) -> str:
    """The id itself; raises InputError with the nearest ids where there is no such claim."""
    try:
        return claim(name).id
    except ValueError as error:
        raise InputError(f"{error}; `loraproofs claims` lists them") from error
