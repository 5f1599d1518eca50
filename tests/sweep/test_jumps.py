"""The simulations behind the laws of depth and gap, against exact solutions; and what the fingerprint covers."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from proofs_checks.sweep import jumps
from proofs_checks.sweep.families import Escapes, Passages
from proofs_checks.sweep.items import SOURCES, Item
from proofs_checks.sweep.laws import escape_prediction

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("epsilon", [1e-2, 1e-8, 1e-12])
def test_one_cluster_jumps_when_the_closed_form_says(epsilon: float) -> None:
    family = Passages("cutoff", epsilons=(epsilon,), gap=0.3)
    found = jumps.passages(family, epsilon, torch.Generator().manual_seed(0))

    def reaches(p: float) -> float:  # <x,u> = p: both components are exact exponentials before normalising
        return math.log(p * math.sqrt(1 - epsilon**2) / (epsilon * math.sqrt(1 - p * p))) / family.gap

    for name, p in (("time", 2**-0.5), ("begins", 0.1), ("ends", 0.9)):
        assert found[name][0] == pytest.approx(reaches(p), rel=1e-8)


def test_spread_tokens_start_with_the_overlaps_asked_for() -> None:
    family = Passages("cutoff", epsilons=(1e-5,), d=4, tokens=6, spread=0.4, seeds=3, block=3)
    x = jumps.starts(family, 1e-5, torch.Generator().manual_seed(2))
    assert (x.norm(dim=2) - 1).abs().max() < 1e-14
    assert 0.5e-5 <= float(x[..., 0].min()) <= float(x[..., 0].max()) <= 1.5e-5
    assert 0.1 < float((1 - x[..., 1] ** 2).sqrt().mean()) < 0.6


def test_degenerate_cluster_passes_at_the_exact_time() -> None:
    family = Passages("degenerate", "degenerate", epsilons=(0.01,), d=2)
    found = jumps.passages(family, 0.01, torch.Generator().manual_seed(0))
    for name, angle in (("time", 0.45), ("begins", 0.81), ("ends", 0.09)):
        exact = math.log(math.tan(0.9) / math.tan(angle)) / 0.01
        assert found[name][0] == pytest.approx(exact, rel=1e-8)


def test_the_mean_time_to_leave_is_that_of_the_sde() -> None:
    family = Escapes("escape", (0.7,), h=0.01, seeds=3_000, block=3_000)
    times = jumps.escapes(family, 0.7, Item(family, (("barrier", 0.7),), 0, 0).generator())["time"]
    assert np.isfinite(times).all()
    mean, error = times.mean(), times.std() / 3_000**0.5
    assert mean == pytest.approx(escape_prediction(family, 0.7), abs=4 * error + 0.01 * mean)
    assert abs(mean - 1.15 * escape_prediction(family, 0.7)) > 4 * error  # the test has the power to see 15 %


def test_the_fingerprint_covers_all_that_is_imported_for_an_item() -> None:
    code = (
        "import sys; from proofs_checks.sweep import items; "
        "own = ('numerics.', 'theory.', 'proofs_checks.sweep.'); "
        "print(*[x.__file__ for m, x in sys.modules.items() if m.startswith(own)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    needed = {str(Path(file).relative_to(ROOT)) for file in done.stdout.split()}
    assert needed == {*SOURCES, *needed} - ({*SOURCES} - needed)
    assert needed <= set(SOURCES), sorted(needed - set(SOURCES))


def test_an_escape_in_the_first_layer_takes_one_step() -> None:
    """With noise this strong a token is turned past the perpendicular by the first layer about one time in four."""
    family = Escapes("escape", (0.002,), h=0.5, seeds=400, block=400)
    times = jumps.escapes(family, 0.002, Item(family, (("barrier", 0.002),), 0, 0).generator())["time"]
    steps = times / 0.5
    assert np.array_equal(steps, steps.round())
    assert steps.min() == 1
    assert 0.1 < (steps == 1).mean() < 0.6
