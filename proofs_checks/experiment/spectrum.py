"""exp-spectrum: is V ⪰ 0 with a gap true of the value matrices and OV products of this model?"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_checks.audit.run import audit
from proofs_checks.experiment.pictures import spectrum_figure
from proofs_checks.experiment.result import LEAST_SEEDS, Result, Sentence, Word
from proofs_checks.experiment.session import Session
from proofs_checks.real_weights import TOLERANCE

_KEPT = ("layer", "head", "kind", "norm", "asymmetry", "symmetric", "symmetric_min", "symmetric_max", "gap", "psd",
         "hypothesis", "top_real", "top_simple", "dominant_gap", "in_cone", "cone_excluded")  # fmt: skip
KINDS = {"value": "value matrices", "ov": "OV products"}


def measure(session: Session) -> dict[str, Any]:
    """The rows of ``loraproofs audit``, one a matrix."""
    report = audit(session.folder)
    return {"rows": [{name: getattr(row.matrix, name) for name in _KEPT} for row in report.rows]}


def run(session: Session) -> Result:
    """Counts. Nothing is random here: one look at all matrices carries the word."""
    rows = session.items.once({"what": "spectrum"}, lambda: measure(session))["rows"]
    holding = [bool(row["hypothesis"]) for row in rows]
    word: Word = "confirmed" if all(holding) else "differs" if any(holding) else "not_confirmed"
    found = Sentence(
        "V ⪰ 0 with a gap in real models",
        "true of each value matrix and each OV product",
        word,
        (sum(holding), len(holding)),
        _words(rows),
    )
    table = tuple(_row(rows, kind, words) for kind, words in KINDS.items() if any(r["kind"] == kind for r in rows))
    return Result(
        "exp-spectrum", session.model_name, LEAST_SEEDS, (found,), table,
        regime="no step and no time enters", figures={"experiment_spectrum": lambda: spectrum_figure(rows)},
    )  # fmt: skip


def _words(rows: list[dict[str, Any]]) -> str:
    shares = np.array([-r["symmetric_min"] / r["symmetric_max"] for r in rows if r["symmetric_max"] > 0])
    asymmetry = 100 * np.array([r["asymmetry"] for r in rows])
    return (
        f"the symmetric part is positive semi-definite in {sum(r['psd'] for r in rows)} of {len(rows)}, its smallest"
        f" eigenvalue is {-shares.max():.2f} to {-shares.min():.2f} times its largest; the antisymmetric part is"
        f" {asymmetry.min():.0f} to {asymmetry.max():.0f} % of the Frobenius norm. The cone theorem applies with ΔV = 0"
        f" to {sum(r['in_cone'] for r in rows)}; that no unit vector can make it apply is shown for"
        f" {sum(r['cone_excluded'] for r in rows)}."
    )


def _row(rows: list[dict[str, Any]], kind: str, words: str) -> dict[str, Any]:
    mine = [r for r in rows if r["kind"] == kind]

    def of(true: list[bool]) -> str:
        return f"{sum(true)} of {len(mine)}"

    return {
        "matrices": words,
        "symmetric": of([r["symmetric"] for r in mine]),
        "symmetric part ⪰ 0": of([r["psd"] for r in mine]),
        "V ⪰ 0 with a gap": of([r["hypothesis"] for r in mine]),
        "leading eigenvalue real": of([r["top_real"] for r in mine]),
        "gap* > 0": of([r["top_simple"] and r["dominant_gap"] > TOLERANCE * r["norm"] for r in mine]),
        "in the cone theorem": of([r["in_cone"] for r in mine]),
        "outside it whatever u": of([r["cone_excluded"] for r in mine]),
    }
