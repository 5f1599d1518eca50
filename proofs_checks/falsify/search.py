"""The search: random instances and mutations of the best ones, in batches, until one breaks the target.

Every instance is drawn from a family, so that the assumptions that are not dropped hold by construction. A candidate
counts only where an independent second look confirms it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.falsify.targets import Target
from proofs_checks.families import SOURCES
from proofs_checks.instance_file import Instance
from proofs_checks.planting import Seeds
from proofs_checks.sampler import Batch, realise
from proofs_checks.sources import Source
from proofs_checks.spec import FAMILIES, Grid

SIZE, EXAMINED, ELITES, MUTATED = 128, 3, 8, 0.2
Progress = Callable[[float, int, float | None], None]
"""(seconds used, instances tried, best ratio)."""


@dataclass
class Outcome:
    """What a search found.

    ``instance``, ``confirmation``: the violation, or None. ``tried``: instances that the target speaks of.
    ``best_ratio``: the largest observed / bound among them. ``unconfirmed``: candidates that the second look rejected.
    """

    instance: Instance | None = None
    confirmation: Confirmation | None = None
    tried: int = 0
    best_ratio: float | None = None
    unconfirmed: int = 0
    seconds: float = 0.0

    def after(self, earlier: Outcome) -> Outcome:
        """This outcome with the counts of an earlier search added."""
        ratios = [r for r in (self.best_ratio, earlier.best_ratio) if r is not None]
        return Outcome(
            self.instance, self.confirmation, self.tried + earlier.tried, max(ratios, default=None),
            self.unconfirmed + earlier.unconfirmed, self.seconds + earlier.seconds,
        )  # fmt: skip


@dataclass
class _Cell:
    """One family at one (n, d), and the specifications of its best instances so far."""

    source: Source
    n: int
    d: int
    elites: dict[str, np.ndarray] = field(default_factory=dict)
    scores: np.ndarray = field(default_factory=lambda: np.empty(0))

    def fresh(self, seed: int) -> Batch:
        return self.source.draw(SIZE, self.n, self.d, seed)

    @property
    def climbs(self) -> bool:
        """Whether instances of this family can be mutated (they are given by specifications)."""
        return self.source.name in FAMILIES and len(self.scores) > 0

    def mutated(self, rng: np.random.Generator) -> Batch:
        """Copies of the elites with some fields drawn again or moved by a grid step."""
        family = FAMILIES[self.source.name]
        chosen = rng.integers(len(self.scores), size=SIZE)
        columns = {name: values[chosen].copy() for name, values in self.elites.items()}
        for name, domain in family.domain.items():
            if name in ("n", "d"):
                continue
            again = rng.random(SIZE) < MUTATED
            columns[name][again] = domain.draw(rng, int(again.sum()))
            if isinstance(domain, Grid):
                step = rng.integers(-2, 3, size=SIZE) / domain.steps
                moved = np.clip(columns[name] + step, domain.low / domain.steps, domain.high / domain.steps)
                columns[name] = np.where(rng.random(SIZE) < MUTATED, moved, columns[name])
        return realise(family, columns, Seeds(*(np.random.default_rng(s) for s in rng.integers(2**32, size=3))))

    def learn(self, batch: Batch, score: np.ndarray) -> None:
        """Keep the best of the old elites and this batch."""
        if self.source.name not in FAMILIES:
            return
        best = np.argsort(-score)[:ELITES]
        best = best[score[best] > -np.inf]
        new = {name: batch.columns[name][best] for name in batch.columns}
        columns = {k: np.concatenate([self.elites[k], v]) for k, v in new.items()} if self.elites else new
        scores = np.concatenate([self.scores, score[best]])
        order = np.argsort(-scores)[:ELITES]
        self.elites, self.scores = {k: v[order] for k, v in columns.items()}, scores[order]


def _cells(target: Target) -> list[_Cell]:
    cells = [_Cell(SOURCES[f], n, d) for f in target.families for n, d, _ in SOURCES[f].cells("quick")]
    return sorted(cells, key=lambda c: c.n * c.d)


def _batches(cells: list[_Cell], seed: int) -> Iterator[tuple[_Cell, Batch]]:
    rng = np.random.default_rng((seed, *b"falsify"))
    number = 0
    while True:
        for cell in cells:
            number += 1
            yield cell, cell.mutated(rng) if number % 2 and cell.climbs else cell.fresh(seed * 1_000_003 + number)


def search(target: Target, budget: float, seed: int, progress: Progress) -> Outcome:
    """Search for at most ``budget`` seconds; the first confirmed violation ends it. The smallest cells come first."""
    started = time.perf_counter()
    outcome = Outcome()
    for cell, batch in _batches(_cells(target), seed):
        found = target.compare(batch, cell.source.measure(batch), target.formula)[0].flattened()
        outcome.tried += int(found.applies.sum())
        score = score_of(found)
        cell.learn(batch, score)
        note(outcome, found)
        for row in candidates(batch, found):
            instance = cell.source.as_instance(batch, row, target.claim, "counterexample")
            try:
                result = target.confirm(instance, target.formula)
            except (RuntimeError, ArithmeticError):  # the second integrator fails on it: not confirmed
                outcome.unconfirmed += 1
                continue
            outcome.seconds = time.perf_counter() - started
            if result.violated:
                outcome.instance, outcome.confirmation = instance, result
                return outcome
            outcome.unconfirmed += 1
        outcome.seconds = time.perf_counter() - started
        progress(outcome.seconds, outcome.tried, outcome.best_ratio)
        if outcome.seconds > budget:
            break
    return outcome


def score_of(found: Comparison) -> np.ndarray:
    """How far each instance is towards a violation; -inf where the comparison says nothing."""
    ratio = found.ratio
    closeness = (ratio - 1).abs() if found.relation == "==" else ratio
    return torch.where(found.nonvacuous, closeness, -torch.inf).nan_to_num(nan=-torch.inf, neginf=-torch.inf).numpy()


def note(outcome: Outcome, found: Comparison) -> None:
    """Keep the largest ratio seen."""
    ratios = found.ratio[found.nonvacuous]
    if len(ratios):
        best = float(ratios.max())
        outcome.best_ratio = best if outcome.best_ratio is None else max(best, outcome.best_ratio)


def candidates(batch: Batch, found: Comparison) -> list[int]:
    """Rows to look at again: readable ones (no rotation) first, then by how far they are beyond the bound."""
    rows = torch.nonzero(found.candidate).flatten().tolist()
    turned: Any = batch.columns.get("frame")
    far = (found.ratio - 1).abs().nan_to_num().tolist()
    return sorted(rows, key=lambda r: (bool(turned is not None and turned[r]), -far[r]))[:EXAMINED]
