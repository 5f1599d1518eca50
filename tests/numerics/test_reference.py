"""The reference simulator against closed forms, so that it stands on its own."""

import math

import numpy as np
import pytest

from numerics.reference import attention_velocity, simulate_reference


def test_one_token_is_the_matrix_exponential():
    times = np.array([0.0, 0.7, 5.0])
    found = simulate_reference(np.array([[0.6, 0.8]]), np.ones((2, 2)), np.diag([1.0, 0.25]), times)
    exact = np.stack([0.6 * np.exp(times), 0.8 * np.exp(times / 4)], axis=1)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert np.abs(found[:, 0] - exact).max() < 1e-12


def test_kuramoto_pair():
    angle, time = 2.5, 1.3
    tokens = np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])
    found = simulate_reference(tokens, np.zeros((2, 2)), np.eye(2), np.array([time]))[0]
    closed = 1 / math.sqrt(1 + math.tan(angle / 2) ** 2 * math.exp(-2 * time))
    assert np.linalg.norm(found.mean(axis=0)) == pytest.approx(closed, abs=1e-12)


def test_velocity_by_hand():
    """Two tokens e1, e2 and A = [[0, log 3], [0, 0]]: token 1 weighs both alike, token 2 weighs e1 three times."""
    attention = np.array([[0.0, math.log(3)], [0.0, 0.0]])
    value = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = attention_velocity(np.eye(2), attention, value)
    # m1 = (1/2, 1/2): V m1 = (3/2, 7/2), its part along e2.  m2 = (3/4, 1/4): V m2 = (5/4, 13/4), along e1.
    assert np.abs(found - [[0, 3.5], [1.25, 0]]).max() < 1e-15


@pytest.mark.parametrize("entry", [np.inf, np.nan, 1e308])
def test_a_velocity_that_is_not_finite_is_an_error(entry):
    value = np.full((2, 2), entry)
    with pytest.raises(RuntimeError, match="not finite"), np.errstate(all="ignore"):
        simulate_reference(np.array([[0.6, 0.8]]), np.eye(2), value, np.array([1.0]))
