"""The relaxed simulators against exact solutions and against the simulators that they generalise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from numerics.adapters import AdapterLaw
from numerics.reference import simulate_reference
from numerics.relaxed import Network, flow, layers, square_by_covariance, square_by_innovations
from numerics.relaxed_batch import flow_again

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


@pytest.mark.parametrize("run", [flow, flow_again])
def test_before_the_block_a_rotation_turns_a_long_token_slowly(run) -> None:
    """x' = J x/|x| keeps |x|, and the angle is t/|x|."""
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    found = run([(Network(((A, turn),), sphere=False, pre_norm=True), 0.7)], np.array([[2.0, 0.0]]))[0]
    assert found == pytest.approx(2 * np.array([np.cos(0.35), np.sin(0.35)]), abs=1e-10)


@pytest.mark.parametrize("run", [flow, flow_again])
def test_before_the_block_an_eigenvector_grows_linearly(run) -> None:
    found = run([(Network(((A, np.diag([3.0, 1.0])),), sphere=False, pre_norm=True), 0.5)], np.array([[0.25, 0.0]]))[0]
    assert found == pytest.approx([0.25 + 1.5, 0.0], abs=1e-10)


def test_before_the_block_both_integrators_agree_and_layers_tend_to_them() -> None:
    mlp = (np.array([[1.0, -1.0]]), np.array([[0.5], [0.2]]))
    network = Network(((A, V), (ZERO, V.T)), mlp, causal=True, sphere=False, pre_norm=True)
    tokens = TOKENS * np.array([[0.5], [1.0], [2.0]])
    exact = flow([(network, 1.0)], tokens)
    assert np.abs(exact - flow_again([(network, 1.0)], tokens)).max() < 1e-10
    errors = [np.abs(layers([network] * L, 1 / L, tokens) - exact).max() for L in (200, 400)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)


def test_before_and_after_the_block_are_the_same_for_one_layer_of_unit_tokens() -> None:
    after, before = (layers([Network(((A, V),), sphere=s, pre_norm=not s)], 0.5, TOKENS) for s in (True, False))
    assert before / np.linalg.norm(before, axis=1, keepdims=True) == pytest.approx(after, abs=1e-15)


RESPONSES = np.random.default_rng(3).normal(size=(5, 9, 2))


@pytest.mark.parametrize("rho", [0.0, 0.25, 0.9, 1.0])
def test_both_squares_of_correlated_adapters_agree(rho: float) -> None:
    found = [square(RESPONSES, rho) for square in (square_by_covariance, square_by_innovations)]
    assert found[0] == pytest.approx(found[1], rel=1e-13)


def test_the_ends_are_independent_and_tied_adapters() -> None:
    assert square_by_covariance(RESPONSES, 0.0) == pytest.approx((RESPONSES**2).sum(), rel=1e-13)
    assert square_by_covariance(RESPONSES, 1.0) == pytest.approx((RESPONSES.sum(axis=0) ** 2).sum(), rel=1e-13)


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_the_square_is_the_mean_over_drawn_adapters(rho: float) -> None:
    """By the adapters of the layered simulator, which share no code with the response."""
    stream = AdapterLaw("ar1", scale=3.0, correlation=rho).layers(40_000, 3, torch.Generator().manual_seed(4))
    drawn = np.stack([next(stream).to_dense(40_000, 3).numpy().reshape(-1, 9) for _ in RESPONSES])
    squares = (np.einsum("lbe,lep->bp", drawn, RESPONSES) ** 2).sum(axis=1)
    standard_error = squares.std() / len(squares) ** 0.5
    expected = square_by_covariance(RESPONSES, rho)
    assert standard_error < 0.02 * expected
    assert abs(squares.mean() - expected) < 5.5 * standard_error
