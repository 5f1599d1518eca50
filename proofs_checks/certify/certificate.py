"""A certificate: the claims on one exact instance, each hypothesis and conclusion decided, and the evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numerics.enclosure.decision import Decision, every
from numerics.enclosure.segments import State
from proofs_checks.certify.dynamics import RATES, Motion, Mover
from proofs_checks.certify.ladder import MOST_BITS, Finding, decide, is_symmetric, why_undefined
from proofs_checks.certify.statements import BY_NAME
from proofs_checks.instance_file import Instance
from proofs_checks.output import SCHEMA, versions


@dataclass(frozen=True)
class Question:
    """A claim on one instance: ``hypotheses ⇒ conclusion``. ``usual``: asked where no claim is named."""

    hypotheses: tuple[str, ...]
    conclusion: str
    usual: bool = True


_BOTH = ("symmetric-base", "symmetric-update")
QUESTIONS: dict[str, Question] = {
    "prop-3.3/convergence": Question(("symmetric-base", "dominant-gap", "hemisphere"), "limit-base"),
    "prop-3.3/convergence-gap-only": Question(
        ("a-equals-v", "symmetric-base", "spectral-gap", "hemisphere"), "rate-gap", usual=False
    ),
    "prop-3.3/drift": Question((*_BOTH, "delta"), "drift-sharp"),
    "prop-3.3/drift-quoted": Question((*_BOTH, "criterion-quoted"), "drift-quoted"),
    "prop-3.3/criterion": Question((*_BOTH, "criterion-sharp", "hemisphere-sharp"), "limit-perturbed"),
    "prop-3.3/criterion-quoted": Question(
        (*_BOTH, "a-equals-v", "psd", "criterion-quoted", "hemisphere"), "limit-perturbed"
    ),
    "prop-3.3/criterion-quoted-nonsymmetric": Question(
        ("symmetric-base", "a-equals-v", "psd", "criterion-quoted", "hemisphere-sharp"), "limit-perturbed"
    ),
    "prop-3.3/nonsymmetric": Question(("cone", "cone-tokens"), "limit-perturbed"),
    "remark-3.4/drift": Question((*_BOTH, "levels"), "remark-corrected"),
    "remark-3.4/drift-quoted": Question((*_BOTH, "levels", "levels-quoted"), "remark-quoted"),
    "thm-4.6/plain-riccati": Question(("hemisphere",), "riccati", usual=False),
}
EXACT = ("symmetric-base", "symmetric-update", "a-equals-v", "psd", "spectral-gap")
MOVING = ("limit-base", "limit-perturbed", *RATES)


def exact_statement(name: str, instance: Instance) -> Finding:
    """A hypothesis that is read off the exact matrices."""
    if name == "symmetric-base":
        holds = is_symmetric(instance.V)
    elif name == "symmetric-update":
        holds = is_symmetric(instance.dV)
    elif name == "a-equals-v":
        zero = tuple(tuple(Fraction(0) for _ in row) for row in instance.V)
        same = instance.dV if instance.A is None else zero
        holds = instance.A in (None, instance.V) and (same if instance.dA is None else instance.dA) == instance.dV
    else:
        from numerics.enclosure.balls import exact_matrix

        coefficients = exact_matrix(instance.V).charpoly().coeffs()[::-1]
        if name == "psd":
            # all roots are real, and none is negative where the coefficients alternate in sign
            holds = is_symmetric(instance.V) and all((-1) ** k * c >= 0 for k, c in enumerate(coefficients))
        else:
            found = decide(instance, ["delta"]).get("delta")
            holds = found is not None and found.decision is not Decision.DEGENERATE
    return Finding(name, Decision.PROVED_TRUE if holds else Decision.PROVED_FALSE, "definition")


@dataclass(frozen=True)
class Answer:
    """A claim on the instance. ``decision`` None: a hypothesis fails, so that the claim says nothing about it."""

    claim: str
    decision: Decision | None
    reason: str = ""


@dataclass(frozen=True)
class Certificate:
    """All that was found about one instance."""

    instance: Instance
    findings: dict[str, Finding]
    motions: dict[str, Motion]
    answers: tuple[Answer, ...]

    @property
    def overall(self) -> Decision:
        """Of all claims that say something about the instance; degenerate where none does for that reason."""
        return every([a.decision for a in self.answers if a.decision is not None])

    def document(self) -> dict[str, Any]:
        """The JSON document, sealed."""
        body: dict[str, Any] = {
            "schema": SCHEMA,
            "command": "certify",
            "versions": versions(),
            "seed": None,
            "instance": exact_instance(self.instance),
            "claims": [
                {"claim": a.claim, "verdict": a.decision.value, "reason": a.reason}
                | {"hypotheses": list(QUESTIONS[a.claim].hypotheses), "conclusion": QUESTIONS[a.claim].conclusion}
                for a in self.answers
                if a.decision is not None
            ],
            "not_applicable": {a.claim: a.reason for a in self.answers if a.decision is None},
            "statements": [_finding_json(f) for f in self.findings.values()],
            "motions": [_motion_json(m) for m in self.motions.values()],
        }
        return body | {"sha256": seal(body)}


def certify(instance: Instance, claims: Iterable[str] | None = None, most: int = MOST_BITS) -> Certificate:
    """Decide the claims (all usual ones where none is named) on the instance.

    Claims about tokens are left out where the instance has none.
    """
    wanted = [c for c, q in QUESTIONS.items() if q.usual] if claims is None else list(claims)
    if claims is None and instance.claim in QUESTIONS and instance.claim not in wanted:
        wanted.append(instance.claim)
    spectral = [n for c in wanted for n in (*QUESTIONS[c].hypotheses, QUESTIONS[c].conclusion) if n in BY_NAME]
    findings = decide(instance, dict.fromkeys(spectral), most)
    needed = {n for c in wanted for n in QUESTIONS[c].hypotheses if n in EXACT}
    findings |= {n: exact_statement(n, instance) for n in EXACT if n in needed}
    mover = Mover(instance)
    motions: dict[str, Motion] = {}
    answers = tuple(_answer(c, instance, findings, motions, mover) for c in wanted)
    return Certificate(instance, findings, motions, answers)


def _answer(
    claim: str, instance: Instance, findings: dict[str, Finding], motions: dict[str, Motion], mover: Mover
) -> Answer:
    question = QUESTIONS[claim]
    undecided = ""
    missing = next((n for n in question.hypotheses if n not in findings), None)
    if missing is not None:
        return Answer(claim, None, why_undefined(missing, instance, findings))
    for name in question.hypotheses:
        found = findings[name]
        if found.decision is Decision.DEGENERATE:
            return Answer(claim, Decision.DEGENERATE, found.reason)
        if found.decision is Decision.PROVED_FALSE:
            return Answer(claim, None, f"{name} fails")
        if found.decision is Decision.UNDECIDED:
            undecided = f"{name}: {found.reason}"
    if undecided:
        return Answer(claim, Decision.UNDECIDED, undecided)
    if question.conclusion in MOVING:
        if instance.X0 is None:
            return Answer(claim, None, "the instance has no tokens")
        motion = motions.setdefault(question.conclusion, mover.motion(question.conclusion))
        return Answer(claim, motion.decision, motion.reason)
    found = findings.get(question.conclusion)
    if found is None:
        return Answer(claim, None, why_undefined(question.conclusion, instance, findings))
    return Answer(claim, found.decision, found.reason)


# --- JSON -----------------------------------------------------------------------------------------


def text(value: Fraction | None) -> str | None:
    """``p/q``, exact."""
    return None if value is None else str(value)


def exact_instance(instance: Instance) -> dict[str, Any]:
    """What the certificate speaks of, in p/q strings: V, dV and, where given, A, dA, X0 (as written), T."""
    result: dict[str, Any] = {}
    for name in ("V", "dV", "A", "dA", "X0"):
        rows = getattr(instance, name)
        if rows is not None:
            result[name] = [[str(Fraction(x)) for x in row] for row in rows]
    if instance.T is not None:
        result["T"] = str(Fraction(instance.T))
    return result


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "statement": finding.name,
        "verdict": finding.decision.value,
        "method": finding.method,
        "bits": finding.bits,
        "lower": text(finding.lower),
        "upper": text(finding.upper),
        "reason": finding.reason,
    }


def _motion_json(motion: Motion) -> dict[str, Any]:
    return {
        "statement": motion.name,
        "flow": motion.flow,
        "verdict": motion.decision.value,
        "bits": motion.bits,
        "signs": None if motion.signs is None else list(motion.signs),
        "lower": text(motion.lower),
        "upper": text(motion.upper),
        "states": [_state_json(s) for s in motion.states],
        "reason": motion.reason,
    }


def _state_json(state: State) -> dict[str, Any]:
    return {
        "time": str(state.time),
        "centre": [[str(x) for x in row] for row in state.centre],
        "radius": str(state.radius),
    }


def seal(body: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON text (sorted keys, no spaces) of everything but ``sha256``."""
    payload = {k: v for k, v in body.items() if k != "sha256"}
    return hashlib.sha256(
        json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
