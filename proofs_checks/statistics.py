"""Statistical claims: means over random adapters beside what theory predicts, and the row that they make.

False alarms: every comparison is made at :data:`Z` standard errors, two-sided 1.1e-9 for a normal mean; a whole run
makes fewer than :data:`COMPARISONS` of them, so that the chance of any false alarm in it is below 1e-6 (Bonferroni). A
comparison that fails is made again with other seeds and counts as a violation where it fails again, on the same side.
Power: the constant made 5 % wrong must be refuted by the same means.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from proofs_checks.ledger import row
from proofs_checks.store import Run
from proofs_checks.verdicts import Evidence
from theory.claim import Claim

Z = 6.1
COMPARISONS = 900
WRONG = 0.05
_SECOND_LOOK = 7_919


@dataclass(frozen=True)
class Estimate:
    """One measured mean and its prediction.

    Attributes
    ----------
    name: what is measured, and where. mean, error: the mean and its standard error. predicted: by theory.
    seeds: independent replicas behind it. upper: whether the prediction is an upper bound only.
    wrong: name of a control → the prediction with that constant made 5 % wrong.
    """

    name: str
    mean: float
    error: float
    predicted: float
    seeds: int
    upper: bool = False
    wrong: dict[str, float] = field(default_factory=dict)

    def outside(self, predicted: float) -> int:
        """+1 or -1 where the mean lies above or below the prediction by more than Z standard errors, else 0."""
        excess = self.mean - predicted
        if abs(excess) <= Z * self.error or (self.upper and excess < 0):
            return 0
        return 1 if excess > 0 else -1

    @property
    def side(self) -> int:
        """:meth:`outside` of the prediction itself."""
        return self.outside(self.predicted)


Measure = Callable[[int], list[Estimate]]
"""seed → estimates, always the same ones in the same order."""


def mean_and_error(values: torch.Tensor) -> tuple[float, float]:
    """Mean of replicas ``(B,)`` and its standard error."""
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def measured(name: str, run: Run, claim: Claim, measure: Measure) -> tuple[list[Estimate], int]:
    """The estimates of one part of a claim, kept in the store, and how many are violated in a second look too."""

    def compute() -> dict[str, Any]:
        found = measure(run.seed)
        again = measure(run.seed + _SECOND_LOOK) if any(e.side for e in found) else found
        confirmed = sum(e.side != 0 and e.side == f.side for e, f in zip(found, again, strict=True))
        return {"estimates": [asdict(e) for e in found], "confirmed": confirmed}

    block = run.once(f"{name} {claim.statement_hash}", compute)
    return [Estimate(**e) for e in block["estimates"]], block["confirmed"]


def statistical_row(claim: Claim, run: Run, parts: dict[str, Measure], **extra: Any) -> dict[str, Any]:
    """The row of a statistical claim. A control counts as refuted where one of the means that know it refutes it."""
    started = time.perf_counter()
    found = [measured(f"{claim.id} {name}", run, claim, measure) for name, measure in parts.items()]
    estimates = [e for part, _ in found for e in part]
    violations = sum(confirmed for _, confirmed in found)
    names = [t.name for t in claim.tightenings]
    controls = {n: any(e.outside(e.wrong[n]) for e in estimates if n in e.wrong) for n in names}
    evidence = Evidence(
        statement_hash=claim.statement_hash,
        instances=len(estimates),
        nonvacuous=len(estimates),
        violations=violations,
        controls=controls,
        max_ratio=max((e.mean / e.predicted for e in estimates if e.predicted), default=None),
    )
    comparisons = [asdict(e) | {"outside": e.side} for e in estimates]
    seconds = time.perf_counter() - started
    return row(claim, evidence, seconds, comparisons=comparisons, z=Z, seeds=min(e.seeds for e in estimates), **extra)
