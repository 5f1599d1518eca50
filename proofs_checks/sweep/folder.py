"""The folder of a sweep: ``sweep.json`` says what it is, ``items/KEY.parquet`` holds one finished item each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from proofs_checks.errors import InputError
from proofs_checks.json_file import read_object
from proofs_checks.output import SCHEMA, dumps, versions, write_bytes, write_text
from proofs_checks.sweep.families import Sweep
from proofs_checks.sweep.items import Item, fingerprint, items_of
from proofs_checks.sweep.presets import KINDS

MANIFEST = "sweep.json"
Table = dict[str, np.ndarray]


class Folder:
    """One folder, one sweep. Nothing in it depends on when, where or in which order it was computed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, sweep: Sweep, device: str, resume: bool) -> None:
        """Claim the folder for this sweep; raises InputError rather than mix results or write over any."""
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"{self.root} is a file; name a folder with --out")
        mine = {"schema": SCHEMA, "command": "sweep", **sweep.to_dict(), "device": device, "code": fingerprint()}
        if not (self.root / MANIFEST).exists():
            if self.root.exists() and any(self.root.iterdir()):
                raise InputError(f"{self.root} holds other files; name an empty folder with --out")
            write_text(self.root / MANIFEST, dumps(mine | {"versions": versions()}))
            return
        found = _read(self.root / MANIFEST)
        differs = [k for k in mine if found.get(k) != json.loads(dumps(mine[k]))]
        if differs:
            what = {"code": "another version of loraproofs or of its packages", "seed": "another seed",
                    "device": "another device"}.get(differs[0], "another sweep")  # fmt: skip
            raise InputError(f"{self.root} holds the results of {what}; name another folder with --out")
        if not resume:
            raise InputError(f"{self.root} holds this sweep already: continue it with --resume")

    def done(self, item: Item) -> bool:
        """Whether the item is there, whole: all of it can be read."""
        try:
            self._read(item)
        except (OSError, pa.ArrowException):
            return False
        return True

    def _read(self, item: Item) -> pa.Table:
        return pq.read_table(self._path(item), page_checksum_verification=True)

    def keep(self, item: Item, content: bytes) -> None:
        """Write a finished item, whole or not at all."""
        write_bytes(self._path(item), content)

    def _path(self, item: Item) -> Path:
        return self.root / "items" / f"{item.key}.parquet"

    def tables(self, sweep: Sweep, device: str) -> dict[str, Table]:
        """Family → its rows with the columns of the grid and ``replica``; raises InputError where an item is missing.

        The last block of seeds is cut to the number that the family has.
        """
        found: dict[str, list[Table]] = {family.name: [] for family in sweep.families}
        for item in items_of(sweep, device):
            try:
                table = self._read(item)
            except (OSError, pa.ArrowException) as error:
                raise InputError(f"{self.root}: an item of {item.family.name} is missing or unreadable; run the sweep "
                                 "again with --resume") from error  # fmt: skip
            parts = found[item.family.name]
            rows = _rows(item, {k: table[k].to_numpy() for k in table.column_names})
            if parts and set(parts[0]) != set(rows):
                raise InputError(f"{self._path(item)} is damaged: delete it and run the sweep again with --resume")
            parts.append(rows)
        return {name: {k: np.concatenate([t[k] for t in parts]) for k in parts[0]} for name, parts in found.items()}


def _rows(item: Item, columns: Table) -> Table:
    block = item.family.block
    length = len(next(iter(columns.values())))
    replica = item.number * block + np.arange(length) // (length // block)
    kept = replica < item.family.seeds
    point = {name: np.full(length, value) for name, value in item.point}
    return {k: x[kept] for k, x in {**point, "replica": replica, **columns}.items()}


def opened(root: Path) -> tuple[Folder, Sweep, str]:
    """A finished or unfinished sweep on disk, for reading: the folder, what it is, and the device it ran on."""
    found = _read(root / MANIFEST)
    if found.get("code") != fingerprint():
        raise InputError(f"{root} holds the results of another version of loraproofs or of its packages; run it again")
    try:
        sweep = Sweep.from_dict(found)
        if sweep.kind not in KINDS:
            raise ValueError(f"kind {sweep.kind}")
        return Folder(root), sweep, str(found["device"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{root / MANIFEST} is no sweep of this version ({error})") from error


def _read(path: Path) -> dict[str, Any]:
    found = read_object(path, f"{path.parent} holds no sweep: {path.name} is not there")
    if found.get("schema") != SCHEMA or found.get("command") != "sweep":
        raise InputError(f"{path} is no sweep of this version")
    return found
