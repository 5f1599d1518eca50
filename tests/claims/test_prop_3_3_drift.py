"""prop-3.3/drift: the angle between u1 and ũ1 is at most θ_b, and the bound is attained."""

import numpy as np
import pytest
from claim_properties import compare, holds_on, refuted_controls, sharp_constants
from hypothesis import given, settings

from proofs_checks.sampler import Batch
from proofs_checks.strategies import instances

pytestmark = pytest.mark.claim("prop-3.3/drift")
ID = "prop-3.3/drift"


def test_holds_on_eigenvectors() -> None:
    assert holds_on(ID, "spectral", examples=80) >= 0.5


def test_holds_on_converged_tokens_and_in_w2() -> None:
    assert holds_on(ID, "converged", examples=15, d=3, n=4) >= 0.5


@settings(max_examples=10, deadline=None, derandomize=True, database=None)
@given(instances("converged", n=4, d=3, update="blocks"))
def test_tokens_and_eigenvectors_tell_the_same_drift(batch: Batch) -> None:
    eigenvectors, tokens, w2 = compare(ID, batch)
    assert bool(tokens.usable), "the tokens have not converged well enough to be compared"
    assert bool(w2.usable)
    assert abs(float(tokens.observed - eigenvectors.observed)) <= float(tokens.error + eigenvectors.error)
    assert abs(float(w2.observed - eigenvectors.observed)) <= float(w2.error + eigenvectors.error)


def test_one_percent_smaller_is_refuted() -> None:
    assert refuted_controls(ID, "spectral", collapse=0) == sharp_constants(ID)


@pytest.mark.parametrize(("a", "b", "e"), [(0.0, 0.3, 0.2), (0.5, 1.0, 0.0), (-0.4, 0.05, 0.5)])
def test_attained_in_the_plane(a: float, b: float, e: float) -> None:
    # V = diag(1, 0), E = e >= 0: the 2×2 eigenvector has tan 2θ = 2b/(1 + a - e) exactly.
    V, dV = np.diag([1.0, 0.0]), np.array([[a, b], [b, e]])
    vector = np.linalg.eigh(V + dV)[1][:, -1]
    angle = np.arctan2(abs(vector[1]), abs(vector[0]))
    assert angle == pytest.approx(0.5 * np.arctan2(2 * b, 1 + a - e), rel=1e-13)
