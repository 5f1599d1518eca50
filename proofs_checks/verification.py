"""The main job: draw, simulate, compare, confirm, and compute the verdicts.

Work is cut into blocks (family, n, d, size, seed), each drawn and simulated once for every claim whose hypotheses
it may meet, tallied, and kept in the store under a key of everything that the tally depends on.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from proofs_checks.checks.check import Check
from proofs_checks.families import SOURCES
from proofs_checks.registry import CHECKS
from proofs_checks.sampler import Batch
from proofs_checks.sources import Source
from proofs_checks.store import Store, fingerprint
from proofs_checks.tally import tally
from theory.claims import CLAIMS

BLOCK = 512


@dataclass(frozen=True)
class Block:
    """A piece of work: ``size`` instances of a family with n tokens in dimension d."""

    family: str
    n: int
    d: int
    size: int
    seed: int

    def draw(self) -> Batch:
        """The instances; the same block gives the same ones."""
        return self.source.draw(self.size, self.n, self.d, self.seed)

    @property
    def source(self) -> Source:
        """The source of the family."""
        return SOURCES[self.family]

    def checks(self, wanted: Iterable[str]) -> list[Check]:
        """The checks that this block serves, among the wanted claims."""
        return [CHECKS[i] for i in wanted if i in CHECKS and self.family in CHECKS[i].families]

    def key(self, wanted: Iterable[str]) -> str:
        """Name of the block's result: changes with anything that the result depends on."""
        claims = [c.claim_id for c in self.checks(wanted)]
        parts = [repr(self), self.source.description, *claims, fingerprint()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def plan(wanted: Iterable[str], profile: str, seed: int) -> list[Block]:
    """The blocks that the wanted claims need, in a fixed order."""
    chosen = list(wanted)
    needed = {family for i in chosen if i in CHECKS for family in CHECKS[i].families}
    blocks = []
    for name, source in SOURCES.items():
        if name not in needed:
            continue
        for n, d, size in source.cells(profile):
            parts = -(-size // BLOCK)
            sizes = [size // parts + (k < size % parts) for k in range(parts)]
            blocks += [Block(name, n, d, s, seed * 1_000 + k) for k, s in enumerate(sizes)]
    return blocks


def compute(block: Block, wanted: Iterable[str]) -> dict[str, Any]:
    """Draw, measure and tally one block, for the claims that it serves."""
    started = time.perf_counter()
    batch = block.draw()
    measured = block.source.measure(batch)
    unconverged = 0
    if batch.family.simulated:
        base, moved = measured.trajectories
        unconverged = int((~(base.converged & moved.converged)).sum())
    checks = block.checks(wanted)
    shared = (time.perf_counter() - started) / max(len(checks), 1)
    claims = {}
    for check in checks:
        started = time.perf_counter()
        found = tally(check, CLAIMS[check.claim_id], batch, measured)
        claims[check.claim_id] = {**found, "seconds": shared + time.perf_counter() - started}
    return {"block": vars(block), "unconverged": unconverged, "claims": claims}


def run_blocks(
    blocks: list[Block], wanted: list[str], store: Store, resume: bool, advance: Callable[[Block], None]
) -> list[dict[str, Any]]:
    """All blocks, each kept in the store as soon as it is computed; with ``resume`` those that are there are read."""
    results = []
    for block in blocks:
        key = block.key(wanted)
        result = store.block(key) if resume else None
        if result is None:
            result = compute(block, wanted)
            store.keep_block(key, result)
        results.append(result)
        advance(block)
    return results
