"""thm-4.6/cutoff: the time at which collapsed tokens jump to ũ1, its profile, and how sharp it is."""

import math

import numpy as np
import pytest
import torch
from claim_properties import sharp_constants
from hypothesis import strategies as st
from passage_properties import holds_on_batches, readings, refuted_controls

from proofs_checks.families import SOURCES
from proofs_checks.families_collapsed import draw_cutoff

pytestmark = pytest.mark.claim("thm-4.6/cutoff")
ID, FAMILY = "thm-4.6/cutoff", "cutoff"


def test_holds() -> None:
    few = st.sampled_from((1, 2, 4)), st.sampled_from((2, 3, 4))
    assert holds_on_batches(ID, FAMILY, size=20, examples=4, n=few[0], d=few[1]) >= 0.9


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=3, size=40) == sharp_constants(ID)


def test_both_bounds_are_attained_where_the_rest_lies_along_the_second_eigenvector() -> None:
    batch = draw_cutoff(30, 1, 4, 0)
    latest, earliest, profile, window, _ = readings(ID, FAMILY, batch)
    along = torch.from_numpy(np.isin(batch.columns["kind"], ("along", "crossing")))
    for reading in (latest, earliest, profile, window):
        assert float((reading.ratio[along] - 1).abs().max()) < 1e-7
    assert float(latest.ratio[~along].max()) < 1 - 1e-4
    assert float(earliest.ratio[~along].max()) < 1


def test_window_becomes_a_vanishing_share_of_the_time() -> None:
    # The window is log(9 √(99/19)) = 3.023 gaps whatever ε; T* is log(1/ε) of them.
    batch = draw_cutoff(60, 1, 2, 2)
    times = SOURCES[FAMILY].measure(batch).times[0]
    share = ((times[:, 2] - times[:, 1]) / times[:, 0]).numpy()
    overlap = batch.planted["overlap"].numpy()
    np.testing.assert_allclose(share, math.log(9 * math.sqrt(99 / 19)) / np.log(1 / overlap), rtol=2e-4)
    assert share[overlap < 2e-12].max() < 0.112
    assert share[overlap > 0.009].min() > 0.65


@pytest.mark.parametrize("exponent", [2, 6])
def test_overlap_past_a_crossing_is_that_of_the_two_level_system(exponent: int) -> None:
    # V = diag(1, 1/2), ΔV = [[0, α], [α, 3/2]]: gap + a - e = -1, so u1 has overlap α(1 - 3α²/2 ...) with ũ1.
    alpha = 10.0**-exponent
    vectors = np.linalg.eigh(np.array([[1.0, alpha], [alpha, 2.0]]))[1]
    overlap = abs(vectors[0, -1])
    assert overlap < alpha
    assert overlap == pytest.approx(alpha * (1 - 1.5 * alpha**2), rel=1e-7)
