"""prop-3.1/initial-w2-kstar: refuted by many tokens that look at one."""

import dataclasses

import pytest

from proofs_checks import cli
from proofs_checks.antiattention import confirm_w2
from proofs_checks.ledger import shipped_counterexample

pytestmark = pytest.mark.claim("prop-3.1/initial-w2-kstar")
ID = "prop-3.1/initial-w2-kstar"


def test_shipped_counterexample_and_its_replay(capsys) -> None:
    assert cli.main(["replay", "proofs_checks/evidence/counterexamples/prop-3.1_initial-w2-kstar.json"]) == 0
    assert ID in capsys.readouterr().out
    instance = shipped_counterexample(ID)
    assert instance is not None
    result = confirm_w2(instance)
    assert result.violated
    assert result.bound == pytest.approx(2.459603, rel=1e-6)  # e^0.9
    assert result.ratio > 1.1


def test_a_hundred_tokens_obey_it() -> None:
    instance = shipped_counterexample(ID)
    assert instance is not None
    fewer = dataclasses.replace(instance, meta={**instance.meta, "multiplicity": [100, 1]})
    result = confirm_w2(fewer)
    assert result.applies
    assert not result.violated
    assert result.ratio < 0.9
