"""thm-4.6/plain-riccati: without its second branch the Riccati inequality is false for n >= 2."""

import pytest
import torch
from claim_properties import shipped
from passage_properties import readings

from numerics.flow import simulate
from numerics.spectral import tan_max_angle
from proofs_checks.families_first_passage import draw_deviation

pytestmark = pytest.mark.claim("thm-4.6/plain-riccati")
ID, FAMILY = "thm-4.6/plain-riccati", "deviation"


def test_shipped_counterexample_is_much_too_fast() -> None:
    instance, result = shipped(ID)
    assert result.ratio > 1.6
    assert instance.X0 is not None
    assert len(instance.X0) == 2


def test_speed_at_the_start_is_that_of_the_second_branch() -> None:
    # Ṽ = [[0,0],[1,0]]: w = κ = c = 0, b = 1. The Riccati speed is 1; with m at u it is √(1 + (4/3)²) = 5/3.
    tokens = torch.tensor([[[0.6, 0.8], [1.0, 0.0]]], dtype=torch.float64)
    value = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]], dtype=torch.float64)
    attention = torch.diag(torch.tensor([10.0, -10.0], dtype=torch.float64)).unsqueeze(0)
    steps = torch.tensor([[1e-4, 2e-4]], dtype=torch.float64)
    states = simulate(tokens, attention, value, steps, rtol=1e-13, atol=1e-15).states
    u = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    first, second = ((tan_max_angle(states, u) - 4 / 3) / steps)[0].tolist()
    assert 2 * first - second == pytest.approx(5 / 3, rel=1e-3)  # Richardson; the rest is attention of finite strength
    assert 2 * first - second > 1.6


def test_one_token_obeys_it_and_two_do_not() -> None:
    one, two = (readings(ID, FAMILY, draw_deviation(150, n, 2, 0))[0] for n in (1, 2))
    assert not bool(one.candidate.any())
    assert int(one.nonvacuous.sum()) > 80
    assert bool(two.candidate.any())


def test_every_symmetric_update_obeys_it() -> None:
    # It holds where w >= 0 and ||c|| >= ||b||, as for every symmetric update with w >= 0.
    batch = draw_deviation(400, 2, 3, 4)
    symmetric = torch.from_numpy(batch.columns["kind"] == "symmetric") & (batch.planted["w"] >= 0)
    reading = readings(ID, FAMILY, batch)[0]
    assert int(symmetric.sum()) > 10
    assert not bool((reading.candidate & symmetric).any())
