"""remark-3.4/drift-quoted: without a the sum under-estimates the drift, without limit."""

import math

import pytest
from claim_properties import shipped, smallest_refutation

pytestmark = pytest.mark.claim("remark-3.4/drift-quoted")
ID = "remark-3.4/drift-quoted"


def test_shipped_counterexample() -> None:
    # [[0.1, 0.1], [0.1, 0]]: tan θ = (√5 - 1)/2 (tan 2θ = 2), the golden ratio; the quoted sum is 0.01.
    expected = ((math.sqrt(5) - 1) / 2) ** 2
    assert math.isclose(shipped(ID)[1].observed, expected, rel_tol=1e-12)


def test_hypothesis_finds_a_small_one() -> None:
    spec, result = smallest_refutation(ID, "spectral")
    assert result.violated
    assert (spec.n, spec.d) == (1, 2)
    assert spec.a < 0
