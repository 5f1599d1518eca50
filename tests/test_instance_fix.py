"""The largest safe scale, re-analysed just below and above; the projection against its defining properties."""

from fractions import Fraction as F

import numpy as np
import pytest

from proofs_checks.instance_analysis import analyse
from proofs_checks.instance_file import Instance
from proofs_checks.instance_fix import fix

DIAGONAL = [[1.5, 0], [0, 0.5]]
SKEW_DENSE = [[0.02, 0.1, -0.05], [0.3, 0.1, 0.2], [-0.1, 0.25, -0.3]]
BASE_DENSE = [[1.5, 0.2, 0.1], [0.2, 0.7, -0.1], [0.1, -0.1, 0.3]]


def mended(V, dV, **fields):
    instance = Instance.from_arrays(V=V, dV=dV, **fields)
    return instance, fix(instance, analyse(instance))


def scaled_verdict(instance, factor):
    scale = F(repr(float(factor)))
    dV = tuple(tuple(scale * x for x in row) for row in instance.dV)
    return analyse(Instance(instance.V, dV, X0=instance.X0, options=instance.options)).verdict


CASES = {
    "symmetric": (DIAGONAL, [[0, 0.45], [0.45, 3]], {}),
    "symmetric with a < 0": (DIAGONAL, [[-1, 0.45], [0.45, 0]], {}),
    "non-symmetric": (BASE_DENSE, SKEW_DENSE, {}),
    "non-symmetric base": ([[2, 0.3], [0, 0.5]], [[0, 0.4], [0.7, 1]], {}),
    "tokens": (DIAGONAL, [[0, 0.45], [0.45, 0]], {"X0": [[0.3, -np.sqrt(0.91)], [0.6, 0.8]]}),
    "tokens, non-symmetric": (DIAGONAL, [[0, 2], [0, 0]], {"X0": [[0.4, -np.sqrt(0.84)]]}),
    "tiny gap": ([["1", 0], [0, "0.99999999999999999999999999999999999999999"]], [[0, 1], [1, 0.5]], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_scale_is_the_boundary(case):
    V, dV, fields = CASES[case]
    instance, found = mended(V, dV, **fields)
    assert found.scale > 0
    assert scaled_verdict(instance, found.scale * (1 - 1e-6)) == "safe"
    assert scaled_verdict(instance, found.scale * (1 + 1e-6)) != "safe"


def test_scales_known_in_closed_form():
    _, found = mended(DIAGONAL, [[0, 0.45], [0.45, 3]])
    assert float(found.scale) == pytest.approx(1 / 3, rel=1e-11)  # gap* = s |E|; the cone fails earlier
    _, found = mended(DIAGONAL, [[0, 2], [0, 0]], X0=[[0.6, -0.8]])
    assert float(found.scale) == pytest.approx(0.375, rel=1e-11)  # ϑ = 4/3 < t+ = S/(2s), S = 1
    _, found = mended(DIAGONAL, [[0, 0.45], [0.45, 0]], X0=[[0.6, -0.8]])
    angle = 2 * np.arcsin(0.6)
    assert float(found.scale) == pytest.approx(np.tan(angle) / 0.9, rel=1e-11)  # sin θ_b = γ


def test_scale_ends_before_an_unsafe_stretch_of_a_nonsymmetric_base():
    """c(s) = 0.34 (1 - s), b = 3 s, S = 1: unsafe for s about 1/2, safe again near 1 (|c| = 0 there)."""
    instance, found = mended([[1.5, 0.34], [0, 0.5]], [[0, -0.34], [3, 0]])
    assert float(found.scale) == pytest.approx((1 - np.sqrt(1 - 1 / 1.02)) / 2, rel=1e-11)
    assert scaled_verdict(instance, 0.5) != "safe"
    assert scaled_verdict(instance, 0.9) == "safe"


@pytest.mark.parametrize("dV", [[[1, 0.3], [0.3, 0.5]], [[0, 0], [0, 0]], [[2, 0], [0, -1]]])
def test_unlimited_scale_is_none(dV):
    instance, found = mended(DIAGONAL, dV)
    assert found.scale is None
    assert found.reason == ""
    assert scaled_verdict(instance, 1e6) == "safe"


def test_no_scale_is_safe_where_the_base_is_not():
    _, found = mended([[1, 0], [0, -2]], [[0, 0.1], [0.1, 0]])
    assert found.scale == 0
    assert "base" in found.reason
    _, found = mended(DIAGONAL, [[0, 0.1], [0.1, 0]], X0=[[0.6, 0.8], [-0.8, 0.6]])
    assert found.scale == 0
    assert "X0" in found.reason


def test_projection_is_the_nearest_matrix_without_b_and_c():
    instance, found = mended(BASE_DENSE, SKEW_DENSE)
    assert found.projected_dV is not None
    projected = np.array([[float(x) for x in row] for row in found.projected_dV])
    u = np.linalg.eigh(np.array(BASE_DENSE))[1][:, -1]
    perp = np.eye(3) - np.outer(u, u)
    assert np.abs(perp @ projected @ u).max() < 1e-15
    assert np.abs(perp @ projected.T @ u).max() < 1e-15
    removed = np.array(SKEW_DENSE) - projected
    rng = np.random.default_rng(0)
    for _ in range(5):  # what is removed is orthogonal to every matrix with b = c = 0: so nothing is nearer
        m = rng.normal() * np.outer(u, u) + perp @ rng.normal(size=(3, 3)) @ perp
        assert abs(np.sum(removed * m)) < 1e-14
    again = analyse(Instance.from_arrays(V=BASE_DENSE, dV=projected))
    assert float(again.values["cone_margin"]) == pytest.approx(float(found.projected_margin), abs=1e-12)
    assert (again.verdict == "safe") == found.projected_safe
    assert instance.d == 3


def test_projection_of_a_symmetric_update_is_symmetric_and_scaled_where_not_safe():
    instance, found = mended(DIAGONAL, [[0, 0.45], [0.45, 3]])
    assert [[float(x) for x in row] for row in found.projected_dV or []] == [[0, 0], [0, 3]]
    assert not found.projected_safe
    assert float(found.projected_scale) == pytest.approx(1 / 3, rel=1e-11)
    assert instance.d == 2


def test_float64_above_24_dimensions_finds_the_boundary_too():
    d = 26
    V = np.diag([2.0, *np.linspace(1, 0, d - 1)])
    update = np.zeros((d, d))
    update[1, 1] = 4
    instance, found = mended(V, update)
    assert float(found.scale) == pytest.approx(1 / 4, rel=1e-9)  # 1 + 4 s < 2
    assert scaled_verdict(instance, 0.25 * (1 - 1e-6)) == "safe"


def test_degenerate_base_has_no_fix():
    _, found = mended([[1, 0], [0, 1]], [[0, 1], [1, 0]])
    assert (found.scale, found.projected_dV) == (None, None)
    assert "multiple" in found.reason
