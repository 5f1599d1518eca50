"""The check of a whole derivation: every step by its rule, and the chain from the assumptions to the formula."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from theory.claim import Claim
from theory.kernel.dependence import motion_faults
from theory.kernel.notation import AtSomeInstance, dimension
from theory.kernel.step import Context, Derivation, Rejected, Step, parts

CHOICES = ("definition", "choice")
"""The kinds of steps that bring in new symbols."""


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
    applies: the ids of the derivations that its steps apply, on which it rests.
    """

    claim: str
    steps: tuple[StepResult, ...]
    broken: tuple[str, ...]
    modulo: tuple[str, ...]
    scope: str
    applies: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step and the chain hold: of a single :func:`check`, given those that it ``applies``.

        An outcome of :func:`with_applied` is not ok where one of those is missing or not ok.
        """
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

    def __init__(self, derivations: Mapping[str, Derivation], derivation: Derivation, position: int) -> None:
        self.derivations, self.derivation = derivations, derivation
        before = derivation.steps[:position]
        self.known = [*derivation.given().values(), *(s.says for s in before)]
        self.sources = [*derivation.given().values(), *(s.says for s in before if s.rule.kind in CHOICES)]
        self.said = {**derivation.given(), **{s.id: s.says for s in before}}

    def theorem(self, name: str) -> tuple[sp.Basic, tuple[sp.Basic, ...]]:
        """See :class:`theory.kernel.step.Context`."""
        claim_id, _, step_id = name.partition("#")
        found = self.derivations.get(claim_id)
        if found is None:
            raise Rejected(f"there is no derivation {claim_id}")
        step = next((s for s in found.steps if s.id == step_id), None) if step_id else found.steps[-1]
        if step is None:
            raise Rejected(f"{claim_id} has no step {step_id}")
        if step.rule.kind in CHOICES:
            raise Rejected(f"{name} is the choice of a name, which is no theorem")
        if self.derivation.claim in {claim_id, *_used_by(found, self.derivations)}:
            raise Rejected(f"{claim_id} rests on {self.derivation.claim} itself")
        return step.says, _hypotheses(found, step)

    def earlier(self) -> Sequence[sp.Basic]:
        """See :class:`theory.kernel.step.Context`."""
        return self.known

    def origins(self) -> Sequence[sp.Basic]:
        """See :class:`theory.kernel.step.Context`."""
        return self.sources

    def basis(self, statement: sp.Basic) -> Sequence[sp.Basic]:
        """See :class:`theory.kernel.step.Context`."""
        seen = _reached(self.derivation, [name for name, says in self.said.items() if says == statement])
        return [given for name, given in self.derivation.given().items() if name in seen]


def _used_by(derivation: Derivation, derivations: Mapping[str, Derivation]) -> set[str]:
    """The derivations on which one rests, directly or through others."""
    waiting, seen = [derivation], set()
    while waiting:
        names = set(applied(waiting.pop())) - seen
        seen |= names
        waiting += [derivations[name] for name in names if name in derivations]
    return seen


def _hypotheses(derivation: Derivation, step: Step) -> tuple[sp.Basic, ...]:
    """What a step rests on: all that is given and used, and the definitions of the symbols that are in sight."""
    seen = _reached(derivation, [step.id])
    chosen = [statement for name, statement in derivation.given().items() if name in seen]
    choices = [s for s in derivation.steps if s.id in seen and s.rule.kind in CHOICES and s is not step]
    for choice in reversed(choices):
        sight = set().union(*(s.atoms(sp.Symbol, sp.MatrixSymbol) for s in [step.says, *chosen])) - {dimension}
        if _named(choice) & sight:
            chosen.append(choice.says)
    return tuple(chosen)


def _reached(derivation: Derivation, waiting: list[str]) -> set[str]:
    """The names of the steps and of what is given on which some rest, themselves among them."""
    steps = {s.id: s for s in derivation.steps}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += steps[name].premises if name in steps else ()
    return seen


def _named(step: Step) -> set[sp.Basic]:
    """The symbols that a definition, or a theorem of existence, brings in."""
    if step.rule.kind == "definition":
        return set().union(*(part.args[0].atoms(sp.Symbol, sp.MatrixSymbol) for part in parts(step.says)))
    return set(step.rule.fresh)  # type: ignore[attr-defined]


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
        if not parts(step.says):
            raise Rejected("says nothing")
        library = _Library(derivations, derivation, position)
        checked_by = step.rule.check(step.says, [known[name] for name in step.premises], library)
    except Rejected as rejected:
        error = str(rejected) or "rejected"
    except Exception as fault:  # a statement that makes no sense to the rule, whatever it stumbles over
        error = f"cannot be read: {type(fault).__name__}: {fault}"
    seconds = time.perf_counter() - started
    return StepResult(step.id, step.premises, step.rule.kind, step.rule.cited, checked_by, seconds, not error, error)


def chain_faults(derivation: Derivation, claim: Claim | None) -> tuple[str, ...]:
    """What is wrong with the derivation as a whole, whatever its steps say."""
    faults: list[str] = []
    if not derivation.steps:
        return ("it has no steps",)
    ids = [s.id for s in derivation.steps]
    given = derivation.given()
    faults += _ambiguous(derivation)
    faults += [f"two steps have the id {i}" for i in sorted({i for i in ids if ids.count(i) > 1})]
    faults += [f"{i} names a step and something given" for i in ids if i in given]
    last = derivation.steps[-1]
    used = {p for s in derivation.steps for p in s.premises}
    shown = set(derivation.meets.values())
    if derivation.sharpness and derivation.sharpness not in ids:
        faults.append(f"sharpness is shown by no step {derivation.sharpness}")
    faults += [f"{name} is shown by no step {i}" for name, i in derivation.meets.items() if i not in ids]
    faults += [
        f"step {s.id} is not used"
        for s in derivation.steps[:-1]
        if s.id not in used | shown and not _states(s, claim, last)
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
        hypothesis = any(formula.expr in part.args for given in derivation.given().values() for part in parts(given))
        if not hypothesis and not any(_side(s, formula.expr) for s in derivation.steps):
            faults.append(f"no step states the formula {formula.name}")
    faults += _defined_away(derivation, claim)
    if not claim.formulas and (derivation.states is None or last.says != derivation.states):
        faults.append("the last step is not the statement of the claim")
    return tuple(faults)


def _ambiguous(derivation: Derivation) -> list[str]:
    """Names that stand for two symbols, which a reader cannot tell apart."""
    statements = [*derivation.given().values(), *(s.says for s in derivation.steps)]
    symbols = set().union(*(s.atoms(sp.Symbol, sp.MatrixSymbol) for s in statements)) if statements else set()
    names = [str(s) for s in symbols]
    return [f"two symbols have the name {name}" for name in sorted({n for n in names if names.count(n) > 1})]


def _defined_away(derivation: Derivation, claim: Claim) -> list[str]:
    """Symbols of the claim's formulas that a step ties to numbers or to each other, unless a formula of the claim does.

    A new name for what the formulas do not speak of is no restriction.
    """
    formulas = [f for top in claim.formulas for f in (top, *top.where)]
    symbols = set().union(*(f.expr.free_symbols for f in formulas)) if formulas else set()
    chosen = [
        part.args[0]
        for step in derivation.steps
        if step.rule.kind == "definition"
        for part in parts(step.says)
        if part.args[1] not in [f.expr for f in formulas]
        and not part.args[1].has(sp.Integral)
        and part.args[1].free_symbols <= symbols
    ]
    return [f"a step defines {s}, which the claim speaks of: give it in the setting" for s in chosen if s in symbols]


def _states(step: Step, claim: Claim | None, last: Step) -> bool:
    """Whether the step states one of the claim's own formulas, or sharpness: that is a use in itself."""
    if claim is None:
        return False
    if isinstance(step.says, AtSomeInstance):
        return any(_sharp(step.says.args[0], last.says, formula.expr) for formula in claim.formulas)
    return any(_side(step, formula.expr) for formula in claim.formulas)


def _sharp(beyond: Any, bound: Any, expr: Any) -> bool:
    """Whether ``beyond`` says that a smaller multiple of the formula is exceeded by what the last step bounds by it."""
    if not isinstance(beyond, sp.StrictLessThan) or not isinstance(bound, sp.LessThan):
        return False
    share = sp.cancel(beyond.args[0] / expr)  # type: ignore[operator]
    return bool(share.is_Rational and 0 < share < 1) and bound.args == (beyond.args[1], expr)


def _side(step: Step, expr: Any) -> bool:
    return any(expr in part.args for part in parts(step.says))


def check(derivation: Derivation, claim: Claim | None, derivations: Mapping[str, Derivation]) -> Outcome:
    """Check every step and the chain of this one derivation. ``claim`` is None for a lemma.

    What it ``applies`` is taken as shown: whether that holds too is told by :func:`with_applied`.
    """
    results = tuple(check_step(derivation, k, derivations) for k in range(len(derivation.steps)))
    cited = [r.cited for r in results if r.cited]
    faults = (*chain_faults(derivation, claim), *motion_faults(derivation, derivations))
    return Outcome(
        derivation.claim, results, faults, tuple(dict.fromkeys(cited)), derivation.scope, applied(derivation)
    )


def applied(derivation: Derivation) -> tuple[str, ...]:
    """The ids of the derivations that the steps apply, in the order of use."""
    found = [getattr(step.rule, "uses", None) for step in derivation.steps]
    return tuple(dict.fromkeys(str(name) for name in found if name))


def with_applied(outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """The outcomes, each broken where it rests on a derivation that is not among them or is not ok itself."""
    applies = {name: outcome.applies for name, outcome in outcomes.items()}
    failures = {name: outcome.first_failure for name, outcome in outcomes.items()}
    return {
        name: replace(outcome, broken=(*outcome.broken, *applied_faults(name, applies, failures)))
        for name, outcome in outcomes.items()
    }


def applied_faults(
    name: str, applies: Mapping[str, Sequence[str]], failures: Mapping[str, str | None]
) -> tuple[str, ...]:
    """What is wrong with the derivations on which one rests, directly or through others.

    ``applies`` and ``failures`` say of every derivation that was checked what it applies, and its own first failure.
    """
    waiting, seen = list(applies[name]), {name}
    faults: list[str] = []
    while waiting:
        other = waiting.pop(0)
        if other in seen:
            continue
        seen.add(other)
        if other not in failures:
            faults.append(f"it rests on {other}, which was not checked")
            continue
        if failures[other] is not None:
            faults.append(f"it rests on {other}, which fails: {failures[other]}")
        waiting += applies[other]
    return tuple(faults)
