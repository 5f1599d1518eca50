"""When a reading breaks a claim, and its distances, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from proofs_checks.relax import readings
from proofs_checks.relax.readings import Reading

# Measured 1 and 1.01: they differ by 0.01, so that the nearer of the two must be beyond the bound by more than 0.1.
TWO = (1.0, 1.01)


@pytest.mark.parametrize(
    ("relation", "bound", "violated"),
    [
        ("<=", 0.89, True), ("<=", 0.905, False), ("<=", 1.2, False),
        (">=", 1.12, True), (">=", 1.105, False), (">=", 0.8, False),
        ("==", 0.89, True), ("==", 0.905, False), ("==", 1.005, False), ("==", 1.105, False), ("==", 1.12, True),
    ],
)  # fmt: skip
def test_a_violation_is_beyond_ten_errors_in_every_measurement(relation: str, bound: float, violated: bool) -> None:
    for measured in (TWO, TWO[::-1]):
        found = Reading(measured, bound, relation).confirmation()
        assert found.violated == violated
        assert found.error == pytest.approx(0.01)


def test_methods_that_agree_leave_the_error_that_is_charged() -> None:
    # 1e-3 of the larger of bound and measurement
    assert not Reading((2.0, 2.0), 1.99, error=1e-3).confirmation().violated
    assert Reading((2.0, 2.0), 1.97, error=1e-3).confirmation().violated


def test_angles_whatever_the_lengths() -> None:
    first = np.array([[1.0, 0.0], [0.0, 2.0]])
    second = np.array([[0.0, 3.0], [0.0, 1.0]])
    assert readings._max_between(first, second) == pytest.approx(math.pi / 2, rel=1e-15)
    assert readings._max_chord(first, second) == pytest.approx(math.sqrt(10), rel=1e-15)
    opposite = np.array([[-1.0, 1e-9], [0.0, 1.0]])
    assert readings._max_between(first, opposite) == pytest.approx(math.pi - 1e-9, abs=1e-15)
    assert readings._max_angle(first, np.array([0.6, 0.8])) == pytest.approx(math.acos(0.6), rel=1e-14)


def test_w_infinity_is_over_all_matchings() -> None:
    cloud = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    turned = np.array([[0.0, 1.0], [-1.0, 0.0], [0.8, 0.6]])  # the same but for one token, which moved by atan(3/4)
    assert readings._w_infinity(cloud, turned, readings._max_between) == pytest.approx(math.atan(0.75), rel=1e-14)
    assert readings._w_infinity(cloud, turned, readings._max_chord) == pytest.approx(math.sqrt(0.4), rel=1e-14)


def test_the_bound_of_no_growth_is_its_limit() -> None:
    """V = 0 beside ||ΔV|| = 1/2: K = 0, δ = 1/2, and the angle may grow along a straight line."""
    values = {
        "V_norm": 0.0, "A_norm": 0.0, "perturbed_V_norm": 0.5, "perturbed_A_norm": 0.0, "dV_norm": 0.5,
        "dA_norm": 0.0, "initial_angle": 0.25, "t": 3.0,
    }  # fmt: skip
    assert readings._grown(readings.prop_3_1.INITIAL_BOUND, values) == pytest.approx(0.25 + 0.5 * 3)
