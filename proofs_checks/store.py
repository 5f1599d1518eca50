"""Where results are kept between runs: one directory, one file a result, each written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from proofs_checks.errors import InputError
from proofs_checks.json_file import read_object
from proofs_checks.output import SCHEMA, dumps, versions, write_text

DEFAULT = Path(".loraproofs")
_ROW = {"id", "verdict", "statement_hash", "violations", "nonvacuous", "instances", "max_ratio", "reasons", "controls"}
_PACKAGES = ("theory", "numerics", "proofs_checks")


@cache
def fingerprint() -> str:
    """SHA-256 of all versions and of this project's own source: results of other code are never taken up again."""
    digest = hashlib.sha256(repr(sorted(versions().items())).encode())
    root = Path(__file__).resolve().parents[1]
    for path in sorted(p for name in _PACKAGES for p in (root / name).rglob("*") if p.suffix in (".py", ".cpp")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Store:
    """The directory given by ``--store``. Blocks are named by the key of what they contain."""

    def __init__(self, root: str | Path = DEFAULT) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"--store {self.root} is a file; name a directory")

    def block(self, key: str) -> dict[str, Any] | None:
        """A block computed earlier, or None. A block that cannot be read is computed again."""
        try:
            return json.loads((self.root / "blocks" / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def keep_block(self, key: str, block: dict[str, Any]) -> None:
        """Keep a block; raises InputError where the disk is full or not writable."""
        write_text(self.root / "blocks" / f"{key}.json", dumps(block))

    def keep(self, folder: str, name: str, document: dict[str, Any]) -> Path:
        """Keep a document as ``folder/name.json`` and return its path."""
        path = self.root / folder / f"{name}.json"
        write_text(path, dumps(document))
        return path

    def latest(self) -> dict[str, Any] | None:
        """The last document of ``verify``, or None where there is none."""
        path = self.root / "verify.json"
        if not path.exists():
            return None
        found = read_object(path, f"{path} is gone; run verify again", mend="run verify again")
        rows = found.get("claims") if found.get("schema") == SCHEMA else None
        if not isinstance(rows, list) or not all(isinstance(r, dict) and set(r) >= _ROW for r in rows):
            raise InputError(f"{path} is no result of this version; run verify again")
        return found


@dataclass(frozen=True)
class Run:
    """One run of a long command: where its results go, and what they depend on."""

    store: Store
    seed: int = 0
    profile: str = "quick"
    resume: bool = False

    def once(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The named result: read from the store on ``--resume`` where it is there, else computed and kept.

        It is keyed by the name, the seed, the profile and :func:`fingerprint`; ``compute`` must depend on nothing else.
        """
        known = self.known(name)
        if known is None:
            known = compute()
            self.keep(name, known)
        return known

    def known(self, name: str) -> dict[str, Any] | None:
        """The named result of an earlier run of this code, on ``--resume``; else None."""
        return self.store.block(self._key(name)) if self.resume else None

    def keep(self, name: str, result: dict[str, Any]) -> None:
        """Keep the named result for a later ``--resume``."""
        self.store.keep_block(self._key(name), result)

    def _key(self, name: str) -> str:
        parts = f"{name} {self.seed} {self.profile} {fingerprint()}"
        return hashlib.sha256(parts.encode()).hexdigest()[:24]


def file_name(claim_id: str) -> str:
    """The claim's id as part of a file name: ``prop-3.3/drift`` → ``prop-3.3_drift``."""
    return claim_id.replace("/", "_")
