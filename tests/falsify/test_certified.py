"""A counterexample that is found is certified where a certificate can state the claim, and only then."""

from __future__ import annotations

from fractions import Fraction

import pytest

pytest.importorskip("flint")

from proofs_checks.certify.certificate import certify
from proofs_checks.falsify import certified as module
from proofs_checks.falsify.certified import AS_STATED, certified, judged
from proofs_checks.instance_file import Instance

QUOTED = "remark-3.4/drift-quoted"


def two_levels(a: int) -> Instance:
    """V = diag(1, 0), ΔV = [[a/4, 1/20], [1/20, 0]]: with a < 0 the quoted form is below tan², with a > 0 above it."""
    one, zero, off = Fraction(1), Fraction(0), Fraction(1, 20)
    return Instance(((one, zero), (zero, zero)), ((Fraction(a, 4), off), (off, zero)))


def test_a_violation_is_disproved_and_checked() -> None:
    found = certified(QUOTED, AS_STATED, two_levels(-1))
    assert found.document is not None
    assert (found.verdict, found.checked, found.shows) == ("proved_false", True, True)


def test_an_instance_on_which_the_claim_holds_shows_nothing() -> None:
    """The negative control: the certificate is there and valid, and is not taken for a disproof."""
    document = certify(two_levels(1), [QUOTED]).document()
    found = judged(QUOTED, document, "")
    assert (found.verdict, found.checked, found.shows) == ("proved_true", True, False)
    assert "does not show" in found.note


def test_what_the_second_program_rejects_shows_nothing() -> None:
    found = judged(QUOTED, certify(two_levels(-1), [QUOTED]).document(), "sha256 does not fit the content")
    assert found.verdict == "proved_false"
    assert not found.shows
    assert "sha256" in found.note


def test_where_a_hypothesis_fails_there_is_none() -> None:
    """λ1 + a < μ: the claim says nothing."""
    found = judged(QUOTED, certify(two_levels(-8), [QUOTED]).document(), "")
    assert found.document is None
    assert "levels" in found.note


@pytest.mark.parametrize(
    ("claim", "form", "why"),
    [
        ("prop-3.3/drift", "drift bound stronger by 0.01", "as it stands"),
        ("prop-3.3/drift", "without symmetric-update", "as it stands"),
        ("thm-4.6/upper", AS_STATED, "no statement"),
        ("thm-4.2/critical", AS_STATED, "no statement"),
    ],
)
def test_what_has_no_statement_is_told(claim: str, form: str, why: str) -> None:
    found = certified(claim, form, two_levels(-1))
    assert found.document is None
    assert why in found.note
    assert len(found.note.splitlines()) == 1


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "missing_checkers", lambda: ["python-flint"])
    found = certified(QUOTED, AS_STATED, two_levels(-1))
    assert found.document is None
    assert found.note == "certificates need python-flint: pip install 'loraproofs[certify]'"


def test_the_time_is_kept() -> None:
    found = certified(QUOTED, AS_STATED, two_levels(-1), seconds=0.01)
    assert found.document is None
    assert found.note == "not certified in 0.01 s"
