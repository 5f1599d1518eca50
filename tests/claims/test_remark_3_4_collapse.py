"""remark-3.4/collapse: at gap collapse the angle is that of the two-level system; the quoted form diverges."""

from dataclasses import replace
from fractions import Fraction

import pytest
from mpmath import mp

from proofs_checks import special
from proofs_checks.collapse import run_collapse
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("remark-3.4/collapse")
CLAIM = CLAIMS["remark-3.4/collapse"]


def test_supported_down_to_1e_300(tmp_path) -> None:
    row = special.collapse_row(CLAIM, Run(Store(tmp_path), seed=1))
    assert row["verdict"] == "supported", row["reasons"]
    assert row["nonvacuous"] >= 60
    assert row["controls"] == {"two-level angle": True}


def test_resumed_row_is_the_computed_one(tmp_path) -> None:
    rows = [special.collapse_row(CLAIM, Run(Store(tmp_path), seed=1, resume=resume)) for resume in (False, True)]
    assert {k: v for k, v in rows[0].items() if k != "seconds"} == {k: v for k, v in rows[1].items() if k != "seconds"}


def test_a_wrong_angle_is_refuted(tmp_path, monkeypatch) -> None:
    with mp.workdps(60):
        wrong = [
            r if r.two_level_angle is None else replace(r, two_level_angle=r.two_level_angle * (1 + mp.mpf(10) ** -30))
            for r in run_collapse(seed=1)
        ]
    monkeypatch.setattr(special, "run_collapse", lambda seed: wrong)
    row = special.collapse_row(CLAIM, Run(Store(tmp_path), seed=1))
    assert row["verdict"] == "refuted"


def test_closed_form_of_the_drift_as_the_gap_closes() -> None:
    # d = 2, a = e = 0: tan 2θ = 2α/gap, so θ → π/4 from below while (α/gap)² grows without limit.
    for r in run_collapse(seed=1, gaps=(300,)):
        if r.family == "plain":
            with mp.workdps(700):
                alpha = mp.mpf(1) / 10
                assert abs(r.observed_angle - mp.atan2(2 * alpha, mp.mpf(10) ** -300) / 2) < mp.mpf(10) ** -38
                assert abs(r.remark34_quoted * (mp.mpf(10) ** -300 / alpha) ** 2 - 1) < mp.mpf(10) ** -30
            assert Fraction(1, 10**300) > 0
            return
    pytest.fail("the plain family is not there")
