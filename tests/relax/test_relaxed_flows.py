"""The relaxed simulators against exact solutions and against the simulators that they generalise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from numerics.reference import simulate_reference
from numerics.relaxed import Network, flow, flow_again, layers

ZERO = np.zeros((2, 2))
V = np.array([[1.0, 0.3], [-0.2, 0.5]])
A = np.array([[2.0, 0.0], [1.0, -1.0]])
TOKENS = np.array([[0.6, 0.8], [-0.8, 0.6], [1.0, 0.0]])


@pytest.mark.parametrize("run", [flow, flow_again])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("sphere", [False, True])
def test_one_head_is_the_flow_of_the_theorems(run, causal: bool, sphere: bool) -> None:
    found = run([(Network(((A, V),), causal=causal, sphere=sphere), 1.5)], TOKENS)
    expected = simulate_reference(TOKENS, A, V, np.array([1.5]), sphere=sphere, causal=causal)[0]
    assert np.abs(found - expected).max() < 1e-10


@pytest.mark.parametrize("run", [flow, flow_again])
def test_two_heads_of_one_token_add_up(run) -> None:
    other = np.array([[0.0, 2.0], [-1.0, 0.0]])
    found = run([(Network(((A, V), (ZERO, other))), 0.7)], TOKENS[:1])[0]
    exact = expm(0.7 * (V + other)) @ TOKENS[0]
    assert found == pytest.approx(exact / np.linalg.norm(exact), abs=1e-10)


@pytest.mark.parametrize("run", [flow, flow_again])
def test_a_linear_mlp_adds_its_matrix(run) -> None:
    """relu(x) - relu(-x) = x."""
    M = np.array([[0.5, 1.0], [0.0, -1.0]])
    mlp = (np.vstack([np.eye(2), -np.eye(2)]), np.hstack([M, -M]))
    found = run([(Network(((A, V),), mlp, sphere=False), 0.7)], TOKENS[:1])[0]
    assert found == pytest.approx(expm(0.7 * (V + M)) @ TOKENS[0], abs=1e-10)


@pytest.mark.parametrize("run", [flow, flow_again])
def test_weights_that_change_act_one_after_the_other(run) -> None:
    other = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = run([(Network(((A, V),)), 0.4), (Network(((A, other),)), 0.6)], TOKENS[:1])[0]
    exact = expm(0.6 * other) @ expm(0.4 * V) @ TOKENS[0]
    assert found == pytest.approx(exact / np.linalg.norm(exact), abs=1e-10)


def test_layers_tend_to_the_flow_with_order_one() -> None:
    network = Network(((A, V),), (np.array([[1.0, -1.0]]), np.array([[0.5], [0.2]])))
    exact = flow([(network, 1.0)], TOKENS)
    errors = [np.abs(layers([network] * L, 1 / L, TOKENS) - exact).max() for L in (200, 400)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)


def test_no_direction_left_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no direction"):
        layers([Network(((ZERO, -np.eye(2)),))], 1.0, TOKENS[:1])
