"""Gradient ascent on observed / bound, through the spectra and through the flow, from many starts at once.

What is moved are the matrices, the tokens and the time themselves; symmetric matrices stay symmetric and tokens on the
sphere by construction. A candidate counts only after the same second look as any other.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from proofs_checks.falsify.objective import Objective, Point
from proofs_checks.falsify.objectives_flows import FLOWS
from proofs_checks.falsify.objectives_matrices import MATRICES
from proofs_checks.falsify.objectives_passages import PASSAGES
from proofs_checks.falsify.search import Outcome, Progress
from proofs_checks.falsify.targets import Target
from proofs_checks.instance_file import Instance
from theory.formula import Formula

STARTS, STEPS, RATE, EXAMINED = 64, 120, 0.03, 3
DIGITS = 6
"""Decimal places of a candidate."""
OBJECTIVES: dict[str, Objective] = FLOWS | MATRICES | PASSAGES
"""Claim → what is climbed on."""


def start(claim: str, n: int, d: int, generator: torch.Generator) -> Point:
    """Random starts."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(STARTS, *shape, dtype=torch.float64, generator=generator)

    X, V, dV, A, dA = draw(n, d), draw(d, d), 0.3 * draw(d, d), draw(d, d), 0.3 * draw(d, d)
    T = 0.5 * torch.rand(STARTS, dtype=torch.float64, generator=generator) + 0.1
    objective = OBJECTIVES[claim]
    return objective.admitted(objective.begin(objective.admitted(Point(V, dV, A, dA, X, T))))


def _climbed(objective: Objective, formula: Formula, begin: Point, deadline: float) -> tuple[Point, Tensor]:
    """The best point of each start on its way, and its ratio."""
    free = [x.clone().requires_grad_() for x in vars(begin).values()]
    optimiser = torch.optim.Adam(free, lr=RATE)
    best, found = begin, torch.full((STARTS,), -torch.inf, dtype=torch.float64)
    for _ in range(STEPS):
        here = objective.admitted(Point(*free))
        ratio = objective.ratio(here, formula)
        better = (ratio > found).detach()
        found = torch.where(better, ratio, found).detach()
        best = Point(*(
            torch.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old).detach()
            for new, old in zip(vars(here).values(), vars(best).values(), strict=True)
        ))  # fmt: skip
        if time.perf_counter() > deadline:
            break
        optimiser.zero_grad()
        torch.where(ratio.isfinite(), ratio, 0.0).sum().neg().backward()
        for x in free:
            if x.grad is not None:
                x.grad.nan_to_num_(0.0)
        optimiser.step()
    return best, found


def as_instance(point: Point, row: int, claim: str, digits: int = DIGITS) -> Instance:
    """One row as an instance file with so many decimal places."""
    objective = OBJECTIVES[claim]

    def short(x: Tensor) -> np.ndarray:
        return np.round(x[row].numpy(), digits)

    def plain(x: Tensor) -> Any:
        found = short(x).tolist()
        return [str(v) for v in found] if isinstance(found, list) else found

    untied = objective.tokens and not objective.tied
    return Instance.from_arrays(
        short(point.V), short(point.dV), short(point.A) if untied else None, short(point.dA) if untied else None,
        short(point.X) if objective.tokens else None,
        float(short(objective.longer * point.T)) if objective.tokens else None,
        claim=claim, kind="counterexample", options={"normalize": True} if objective.tokens else {},
        meta={name: plain(x) for name, x in objective.metadata(point).items()},
    )  # fmt: skip


def ascend(target: Target, budget: float, seed: int, progress: Progress) -> Outcome:
    """Climb from random starts, small n and d first, for at most ``budget`` seconds; a confirmed violation ends it."""
    started, outcome, objective = time.perf_counter(), Outcome(), OBJECTIVES[target.claim]
    generator = torch.Generator().manual_seed(seed)
    round_ = 0
    while outcome.seconds < budget:
        n, d = (1, 2) if round_ % 2 == 0 else (2, 3)
        round_ += 1
        best, ratio = _climbed(objective, target.formula, start(target.claim, n, d, generator), started + budget)
        outcome.tried += STARTS
        top = float(ratio.max())
        outcome.best_ratio = top if outcome.best_ratio is None else max(top, outcome.best_ratio)
        for row in ratio.argsort(descending=True)[:EXAMINED].tolist():
            if ratio[row] > 1:
                instance = as_instance(best, row, target.claim)
                try:
                    result = target.confirm(instance, target.formula)
                except (RuntimeError, ArithmeticError):  # the second integrator fails on it: not confirmed
                    outcome.unconfirmed += 1
                    continue
                if result.violated:
                    outcome.instance, outcome.confirmation = instance, result
                    outcome.seconds = time.perf_counter() - started
                    return outcome
                outcome.unconfirmed += 1
        outcome.seconds = time.perf_counter() - started
        progress(outcome.seconds, outcome.tried, outcome.best_ratio)
    return outcome
