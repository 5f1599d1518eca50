"""The search for the tolerable norm, on curves whose crossing is known."""

from __future__ import annotations

import math

import pytest

from proofs_checks.experiment.tolerance import CLOSE, MOST, Search, tolerable


@pytest.mark.parametrize("power", [1, 2, 4])
@pytest.mark.parametrize("start", [0.01, 1.0, 40.0])
def test_power_laws(power: int, start: float) -> None:
    """c x^p reaches 0.1 at x = 2 where c = 0.1 / 2^p."""
    found, count = tolerable(lambda x: 0.1 * (x / 2) ** power, start)
    if start == 1.0:
        assert found == pytest.approx(2, rel=CLOSE)
    assert found == pytest.approx(2, rel=0.2)
    assert count <= MOST


@pytest.mark.parametrize("power", [1, 2, 4])
def test_a_power_law_is_met_by_one_interpolation(power: int) -> None:
    """Between 1.3 and 2.6 it is a straight line in log-log, so the third norm is the crossing."""
    found, count = tolerable(lambda x: 0.1 * (x / 2) ** power, 1.3)
    assert found == pytest.approx(2, rel=1e-12)
    assert count == 3


def test_a_curve_that_first_helps() -> None:
    """-0.05 x + 0.05 x² is negative below 1 and reaches 0.1 at x = 2."""
    found, _ = tolerable(lambda x: -0.05 * x + 0.05 * x**2, 0.25)
    assert found == pytest.approx(2, rel=CLOSE)


def test_a_curve_that_never_reaches_the_level() -> None:
    found, count = tolerable(lambda x: 0.0 * x, 1.0)
    assert math.isnan(found)
    assert count == MOST


def test_layers_are_nested_and_differ_by_seed() -> None:
    few, many = (set(Search(0, "tied", "v", k).layers(30)) for k in (3, 10))
    assert few < many
    assert len(few) == 3
    assert few != set(Search(1, "tied", "v", 3).layers(30))
    assert Search(5, "tied", "v", 30).layers(30) == tuple(range(30))
