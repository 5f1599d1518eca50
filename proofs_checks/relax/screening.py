"""A first look at many instances, the flows that they need being integrated in one batch.

A reading is taken twice: up to its flows, which are noted, and once more with their ends. It asks for all of them
before it looks at one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numerics.relaxed import Array, Phases
from numerics.relaxed_batch import Request, flows_roughly
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.instance_file import Instance
from proofs_checks.relax.readings import Runs

Look = Callable[[Instance, Runs], Confirmation | None]


def screened(look: Look, instances: Sequence[Instance], flows: int) -> list[Confirmation | None]:
    """What ``look`` says of each instance with rough flows; None also where a flow could not be followed.

    ``flows``: how many flows a reading compares. ``look`` gives None where a run raises RuntimeError.
    """
    results: list[Confirmation | None] = []
    wanted: list[list[Request]] = []
    for instance in instances:
        noted: list[Request] = []
        results.append(look(instance, (_noting(noted, flows),)))
        wanted.append(noted)
    ends = iter(flows_roughly([request for noted in wanted for request in noted]))
    for k, noted in enumerate(wanted):
        if noted:
            results[k] = look(instances[k], (_giving([next(ends) for _ in noted]),))
    return results


def _noting(noted: list[Request], flows: int) -> Callable[[Phases, Array], Array]:
    def run(phases: Phases, tokens: Array) -> Array:
        noted.append((phases, tokens))
        if len(noted) == flows:
            raise RuntimeError("all flows of the reading are noted")
        return tokens

    return run


def _giving(ends: list[Array | None]) -> Callable[[Phases, Array], Array]:
    left = iter(ends)

    def run(_phases: Phases, _tokens: Array) -> Array:
        end = next(left, None)
        if end is None:
            raise RuntimeError("the tokens could not be followed to the end")
        return end

    return run
