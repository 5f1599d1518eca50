"""Break derivations on purpose: every step's statement changed in its tree, each change to be rejected.

A mutant changes one step's statement in one place: the sign of a term, a factor, an exponent, one symbol for
another, the direction of a relation. It is killed where the step's own rule rejects it, or where the chain does: a step
that uses it no longer follows, or the ledger's formula is no longer stated.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatAdd, MatMul, MatrixSymbol

from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.kernel.check import chain_faults, check_step
from theory.kernel.notation import Dot
from theory.kernel.step import Derivation, parts

SECONDS = 30
TABLE_STRIDE = 8
KINDS = ("sign", "factor", "exponent", "index", "relation")
_FLIPPED = {
    sp.LessThan: sp.GreaterThan,
    sp.GreaterThan: sp.LessThan,
    sp.StrictLessThan: sp.StrictGreaterThan,
    sp.StrictGreaterThan: sp.StrictLessThan,
}


@dataclass(frozen=True)
class Mutant:
    """One change: the ``number``-th of its ``kind`` in the statement of a step."""

    claim: str
    step: str
    kind: str
    number: int


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: ``rule`` or ``chain`` (killed, by what), or ``survived``."""

    mutant: Mutant
    fate: str
    why: str


def changes(statement: sp.Basic, kind: str, siblings: dict[Any, Any]) -> list[sp.Basic]:
    """All statements with one change of this kind. ``siblings`` maps a symbol to the one that may stand for it."""
    found: list[sp.Basic] = []
    for new in _changed(statement, kind, siblings):
        if new != statement and new not in found and not _equivalent(statement, new):
            found.append(new)
    return found


def _equivalent(one: sp.Basic, other: sp.Basic) -> bool:
    """Whether both say the same on sight: ``0 < 2x`` for ``0 < x``, in each relation."""
    pairs = list(zip(parts(one), parts(other), strict=True)) if len(parts(one)) == len(parts(other)) else []
    return bool(pairs) and all(a == b or _doubled(a, b) for a, b in pairs)


def _doubled(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or not isinstance(one, sp.core.relational.Relational):
        return False
    sides: tuple[Any, ...] = one.args
    return 0 in sides and all(y in (x, 2 * x) for x, y in zip(sides, other.args, strict=True))


def _changed(node: Any, kind: str, siblings: dict[Any, Any]) -> Iterator[Any]:
    if kind == "relation":
        for k, part in enumerate(parts(node)):
            flipped = _FLIPPED.get(type(part))
            if flipped is not None:
                new = flipped(*part.args, evaluate=False)
                yield new if part is node else sp.Tuple(*parts(node)[:k], new, *parts(node)[k + 1 :])
        return
    yield from _here(node, kind, siblings)
    for k, argument in enumerate(node.args):
        if isinstance(node, MatrixSymbol) or not isinstance(argument, sp.Basic):
            continue
        if isinstance(node, (sp.Sum, sp.Integral, sp.Indexed)) and k > 0:
            continue
        for new in _changed(argument, kind, siblings):
            yield _rebuilt(node, [*node.args[:k], new, *node.args[k + 1 :]])


def _rebuilt(node: Any, arguments: list[Any]) -> Any:
    if isinstance(node, sp.core.relational.Relational):
        return type(node)(*arguments, evaluate=False)
    return node.func(*arguments)


def _here(node: Any, kind: str, siblings: dict[Any, Any]) -> Iterator[Any]:
    relation = isinstance(node, (sp.core.relational.Relational, sp.Tuple))
    if kind == "sign":
        if isinstance(node, (sp.Add, MatAdd)):
            for k, term in enumerate(node.args):
                yield node.func(*node.args[:k], -1 * term, *node.args[k + 1 :])  # type: ignore[operator]
        elif isinstance(node, (sp.exp, sp.atan)):
            yield node.func(-1 * node.args[0])  # type: ignore[operator]
    elif kind == "factor":
        if isinstance(node, (sp.Add, sp.Mul, MatMul, Dot)) or (isinstance(node, sp.Pow) and not node.exp.is_negative):
            yield 2 * node
        if isinstance(node, (sp.Mul, MatMul)) and len(node.args) > 1:
            for k, factor in enumerate(node.args):
                if getattr(factor, "is_commutative", False) and factor != -1:
                    yield node.func(*node.args[:k], *node.args[k + 1 :])
        if isinstance(node, sp.Rational) and not relation and node not in (0, 1, -1):
            yield 2 * node
    elif kind == "exponent":
        if isinstance(node, sp.Pow):
            yield sp.Pow(node.base, node.exp + 1)
            yield sp.Pow(node.base, 2 * node.exp)
    elif kind == "index" and node in siblings:
        yield siblings[node]


def siblings_of(derivation: Derivation) -> dict[Any, Any]:
    """Each scalar symbol, vector and matrix of a derivation → the next one of the same sort in it."""
    statements = [*derivation.given().values(), *(s.says for s in derivation.steps)]
    groups: dict[Any, set[Any]] = {}
    for statement in statements:
        for symbol in statement.atoms(sp.Symbol, MatrixSymbol):
            if isinstance(symbol, MatrixSymbol):
                groups.setdefault(symbol.shape, set()).add(symbol)
            elif symbol.is_real and not symbol.is_integer:
                groups.setdefault("scalar", set()).add(symbol)
    result = {}
    for group in groups.values():
        ordered = sorted(group, key=str)
        if len(ordered) > 1:
            result |= dict(zip(ordered, ordered[1:] + ordered[:1], strict=True))
    return result


def mutants(claim_ids: Iterable[str] = (), each: int | None = None) -> list[Mutant]:
    """The mutants of these derivations (default: all); ``each`` limits how many of a kind a step gets.

    Which ones are taken depends on the names alone, so that the choice does not move.
    """
    result = []
    for claim_id in list(claim_ids) or list(DERIVATIONS):
        derivation = DERIVATIONS[claim_id]
        siblings = siblings_of(derivation)
        for step in derivation.steps:
            for kind in KINDS:
                count = len(changes(step.says, kind, siblings))
                order = sorted(range(count), key=lambda k, s=step, n=kind: _digest(claim_id, s.id, n, k))
                result += [Mutant(claim_id, step.id, kind, k) for k in order[:each]]
    return result


def sample(stride: int = 1) -> list[Mutant]:
    """One mutant of each kind and step, and of those every ``stride``-th."""
    return list(_one_of_each()[::stride])


@cache
def _one_of_each() -> tuple[Mutant, ...]:
    return tuple(mutants(each=1))


def _digest(*words: Any) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


def mutated(mutant: Mutant) -> tuple[Derivation, sp.Basic]:
    """The derivation with the change, and the changed statement."""
    derivation = DERIVATIONS[mutant.claim]
    step = next(s for s in derivation.steps if s.id == mutant.step)
    says = changes(step.says, mutant.kind, siblings_of(derivation))[mutant.number]
    return derivation.with_statement(mutant.step, says), says


class _LateError(Exception):
    """The time for one mutant is over."""


def fate(mutant: Mutant) -> Fate:
    """What becomes of a mutant, by the checks that ``derive`` runs.

    A check that gives no answer within :data:`SECONDS` (the true statements take far less) does not accept.
    """

    def late(*_: Any) -> None:
        raise _LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return _fate(mutant)
    except _LateError:
        return Fate(mutant, "rule", f"not shown within {SECONDS} s")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _fate(mutant: Mutant) -> Fate:
    original = DERIVATIONS[mutant.claim]
    changed, _ = mutated(mutant)
    claim = CLAIMS.get(mutant.claim)
    faults = set(chain_faults(changed, claim)) - set(chain_faults(original, claim))
    if faults:
        return Fate(mutant, "chain", min(faults))
    library = {**DERIVATIONS, mutant.claim: changed}
    position = next(k for k, s in enumerate(changed.steps) if s.id == mutant.step)
    result = check_step(changed, position, library)
    if not result.ok:
        return Fate(mutant, "rule", result.error)
    for where, k in _users(mutant):
        result = check_step(library[where], k, library)
        if not result.ok:
            return Fate(mutant, "chain", f"{where} step {result.id}: {result.error}")
    return Fate(mutant, "survived", "")


def _users(mutant: Mutant) -> Iterator[tuple[str, int]]:
    """The steps that rest on the changed one, in its own derivation and in those that apply it."""
    for k, step in enumerate(DERIVATIONS[mutant.claim].steps):
        if mutant.step in step.premises:
            yield mutant.claim, k
    for name, other in DERIVATIONS.items():
        for k, step in enumerate(other.steps):
            if getattr(step.rule, "uses", None) == mutant.claim:
                yield name, k


def run(chosen: Iterable[Mutant], done: Callable[[Fate], None] = lambda _: None) -> list[Fate]:
    """The fate of each mutant, in as many processes as there are cores."""
    waiting = list(chosen)
    workers = min(os.cpu_count() or 1, 8)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = []
        for result in pool.map(fate, waiting, chunksize=2):
            done(result)
            found.append(result)
    return found


EXPLAINED: dict[Mutant, str] = {
    Mutant("prop-3.3/criterion-quoted", "gap-holds", "index", 0): (
        "the step says that the instance has a gap > 0; another number of the instance, λ1, is positive too"
    ),
    Mutant("prop-3.3/criterion-quoted-nonsymmetric", "gap-holds", "index", 0): (
        "the step says that the instance has a gap > 0; another number of the instance, λ1, is positive too"
    ),
    Mutant("prop-3.3/criterion-quoted", "psd-holds", "factor", 0): (
        "twice a quadratic form is not negative either: the same statement"
    ),
    Mutant("prop-3.3/criterion-quoted-nonsymmetric", "psd-holds", "factor", 0): (
        "twice a quadratic form is not negative either: the same statement"
    ),
    Mutant("prop-3.3/criterion-quoted-nonsymmetric", "hemisphere-holds", "factor", 0): (
        "sin θ_b is 0 at the instance, so that twice the height exceeds it as well"
    ),
    Mutant("thm-4.6/random-safe", "length", "factor", 0): (
        "twice a vector that does not vanish does not vanish: the same statement"
    ),
    Mutant("thm-4.6/random-safe", "share-half", "factor", 0): (
        "a weaker bound, true as well, and all that the next step needs"
    ),
}
"""Mutants that survive, and why each is no defect: the changed statement is as true and as useful as the first."""


def markdown(fates: Iterable[Fate]) -> str:
    """The table of the documentation: per claim how many were killed, and by what; then the survivors."""
    found = list(fates)
    rows = [
        "| claim | mutants | killed by the step's rule | killed by the chain | survived |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in [*dict.fromkeys(f.mutant.claim for f in found), "all"]:
        chosen = [f.fate for f in found if name in ("all", f.mutant.claim)]
        label = name if name == "all" else f"`{name}`"
        counts = [chosen.count(word) for word in ("rule", "chain", "survived")]
        rows.append(f"| {label} | {len(chosen)} | {' | '.join(map(str, counts))} |")
    lines = [f"- `{f.mutant.claim}`, step `{f.mutant.step}`, {f.mutant.kind} {f.mutant.number}: "
             f"{EXPLAINED.get(f.mutant, 'not explained')}" for f in found if f.fate == "survived"]  # fmt: skip
    tail = "\nSurvivors:\n\n" + "\n".join(lines) + "\n" if lines else "\nNone survives.\n"
    return "\n".join(rows) + "\n" + tail
