"""First-passage times against exact solutions of one token, and what they do where there is nothing to find."""

import math

import pytest
import torch

from numerics.exact import one_token
from numerics.field import AttentionField
from numerics.first_passage import Event, angle_event, first_exit, last_entry
from numerics.flow import simulate
from numerics.integrator import Solution
from numerics.linear_map import LinearMap

F64 = torch.float64


def flow(tokens: torch.Tensor, value: torch.Tensor, end: float) -> tuple[Solution, AttentionField]:
    """The flow with A = V, dense, up to ``end``."""
    times = torch.full((len(tokens), 1), end, dtype=F64)
    solution = simulate(tokens, value, value, times, rtol=1e-11, atol=1e-13, dense=True)
    return solution, AttentionField(LinearMap(value), LinearMap(value))


def planar(angles: list[float]) -> torch.Tensor:
    """One token per instance at these angles to the first axis."""
    return torch.tensor([[[math.cos(a), math.sin(a)]] for a in angles], dtype=F64)


def diagonal(size: int) -> torch.Tensor:
    """Ṽ = diag(2, 1/2): the tangent decays at rate 3/2."""
    return torch.diag(torch.tensor([2.0, 0.5], dtype=F64)).expand(size, 2, 2).contiguous()


def axis(k: int, size: int) -> torch.Tensor:
    return torch.eye(2, dtype=F64)[k].expand(size, 2).contiguous()


@pytest.mark.parametrize("which", ["first", "last"])
def test_time_of_one_token_is_exact_within_the_error(which: str) -> None:
    starts, targets = [0.3, 0.9, 1.4, 1.5], [0.1, 0.4, 0.05, 1.2]
    solution, field = flow(planar(starts), diagonal(4), 6.0)
    pairs = zip(starts, targets, strict=True)
    exact = torch.tensor([math.log(math.tan(a) / math.tan(r)) / 1.5 for a, r in pairs], dtype=F64)
    angle = torch.tensor(targets, dtype=F64)
    if which == "last":
        passage = last_entry(solution, field, angle_event(axis(0, 4), angle))
    else:
        passage = first_exit(solution, field, angle_event(axis(1, 4), math.pi / 2 - angle))
    assert bool(((passage.time - exact).abs() <= passage.error).all())
    assert bool((passage.error < 1e-8).all())
    torch.testing.assert_close(passage.speed, 1.5 * torch.sin(2 * angle) / 2, rtol=1e-8, atol=0)


def test_the_state_is_that_of_the_time() -> None:
    solution, field = flow(planar([1.2, 0.7]), diagonal(2), 3.0)
    passage = last_entry(solution, field, angle_event(axis(0, 2), torch.tensor([0.5, 0.2], dtype=F64)))
    exact = one_token(planar([1.2, 0.7])[:, 0], diagonal(2), passage.time.unsqueeze(1))
    torch.testing.assert_close(passage.state, exact, rtol=0, atol=1e-9)


def test_no_passage_is_nan_and_none_needed_is_zero() -> None:
    solution, field = flow(planar([0.4, 0.4]), diagonal(2), 2.0)
    event = angle_event(axis(0, 2), torch.tensor([0.5, 0.3], dtype=F64))
    first, last = first_exit(solution, field, event), last_entry(solution, field, event)
    assert math.isnan(float(first.time[0]))  # never beyond 0.5
    assert float(first.time[1]) == 0.0  # beyond 0.3 from the start
    assert float(last.time[0]) == 0.0
    assert float(last.time[1]) > 0
    late = last_entry(solution, field, angle_event(axis(0, 2), torch.tensor([1e-3, 1e-4], dtype=F64)))
    assert bool(late.time.isnan().all())  # still outside at the end


def test_first_and_last_differ_where_a_token_turns() -> None:
    # V + ΔV = [[0, -1], [1, 0]] turns a token at speed one: beyond 1.2 from e1 between 1.2 and 2π - 1.2.
    rotation = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]], dtype=F64)
    solution, field = flow(planar([0.2]), rotation, 6.2)
    event: Event = angle_event(axis(0, 1), torch.tensor([1.2], dtype=F64))
    assert float(first_exit(solution, field, event).time) == pytest.approx(1.0, abs=1e-10)
    assert float(last_entry(solution, field, event).time) == pytest.approx(2 * math.pi - 1.4, abs=1e-10)


def test_instances_do_not_mix() -> None:
    angles, targets = [0.3, 0.8, 1.1], torch.tensor([0.1, 0.2, 0.9], dtype=F64)
    solution, field = flow(planar(angles), diagonal(3), 3.0)
    together = last_entry(solution, field, angle_event(axis(0, 3), targets)).time
    for k in range(3):
        own, own_field = flow(planar(angles[k : k + 1]), diagonal(1), 3.0)
        alone = last_entry(own, own_field, angle_event(axis(0, 1), targets[k : k + 1])).time
        torch.testing.assert_close(together[k], alone[0], rtol=1e-12, atol=1e-12)


def test_without_dense_output_there_is_no_passage() -> None:
    value = diagonal(1)
    solution = simulate(planar([0.3]), value, value, torch.tensor([[1.0]], dtype=F64))
    field = AttentionField(LinearMap(value), LinearMap(value))
    with pytest.raises(ValueError, match="dense output"):
        first_exit(solution, field, angle_event(axis(0, 1), torch.tensor([0.1], dtype=F64)))
