"""The items of work of a sweep: one point of a family's grid for one fixed block of seeds.

An item is computed alone, in one thread, from its own random numbers: its bytes are the same whatever the engine, the
order, or a second try.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from numerics.kernel.library import identity
from proofs_checks.output import versions
from proofs_checks.sweep import clouds, jumps
from proofs_checks.sweep.families import Clouds, Family, Passages, Sweep

SOURCES = (
    *(f"numerics/{x}.py" for x in ("adapters", "clusters", "dense_output", "dop853", "field", "first_passage", "flow",
                                   "integrator", "layered", "linear_map", "spectral", "transport", "kernel/__init__",
                                   "kernel/flow", "kernel/layers", "kernel/library", "kernel/structures")),
    *(f"proofs_checks/sweep/{x}.py" for x in ("clouds", "families", "items", "jumps")),
)  # fmt: skip
"""What the numbers of an item depend on in this project (a test holds it against what is imported)."""


@cache
def fingerprint() -> str:
    """SHA-256 of all that the bytes of an item depend on: sources, versions, processor, compiled kernel."""
    runs_on = {"pyarrow": pa.__version__, "instructions": torch.backends.cpu.get_cpu_capability(),
               "kernel": identity(),
               "mkl": os.environ.get("MKL_CBWR", "")}  # fmt: skip
    digest = hashlib.sha256(repr(sorted({**versions(), **runs_on}.items())).encode())
    root = Path(__file__).resolve().parents[2]
    for name in SOURCES:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Item:
    """One item: a family, a point of its grid, the number of the block of seeds, the seed of the sweep, the device."""

    family: Family
    point: tuple[tuple[str, Any], ...]
    number: int
    seed: int
    device: str = "cpu"

    @property
    def key(self) -> str:
        """Name of the result: a hash of everything that it depends on."""
        content = {
            "family": asdict(self.family), "point": self.point, "number": self.number, "seed": self.seed,
            "device": self.device, "code": fingerprint(),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def cost(self) -> float:
        """Work, in units that are the same for all items of one model."""
        return self.family.cost(dict(self.point))

    def generator(self) -> torch.Generator:
        """The same random numbers at every point of a grid: what differs between points is not their luck."""
        stream = f"{self.seed} {self.number} {type(self.family).__name__}"
        number = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:7])
        return torch.Generator(self.device).manual_seed(number)


def items_of(sweep: Sweep, device: str = "cpu") -> list[Item]:
    """All items, block by block of seeds within each point."""
    return [
        Item(family, tuple(point.items()), number, sweep.seed, device)
        for family in sweep.families
        for point in family.points()
        for number in range(-(-family.seeds // family.block))
    ]


def columns(item: Item) -> dict[str, np.ndarray]:
    """What is measured, one row for each seed (and η)."""
    point = dict(item.point)
    if isinstance(item.family, Clouds):
        return clouds.compute(item.family, point["depth"], item.generator())
    if isinstance(item.family, Passages):
        return jumps.passages(item.family, point["epsilon"], item.generator())
    return jumps.escapes(item.family, point["barrier"], item.generator())


def compute(item: Item, code: str) -> bytes:
    """The item's Parquet file. ``code``: the fingerprint of who asks; raises RuntimeError where this one differs."""
    if code != fingerprint():
        raise RuntimeError(
            "a worker runs another version of loraproofs or of its packages, or another processor or compiler: "
            "install the same on all, or set LORAPROOFS_KERNEL=off on all"
        )
    torch.set_num_threads(1)
    table = pa.table(columns(item))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", store_schema=False, write_page_checksum=True)
    return sink.getvalue().to_pybytes()
