"""prop-3.3/criterion-quoted: with γ > 0 alone the criterion is false."""

import math

import pytest
import torch
from claim_properties import compare, confirm, shipped, smallest_refutation

from proofs_checks.sampler import draw
from proofs_checks.sources import instance_of
from proofs_checks.spec import FAMILIES

pytestmark = pytest.mark.claim("prop-3.3/criterion-quoted")
ID = "prop-3.3/criterion-quoted"


def test_shipped_counterexample_ends_at_the_antipode() -> None:
    assert math.isclose(shipped(ID)[1].observed, math.pi, rel_tol=1e-8)


@pytest.mark.slow
def test_hypothesis_finds_a_small_one() -> None:
    spec, result = smallest_refutation(ID, "quoted", tokens="planar", spectrum="flat")
    assert result.violated
    assert (spec.n, spec.d) == (1, 2)


def test_several_tokens_too() -> None:
    batch = draw(FAMILIES["quoted"], 8, 4, 3, seed=0)
    rows = torch.nonzero(compare(ID, batch)[0].candidate).flatten().tolist()
    assert confirm(ID, instance_of(batch, rows[0], ID, "counterexample")).violated
