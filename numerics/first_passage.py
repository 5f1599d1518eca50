"""First-passage times: when an event function of the tokens changes sign along a simulated trajectory.

The interpolant of every step is sampled, the first (or last) change of sign is bracketed and bisected on it, and the
root is then corrected by one short integration from the start of its step, so that no interpolation error is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from numerics import dop853, spectral
from numerics.dense_output import DenseOutput
from numerics.field import AttentionField, normalised
from numerics.integrator import Solution, integrate

Event = Callable[[Tensor, Tensor], Tensor]
"""``(states (M, n, d), rows (M,)) -> (M,)``: the event function of instance ``rows[k]`` at ``states[k]``."""

_PIECES = 8
"""Parts of a step whose ends are looked at: an excursion shorter than a part can go unseen."""
_BISECTIONS = 48
_PROBE = 1e-5
_RTOL, _ATOL = 2e-14, 1e-16


@dataclass(frozen=True)
class Passage:
    """When the event happened in each of B instances.

    Attributes
    ----------
    time: ``(B,)``, NaN where it did not happen before the end.
    error: ``(B,)``, estimate: the error of the state over the speed of the event function at the root, plus what the
        last correction leaves. As the error of the solution it leaves out how the flow amplifies errors.
    speed: ``(B,)``, magnitude of the time derivative of the event function at the root.
    state: ``(B, n, d)``, the tokens at that time.
    """

    time: Tensor
    error: Tensor
    speed: Tensor
    state: Tensor


def angle_event(direction: Tensor, angle: Tensor) -> Event:
    """``max_i ∠(x_i, u) - angle``: positive where a token is farther than ``angle (B,)`` from ``direction (B, d)``."""

    def event(states: Tensor, rows: Tensor) -> Tensor:
        return spectral.max_angle(states, direction[rows]) - angle[rows]

    return event


def first_exit(solution: Solution, field: AttentionField, event: Event) -> Passage:
    """The first time at which the event function rises above zero; zero where it is positive from the start.

    ``solution`` is that of ``field`` with dense output. Raises ValueError where it has none.
    """
    return _passages(solution, field, [event], "first")[0]


def last_entry(solution: Solution, field: AttentionField, event: Event) -> Passage:
    """The last time at which the event function falls to zero or below, to stay there; zero where it never was above.

    NaN where it is positive at the end. ``solution`` as in :func:`first_exit`.
    """
    return last_entries(solution, field, [event])[0]


def last_entries(solution: Solution, field: AttentionField, events: Sequence[Event]) -> list[Passage]:
    """:func:`last_entry` for several event functions, at little more than the cost of one."""
    return _passages(solution, field, events, "last")


def _passages(
    solution: Solution, field: AttentionField, events: Sequence[Event], which: Literal["first", "last"]
) -> list[Passage]:
    dense = solution.dense
    if dense is None:
        raise ValueError("first-passage times need a solution with dense output")
    place, row = _steps(dense)
    samples = _samples(dense, events, place, row) if len(place) else [None] * len(events)
    return [_passage(solution, field, e, which, place, row, x) for e, x in zip(events, samples, strict=True)]


def _passage(
    solution: Solution,
    field: AttentionField,
    event: Event,
    which: Literal["first", "last"],
    place: Tensor,
    row: Tensor,
    values: Tensor | None,
) -> Passage:
    dense, like = solution.dense, solution.states
    batch = like.shape[0]
    time, error, speed = (like.new_full((batch,), torch.nan) for _ in range(3))
    state = like.new_full((batch, *like.shape[2:]), torch.nan)
    if dense is not None and values is not None:
        still = _settled_from_start(values, row, batch, which)
        time[still], error[still] = 0.0, 0.0
        step, piece = _bracket(values, row, still, which)
        chosen = row[step]
        found = _root(dense, event, place[step], chosen, piece, which)
        at, gap, rate, where = _corrected(dense, field, event, place[step], chosen, found)
        time[chosen], speed[chosen], state[chosen] = at, rate, where
        error[chosen] = (solution.error[chosen, -1] + gap) / rate
    return Passage(time, error, speed, state)


def _steps(dense: DenseOutput) -> tuple[Tensor, Tensor]:
    """Place in the tables, and instance, of every step, in the order of instances and time."""
    there = dense.starts.isfinite() & (dense.starts < dense.end.unsqueeze(1))
    row, rank = there.nonzero(as_tuple=True)
    return dense.first[row] + rank, row


def _interpolant(dense: DenseOutput, place: Tensor) -> Callable[[Tensor], Tensor]:
    """Fractions ``(M,)`` of the steps at these places to the states there; the tables are read once for all calls."""
    start, coefficients = dense.state[place], dense.coefficients[place]

    def state(theta: Tensor) -> Tensor:
        states = dop853.interpolate(start, coefficients, theta)
        return states if dense.project is None else dense.project(states)

    return state


def _samples(dense: DenseOutput, events: Sequence[Event], place: Tensor, row: Tensor) -> list[Tensor]:
    """Each event function at the ends of the parts of every step, (number of steps, parts + 1)."""
    thetas = torch.linspace(0, 1, _PIECES + 1, dtype=dense.state.dtype, device=dense.state.device)
    state = _interpolant(dense, place)
    values = [[event(x, row) for event in events] for x in map(state, thetas)]
    return [torch.stack(each, dim=1) for each in zip(*values, strict=True)]


def _settled_from_start(values: Tensor, row: Tensor, batch: int, which: Literal["first", "last"]) -> Tensor:
    """Instances (B,) whose answer is time zero."""
    highest = values.new_full((batch,), -torch.inf)
    if which == "last":
        highest.scatter_reduce_(0, row, values.amax(dim=1), "amax")
        return highest.isfinite() & (highest <= 0)
    opening = torch.ones_like(row, dtype=torch.bool)
    opening[1:] = row[1:] != row[:-1]
    highest[row[opening]] = values[opening, 0]
    return highest > 0


def _bracket(values: Tensor, row: Tensor, still: Tensor, which: Literal["first", "last"]) -> tuple[Tensor, Tensor]:
    """Step and part of the change of sign that counts, for every instance that has one."""
    before, after = values[:, :-1], values[:, 1:]
    change = (before <= 0) & (after > 0) if which == "first" else (before > 0) & (after <= 0)
    change &= ~still[row].unsqueeze(1)
    step, piece = change.nonzero(as_tuple=True)  # in the order of instances and time
    if which == "last":
        ends_above = torch.zeros_like(still)
        closing = torch.ones_like(row, dtype=torch.bool)
        closing[:-1] = row[1:] != row[:-1]
        ends_above[row[closing]] = values[closing, -1] > 0
        kept = ~ends_above[row[step]]
        step, piece = step[kept].flip(0), piece[kept].flip(0)
    instance = row[step]
    counts = torch.ones_like(instance, dtype=torch.bool)
    counts[1:] = instance[1:] != instance[:-1]
    return step[counts], piece[counts]


def _root(
    dense: DenseOutput, event: Event, place: Tensor, row: Tensor, piece: Tensor, which: Literal["first", "last"]
) -> Tensor:
    """Fraction of the step at which the event function changes its sign, by bisection on the interpolant."""
    low = piece.to(dense.state) / _PIECES
    high = low + 1 / _PIECES
    sign = 1.0 if which == "first" else -1.0
    state = _interpolant(dense, place)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        beyond = sign * event(state(middle), row) > 0
        low, high = torch.where(beyond, low, middle), torch.where(beyond, middle, high)
    return (low + high) / 2


def _corrected(
    dense: DenseOutput, field: AttentionField, event: Event, place: Tensor, row: Tensor, fraction: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Time, error of the event function, its speed, and the state, after one Newton step from a fresh integration."""
    length = dense.length[place]
    own = field.select(row)
    delay = (fraction * length).clamp(min=1e-14 * length)
    fresh = integrate(own, dense.state[place], delay.unsqueeze(1), rtol=_RTOL, atol=_ATOL, project=normalised)
    state = fresh.states[:, 0]
    value, rate = event(state, row), _rate(own, event, state, row)
    start = dense.starts[row, place - dense.first[row]]
    return start + delay - value / rate, fresh.error[:, 0] + value**2, rate.abs(), state


def _rate(field: AttentionField, event: Event, state: Tensor, row: Tensor) -> Tensor:
    """Time derivative of the event function along the flow, by a central difference."""
    velocity = field(state.new_zeros(len(state)), state)
    probe = _PROBE / dop853.max_norm(velocity).clamp(min=1e-300)
    step = dop853.per_instance(probe) * velocity
    return (event(normalised(state + step), row) - event(normalised(state - step), row)) / (2 * probe)
