"""Claims and their tests name each other, both ways."""

import re
from pathlib import Path

import pytest

from proofs_checks.ledger import shipped_counterexample
from proofs_checks.registry import CHECKS
from proofs_checks.special import SPECIAL
from theory.claims import CLAIMS

TESTS = Path(__file__).resolve().parents[1]
_MARKER = re.compile(r'mark\.claim\("([^"]+)"\)')


def claims_named_by_tests() -> dict[str, set[Path]]:
    """Claim id → test files that carry its marker."""
    named: dict[str, set[Path]] = {}
    for path in TESTS.rglob("test_*.py"):
        for claim_id in _MARKER.findall(path.read_text(encoding="utf-8")):
            if path != Path(__file__):
                named.setdefault(claim_id, set()).add(path)
    return named


def test_every_checked_claim_has_a_test_and_every_test_names_a_claim() -> None:
    named = claims_named_by_tests()
    assert set(named) <= set(CLAIMS)
    assert set(CHECKS) | set(SPECIAL) <= set(named)
    assert set(named) <= set(CHECKS) | set(SPECIAL), "a test names a claim that has no check"


def test_file_names_follow_the_claims() -> None:
    for claim_id in CHECKS:
        name = "test_" + re.sub(r"[^a-z0-9]+", "_", claim_id) + ".py"
        assert TESTS / "claims" / name in claims_named_by_tests()[claim_id]


def test_claims_with_a_check_are_not_open_and_the_others_are() -> None:
    for claim_id, claim in CLAIMS.items():
        finding = claim.required == 0  # experiments and conjectures: a row that says what was found, and stays open
        checked = claim_id in CHECKS or (claim_id in SPECIAL and not finding)
        assert (claim.expected != "open") == checked, claim_id


@pytest.mark.parametrize("claim_id", [i for i, c in CLAIMS.items() if c.expected == "refuted"])
def test_every_refuted_claim_ships_a_counterexample_of_small_numbers(claim_id: str) -> None:
    instance = shipped_counterexample(claim_id)
    assert instance is not None
    assert instance.claim == claim_id
    assert instance.kind == "counterexample"
    entries = [x for m in (instance.V, instance.dV, instance.X0 or ()) for row in m for x in row]
    assert all(x.denominator <= 1_000 for x in entries)
