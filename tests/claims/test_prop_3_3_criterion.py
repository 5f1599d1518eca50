"""prop-3.3/criterion: gap* + a > ||E|| and γ > sin θ_b send all perturbed tokens to ũ1 at rate gap̃*."""

import pytest
from claim_properties import holds_on, refuted_controls, sharp_constants

pytestmark = pytest.mark.claim("prop-3.3/criterion")
ID = "prop-3.3/criterion"


def test_holds() -> None:
    assert holds_on(ID, "criterion") >= 0.5


def test_holds_beyond_the_quoted_inequality() -> None:
    # 2||b|| alone exceeds gap + a here: the quoted criterion says nothing, the sharp one does.
    assert holds_on(ID, "criterion", update="blocks", coupling=1.0, block=0.5) >= 0.5


def test_one_percent_faster_is_refuted() -> None:
    assert refuted_controls(ID, "criterion", n=1, d=2) == sharp_constants(ID)
