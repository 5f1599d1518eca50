"""What statistical claims rest on: standard errors, the size of the interval, and the second look."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist

import pytest
import torch

from proofs_checks.statistics import COMPARISONS, Estimate, Z, mean_and_error, measured, statistical_row
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS

CLAIM = CLAIMS["thm-4.2/two-level"]
NAMES = [t.name for t in CLAIM.tightenings]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(Store(tmp_path), seed=5)


def estimate(
    mean: float, *, error: float = 1.0, upper: bool = False, wrong: dict[str, float] | None = None
) -> Estimate:
    return Estimate("a mean", mean, error, 0.0, 400, upper, wrong or {})


def test_false_alarms_of_a_whole_run_are_below_one_in_a_million() -> None:
    two_sided = 2 * NormalDist().cdf(-Z)
    assert COMPARISONS * two_sided < 1e-6


def test_error_of_a_mean_of_four_numbers() -> None:
    # 1, 2, 3, 6: mean 3, squares about it 4 + 1 + 0 + 9 = 14, variance 14/3, of the mean 14/12
    mean, error = mean_and_error(torch.tensor([1.0, 2.0, 3.0, 6.0], dtype=torch.float64))
    assert mean == 3
    assert error == pytest.approx(math.sqrt(14 / 12), rel=1e-12)


def test_sides_of_an_interval_and_of_an_upper_bound() -> None:
    below, inside, above = -1.01 * Z, 0.99 * Z, 1.01 * Z
    assert [estimate(x).side for x in (below, -inside, inside, above)] == [-1, 0, 0, 1]
    assert [estimate(x, upper=True).side for x in (below, -inside, inside, above)] == [0, 0, 0, 1]
    assert estimate(0.0).outside(below) == 1
    assert [estimate(x, error=0.5).side for x in (0.49 * Z, 0.51 * Z)] == [0, 1]


@pytest.mark.parametrize(
    ("first", "second", "violations"),
    [(0, 0, 0), (2 * Z, 2 * Z, 1), (2 * Z, 0, 0), (2 * Z, -2 * Z, 0), (-2 * Z, -2 * Z, 1)],
)
def test_a_violation_is_one_in_both_looks_on_one_side(run: Run, first: float, second: float, violations: int) -> None:
    seeds: list[int] = []

    def measure(seed: int) -> list[Estimate]:
        seeds.append(seed)
        return [estimate(first if seed == run.seed else second), estimate(0.0)]

    found, confirmed = measured("a part", run, CLAIM, measure)
    assert confirmed == violations
    assert [e.mean for e in found] == [first, 0.0]
    assert len(set(seeds)) == len(seeds) == (2 if first else 1)


def test_the_row_counts_violations_and_refuted_controls(run: Run) -> None:
    def row(mean: float, wrong: float) -> dict:
        found = [estimate(mean, wrong=dict.fromkeys(NAMES, wrong))] * CLAIM.required
        return statistical_row(CLAIM, run, {f"{mean} {wrong}": lambda _: found})

    good, blunt, bad = row(0.0, 2 * Z), row(0.0, Z / 2), row(3 * Z, 0.0)
    assert (good["verdict"], good["violations"]) == ("supported", 0)
    assert good["controls"] == dict.fromkeys(NAMES, True)
    assert blunt["verdict"] == "inconclusive"
    assert blunt["controls"] == dict.fromkeys(NAMES, False)
    assert (bad["verdict"], bad["violations"]) == ("refuted", CLAIM.required)
