"""prop-3.3/drift-quoted: the quoted bound holds with the constant 1/2, and with none smaller."""

import pytest
from claim_properties import holds_on, refuted_controls, sharp_constants

pytestmark = pytest.mark.claim("prop-3.3/drift-quoted")
ID = "prop-3.3/drift-quoted"


def test_holds_with_one_half() -> None:
    assert holds_on(ID, "spectral", examples=80) >= 0.2


def test_one_half_is_the_best_constant() -> None:
    assert refuted_controls(ID, "spectral", block=0.0, update="blocks", coupling=1 / 64, collapse=0) == sharp_constants(
        ID
    )
