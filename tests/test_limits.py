"""The limits between the models: their orders, and that a wrong limit is seen."""

import pytest
import torch

from proofs_checks import limits


@pytest.mark.parametrize("causal", [False, True])
def test_layered_model_tends_to_the_flow_at_order_h(causal: bool) -> None:
    errors = limits.flow_errors(causal, seed=3)
    slopes = limits.slope(errors)
    assert float(slopes.median()) == pytest.approx(-1, abs=0.05)
    assert bool((errors[-1] < errors[0]).all())
    assert float(slopes.median()) > -1.5  # not second order


def test_adapters_of_mean_M_tend_to_the_flow_with_V_plus_M_at_half_order() -> None:
    errors = limits.mean_adapter_errors(seed=5)
    assert float(limits.slope(errors)) == pytest.approx(-0.5, abs=0.1)


def test_a_wrong_mean_does_not_converge() -> None:
    errors = limits.mean_adapter_errors(seed=5, shift=0.3)
    assert float(errors[-1]) > 0.05
    assert float(limits.slope(errors)) > -0.25


def test_linearisation_holds_for_small_noise_and_breaks_down() -> None:
    table = {noise: limits.linearisation(noise, seeds=8_000) for noise in (0.005, 0.2, 1.0)}
    mean, error, predicted = table[0.005]
    assert abs(mean / predicted - 1) < 0.01 + 5 * error / predicted
    assert limits.breakdown(table) in (0.2, 1.0)
    assert table[1.0][0] > 1.2 * table[1.0][2]
    assert torch.isfinite(torch.tensor(table[1.0])).all()
