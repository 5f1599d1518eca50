"""The check of a whole derivation: every step by its rule, and the chain from the assumptions to the formula."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.claim import Claim
from theory.kernel.step import Context, Derivation, Rejected, Step, parts


@dataclass(frozen=True)
class StepResult:
    """What became of one step: ``ok``, what ``checked_by``, or why it fails (``error``)."""

    id: str
    premises: tuple[str, ...]
    kind: str
    cited: str | None
    checked_by: str
    seconds: float
    ok: bool
    error: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one derivation.

    Attributes
    ----------
    claim: its id.
    steps: one result a step.
    broken: what is wrong with the chain as a whole; empty where nothing is.
    modulo: the cited sources, in the order of use.
    scope: as the derivation says.
    """

    claim: str
    steps: tuple[StepResult, ...]
    broken: tuple[str, ...]
    modulo: tuple[str, ...]
    scope: str

    @property
    def ok(self) -> bool:
        """Whether every step and the chain hold."""
        return not self.broken and all(step.ok for step in self.steps)

    @property
    def first_failure(self) -> str | None:
        """The first step that does not follow, or what breaks the chain."""
        for step in self.steps:
            if not step.ok:
                return f"step {step.id}: {step.error}"
        return self.broken[0] if self.broken else None


class _Library(Context):
    """What rules see: the statements so far, and all derivations."""

    def __init__(self, derivations: Mapping[str, Derivation], known: Sequence[sp.Basic]) -> None:
        self.derivations, self.known = derivations, known

    def theorem(self, name: str) -> tuple[sp.Basic, tuple[sp.Basic, ...]]:
        """See :class:`theory.kernel.step.Context`."""
        claim_id, _, step_id = name.partition("#")
        found = self.derivations.get(claim_id)
        if found is None:
            raise Rejected(f"there is no derivation {claim_id}")
        step = next((s for s in found.steps if s.id == step_id), None) if step_id else found.steps[-1]
        if step is None:
            raise Rejected(f"{claim_id} has no step {step_id}")
        return step.says, _hypotheses(found, step)

    def earlier(self) -> Sequence[sp.Basic]:
        """See :class:`theory.kernel.step.Context`."""
        return self.known


def _hypotheses(derivation: Derivation, step: Step) -> tuple[sp.Basic, ...]:
    """What a step rests on: all that is given and used, and the definitions of the symbols that are in sight."""
    steps = {s.id: s for s in derivation.steps}
    waiting, seen = [step.id], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += steps[name].premises if name in steps else ()
    chosen = [statement for name, statement in derivation.given().items() if name in seen]
    definitions = [s.says for s in derivation.steps if s.id in seen and s.rule.kind == "definition" and s is not step]
    for statement in reversed(definitions):
        sight = set().union(*(s.atoms(sp.Symbol, sp.MatrixSymbol) for s in [step.says, *chosen]))
        if any(part.args[0].atoms(sp.Symbol, sp.MatrixSymbol) & sight for part in parts(statement)):
            chosen.append(statement)
    return tuple(chosen)


def check_step(derivation: Derivation, position: int, derivations: Mapping[str, Derivation]) -> StepResult:
    """Check the step at ``position`` (0 is the first)."""
    step = derivation.steps[position]
    known: dict[str, sp.Basic] = {**derivation.given(), **{s.id: s.says for s in derivation.steps[:position]}}
    started = time.perf_counter()
    checked_by, error = "", ""
    try:
        missing = [name for name in step.premises if name not in known]
        if missing:
            raise Rejected(f"the premise {missing[0]} is neither given nor an earlier step")
        library = _Library(derivations, list(known.values()))
        checked_by = step.rule.check(step.says, [known[name] for name in step.premises], library)
    except Rejected as rejected:
        error = str(rejected) or "rejected"
    except (TypeError, ValueError, AttributeError, ZeroDivisionError, NotImplementedError, sp.PolynomialError) as fault:
        error = f"cannot be read: {type(fault).__name__}: {fault}"  # a statement that makes no sense to the rule
    seconds = time.perf_counter() - started
    return StepResult(
        step.id, step.premises, step.rule.kind, step.rule.cited, checked_by, seconds, not error, error
    )


def chain_faults(derivation: Derivation, claim: Claim | None) -> tuple[str, ...]:
    """What is wrong with the derivation as a whole, whatever its steps say."""
    faults: list[str] = []
    if not derivation.steps:
        return ("it has no steps",)
    ids = [s.id for s in derivation.steps]
    given = derivation.given()
    faults += [f"two steps have the id {i}" for i in sorted({i for i in ids if ids.count(i) > 1})]
    faults += [f"{i} names a step and something given" for i in ids if i in given]
    last = derivation.steps[-1]
    used = {p for s in derivation.steps for p in s.premises}
    shown = set(derivation.meets.values())
    faults += [f"{name} is shown by no step {i}" for name, i in derivation.meets.items() if i not in ids]
    faults += [
        f"step {s.id} is not used"
        for s in derivation.steps[:-1]
        if s.id not in used | shown and not _states(s, claim)
    ]
    faults += [f"{name} is given and not used" for name in given if name not in used]
    if claim is None:
        if derivation.states is None or last.says != derivation.states:
            faults.append("the last step is not the statement of the lemma")
        return tuple(faults)
    declared, stated = set(claim.assumptions), {*derivation.assumptions, *derivation.meets}
    faults += [f"the assumption {name} is declared and not used" for name in sorted(declared - stated)]
    faults += [f"the assumption {name} is used and not declared" for name in sorted(stated - declared)]
    if claim.formulas and not _side(last, claim.formulas[0].expr):
        faults.append(f"the last step does not state the formula {claim.formulas[0].name}")
    for formula in claim.formulas:
        if not any(_side(s, formula.expr) for s in derivation.steps):
            faults.append(f"no step states the formula {formula.name}")
    if not claim.formulas and (derivation.states is None or last.says != derivation.states):
        faults.append("the last step is not the statement of the claim")
    return tuple(faults)


def _states(step: Step, claim: Claim | None) -> bool:
    """Whether the step states one of the claim's own formulas, which is a use in itself."""
    return claim is not None and any(_side(step, formula.expr) for formula in claim.formulas)


def _side(step: Step, expr: Any) -> bool:
    return any(expr in part.args for part in parts(step.says))


def check(derivation: Derivation, claim: Claim | None, derivations: Mapping[str, Derivation]) -> Outcome:
    """Check every step and the chain. ``claim`` is None for a lemma."""
    results = tuple(check_step(derivation, k, derivations) for k in range(len(derivation.steps)))
    cited = [r.cited for r in results if r.cited]
    return Outcome(
        derivation.claim, results, chain_faults(derivation, claim), tuple(dict.fromkeys(cited)), derivation.scope
    )
