"""Reading a JSON object from a file, with errors that a user can mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from proofs_checks.errors import InputError


def read_object(path: Path, absent: str, mend: str = "") -> dict[str, Any]:
    """The object in the file; raises InputError: ``absent`` where there is none, or that it cannot be read as one.

    ``mend`` says how to get a file that can be read; it ends the latter errors.
    """
    remedy = mend and f"; {mend}"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(absent) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}{remedy}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no JSON object{remedy}")
    return found
