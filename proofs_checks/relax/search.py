"""Search among small instances of a claim without one assumption for one that breaks it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.relax.draw import Draw
from proofs_checks.relax.matrices import MATRICES
from proofs_checks.relax.model import satisfied
from proofs_checks.relax.readings import BOTH, READINGS, TWINS, Read, Runs, near_side, safe_start
from proofs_checks.relax.screening import screened
from proofs_checks.relax.statistical import STATISTICAL
from theory.claims import CLAIMS
from theory.models import assumed

SMALLEST_EXCESS = 1.02
"""A counterexample breaks the bound by at least two per cent (or the equality by as much), so that it can be seen."""
EXAMINED = 12
"""Counterexamples among which the simplest is kept."""
AT_ONCE, SHARE = 128, 0.05
"""Most instances of a first look whose flows are integrated in one batch, and the share of the budget it may take."""

_LARGEST = 1e9
ALL: dict[str, Read] = READINGS | MATRICES | STATISTICAL
"""Every claim of which a relaxed model is built."""


@dataclass
class Found:
    """The simplest violation of those found, or None; ``tried``: instances that the claim speaks of."""

    instance: Instance | None = None
    confirmation: Confirmation | None = None
    tried: int = 0
    best_ratio: float | None = None
    seconds: float = 0.0


def faults(claim_id: str, dropped: str, instance: Instance) -> list[str]:
    """Assumptions of the claim other than the dropped one that the instance does not satisfy, exactly."""
    holds = satisfied(instance)
    wrong = [name for name in assumed(CLAIMS[claim_id]) if name != dropped and not holds.get(name, True)]
    if holds.get(dropped, False):
        wrong.append(f"{dropped} holds too")
    if claim_id == "prop-3.3/criterion" and dropped != "hemisphere" and not safe_start(instance):
        wrong.append("hemisphere")
    if claim_id in ("thm-4.6/upper", "thm-4.6/cutoff") and dropped != "hemisphere" and not near_side(instance):
        wrong.append("hemisphere")
    return wrong


def confirm(claim_id: str, dropped: str, instance: Instance, runs: Runs = BOTH) -> Confirmation | None:
    """The claim on the instance, or None where it does not speak of it or another assumption fails."""
    try:
        if faults(claim_id, dropped, instance):
            return None
        reading = ALL[claim_id](instance, runs)
    except (InputError, RuntimeError, ArithmeticError, ValueError, KeyError):
        return None
    return None if reading is None else reading.confirmation()


def search(
    claim_id: str, dropped: str, budget: float, seed: int, progress: Callable[..., None] = lambda *_: None
) -> Found:
    """Search for at most ``budget`` seconds (a quarter of them once one is found); the simplest of those found counts.

    At most :data:`EXAMINED` violations are looked at.
    """
    started, found, hits = time.perf_counter(), Found(), []
    draw = Draw(CLAIMS[claim_id], dropped, np.random.default_rng((seed, *f"{claim_id} {dropped}".encode())))

    def over() -> bool:
        found.seconds = time.perf_counter() - started
        progress(found.seconds, found.tried, found.best_ratio)
        return len(hits) >= EXAMINED or found.seconds >= (budget / 4 if hits else budget)

    look, flows, size = partial(confirm, claim_id, dropped), 2 if claim_id in TWINS else 1, 1
    while not over():
        drawn, before = [draw.instance() for _ in range(size)], time.perf_counter()
        results = screened(look, drawn, flows)
        if claim_id in READINGS:  # the other claims ask for no flows
            size = min(AT_ONCE, 2 * size) if time.perf_counter() - before < SHARE * budget else max(1, size // 2)
        for instance, result in zip(drawn, results, strict=True):
            if result is None:
                continue
            found.tried += 1
            ratio = _ratio(result)
            found.best_ratio = ratio if found.best_ratio is None else max(ratio, found.best_ratio)
            if result.violated and ratio > SMALLEST_EXCESS and not over():
                again = confirm(claim_id, dropped, instance)
                if again is not None and again.violated:
                    hits.append((_size(instance), len(hits), instance, again))
    if hits:
        _, _, instance, found.confirmation = min(hits)
        found.instance = replace(instance, claim=claim_id, kind="assumption", meta=instance.meta | {"dropped": dropped})
    return found


def _ratio(result: Confirmation) -> float:
    """At least 1 where violated, also for an equality that is missed from below; at most 1 where not."""
    ratio = min(result.ratio, _LARGEST)
    if not result.violated:
        return min(ratio, 1.0)
    return max(ratio, 1 / ratio if ratio > 0 else _LARGEST)


def _size(instance: Instance) -> int:
    """How much there is to read."""
    return len(str(instance.to_dict()).replace("0", "").replace(" ", ""))
