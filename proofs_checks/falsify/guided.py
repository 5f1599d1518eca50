"""A search by hypothesis: its strategies draw the instances, and its ``target`` climbs on observed / bound."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import target as towards

from proofs_checks.falsify.search import Outcome, Progress, candidates, note, score_of
from proofs_checks.falsify.targets import Target
from proofs_checks.families import SOURCES
from proofs_checks.sampler import Batch
from proofs_checks.sources import Source
from proofs_checks.spec import FAMILIES
from proofs_checks.strategies import instances

EXAMPLES = 400
"""Instances of each round of a family."""


class _Found(Exception):
    """Ends hypothesis at a confirmed violation."""


def families(target: Target) -> list[str]:
    """The families of the target that hypothesis can draw."""
    return [name for name in target.families if name in FAMILIES]


def guided(target: Target, budget: float, seed: int, progress: Progress) -> Outcome:
    """Search for at most ``budget`` seconds; the first confirmed violation ends it."""
    started, outcome, round_ = time.perf_counter(), Outcome(), 0
    while families(target) and outcome.seconds < budget:
        name = families(target)[round_ % len(families(target))]
        examine = _examination(target, SOURCES[name], outcome, started, budget)
        run = settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate, Phase.target),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        )(seeded(seed * 1009 + round_)(given(instances(name))(examine)))  # fmt: skip
        try:
            run()
        except _Found:
            break
        round_ += 1
        outcome.seconds = time.perf_counter() - started
        progress(outcome.seconds, outcome.tried, outcome.best_ratio)
    outcome.seconds = time.perf_counter() - started
    return outcome


def _examination(
    target: Target, source: Source, outcome: Outcome, started: float, budget: float
) -> Callable[[Batch], None]:
    """What is done with each instance that hypothesis draws."""

    def examine(batch: Batch) -> None:
        if time.perf_counter() - started > budget:
            return
        found = target.compare(batch, source.measure(batch), target.formula)[0].flattened()
        outcome.tried += int(found.applies.sum())
        note(outcome, found)
        score = float(score_of(found).max())
        if score > -math.inf:
            towards(score)
        for row in candidates(batch, found):
            instance = source.as_instance(batch, row, target.claim, "counterexample")
            result = target.confirm(instance, target.formula)
            if result.violated:
                outcome.instance, outcome.confirmation = instance, result
                raise _Found
            outcome.unconfirmed += 1

    return examine
