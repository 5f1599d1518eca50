"""Which hypotheses of the theorems a model meets, counted over its heads, and what follows from that in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proofs_checks.audit.run import AuditReport, Row
from proofs_checks.real_weights import TOLERANCE, MatrixAudit

CONSERVATIVE = "where a criterion applies it is sufficient and conservative, where none does the theorems say nothing"


@dataclass(frozen=True)
class Hypothesis:
    """One hypothesis: of how many it ``holds``, ``of`` how many heads (or layers, or 1 for the model).

    ``holds`` and ``of`` are None where weights cannot tell. ``value_holds`` and ``value_of`` count the value matrices
    of whole layers, where that is what is counted. ``words`` says what it is, ``over`` what is counted.
    """

    words: str
    over: str
    holds: int | None
    of: int | None
    value_holds: int | None = None
    value_of: int | None = None

    @property
    def count(self) -> str:
        """What holds, in words: ``3 of 8 heads``, ``yes`` or ``no`` for the model, ``not checked``."""
        if self.holds is None:
            return "not checked"
        if self.over == "model":
            return "yes" if self.holds else "no"
        return f"{self.holds} of {self.of} {self.over}"


def hypotheses(report: AuditReport) -> dict[str, Hypothesis]:
    """Name → count. The names are those of the ledger's assumptions, then what whole theorems ask."""
    found = {name: _counted(report, name, words) for name, words in _OF_MATRICES.items()}
    found |= _of_model(report)
    if report.adapters:
        name = report.adapters[-1]
        found["symmetric-update"] = _of_updates(report, name, "symmetric", f"ΔV = ΔVᵀ ({name})")
        for claim, words in _CLAIMS.items():
            found[claim] = _of_updates(report, name, claim, f"{words} ({name})")
    for name, words in _NOT_OF_WEIGHTS.items():
        found[name] = Hypothesis(words, "not checked: " + words, None, None)
    return found


_OF_MATRICES = {
    "symmetric-base": "V = Vᵀ",
    "psd": "symmetric part of V ⪰ 0",
    "spectral-gap": "λ1 > λ2 for the symmetric part of V",
    "dominant-gap": "leading eigenvalue of V real, simple, positive and largest in modulus",
    "top-real": "leading eigenvalue of V real",
    "prop-3.3 (V)": "V = Vᵀ ⪰ 0 with a gap, as Prop. 3.3 quotes it",
    "cone (V)": "the cone theorem applies to V with ΔV = 0",
    "no-cone (V)": "shown: no unit vector makes the cone theorem apply to V",
}
_CLAIMS = {
    "prop-3.3/drift-quoted": "V = Vᵀ ⪰ 0 with a gap, ΔV = ΔVᵀ, and the quoted criterion holds",
    "prop-3.3/criterion": "V, ΔV symmetric, and the sharp criterion holds",
    "prop-3.3/nonsymmetric": "the cone theorem applies to V + ΔV",
}
_NOT_OF_WEIGHTS = {
    "a-equals-v": "A = V: query and key weights are not read; no trained model has it by construction",
    "hemisphere": "a property of tokens",
    "common-start": "a property of tokens",
    "collapsed-base": "a property of tokens",
    "gaussian-adapters": "one adapter is one draw, it has no law",
    "independent-adapters": "one adapter is one draw, it has no law",
    "zero-mean-adapters": "one adapter is one draw, it has no law",
}


def holds(matrix: MatrixAudit, name: str) -> bool:
    """Whether one matrix meets the hypothesis of this name."""
    slack = TOLERANCE * matrix.norm
    return {
        "symmetric-base": matrix.symmetric,
        "psd": matrix.psd,
        "spectral-gap": matrix.gap > slack,
        "dominant-gap": matrix.top_simple and matrix.dominant_gap > slack,
        "top-real": matrix.top_real,
        "prop-3.3 (V)": matrix.hypothesis,
        "cone (V)": matrix.in_cone,
        "no-cone (V)": matrix.cone_excluded,
    }[name]


def _counted(report: AuditReport, name: str, words: str) -> Hypothesis:
    heads, values = report.of_kind("ov"), report.of_kind("value")
    counts = [sum(holds(row.matrix, name) for row in rows) for rows in (heads, values)]
    return Hypothesis(words, "heads", counts[0], len(heads), counts[1], len(values))


def _of_updates(report: AuditReport, adapter: str, name: str, words: str) -> Hypothesis:
    def count(rows: tuple[Row, ...]) -> tuple[int, int]:
        updates = [u for row in rows for u in row.updates if u.adapter == adapter]
        return sum(u.symmetric if name == "symmetric" else name in u.theorems for u in updates), len(updates)

    return Hypothesis(words, "heads with an update", *count(report.of_kind("ov")), *count(report.of_kind("value")))


def _of_model(report: AuditReport) -> dict[str, Hypothesis]:
    arch, layers = report.architecture, report.shape.layers
    return {
        "tied-weights": Hypothesis(
            "layers whose value side is that of the first (itself included)", "layers", report.tied_layers, layers
        ),
        "single-head": Hypothesis("one head a layer", "model", int(report.shape.heads == 1), 1),
        "full-attention": Hypothesis("no causal mask", "model", int(not arch.causal), 1),
        "post-ln": Hypothesis("tokens are normalised after each step", "model", int(arch.post_ln), 1),
        "attention-only": Hypothesis("no MLP block", "model", 0, 1),
    }


def finding(report: AuditReport) -> list[str]:
    """The result in words, first of all which hypotheses hold; one sentence each."""
    facts = hypotheses(report)

    def of(name: str) -> str:
        return f"{facts[name].holds} of {facts[name].of} heads"

    lines = [_base_words(facts["prop-3.3 (V)"], of)]
    lines.append(
        f"The leading eigenvalue is real in {of('top-real')}, and also simple, positive and largest in modulus in "
        f"{of('dominant-gap')}. The cone theorem, which needs neither symmetry nor V ⪰ 0, applies to {of('cone (V)')} "
        f"with ΔV = 0; that no unit vector can make it apply is shown for {of('no-cone (V)')}."
    )
    model = ("tied-weights", "single-head", "full-attention", "post-ln", "attention-only")
    failing = [name for name in model if facts[name].holds != facts[name].of]
    if failing:
        lines.append(f"Of the model itself these hypotheses do not hold: {', '.join(failing)}.")
    lines += [_adapter_words(report, name) for name in report.adapters]
    if report.adapters:
        applying = max(facts[claim].holds or 0 for claim in _CLAIMS)
        lines.append(
            f"With the update a theorem of Prop. 3.3 has its hypotheses on V and ΔV met in {applying} of "
            f"{facts['symmetric-update'].of} heads; {CONSERVATIVE}. Neither is a verdict on forgetting in this model."
        )
    else:
        lines.append(f"{CONSERVATIVE[0].upper()}{CONSERVATIVE[1:]}.")
    return lines


def _base_words(fact: Hypothesis, of: Callable[[str], str]) -> str:
    if fact.holds == 0:
        return (
            f"V = Vᵀ ⪰ 0 with a gap is true of {of('prop-3.3 (V)')} (symmetric: {of('symmetric-base')}, symmetric part "
            f"⪰ 0: {of('psd')}), so on these weights the criterion of Prop. 3.3 does not apply."
        )
    return (
        f"V = Vᵀ ⪰ 0 with a gap is true of {of('prop-3.3 (V)')} (symmetric: {of('symmetric-base')}, symmetric part "
        f"⪰ 0: {of('psd')}); in those the criterion of Prop. 3.3 may be asked, for symmetric ΔV."
    )


def _adapter_words(report: AuditReport, adapter: str) -> str:
    updates = [u for row in report.of_kind("ov") for u in row.updates if u.adapter == adapter]
    elsewhere = report.elsewhere.get(adapter, 0)
    beyond = f" It also changes {elsewhere} modules outside the value side, which the audit does not see."
    if not updates:
        return f"{adapter}: changes no value matrix." + (beyond if elsewhere else "")
    largest = max(updates, key=lambda u: u.relative_norm or 0.0)
    intruders = [u.intruders for row in report.of_kind("value") for u in row.updates if u.adapter == adapter]
    total = sum(sum(x.values()) for x in intruders if x)
    words = (
        f"{adapter}: changes {len(updates)} of {len(report.of_kind('ov'))} heads, ||ΔV|| up to "
        f"{100 * (largest.relative_norm or 0):.3g} % of ||V||, ||ΔV||/√L up to "
        f"{max(u.norm_over_sqrt_layers for u in updates):.3g}"
        + (f"; {total} intruder dimensions." if any(intruders) else ".")
    )
    if largest.reference_random is not None and largest.reference_tied is not None:
        words += (
            f" At the largest relative norm the curves without a well put D at {largest.reference_random:.2g} (random) "
            f"to {largest.reference_tied:.2g} (tied, worst case)."
        )
    return words + (beyond if elsewhere else "")
