"""Finished items of an experiment: one JSON file each, named by a hash of all that it depends on."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from proofs_checks.errors import InputError
from proofs_checks.output import dumps, versions, write_text

_MODEL = tuple(f"experiment/{x}" for x in ("adapters", "language_model", "text"))
_POINTS = (*_MODEL, "experiment/points")
SOURCES = {
    "point": _POINTS,
    "tolerance": (*_POINTS, "experiment/tolerance"),
    "training": (*_POINTS, "experiment/training"),
    "spectrum": ("experiment/spectrum", "audit/model", "audit/run", "real_weights"),
}
"""Kind of item → modules of proofs_checks that its numbers depend on; what is concluded from them may change."""
_PACKAGES = ("transformers", "peft")


@cache
def fingerprint(kind: str) -> str:
    """SHA-256 of the modules of this kind of item (comments and layout apart) and of the versions of what they use."""
    used = {name: importlib.metadata.version(name) for name in _PACKAGES}
    digest = hashlib.sha256(repr(sorted({"torch": versions()["torch"], **used}.items())).encode())
    for name in SOURCES[kind]:
        source = (Path(__file__).parents[1] / f"{name}.py").read_text(encoding="utf-8")
        digest.update(ast.dump(ast.parse(source)).encode())
    return digest.hexdigest()


class Items:
    """The folder of items. Without ``resume`` an item computed earlier is computed again (once a run)."""

    def __init__(self, root: Path, model: str, resume: bool, computed: Callable[[], None] | None = None) -> None:
        if root.exists() and not root.is_dir():
            raise InputError(f"{root} is a file; name a folder with --out")
        self._root, self._model, self._resume = root / "items", model, resume
        self._mine: set[str] = set()
        self._computed = computed

    def once(self, name: dict[str, Any], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The item of this name, computed where it is not there."""
        known = self.known(name)
        if known is not None:
            return known
        found = json.loads(dumps(compute()))
        key = self._key(name)
        write_text(self._root / f"{key}.json", dumps({"name": name, "result": found}))
        self._mine.add(key)
        if self._computed is not None:
            self._computed()
        return found

    def known(self, name: dict[str, Any]) -> dict[str, Any] | None:
        """The item where it is there and may be used; one that cannot be read is computed again."""
        key = self._key(name)
        if not self._resume and key not in self._mine:
            return None
        try:
            return json.loads((self._root / f"{key}.json").read_text(encoding="utf-8"))["result"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _key(self, name: dict[str, Any]) -> str:
        content = json.dumps({"name": name, "model": self._model, "code": fingerprint(name["what"])}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]
