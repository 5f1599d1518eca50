"""prop-3.1/sphere: two flows from the same tokens stay within δ*(e^{K*t}-1)/K*."""

import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, readings, refuted_controls

from proofs_checks.checks.prop_3_1 import confirm_sphere
from proofs_checks.families_stability import causal, draw_stability
from proofs_checks.instance_file import Instance
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("prop-3.1/sphere")
ID, FAMILY = "prop-3.1/sphere", "stability"


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.9


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=3, size=400) == sharp_constants(ID)


def test_K_is_attained_at_the_unstable_eigenvector_and_delta_by_a_rotation() -> None:
    batch = draw_stability(200, 2, 3, 1)
    ratio = readings(ID, FAMILY, batch)[0].ratio
    for kind, least in (("unstable", 0.999), ("rotation", 0.999), ("attention", 0.99)):
        assert float(ratio[torch.from_numpy(batch.columns["kind"] == kind)].max()) > least


def test_with_the_causal_mask_too() -> None:
    masked = [n for n in (2, 4, 8) if causal(n, 3, 0)]
    assert masked
    for n in masked:
        batch = draw_stability(60, n, 3, 0)
        assert bool(batch.columns["causal"].all())
        assert not any(bool(r.candidate.any()) for r in readings(ID, FAMILY, batch))


@pytest.mark.parametrize("n", [64, 256, pytest.param(1_024, marks=pytest.mark.slow)])
def test_constants_do_not_depend_on_n(n) -> None:
    batch = draw_stability(6, n, 3, 2)
    angle, w2 = readings(ID, FAMILY, batch)
    assert int(angle.nonvacuous.sum()) >= 5
    assert not bool(angle.candidate.any())
    assert not bool(w2.candidate.any())


def test_equal_flows_of_a_file_are_no_violation() -> None:
    data = {"V": [[1, 0], [0, "0.5"]], "dV": [[0, 0], [0, 0]], "X0": [[1, 0], ["0.6", "0.8"]], "T": 1}
    result = confirm_sphere(Instance.from_arrays(**data), CLAIMS[ID].formulas[0])
    assert result.applies
    assert not result.violated
    assert result.observed == 0
