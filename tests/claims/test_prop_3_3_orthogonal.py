"""prop-3.3/orthogonal: with b = c = 0 there is no drift until the crossing, and a right angle beyond it."""

import pytest
from claim_properties import SETTINGS, compare, confirm, refuted_controls, sharp_constants
from hypothesis import given

from proofs_checks.families_perturbation import CROSSING
from proofs_checks.instance_file import Instance
from proofs_checks.sampler import Batch, realise_one
from proofs_checks.strategies import specs

pytestmark = pytest.mark.claim("prop-3.3/orthogonal")
ID = "prop-3.3/orthogonal"


def test_holds_on_both_sides_of_the_crossing() -> None:
    seen = {"before": 0, "beyond": 0}

    @SETTINGS
    @given(specs(CROSSING).map(lambda spec: realise_one(CROSSING, spec)))
    def property_of_claim(batch: Batch) -> None:
        before, beyond = compare(ID, batch)
        assert not bool(before.candidate.any() | beyond.candidate.any())
        seen["before"] += int(before.nonvacuous.sum())
        seen["beyond"] += int(beyond.nonvacuous.sum())

    property_of_claim()
    assert min(seen.values()) >= 15, seen


def test_a_later_crossing_is_refuted() -> None:
    assert refuted_controls(ID, CROSSING, spectrum="flat", gap=1 / 4, block=33 / 32) == sharp_constants(ID)


@pytest.mark.parametrize(("e", "angle"), [("0.99", 0.0), ("1.01", 1.5707963267948966)])
def test_the_crossing_by_hand(e: str, angle: float) -> None:
    # V = diag(1, 0), ΔV = diag(0, e): the leading eigenvector changes at e = 1.
    result = confirm(ID, Instance.from_arrays(V=[[1, 0], [0, 0]], dV=[[0, 0], [0, e]]))
    assert result.applies
    assert not result.violated
    assert result.observed == pytest.approx(1.0 if angle == 0 else angle)
