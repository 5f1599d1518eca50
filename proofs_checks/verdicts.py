"""From evidence to a verdict: the only place where one is made.

The words are the contract's; the first that matches wins: ``refuted``, ``stale``, ``inconclusive``, ``derived``,
``supported``, ``open``. Sampling never proves: the most that instances can give is ``supported``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from theory.claim import Claim

Verdict = Literal["refuted", "stale", "inconclusive", "derived", "supported", "open"]

_STRENGTH: tuple[Verdict, ...] = ("refuted", "stale", "inconclusive", "open", "supported", "derived")
LARGEST_SHARE_OF_ONE = 0.2
SMALLEST_SHARE_A_DIFFERS = 0.5
SMALLEST_SHARE_NONSYMMETRIC = 0.3


@dataclass(frozen=True)
class Evidence:
    """Everything that the verdict on one claim is computed from.

    Attributes
    ----------
    statement_hash: of the claim that the evidence speaks of.
    instances, nonvacuous: those that meet the hypotheses, and those that say something.
    violations: confirmed ones. unconfirmed: candidates that a second look did not confirm. unexamined: candidates
        that had no second look.
    readings: reading → non-vacuous instances; required_readings: how many each must have.
    controls: name of a sharp constant → whether the claim with it 1 % stronger was refuted (and confirmed).
    coverage: shares that are out of bounds, in words; empty where all is well.
    max_ratio: largest observed / bound; tightness: what it must reach.
    failure: why there is no evidence, where that is so (a missing package, say).
    """

    statement_hash: str
    instances: int = 0
    nonvacuous: int = 0
    violations: int = 0
    unconfirmed: int = 0
    unexamined: int = 0
    readings: dict[str, int] = field(default_factory=dict)
    required_readings: dict[str, int] = field(default_factory=dict)
    controls: dict[str, bool] = field(default_factory=dict)
    coverage: tuple[str, ...] = ()
    max_ratio: float | None = None
    tightness: float = 0.0
    failure: str | None = None


def verdict(claim: Claim, evidence: Evidence | None) -> tuple[Verdict, list[str]]:
    """The verdict, and the reasons where it is not the one hoped for."""
    if evidence is None:
        return "open", ["no check of this claim exists yet"]
    if evidence.violations:
        return "refuted", [f"{evidence.violations} confirmed violation(s)"]
    if evidence.statement_hash != claim.statement_hash:
        return "stale", ["the claim has changed since this evidence was computed"]
    reasons = shortcomings(claim, evidence)
    if reasons:
        return "inconclusive", reasons
    return ("open", ["an experiment: see its finding"]) if claim.required == 0 else ("supported", [])


def with_derivation(claim: Claim, word: Verdict, reasons: list[str], failure: str | None) -> tuple[Verdict, list[str]]:
    """The verdict where a derivation of the claim has been checked; ``failure`` is its first step that fails, or None.

    ``derived`` takes a checked derivation and evidence that carries ``supported``; a derivation that fails is
    reason enough for ``inconclusive``.
    """
    if failure is not None:
        return ("inconclusive" if word == "supported" else word), [*reasons, f"derivation: {failure}"]
    return ("derived" if word == "supported" and claim.expected == "holds" else word), reasons


def weakest(words: Iterable[Verdict]) -> Verdict:
    """The weakest of several verdicts."""
    return min(words, key=_STRENGTH.index)


def shortcomings(claim: Claim, evidence: Evidence) -> list[str]:
    """Why the evidence does not carry ``supported``."""
    reasons = [evidence.failure] if evidence.failure else []
    if evidence.nonvacuous < claim.required:
        reasons.append(f"{evidence.nonvacuous} non-vacuous instances, {claim.required} required")
    for reading, needed in evidence.required_readings.items():
        found = evidence.readings.get(reading, 0)
        if found < needed:
            reasons.append(f"{found} non-vacuous readings from {reading}, {needed} required")
    reasons += [f"control not refuted: {name}" for name, refuted in evidence.controls.items() if not refuted]
    if claim.expected == "holds" and not evidence.controls:
        reasons.append("the check has no negative control")
    if evidence.unexamined:
        reasons.append(f"{evidence.unexamined} candidate(s) for a violation not examined")
    if evidence.tightness and (evidence.max_ratio or 0.0) < evidence.tightness:
        reasons.append(f"largest ratio {evidence.max_ratio}, {evidence.tightness} expected of a sharp bound")
    return reasons + list(evidence.coverage)


def coverage_shortcomings(
    claim: Claim, counted: int, n: dict[str, int], d: dict[str, int], a_differs: int, nonsymmetric: int
) -> tuple[str, ...]:
    """Where the instances of a claim expected to hold do not cover what the contract asks for, in words."""
    if claim.expected != "holds" or not counted:
        return ()
    reasons = []
    for name, counts, allowed in (("n", n, ("1", "2", "4", "8", "16")), ("d", d, ("2", "3", "4", "8", "16"))):
        missing = [value for value in allowed if not counts.get(value)]
        if missing:
            reasons.append(f"no instances with {name} = {', '.join(missing)}")
        if counts.get(allowed[0], 0) > LARGEST_SHARE_OF_ONE * counted:
            reasons.append(f"more than 20 % of the instances have {name} = {allowed[0]}")
    if "a-equals-v" not in claim.assumptions and a_differs < SMALLEST_SHARE_A_DIFFERS * counted:
        reasons.append("fewer than half of the instances have A different from V")
    allows = "symmetric-update" not in claim.assumptions and "about-update" in _features(claim)
    if allows and nonsymmetric < SMALLEST_SHARE_NONSYMMETRIC * counted:
        reasons.append("fewer than 30 % of the instances have a non-symmetric ΔV")
    return tuple(reasons)


def _features(claim: Claim) -> set[str]:
    """Whether the claim's formulas know ΔV at all (a bound on the base flow does not)."""
    update = {"a", "b_norm", "c_norm", "E_norm", "alpha", "w", "dV_norm"}
    return {"about-update"} if update & set(claim.symbols) else set()


def met(claim: Claim, word: Verdict) -> bool:
    """Whether the verdict is as expected. ``open`` claims expect nothing, but a refutation is news."""
    if claim.expected == "holds":
        return word in ("derived", "supported")
    if claim.expected == "refuted":
        return word == "refuted"
    return word not in ("refuted", "stale")


def as_dict(evidence: Evidence) -> dict[str, Any]:
    """The evidence as plain data, without the hash."""
    return {k: v for k, v in vars(evidence).items() if k != "statement_hash"}
