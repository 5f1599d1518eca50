"""Certificates that the package ships, and what ``verify`` counts of them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from proofs_checks.certify import shipped
from proofs_checks.certify.certificate import QUESTIONS, certify, seal
from proofs_checks.ledger import shipped_counterexample
from theory.claims import CLAIMS

DISPROVED = [c for c in QUESTIONS if CLAIMS[c].expected == "refuted"]
QUICK = [c for c in DISPROVED if c != "prop-3.3/convergence-gap-only"]  # that one is integrated: 10 s


def test_every_quoted_form_that_is_decided_on_instances_has_one() -> None:
    assert len(DISPROVED) == 5
    assert all(shipped.certificate(c) is not None for c in DISPROVED)


@pytest.mark.parametrize("claim", QUICK)
def test_it_disproves_the_claim(claim: str) -> None:
    assert shipped.certified_instances(claim) == 1


@pytest.mark.slow
def test_the_integrated_one_disproves_the_claim() -> None:
    assert shipped.certified_instances("prop-3.3/convergence-gap-only") == 1


@pytest.mark.parametrize("claim", DISPROVED)
def test_it_is_what_certify_writes(claim: str) -> None:
    instance = shipped_counterexample(claim)
    assert instance is not None
    written, stored = json.loads(json.dumps(certify(instance, [claim]).document())), shipped.certificate(claim)
    assert stored is not None
    for document in (written, stored):
        del document["versions"], document["sha256"]
    assert stored == written


def test_a_claim_that_holds_has_none() -> None:
    assert shipped.certified_instances("prop-3.3/criterion") == 0


@pytest.mark.parametrize("fault", ["another instance", "another verdict", "not sealed"])
def test_a_changed_one_counts_as_none(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = shipped.certificate("remark-3.4/drift-quoted")
    assert good is not None
    bad: dict[str, Any] = copy.deepcopy(good)
    if fault == "another instance":
        bad["instance"]["V"][0][0] = "2"
    elif fault == "another verdict":
        bad["claims"][0]["verdict"] = "proved_true"
    if fault == "not sealed":
        bad["seed"] = 1
    else:
        bad["sha256"] = seal(bad)
    monkeypatch.setattr(shipped, "certificate", lambda _: bad)
    assert shipped.certified_instances("remark-3.4/drift-quoted") == 0
    monkeypatch.setattr(shipped, "certificate", lambda _: good)
    assert shipped.certified_instances("remark-3.4/drift-quoted") == 1
