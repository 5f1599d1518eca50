"""prop-3.3/criterion-quoted-nonsymmetric: for a non-symmetric ΔV the criterion, which ignores c, is false."""

import math

import pytest
from claim_properties import shipped, smallest_refutation

pytestmark = pytest.mark.claim("prop-3.3/criterion-quoted-nonsymmetric")
ID = "prop-3.3/criterion-quoted-nonsymmetric"


def test_shipped_counterexample_ends_at_the_antipode() -> None:
    assert math.isclose(shipped(ID)[1].observed, math.pi, rel_tol=1e-8)


@pytest.mark.slow
def test_hypothesis_finds_a_small_one() -> None:
    spec, result = smallest_refutation(ID, "quoted-nonsymmetric", tokens="planar", spectrum="flat")
    assert result.violated
    assert (spec.n, spec.d) == (1, 2)
