"""prop-3.1/discrete: the Lipschitz constant of one layer, and of two untied ones."""

import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, readings, refuted_controls

from proofs_checks.families_stability import draw_layers

pytestmark = pytest.mark.claim("prop-3.1/discrete")
ID, FAMILY = "prop-3.1/discrete", "stability-layers"


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.8


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=3, size=400) == sharp_constants(ID)


def test_constant_is_attained_at_the_unstable_eigenvector() -> None:
    # N(x + hVx) at e2 of v diag(1, -1): (1 + hv)/(1 - hv) = 1 + 2hv/(1 - hv).
    batch = draw_layers(60, 1, 2, 4)
    reading = readings(ID, FAMILY, batch)[0]
    unstable = torch.from_numpy(batch.columns["kind"] == "unstable")
    hv = batch.planted["h"] * batch.planted["V_norm"]
    measured = reading.observed / batch.planted["chord_0"]
    assert torch.allclose(measured[unstable], ((1 + hv) / (1 - hv))[unstable], rtol=1e-2)
    assert float(reading.ratio[unstable].max()) > 0.9999
