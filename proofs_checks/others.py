"""Claims of other projects: from installed packages (entry-point group ``loraproofs.claims``) or from a Python file."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from proofs_checks.errors import InputError
from theory import claims
from theory.claim import Claim

GROUP = "loraproofs.claims"


def installed() -> list[Claim]:
    """The claims that installed packages add: each entry point is a sequence of claims."""
    found: list[Claim] = []
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        try:
            found += _checked(point.load(), f"the entry point {point.name}")
        except (ImportError, AttributeError) as error:
            raise InputError(f"the entry point {point.name} of {GROUP} cannot be loaded: {error}") from error
    return found


def from_file(path: Path) -> list[Claim]:
    """The sequence ``CLAIMS`` of a Python file. Raises :class:`InputError` where there is none."""
    if not path.is_file():
        raise InputError(f"there is no file {path}: --claims names a Python file with a list CLAIMS")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the file does
        raise InputError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return _checked(getattr(module, "CLAIMS", None), str(path))


def _checked(value: object, where: str) -> list[Claim]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(c, Claim) for c in value):
        raise InputError(f"{where} must give a list CLAIMS of theory.claim.Claim")
    return list(value)


def add(others: Iterable[Claim]) -> None:
    """Put claims into the ledger. Raises :class:`InputError` for an id that is taken or a missing dependency."""
    new = [c for c in others if claims.CLAIMS.get(c.id) is not c]
    try:
        claims.CLAIMS.update(claims.ledger([*claims.CLAIMS.values(), *new]))
    except ValueError as error:
        raise InputError(f"claims of another project: {error}") from error
