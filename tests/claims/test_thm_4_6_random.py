"""thm-4.6/random and random-safe: the linearised drift at fixed step, and the full model that leaves its well."""

import math

import pytest

from proofs_checks import cli, metastable
from proofs_checks.ledger import shipped_counterexample
from theory import thm_4_6 as theory


@pytest.mark.claim("thm-4.6/random")
def test_drift_at_every_depth_and_the_depth_of_a_given_one() -> None:
    found = metastable.drift_estimates(3, 60_000)
    assert not any(e.side for e in found), found
    assert {n for e in found for n, w in e.wrong.items() if e.outside(w)} == {"drift (5 %)", "stationary drift (5 %)"}
    assert found[-1].name == "T*(r) / h"


@pytest.mark.claim("thm-4.6/random")
def test_closed_form_is_the_recursion_of_the_variance() -> None:
    # y' = ((1 + hλ_j) y + √h σ·noise)/(1 + hλ1), variance by variance.
    levels, sigma, h = (1.2, 0.4, -0.3), 0.7, 0.25
    variances = [0.0, 0.0]
    for depth in range(1, 60):
        variances = [
            ((1 + h * lower) ** 2 * v + h * sigma**2) / (1 + h * levels[0]) ** 2
            for lower, v in zip(levels[1:], variances, strict=True)
        ]
        found = metastable.predicted(theory.RMS_DRIFT_SQUARED, levels, sigma, h, depth)
        assert found == pytest.approx(sum(variances), rel=1e-12)
    limit = metastable.predicted(theory.STATIONARY_DRIFT_SQUARED, levels, sigma, h)
    assert limit == pytest.approx(sum(variances), rel=1e-3)
    assert limit > sum(variances)


@pytest.mark.claim("thm-4.6/random-safe")
def test_the_full_model_leaves_the_well(capsys) -> None:
    instance = shipped_counterexample("thm-4.6/random-safe")
    assert instance is not None
    result = metastable.confirm_safe(instance)
    assert result.violated
    assert result.observed == pytest.approx(2, abs=0.1)  # both poles equally likely
    assert result.bound == pytest.approx(0.5 / 2.1)
    assert cli.main(["replay", "proofs_checks/evidence/counterexamples/thm-4.6_random-safe.json"]) == 0
    capsys.readouterr()


@pytest.mark.claim("thm-4.6/random-safe")
def test_a_small_noise_keeps_it_there_for_these_depths() -> None:
    mean, error = metastable.chord_squared(0.05, 0.1, 256, 1_000, 1)
    assert mean < metastable.predicted(theory.STATIONARY_DRIFT_SQUARED, (1.0, 0.0), 0.05, 0.1) + 7 * error


@pytest.mark.claim("thm-4.6/random-safe")
def test_escape_slows_down_exponentially() -> None:
    fast, slow = (metastable.escape_rate(s, 0.02, 20.0, 2_000, 1)[0] for s in (0.5, 0.25))
    assert fast / slow == pytest.approx(math.exp(1 / 0.25 - 1 / 0.5), rel=0.4)
