"""Deciding statements: rising precision, and exact algebra where the margin is zero.

Balls decide every statement whose margin is not zero, once they are narrow enough; where it is zero they never do, and
an exact number (:mod:`numerics.enclosure.radicals`) does, for d = 2 together with z3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from numerics.enclosure.balls import NotANumber, bounds, precision, sign
from numerics.enclosure.decision import Decision
from numerics.enclosure.exact_frame import NotExact
from numerics.enclosure.spectrum import NotSeparated, Spectrum
from proofs_checks.certify.quantities import Exact, Quantities
from proofs_checks.certify.statements import BY_NAME, Statement
from proofs_checks.certify.ties import confirmed_by_z3
from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import Matrix

FIRST_BITS, MOST_BITS = 64, 1 << 14
_KINDS = {
    "multiple": "the largest eigenvalue of {} is multiple",
    "complex": "the eigenvalue of largest real part of {} is not real",
}


@dataclass(frozen=True)
class Finding:
    """What was found about one statement.

    ``lower``, ``upper``: exact bounds of its margin (None where it has none). ``method``: ``balls``, ``exact``
    (algebra) or ``definition``. ``reason``: why it is undecided or degenerate.
    """

    name: str
    decision: Decision
    method: str
    bits: int = 0
    lower: Fraction | None = None
    upper: Fraction | None = None
    reason: str = ""


def rungs(most: int = MOST_BITS) -> Iterator[int]:
    """64, 128, ... bits."""
    bits = FIRST_BITS
    while bits <= most:
        yield bits
        bits *= 2


def is_symmetric(matrix: Matrix) -> bool:
    """Exactly."""
    return all(matrix[i][k] == matrix[k][i] for i in range(len(matrix)) for k in range(i))


def applicable(statement: Statement, instance: Instance) -> bool:
    """Whether the statement makes sense: the matrices are symmetric that it wants so, and there are tokens."""
    named = {"V": instance.V, "dV": instance.dV}
    return all(is_symmetric(named[k]) for k in statement.symmetric) and (
        "tokens" not in statement.about or instance.X0 is not None
    )


def why_undefined(name: str, instance: Instance, found: Mapping[str, Finding]) -> str:
    """What a statement without a finding lacks here: tokens, a symmetric matrix, or a statement that it rests on."""
    for lacking in _closed([name]) if name in BY_NAME else ():
        statement = BY_NAME[lacking]
        if "tokens" in statement.about and instance.X0 is None:
            return f"{name} speaks of tokens, and the instance has none (X0)"
        if not applicable(statement, instance):
            skew = [x for x in statement.symmetric if not is_symmetric({"V": instance.V, "dV": instance.dV}[x])]
            return f"{name} wants a symmetric {' and '.join(skew)}"
        if lacking != name and lacking in found and found[lacking].decision is not Decision.PROVED_TRUE:
            return f"{name} rests on {lacking}, which is not proved here"
    return f"{name} is not defined here"


def decide(instance: Instance, names: Iterable[str], most: int = MOST_BITS) -> dict[str, Finding]:
    """A finding for every statement that is defined on the instance, those that it needs included.

    Statements that make no sense (no tokens, say), or whose needs are not proved true, are left out.
    """
    pending = [BY_NAME[n] for n in _closed(names) if applicable(BY_NAME[n], instance)]
    found: dict[str, Finding] = {}
    reasons: dict[str, str] = {}
    for bits in rungs(most):
        with precision(bits):
            quantities = Quantities(instance)
            for statement in list(pending):
                ready = _ready(statement, found)
                if ready is False:
                    pending.remove(statement)
                    found |= _inherited(statement, found)
                elif ready:
                    finding = _at_this_precision(statement, quantities, bits, reasons)
                    if finding is not None:
                        found[statement.name] = finding
                        pending.remove(statement)
        if not pending:
            return found
    for statement in pending:
        if _ready(statement, found):
            why = reasons.get(statement.name, "the margin's ball holds zero")
            found[statement.name] = Finding(
                statement.name, Decision.UNDECIDED, "balls", most, reason=f"{why}, at {most} bits"
            )
    return found


def _closed(names: Iterable[str]) -> list[str]:
    """The names and all that they need, each after its needs."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        for needed in BY_NAME[name].needs:
            visit(needed)
        if name not in ordered:
            ordered.append(name)

    for name in names:
        visit(name)
    return ordered


def _ready(statement: Statement, found: dict[str, Finding]) -> bool | None:
    """True: all needs are proved; False: one is settled otherwise; None: wait."""
    needs = [found[n].decision if n in found else None for n in statement.needs]
    if any(d is not None and d is not Decision.PROVED_TRUE for d in needs):
        return False
    return None if any(d is None for d in needs) else True


def _inherited(statement: Statement, found: dict[str, Finding]) -> dict[str, Finding]:
    """Degenerate where a statement that it needs is; undefined, so left out, where one is false."""
    worst = [found[n] for n in statement.needs if n in found and found[n].decision is Decision.DEGENERATE]
    return {statement.name: replace(worst[0], name=statement.name)} if worst else {}


def _at_this_precision(
    statement: Statement, quantities: Quantities, bits: int, reasons: dict[str, str]
) -> Finding | None:
    name = statement.name
    try:
        degenerate = _degenerate(statement, quantities)
        if degenerate:
            return Finding(name, Decision.DEGENERATE, "exact", bits, reason=degenerate)
        margin = statement.margin(quantities)
        found = sign(margin)
    except (NotSeparated, NotANumber) as error:
        reasons[name] = str(error)
        return None
    if found:
        decision = Decision.PROVED_TRUE if found > 0 else Decision.PROVED_FALSE
        return Finding(name, decision, "balls", bits, *bounds(margin))
    return _tie(statement, quantities, bits, reasons)


def _degenerate(statement: Statement, quantities: Quantities) -> str:
    spectra: list[tuple[str, str, Spectrum]] = []
    if "base" in statement.about:
        spectra.append(("base", "V", quantities.base))
    if "perturbed" in statement.about:
        spectra.append(("perturbed", "V + ΔV", quantities.perturbed))
    for _, label, spectrum in spectra:
        if spectrum.leading_kind != "simple":
            return _KINDS[spectrum.leading_kind].format(label)
    return ""


def _tie(statement: Statement, quantities: Quantities, bits: int, reasons: dict[str, str]) -> Finding | None:
    """The finding where the margin is exactly zero; None where it is not, or is not shown to be."""
    if statement.zero is None:
        reasons[statement.name] = "the margin's ball holds zero, and no exact form of this statement is known"
        return None
    try:
        zero = statement.zero(Exact(quantities)).is_zero
    except (NotExact, ValueError, NotSeparated) as error:
        reasons[statement.name] = f"the margin's ball holds zero, and no exact form decides it: {error}"
        return None
    if not zero:
        reasons[statement.name] = "the margin is not zero, but its ball holds zero"
        return None
    if confirmed_by_z3(quantities.instance, statement.name) is False:
        reasons[statement.name] = "exact algebra finds a tie and z3 finds none"
        return None
    decision = Decision.PROVED_FALSE if statement.strict else Decision.PROVED_TRUE
    return Finding(statement.name, decision, "exact", bits, Fraction(0), Fraction(0))
