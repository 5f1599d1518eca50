"""What every command writes: the JSON document with its fixed head, and tables in the terminal."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from proofs_checks.errors import InputError

SCHEMA = "loraproofs/1"
_PACKAGES = ("loraproofs", "sympy", "mpmath", "numpy", "scipy", "torch", "hypothesis")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the results depend on."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **found}


def document(command: str, seed: int | None, **fields: Any) -> dict[str, Any]:
    """A JSON document: ``schema``, ``command``, ``versions``, ``seed``, then the command's own fields."""
    return {"schema": SCHEMA, "command": command, "versions": versions(), "seed": seed, **fields}


def dumps(value: Any) -> str:
    """JSON text, strict: NaN and infinities become null, since JSON has no number for them."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) as :func:`write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all (temporary file, then rename).

    A link is followed and stays a link. A pipe or a device is written to, never replaced. Raises :class:`InputError`
    where the place cannot be written or the disk is full.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a directory refuses this in its own words
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(name, 0o666 & ~_umask())  # mkstemp makes files that nobody else can read
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        words = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot write {path}: {words}; choose another place or free some room") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def emit_json(value: dict[str, Any], target: str | None) -> None:
    """Write the document to the file ``target``, or to stdout where it is ``-``; nothing where it is None."""
    if target is None:
        return
    if target == "-":
        sys.stdout.write(dumps(value))
        sys.stdout.flush()
    else:
        write_text(Path(target), dumps(value))


class _Terminal(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would exit with 1, which says "not as expected" here


def console(json_target: str | None) -> Console:
    """The terminal for tables and words: stdout, or stderr where stdout holds JSON alone."""
    stderr = json_target == "-"
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else 120  # a pipe has no width of its own
    return _Terminal(stderr=stderr, highlight=False, soft_wrap=True, width=width)
