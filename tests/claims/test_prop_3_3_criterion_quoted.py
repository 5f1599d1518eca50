"""prop-3.3/criterion-quoted: with γ > 0 alone the criterion is false."""

import math

import pytest
from claim_properties import shipped_refutes, smallest_refutation

pytestmark = pytest.mark.claim("prop-3.3/criterion-quoted")
ID = "prop-3.3/criterion-quoted"


def test_shipped_counterexample_ends_at_the_antipode() -> None:
    shipped_refutes(ID, lambda result: math.isclose(result.observed, math.pi, rel_tol=1e-8))


def test_hypothesis_finds_a_small_one() -> None:
    spec, result = smallest_refutation(ID, "quoted")
    assert result.violated
    assert (spec.n, spec.d) == (1, 2)


def test_several_tokens_too() -> None:
    _, result = smallest_refutation(ID, "quoted", n=4, d=3, tokens="clustered")
    assert result.violated
