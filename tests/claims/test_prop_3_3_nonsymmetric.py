"""prop-3.3/nonsymmetric: the cone theorem for any V + ΔV and any u."""

import numpy as np
import pytest
import torch
from claim_properties import holds_on, refuted_controls, sharp_constants
from hypothesis import given, settings

from numerics import spectral
from numerics.flow import simulate
from proofs_checks.sampler import Batch
from proofs_checks.strategies import instances

pytestmark = pytest.mark.claim("prop-3.3/nonsymmetric")
ID = "prop-3.3/nonsymmetric"


def test_holds_for_products_of_factors() -> None:
    assert holds_on(ID, "cone") >= 0.5


def test_holds_for_a_general_base_about_any_direction() -> None:
    assert holds_on(ID, "cone", base="general", attention="general") >= 0.5


def test_holds_for_symmetric_updates() -> None:
    assert holds_on(ID, "criterion") >= 0.3


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, "cone", n=1, d=2, update="aligned", tokens="planar") == sharp_constants(ID)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(instances("cone", n=2, d=3, base="psd", level=0.5, horizon=2.5))
def test_the_leading_eigenvalue_is_real_simple_and_dominant(batch: Batch) -> None:
    pair = spectral.leading_eigenvector_general(batch.V + batch.dV)
    assert bool(pair.real_simple.all())
    assert bool((pair.dominant_gap > 0).all())
    assert bool((pair.value > 0).all())


@pytest.mark.parametrize("S", [0.2, 1.0, 1.9])
def test_sharp_below_the_discriminant_a_token_turns_for_ever(S: float) -> None:
    # V + ΔV = [[S, 1], [-1, 0]]: bc = -1, 0 < S < 2 sqrt|bc|. The eigenvalues are complex; a token turns once in
    # 2π/sqrt(1 - S²/4), so after that time it is back where it started.
    matrix = torch.tensor([[[S, 1.0], [-1.0, 0.0]]], dtype=torch.float64)
    assert not bool(spectral.leading_eigenvector_general(matrix).real_simple)
    period = 2 * np.pi / np.sqrt(1 - S**2 / 4)
    times = torch.tensor([[period / 2, period]], dtype=torch.float64)
    tokens = torch.tensor([[[0.6, 0.8]]], dtype=torch.float64)
    half, full = simulate(tokens, matrix, matrix, times).states[0, :, 0].numpy()
    np.testing.assert_allclose(half, [-0.6, -0.8], atol=1e-8)
    np.testing.assert_allclose(full, [0.6, 0.8], atol=1e-8)
