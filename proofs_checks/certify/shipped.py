"""Certificates that the package ships: claims disproved on their stored counterexamples.

A claim about all instances is never proved by instances; one certified counterexample disproves it.
``python -m proofs_checks.certify.shipped`` writes the files again.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from proofs_checks.certify.certificate import QUESTIONS, certify, exact_instance
from proofs_checks.certify.checker import Rejected, check
from proofs_checks.ledger import shipped_counterexample
from proofs_checks.output import write_text
from proofs_checks.store import file_name


def certificate(claim_id: str) -> dict[str, Any] | None:
    """The certificate that is shipped for a claim, or None."""
    path = resources.files("proofs_checks") / "evidence" / "certificates" / f"{file_name(claim_id)}.json"
    with resources.as_file(path) as file:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def certified_instances(claim_id: str) -> int:
    """How many shipped certificates (0 or 1) disprove the claim, found again by the second program at this moment.

    One that is not valid, or speaks of another instance than the shipped counterexample, counts as none.
    """
    found, instance = certificate(claim_id), shipped_counterexample(claim_id)
    if found is None or instance is None or found["instance"] != exact_instance(instance):
        return 0
    try:
        check(found)
    except Rejected:
        return 0
    return sum(c["claim"] == claim_id and c["verdict"] == "proved_false" for c in found["claims"])


def main() -> None:
    """Write the certificates of all claims that have a counterexample and are decided on instances."""
    folder = Path(__file__).parents[1] / "evidence" / "certificates"
    for claim_id in QUESTIONS:
        instance = shipped_counterexample(claim_id)
        if instance is not None:
            document = certify(instance, [claim_id]).document()
            write_text(
                folder / f"{file_name(claim_id)}.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n"
            )


if __name__ == "__main__":
    main()
