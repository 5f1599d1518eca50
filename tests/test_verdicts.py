"""Verdicts are computed from evidence, the first that matches wins, and lack of evidence never passes."""

from dataclasses import replace

import pytest
import torch

from proofs_checks.checks.comparison import Comparison
from proofs_checks.verdicts import Evidence, coverage_shortcomings, met, verdict
from theory.claims import CLAIMS

HOLDS = CLAIMS["prop-3.3/drift"]
REFUTED = CLAIMS["remark-3.4/drift-quoted"]
GOOD = Evidence(
    statement_hash=HOLDS.statement_hash,
    instances=20_000,
    nonvacuous=15_000,
    readings={"tokens": 3_000},
    required_readings={"tokens": 2_000},
    controls={"drift bound": True},
    max_ratio=0.9999,
    tightness=0.999,
)


def test_good_evidence_supports() -> None:
    assert verdict(HOLDS, GOOD) == ("supported", [])
    assert met(HOLDS, "supported")


def test_no_evidence_is_open_and_not_as_expected() -> None:
    word, _ = verdict(HOLDS, None)
    assert word == "open"
    assert not met(HOLDS, "open")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nonvacuous": 9_999}, "9999 non-vacuous instances, 10000 required"),
        ({"readings": {"tokens": 10}}, "10 non-vacuous readings from tokens, 2000 required"),
        ({"readings": {}}, "0 non-vacuous readings from tokens, 2000 required"),
        ({"controls": {"drift bound": False}}, "control not refuted: drift bound"),
        ({"controls": {}}, "the check has no negative control"),
        ({"unexamined": 3}, "3 candidate(s) for a violation not examined"),
        ({"max_ratio": 0.9}, "largest ratio 0.9, 0.999 expected of a sharp bound"),
        ({"coverage": ("no instances with n = 16",)}, "no instances with n = 16"),
        ({"failure": "no model"}, "no model"),
    ],
)
def test_each_shortcoming_is_inconclusive(change: dict, reason: str) -> None:
    word, reasons = verdict(HOLDS, replace(GOOD, **change))
    assert word == "inconclusive"
    assert reason in reasons
    assert not met(HOLDS, word)


def test_one_confirmed_violation_refutes_whatever_else_there_is() -> None:
    word, _ = verdict(HOLDS, replace(GOOD, violations=1, nonvacuous=0, statement_hash="old"))
    assert word == "refuted"
    assert not met(HOLDS, word)


def test_evidence_for_another_statement_is_stale() -> None:
    assert verdict(HOLDS, replace(GOOD, statement_hash="old"))[0] == "stale"


def test_refuted_claims_expect_a_refutation() -> None:
    evidence = Evidence(REFUTED.statement_hash, instances=10, nonvacuous=10, violations=1)
    assert met(REFUTED, verdict(REFUTED, evidence)[0])
    survived = replace(evidence, violations=0)
    assert verdict(REFUTED, survived)[0] == "supported"
    assert not met(REFUTED, "supported")


def test_sampling_never_says_proved_or_derived() -> None:
    assert verdict(HOLDS, replace(GOOD, nonvacuous=10**9))[0] == "supported"


def test_coverage_rules() -> None:
    claim = CLAIMS["prop-3.3/nonsymmetric"]
    n, d = {"1": 100, "2": 200, "4": 200, "8": 250, "16": 250}, {"2": 100, "3": 300, "4": 200, "8": 200, "16": 200}
    assert coverage_shortcomings(claim, 1_000, n, d, 600, 400) == ()
    lone = {"1": 300, "2": 175, "4": 175, "8": 175, "16": 175}
    assert "more than 20 % of the instances have n = 1" in coverage_shortcomings(claim, 1_000, lone, d, 600, 400)
    assert "no instances with d = 2" in coverage_shortcomings(claim, 1_000, n, {**d, "2": 0}, 600, 400)
    assert len(coverage_shortcomings(claim, 1_000, n, d, 400, 200)) == 2


def _comparison(observed: float, error: float, bound: float, relation: str = "<=", trivial: float = 2.0) -> Comparison:
    def tensor(x: float) -> torch.Tensor:
        return torch.tensor([x], dtype=torch.float64)

    return Comparison(
        "x", tensor(observed), tensor(error), tensor(bound), torch.tensor([True]), trivial, relation,  # type: ignore[arg-type]
    )  # fmt: skip


def test_candidates_exceed_ten_errors() -> None:
    assert bool(_comparison(1.0 + 2e-8, 1e-9, 1.0).candidate)
    assert not bool(_comparison(1.0 + 0.5e-8, 1e-9, 1.0).candidate)
    assert bool(_comparison(1.0 - 2e-8, 1e-9, 1.0, "==").candidate)
    assert not bool(_comparison(1.0 - 2e-8, 1e-9, 1.0).candidate)


def test_vacuous_comparisons_do_not_count() -> None:
    assert bool(_comparison(0.5, 1e-9, 1.0).nonvacuous)
    assert not bool(_comparison(0.5, 1e-9, 2.5).nonvacuous)  # the bound is beyond the trivial one
    assert not bool(_comparison(1e-7, 1e-9, 1.0).nonvacuous)  # the signal is lost in its error
    assert not bool(_comparison(0.5, 1e-6, 1.0).nonvacuous)  # the tolerance would exceed 1e-6
    assert not bool(_comparison(float("nan"), 1e-9, 1.0).nonvacuous)


def test_several_times_reduce_to_the_one_closest_to_the_bound() -> None:
    def tensor(*x: float) -> torch.Tensor:
        return torch.tensor([x], dtype=torch.float64)

    reading = Comparison("x", tensor(0.5, 0.9, 3.0), tensor(1e-9, 1e-9, 1.0), tensor(1.0, 1.0, 1.0),
                         torch.tensor([[True]]))  # fmt: skip
    flat = reading.flattened()
    assert float(flat.ratio) == pytest.approx(0.9)  # 3.0 has an error too large to be used
