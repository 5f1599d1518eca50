"""The tableau against the order conditions of rooted trees, and the order measured on the attention flow."""

import math
from functools import cache

import numpy as np
import pytest
import torch

from numerics import dop853
from numerics.field import AttentionField, normalised
from numerics.linear_map import LinearMap
from numerics.reference import simulate_reference


@cache
def rooted_trees(order):
    """All rooted trees with this many nodes, each the sorted tuple of the trees at its root."""
    return tuple((*forest,) for forest in forests(order - 1, order - 1))


def forests(nodes, largest, first=None):
    """Multisets of trees with ``nodes`` nodes in all, as tuples in a fixed order, without repetition."""
    if nodes == 0:
        yield ()
        return
    candidates = [(k, i) for k in range(1, min(nodes, largest) + 1) for i in range(len(rooted_trees(k)))]
    for k, i in candidates:
        if first is None or (k, i) <= first:
            for rest in forests(nodes - k, largest, (k, i)):
                yield (rooted_trees(k)[i], *rest)


def size(tree):
    return 1 + sum(size(t) for t in tree)


def density(tree):
    return size(tree) * math.prod(density(t) for t in tree)


A = np.zeros((16, 16))
for _s, _row in enumerate(dop853.STAGE_WEIGHTS):
    for _j, _w in _row.items():
        A[_s, _j] = _w


@cache
def _phi(tree):
    result = np.ones(16)
    for t in tree:
        result = result * (A @ np.array(_phi(t)))
    return tuple(result)


def elementary_weights(tree):
    """Φ(tree) of every stage, products over the branches (Butcher)."""
    return np.array(_phi(tree))


def vector(row):
    return np.array([row.get(s, 0.0) for s in range(16)])


TREES = [t for order in range(1, 9) for t in rooted_trees(order)]


def test_all_trees_are_there():
    assert [len(rooted_trees(k)) for k in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]
    assert len(set(TREES)) == 200


def test_nodes_are_row_sums():
    assert np.abs(A.sum(axis=1) - dop853.NODES).max() < 1e-14


def test_solution_has_order_8_and_not_9():
    weights = vector(dop853.STAGE_WEIGHTS[12])
    for tree in TREES:
        assert abs(weights @ elementary_weights(tree) - 1 / density(tree)) < 1e-13
    worst = max(abs(weights @ elementary_weights(t) - 1 / density(t)) for t in rooted_trees(9))
    assert worst > 1e-7


@pytest.mark.parametrize(("row", "order"), [(dop853.ERROR_5, 5), (dop853.ERROR_3, 3)])
def test_embedded_formulas_have_their_order(row, order):
    def worst(k):
        return max(abs(vector(row) @ elementary_weights(t)) for t in rooted_trees(k))

    assert max(worst(k) for k in range(1, order + 1)) < 1e-13
    assert worst(order + 1) > 1e-5


def test_a_wrong_digit_in_the_table_is_seen():
    weights = vector(dop853.STAGE_WEIGHTS[12])
    weights[7] *= 1 + 1e-9
    assert max(abs(weights @ elementary_weights(t) - 1 / density(t)) for t in TREES) > 1e-11


def _interpolant_weights(theta):
    """b(θ), read off by feeding unit vectors as stages through the code of the interpolant."""
    table = dop853.tableau(torch.float64, torch.device("cpu"))
    unit = torch.eye(16, dtype=torch.float64).view(16, 1, 16, 1)
    given = iter([*(unit[s] for s in range(1, 12)), *(unit[s] for s in (13, 14, 15))])
    zero, one = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    y, stages = torch.zeros(1, 16, 1, dtype=torch.float64), torch.empty(16, 1, 16, 1, dtype=torch.float64)

    def field(_t, _y):
        return next(given)

    y_new, _, _ = dop853.trial_step(field, zero, y, unit[0], one, stages, table)
    coefficients = dop853.interpolant(field, zero, y, y_new, unit[12], one, stages, table)
    return dop853.interpolate(y, coefficients, torch.full((1,), theta, dtype=torch.float64))[0, :, 0].numpy()


@pytest.mark.parametrize("theta", [0.0, 0.13, 0.5, 0.77, 1.0])
def test_interpolant_has_order_7_everywhere_in_the_step(theta):
    weights = _interpolant_weights(theta)
    for tree in TREES[:85]:  # orders 1 to 7
        assert abs(weights @ elementary_weights(tree) - theta ** size(tree) / density(tree)) < 1e-12
    if theta == 0.5:
        errors = [weights @ elementary_weights(t) - 0.5**8 / density(t) for t in rooted_trees(8)]
        assert max(map(abs, errors)) > 1e-8


def _fixed_steps(field, y, steps, end, between):
    """States after each fixed step, and interpolated at the fractions ``between`` of each."""
    table, h = dop853.tableau(y.dtype, y.device), y.new_full((y.shape[0],), end / steps)
    stages, t, slope = y.new_empty(16, *y.shape), y.new_zeros(y.shape[0]), field(y.new_zeros(y.shape[0]), y)
    inner = []
    for _ in range(steps):
        y_new, _, _ = dop853.trial_step(field, t, y, slope, h, stages, table)
        slope_new = field(t + h, y_new)
        coefficients = dop853.interpolant(field, t, y, y_new, slope_new, h, stages, table)
        inner += [dop853.interpolate(y, coefficients, torch.full_like(t, c)) for c in between]
        t, y, slope = t + h, y_new, slope_new
    return y, torch.stack(inner, dim=1)


def _reference(instance, x, a, v, time):
    """The other simulator's tokens (1, n, d) for one instance at one time."""
    return simulate_reference(x[instance].numpy(), a[instance].numpy(), v[instance].numpy(), np.array([time]))


def test_order_of_convergence_on_the_attention_flow():
    batch, counts, end = 40, [8, 10, 12, 14], 3.0
    g = torch.Generator().manual_seed(1)
    x = normalised(torch.randn(batch, 4, 3, generator=g, dtype=torch.float64))
    a, v = torch.randn(2, batch, 3, 3, generator=g, dtype=torch.float64).unbind(0)
    field = AttentionField(LinearMap(a), LinearMap(v))
    fractions = (0.3, 0.6)
    exact = np.stack([_reference(b, x, a, v, end) for b in range(batch)])
    errors, inner_errors = [], []
    for steps in counts:
        found, inner = _fixed_steps(field, x, steps, end, fractions)
        errors.append(np.abs(found.numpy() - exact[:, 0]).max(axis=(1, 2)))
        last = end * (steps - 1 + fractions[-1]) / steps
        between = np.stack([_reference(b, x, a, v, last) for b in range(8)])
        inner_errors.append(np.abs(inner[:8, -1].numpy() - between[:, 0]).max(axis=(1, 2)))
    assert np.median(errors, axis=1).min() > 1e-11, "below the reference's own error nothing is measured"
    # One instance may pass a zero of its leading error term: the geometric mean over the instances does not.
    slope, inner_slope = (np.polyfit(-np.log(counts), np.log(e).mean(axis=1), 1)[0] for e in (errors, inner_errors))
    assert abs(slope - 8) < 0.3
    assert inner_slope > 7 - 0.3


def test_error_norm_is_hairers_on_one_row_and_not_a_number_for_overflow():
    y = torch.zeros(2, 1, 1, dtype=torch.float64)
    y_new = torch.tensor([2.0, math.inf], dtype=torch.float64).view(2, 1, 1)
    error_5, error_3 = torch.full_like(y, 3e-6), torch.full_like(y, 4e-5)
    scaled, absolute = dop853.error_norm(y, y_new, error_5, error_3, 1e-6, 1e-6)
    expected = 9e-12 / math.sqrt(9e-12 + 0.01 * 16e-10)
    assert absolute[0] == pytest.approx(expected)
    assert scaled[0] == pytest.approx(expected / 3e-6)
    assert scaled[1].isnan()
    rest = dop853.error_norm(y, y, y, y, 1e-6, 1e-6)
    assert rest[0].tolist() == [0.0, 0.0]
