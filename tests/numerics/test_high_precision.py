"""High-precision measurements against closed forms and planted frames."""

from fractions import Fraction as F

import numpy as np
import pytest
from mpmath import mp

from numerics import double_precision, high_precision
from numerics.high_precision import (
    NoRealLeadingEigenvalue,
    agreement,
    basin,
    drift,
    frame,
    leading_eigenpair,
    operator_norm,
    perpendicular_spectrum,
    settle,
    split,
    to_matrix,
)


def test_leading_pair_of_two_by_two_at_a_gap_of_1e_300_matches_the_half_angle_formula():
    with mp.workdps(800):
        gap = mp.mpf(10) ** -300
        pair = leading_eigenpair(mp.matrix([[1, 3 * gap], [3 * gap, 1 - gap]]), True)
        exact = mp.atan2(6 * gap, gap) / 2
        assert abs(mp.atan(pair.vector[1] / pair.vector[0]) - exact) < mp.mpf(10) ** -400
        assert abs(pair.gap - gap * mp.sqrt(37)) < gap * mp.mpf(10) ** -400


def test_nonsymmetric_pair_has_left_and_right_vectors():
    with mp.workdps(40):
        pair = leading_eigenpair(mp.matrix([[1.5, 2], [0, 0.5]]), False)  # right e1, left (1, 2)
        assert abs(pair.vector[0]) == pytest.approx(1, abs=1e-30)
        assert float(pair.left[1] / pair.left[0]) == pytest.approx(2, rel=1e-30)
        assert high_precision.inner(pair.left, pair.vector) > 0


@pytest.mark.parametrize("backend", [high_precision, double_precision])
def test_complex_leading_pair_is_refused(backend):
    rows = [[0, 1, 0], [-1, 0, 0], [0, 0, -1]]
    matrix = mp.matrix(rows) if backend is high_precision else np.array(rows, dtype=float)
    with pytest.raises(NoRealLeadingEigenvalue):
        backend.leading_eigenpair(matrix, False)


@pytest.mark.parametrize("first", [0.6, -0.6, 0.0])
def test_frame_is_orthogonal_with_the_vector_first(first):
    with mp.workdps(30):
        u = [mp.mpf(first), mp.mpf(0), mp.sqrt(1 - mp.mpf(first) ** 2)]
        q = frame(u)
        assert high_precision.norm(list(q.T * q - mp.eye(3))) < 1e-28
        assert [q[i, 0] for i in range(3)] == u


def test_operator_norm_of_a_nonsymmetric_matrix():
    with mp.workdps(30):
        assert operator_norm(mp.matrix([[0, 3], [0, 0]])) == 3  # singular values 3, 0; eigenvalues 0, 0


def planted_blocks(backend):
    """Blocks chosen in the frame of a rational orthogonal matrix; V and ΔV dense."""
    q = [[F(1, 3), F(2, 3), F(2, 3)], [F(2, 3), F(1, 3), F(-2, 3)], [F(2, 3), F(-2, 3), F(1, 3)]]
    inner_v = [[F(2), F(0), F(0)], [F(0), F(1), F(0)], [F(0), F(0), F(1, 2)]]
    inner_d = [[F(1, 7), F(1, 5), F(0)], [F(3, 10), F(2, 5), F(1, 10)], [F(2, 5), F(1, 10), F(-1, 4)]]

    def dense(m):
        return [
            [sum((q[i][k] * m[k][n] * q[j][n] for k in range(3) for n in range(3)), F(0)) for j in range(3)]
            for i in range(3)
        ]

    v, dv = dense(inner_v), dense(inner_d)
    if backend is high_precision:
        return to_matrix(v), to_matrix(dv)
    return np.array(v, dtype=float), np.array(dv, dtype=float)


@pytest.mark.parametrize(("backend", "accuracy"), [(high_precision, 1e-25), (double_precision, 1e-13)])
def test_blocks_are_those_planted(backend, accuracy):
    with mp.workdps(30):
        v, dv = planted_blocks(backend)
        blocks = backend.split(v, dv, backend.leading_eigenpair(v, True), True)
        assert abs(blocks.lambda_1 - 2) < accuracy
        assert abs(blocks.a - mp.mpf(1) / 7) < accuracy
        assert abs(high_precision.norm(blocks.b) - mp.mpf("0.5")) < accuracy  # (3/10, 4/10)
        assert abs(high_precision.norm(blocks.c) - mp.mpf("0.2")) < accuracy
        root = mp.sqrt((mp.mpf("0.65")) ** 2 / 4 + mp.mpf("0.01"))  # E = [[.4, .1], [.1, -.25]]
        assert abs(blocks.E_norm - (mp.mpf("0.075") + root)) < accuracy
        whole = mp.mpf("0.825") + mp.sqrt(mp.mpf("1.15") ** 2 / 4 + mp.mpf("0.01"))  # [[1.4, .1], [.1, .25]]
        assert abs(blocks.kappa() - whole) < accuracy


def test_perpendicular_spectrum_gives_back_b_and_the_trace():
    with mp.workdps(40):
        v, dv = planted_blocks(high_precision)
        dv = (dv + dv.T) / 2
        blocks = split(v, dv, leading_eigenpair(v, True), True)
        mu, alpha = perpendicular_spectrum(blocks)
        assert abs(mp.fsum(mu) - mp.mpf("1.65")) < 1e-35
        assert abs(high_precision.norm(alpha) - high_precision.norm(blocks.b)) < 1e-35


def test_drift_keeps_its_digits_for_a_tiny_angle():
    with mp.workdps(60):
        tiny = mp.mpf(10) ** -50
        moved = drift([mp.one, mp.zero], [mp.sqrt(1 - tiny**2), tiny])
        assert abs(moved.chord / tiny - 1) < 1e-50  # 1 - cosine would keep no digit at all
        assert abs(moved.tan_squared / tiny**2 - 1) < 1e-50


def test_basin_of_a_triangular_matrix():
    with mp.workdps(30):
        matrix = mp.matrix([[1.5, 2], [0, 0.5]])
        found = basin(matrix, leading_eigenpair(matrix, False), False)
        assert abs(found.separation - 1) < 1e-25
        assert abs(found.c_norm - 2) < 1e-25


def test_agreement_counts_digits():
    assert agreement(mp.mpf("1.00001"), mp.mpf(1)) == pytest.approx(5, abs=0.01)
    assert agreement(None, None) == mp.inf
    assert agreement(mp.mpf(1), None) == 0


def root_of_gap():
    """A number that needs twice the digits of 1e-60: sqrt((1 + 1e-120) - 1)."""
    x = mp.sqrt((mp.one + mp.mpf(10) ** -120) - 1)
    return {"x": x, "margin": mp.pi - 4 * mp.atan(1), "scale": mp.one, "smallest": mp.one}


def test_settle_raises_the_precision_until_the_number_is_there():
    found = settle(root_of_gap, 20, nonzero=("x",), margins=("margin",))
    assert abs(found.values["x"] * mp.mpf(10) ** 60 - 1) < mp.mpf(10) ** -14
    assert found.working_digits > 120
    assert found.ties == {"margin"}


def test_settle_without_that_knowledge_would_believe_in_zero():
    """Why ``nonzero`` exists: two low precisions agree on a zero that is none."""
    assert settle(root_of_gap, 20, margins=("margin",)).values["x"] == 0


def test_settle_says_what_did_not_settle():
    def never():
        return {"x": mp.mpf(mp.dps), "scale": mp.one, "smallest": mp.one}

    assert settle(never, 10, limit=400).unsettled == {"x"}
