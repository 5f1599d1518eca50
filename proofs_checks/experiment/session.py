"""One run of experiments: the model, the seeds, and the items that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from proofs_checks.experiment.items import Items
from proofs_checks.experiment.language_model import LanguageModel
from proofs_checks.experiment.points import Bench, Point
from proofs_checks.experiment.tolerance import Search
from proofs_checks.experiment.training import Training


@dataclass(frozen=True)
class Session:
    """What every experiment is given.

    Attributes
    ----------
    model: the model. items: where finished items are. seeds: of the adapters and passages. steps: of a training run.
    """

    model: LanguageModel
    items: Items
    seeds: Sequence[int]
    steps: int

    @cached_property
    def bench(self) -> Bench:
        """The measuring bench."""
        return Bench(self.model)

    @property
    def depth(self) -> int:
        """L."""
        return self.model.depth

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self.model.name

    @property
    def folder(self) -> Path:
        """Directory of the model."""
        return self.model.folder

    def point(self, point: Point) -> dict[str, Any]:
        """A measured point."""
        return self.items.once(point.name, lambda: self.bench.measure(point))

    def tolerable(self, search: Search) -> float:
        """A tolerable norm; NaN where the search found none."""
        found = self.items.once(search.name, lambda: search.measure(self.bench))["norm"]
        return float("nan") if found is None else found

    def training(self, training: Training) -> dict[str, Any]:
        """A training run."""
        return self.items.once(training.name, lambda: training.measure(self.bench))
