"""prop-3.1/euclidean: the quoted double exponential, explicit, in R^d."""

import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, readings, refuted_controls

from proofs_checks.checks.prop_3_1 import euclidean_bound
from proofs_checks.families_stability import draw_euclidean
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("prop-3.1/euclidean")
ID, FAMILY = "prop-3.1/euclidean", "stability-euclidean"


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.9


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=3, size=400) == sharp_constants(ID)


def test_growth_has_its_closed_form() -> None:
    # V = vI, ΔV = εI: x = e^{vt}x0, x̃ = e^{(v+ε)t}x0; the bound is ε R e^{(v+ε)t}·(1-e^{-εt})/ε, the same number.
    batch = draw_euclidean(120, 2, 2, 3)
    grown = torch.from_numpy(batch.columns["kind"] == "growth")
    reading = readings(ID, FAMILY, batch)[0]
    v, moved = (batch.planted[k] for k in ("V_norm", "perturbed_V_norm"))
    exact = batch.planted["radius_0"] * ((moved * batch.times[:, -1]).exp() - (v * batch.times[:, -1]).exp())
    bound, _ = euclidean_bound(CLAIMS[ID].formulas[0], batch)
    assert int(grown.sum()) > 3
    assert torch.allclose(bound[grown, -1], exact[grown], rtol=1e-12)
    assert float(reading.ratio[grown].min()) > 1 - 1e-6
