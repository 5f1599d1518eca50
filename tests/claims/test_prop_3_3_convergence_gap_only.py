"""prop-3.3/convergence-gap-only: with gap in place of gap* the claim is false."""

import pytest
from claim_properties import shipped, smallest_refutation

pytestmark = pytest.mark.claim("prop-3.3/convergence-gap-only")
ID = "prop-3.3/convergence-gap-only"


def test_shipped_counterexample() -> None:
    # Not merely slower than claimed: the tokens end near ±u2, far beyond any decaying bound.
    instance, result = shipped(ID)
    assert result.observed > 100
    assert len(instance.V) == 2
    assert instance.X0 is not None
    assert len(instance.X0) == 2


def test_hypothesis_finds_a_small_one() -> None:
    spec, result = smallest_refutation(ID, "gap-only")
    assert result.violated
    assert (spec.n, spec.d, spec.frame) == (2, 2, 0)
