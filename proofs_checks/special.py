"""Claims whose evidence is not sampled in batches: gap collapse in high precision, and experiments on real weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mpmath import mp

from proofs_checks.antiattention import confirm_w2, kstar_row
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.collapse import CollapseRow, run_collapse
from proofs_checks.errors import InputError
from proofs_checks.experiment import evidence
from proofs_checks.heads import heads_row
from proofs_checks.instance_file import Instance
from proofs_checks.ledger import row
from proofs_checks.metastable import confirm_safe, random_row, safe_row
from proofs_checks.rank import rank_row
from proofs_checks.real_weights import WeightsError, audit_real_weights
from proofs_checks.store import Run, file_name
from proofs_checks.subspace import subspace_row
from proofs_checks.tally import CONTROL_AMOUNT
from proofs_checks.transition import critical_row, two_level_row, variance_row
from proofs_checks.transition_curves import collapse_row as curve_collapse_row
from proofs_checks.transition_curves import fixed_step_row
from proofs_checks.transition_ends import (
    confirm_constant_norm,
    confirm_tied,
    norm_quoted_row,
    subcritical_row,
    supercritical_row,
    supercritical_tied_row,
)
from proofs_checks.untied import layered_row
from proofs_checks.verdicts import Evidence
from theory.claim import Claim

AGREEMENT = 20
_COMPARED = 40
_CONTROL = "two-level angle"


def collapse_row(claim: Claim, run: Run) -> dict[str, Any]:
    """remark-3.4/collapse: the exact two-level angle at d = 2, the sharp bound and saturation for every d."""
    started = time.perf_counter()

    def compute() -> dict[str, Any]:
        rows = run_collapse(seed=run.seed)
        with mp.workdps(2 * _COMPARED):  # the rows carry their own precision, their differences need one too
            return _collapse_tally(rows)

    block = run.once(f"collapse {claim.statement_hash}", compute)
    counterexample = None
    if block["violating"]:
        path = run.store.keep("counterexamples", file_name(claim.id), block["violating"])
        counterexample = {"file": str(path), "origin": "gap collapse"}
    counted = Evidence(
        statement_hash=claim.statement_hash,
        instances=block["instances"],
        nonvacuous=block["nonvacuous"],
        violations=block["violations"],
        readings={"two precisions": block["nonvacuous"], "sharp bound": block["bounded"]},
        required_readings={"sharp bound": claim.required},
        controls={_CONTROL: block["control"]},
        max_ratio=block["max_ratio"],
        tightness=1 - 1e-9,
    )
    return row(
        claim,
        counted,
        time.perf_counter() - started,
        counterexample=counterexample,
        finding=block["finding"],
    )


def _collapse_tally(rows: list[CollapseRow]) -> dict[str, Any]:
    exact = [r for r in rows if r.d == 2 and r.agreement_digits >= AGREEMENT and r.two_level_angle > 0]
    violating = [r for r in exact if _deviates(r, r.two_level_angle)]
    tightened = [r for r in exact if _deviates(r, r.two_level_angle * (1 - mp.mpf(str(CONTROL_AMOUNT))))]
    inside = [r for r in rows if r.theta_bound is not None]
    over = [r for r in inside if r.observed_angle > r.theta_bound * (1 + mp.mpf(10) ** -AGREEMENT)]
    ratios = [float(r.observed_angle / r.two_level_angle) for r in exact]
    last = max((r for r in inside if r.remark34_quoted), key=lambda r: (r.gap_exponent, r.remark34_quoted))
    bad = violating + over
    return {
        "instances": len(rows),
        "nonvacuous": len(exact),
        "violations": len(bad),
        "violating": bad[0].instance.to_dict() if bad else None,
        "bounded": len(inside) - len(over),
        "control": len(tightened) == len(exact) > 0,
        "max_ratio": max(ratios, default=None),
        "finding": (
            f"at gap 1e-{last.gap_exponent} the quoted Remark 3.4 gives {mp.nstr(last.remark34_quoted, 3)}, "
            f"the exact drift angle is {mp.nstr(last.observed_angle, 6)}, "
            f"the sharp bound {mp.nstr(last.theta_bound, 6)}"
        ),
    }


def _deviates(r: CollapseRow, predicted: Any) -> bool:
    error = mp.mpf(10) ** (-min(r.agreement_digits, _COMPARED)) * r.observed_angle
    return bool(abs(r.observed_angle - predicted) > 10 * error)


def spectrum_row(claim: Claim, run: Run) -> dict[str, Any]:
    """exp-spectrum: is V ⪰ 0 with a gap true of the value matrices of the encoder, and of the language model?

    The encoder is audited here; of the language model the evidence of ``loraproofs experiment spectrum`` is read. The
    word is that of both, ``differs`` where they have not the same.
    """
    started = time.perf_counter()
    try:
        report = audit_real_weights()
    except WeightsError as error:
        return row(claim, Evidence(claim.statement_hash, failure=str(error)), experiment=None)
    second = experiment_row(claim, run)
    counted = Evidence(claim.statement_hash, instances=len(report.matrices), nonvacuous=len(report.matrices))
    words = {report.experiment, second.get("experiment") or report.experiment}
    return row(
        claim,
        counted,
        time.perf_counter() - started,
        experiment=words.pop() if len(words) == 1 else "differs",
        finding=" ".join(
            [f"{report.model}: {report.finding}", *([second["finding"]] if second.get("finding") else [])]
        ),
        summary=report.summary,
        language_model=second.get("sentences"),
    )


def experiment_row(claim: Claim, run: Run) -> dict[str, Any]:
    """An experiment on a language model: what its evidence file says; nothing is computed here."""
    try:
        found = evidence.read(claim.id, run.store.root)
    except InputError as error:
        return row(claim, Evidence(claim.statement_hash, failure=str(error)), experiment=None)
    if found is None:
        return row(claim, None)
    looked = sum(s["found"][1] for s in found["sentences"])
    return row(
        claim,
        Evidence(found["statement_hash"], instances=looked, nonvacuous=looked),
        experiment=found["experiment"],
        finding=evidence.brief(found),
        sentences=found["sentences"],
        seeds=found["seeds"],
    )


SPECIAL: dict[str, Callable[[Claim, Run], dict[str, Any]]] = {
    "prop-3.1/initial-w2-kstar": kstar_row,
    "remark-3.4/collapse": collapse_row,
    "exp-spectrum": spectrum_row,
    **dict.fromkeys(
        (f"exp-{x}" for x in ("norm", "depth", "ablation", "correlation", "collapse", "indicator", "rank")),
        experiment_row,
    ),
    "prop-3.3/layered": layered_row,
    "prop-3.3/heads": heads_row,
    "remark-3.4/rank": rank_row,
    "remark-3.4/subspace": subspace_row,
    "thm-4.2/variance": variance_row,
    "thm-4.2/critical": critical_row,
    "thm-4.2/two-level": two_level_row,
    "thm-4.2/subcritical": subcritical_row,
    "thm-4.2/supercritical": supercritical_row,
    "thm-4.2/supercritical-tied": supercritical_tied_row,
    "thm-4.2/collapse": curve_collapse_row,
    "thm-4.2/fixed-step": fixed_step_row,
    "thm-4.2/norm-quoted-fixed-step": norm_quoted_row,
    "thm-4.6/random": random_row,
    "thm-4.6/random-safe": safe_row,
}
"""Claim id → what computes its row."""

REPLAY: dict[str, Callable[[Instance], Confirmation]] = {
    "prop-3.1/initial-w2-kstar": confirm_w2,
    "thm-4.2/supercritical-tied": confirm_tied,
    "thm-4.2/norm-quoted-fixed-step": confirm_constant_norm,
    "thm-4.6/random-safe": confirm_safe,
}
"""Claim id → what runs a stored counterexample again."""
