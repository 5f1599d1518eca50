"""thm-4.6/degenerate: V = I and one weakened direction; T* ~ 1/ε, and the transition is not sharp."""

import math

import numpy as np
import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, refuted_controls

from numerics.field import AttentionField
from numerics.first_passage import Event, angle_event, first_exit
from numerics.flow import simulate
from numerics.linear_map import LinearMap
from numerics.spectral import max_angle

pytestmark = pytest.mark.claim("thm-4.6/degenerate")
ID, FAMILY = "thm-4.6/degenerate", "degenerate"
F64 = torch.float64


def planar(angles: list[float]) -> torch.Tensor:
    """Tokens (1, n, 2) at these angles to e1."""
    return torch.tensor([[[math.cos(a), math.sin(a)] for a in angles]], dtype=F64)


def time_to_pass(tokens: torch.Tensor, weakening: float, event: Event) -> float:
    """First time at which the LoRA tokens of V + ΔV = diag(1, 1 - ε), A = I, pass the event."""
    value = torch.diag(torch.tensor([1.0, 1 - weakening], dtype=F64)).unsqueeze(0)
    attention = torch.eye(2, dtype=F64).unsqueeze(0)
    end = torch.tensor([[5.0 / weakening]], dtype=F64)
    solution = simulate(tokens, attention, value, end, rtol=1e-11, atol=1e-13, dense=True)
    return float(first_exit(solution, AttentionField(LinearMap(attention), LinearMap(value)), event).time)


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.9


def test_one_percent_wrong_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=3, size=10) == sharp_constants(ID)


def turned_by(tokens: torch.Tensor, angle: float) -> Event:
    return angle_event(tokens[:, 0], torch.tensor([angle], dtype=F64))


def test_slope_of_collapsed_tokens_is_minus_one() -> None:
    tokens = planar([0.9, 0.9, 0.9])
    slow, fast = (time_to_pass(tokens, weakening, turned_by(tokens, 0.3)) for weakening in (0.003, 0.3))
    assert math.log(slow / fast) / math.log(100) == pytest.approx(1, abs=1e-9)


def test_window_at_the_angle_of_the_sheet_is_two_and_a_half_times_the_time() -> None:
    tokens = planar([0.9])
    tenth, half, most = (time_to_pass(tokens, 0.05, turned_by(tokens, share * 0.9)) for share in (0.1, 0.5, 0.9))
    expected = math.log(math.tan(0.81) / math.tan(0.09)) / math.log(math.tan(0.9) / math.tan(0.45))
    assert (most - tenth) / half == pytest.approx(expected, rel=1e-8)
    assert expected == pytest.approx(2.56, abs=0.005)


def test_slope_of_spread_tokens_tends_to_minus_one() -> None:
    # Spread tokens first gather under V = I as the base does; then they turn from where the base has gathered.
    tokens = planar([0.6, 0.8, 1.1, 1.3])
    attention = torch.eye(2, dtype=F64).unsqueeze(0)
    base = simulate(tokens, attention, attention, torch.tensor([[60.0]], dtype=F64), rtol=1e-12, atol=1e-14)
    centre = base.states[:, 0, 0]
    assert float(max_angle(base.states[:, 0], centre)) < 1e-10
    reached = float(torch.atan2(centre[0, 1], centre[0, 0])) - 0.4
    e1 = torch.tensor([[1.0, 0.0]], dtype=F64)

    def event(states: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return reached - max_angle(states, e1[rows])

    times = [time_to_pass(tokens, weakening, event) for weakening in (0.2, 0.05, 0.0125, 0.003125)]
    slopes = np.diff(np.log(times)) / np.log(4)
    away = np.abs(slopes - 1)
    assert (np.diff(away) < 0).all()
    assert away[-1] < 0.05
