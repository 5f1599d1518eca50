"""prop-3.1/initial: two flows from two clouds, labelled and as measures."""

import numpy as np
import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, refuted_controls

from numerics.transport import labelled_angle
from proofs_checks.checks.prop_3_1 import compare_initial
from proofs_checks.families import SOURCES
from proofs_checks.families_stability import draw_initial
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("prop-3.1/initial")
ID, FAMILY = "prop-3.1/initial", "stability-initial"
FORMULA = CLAIMS[ID].formulas[0]


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.9


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=3, size=400) == sharp_constants(ID)


def test_labels_may_be_shuffled_for_the_measures() -> None:
    batch = draw_initial(40, 4, 3, 2)
    batch.columns["other_tokens"] = np.ascontiguousarray(batch.columns["other_tokens"][:, ::-1])
    measured = SOURCES[FAMILY].measure(batch)
    start, _, _ = measured.w_infinity
    assert not any(bool(c.flattened().candidate.any()) for c in compare_initial(batch, measured, FORMULA)[1:])
    labelled = torch.from_numpy(batch.columns["other_tokens"])
    assert bool((start <= labelled_angle(batch.tokens, labelled) + 1e-12).all())
    assert bool((start < labelled_angle(batch.tokens, labelled) - 0.1).any())
