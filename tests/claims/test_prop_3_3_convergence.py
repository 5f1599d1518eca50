"""prop-3.3/convergence: tokens in the hemisphere of u1 converge at rate gap*."""

import numpy as np
import pytest
import torch
from claim_properties import holds_on, refuted_controls, sharp_constants

from numerics.flow import simulate

pytestmark = pytest.mark.claim("prop-3.3/convergence")
ID = "prop-3.3/convergence"


def test_holds_with_symmetric_updates() -> None:
    assert holds_on(ID, "criterion") >= 0.5


def test_holds_whatever_the_attention() -> None:
    assert holds_on(ID, "cone", base="symmetric", attention="general", beta=5.0, n=8) >= 0.5


def test_one_percent_faster_is_refuted() -> None:
    assert refuted_controls(ID, "criterion", n=1, tokens="planar") == sharp_constants(ID)


def test_rate_is_attained_by_one_token_in_the_plane_of_u1_and_u2() -> None:
    # e^{tV} x0 / |...| with V = diag(2, 1/2): the tangent is multiplied by e^{-3t/2} exactly.
    tokens = torch.tensor([[[0.6, 0.8]]], dtype=torch.float64)
    V = torch.diag(torch.tensor([2.0, 0.5], dtype=torch.float64)).unsqueeze(0)
    times = torch.tensor([[0.5, 1.0]], dtype=torch.float64)
    states = simulate(tokens, V, V, times).states[0, :, 0].numpy()
    tangent = states[:, 1] / states[:, 0]
    np.testing.assert_allclose(tangent, 0.8 / 0.6 * np.exp(-1.5 * times[0].numpy()), rtol=1e-9)


def test_fails_without_the_dominant_gap() -> None:
    # V = diag(1, -2), two tokens on either side of u1: gap = 3, gap* = -1, and the angle grows.
    q = np.sqrt(0.98)
    tokens = torch.tensor([[[np.sqrt(1 - q**2), q], [np.sqrt(1 - q**2), -q]]])
    V = torch.diag(torch.tensor([1.0, -2.0], dtype=torch.float64)).unsqueeze(0)
    states = simulate(tokens, V, V, torch.tensor([[2.0]], dtype=torch.float64)).states[0, 0]
    assert float(states[0, 0]) < np.sqrt(1 - q**2)
