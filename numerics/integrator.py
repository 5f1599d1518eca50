"""Batched integration of ordinary differential equations by DOP853, each instance with its own step length.

One batch holds B independent initial value problems. Each has its own time, step length, acceptance and status;
instances that are done leave the batch, so that a few slow ones do not keep the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum

import torch
from torch import Tensor

from numerics import dop853
from numerics.dense_output import DenseOutput, DenseRecorder, dense_output
from numerics.field import normalised
from numerics.kernel import flow as kernel

Field = dop853.Field
Projection = Callable[[Tensor], Tensor]

SAFETY = 0.9
SHRINK, GROW = 1 / 3, 6.0
"""Bounds of the change of the step length from one step to the next (the defaults of dop853.f)."""
_ROUNDING = 4.0
"""Rounding errors charged per step, in units in the last place of the state and of the move."""


class Status(IntEnum):
    """How the integration of an instance ended."""

    CONVERGED = 0
    """It reached its last time with every step within the tolerance."""
    STEP_TOO_SMALL = 1
    """The step length fell to rounding level: a singularity, or a tolerance that the precision cannot meet."""
    MAX_STEPS = 2
    """The steps allowed were used up: stiff, or the interval is too long."""
    NOT_FINITE = 3
    """The field or the state is not finite, however short the step."""


@dataclass(frozen=True)
class Solution:
    """States at the times asked for, with an error estimate and a status for each instance.

    Attributes
    ----------
    states: ``(B, K, n, d)``; NaN at times that were not reached.
    error: ``(B, K)``, estimate of the global error in the largest row norm: the local errors so far, which the flow
        is taken neither to amplify nor to damp, plus rounding. NaN where not reached. It is not a bound: where
        trajectories separate exponentially the true error can be larger.
    status: ``(B,)``, values of :class:`Status`.
    steps, rejected, evaluations: ``(B,)``, accepted steps, rejected steps, evaluations of the field.
    dense: the interpolant, where it was asked for.
    """

    states: Tensor
    error: Tensor
    status: Tensor
    steps: Tensor
    rejected: Tensor
    evaluations: Tensor
    dense: DenseOutput | None = None

    @property
    def converged(self) -> Tensor:
        """Which instances ``(B,)`` reached their last time."""
        return self.status == int(Status.CONVERGED)

    def select(self, index: Tensor) -> Solution:
        """The solution of the instances ``index`` (integer tensor)."""
        return Solution(
            states=self.states[index],
            error=self.error[index],
            status=self.status[index],
            steps=self.steps[index],
            rejected=self.rejected[index],
            evaluations=self.evaluations[index],
            dense=None if self.dense is None else self.dense.select(index),
        )


@dataclass
class _Live:
    """The instances still on their way; every entry has the batch first."""

    row: Tensor
    times: Tensor
    t: Tensor
    y: Tensor
    slope: Tensor
    h: Tensor
    output: Tensor
    error: Tensor
    steps: Tensor
    rejected: Tensor
    retry: Tensor

    def select(self, index: Tensor) -> _Live:
        return _Live(**{f.name: getattr(self, f.name).index_select(0, index) for f in fields(self)})


def integrate(
    field: Field,
    y0: Tensor,
    times: Tensor,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 20_000,
    project: Projection | None = None,
    dense: bool = False,
) -> Solution:
    """Solve ``y' = field(t, y)``, ``y(0) = y0`` for B instances at once.

    Parameters
    ----------
    field: ``(t (B,), y (B, n, d)) -> (B, n, d)``, instance by instance. A method ``select(index)`` returns the field
        of some of the instances; a field without it must not depend on the instance. A method ``compiled()`` returns
        it as the compiled kernel reads it, or None.
    y0: ``(B, n, d)``, float32 or float64; results have its type and device.
    times: ``(B, K)``, increasing along K, not negative; a step ends at each of them, so that nothing is interpolated.
    rtol, atol: tolerance of the local error of each row: ``atol + rtol |y_i|``. ``rtol`` below 100 units in the last
        place of the type (2e-14, 1e-5) is raised to that.
    max_steps: steps allowed for each instance, rejected ones included.
    project: brings a state ``(..., n, d)`` back to the manifold, after each accepted step.
    dense: keep the interpolant of order 7 of every step (8 n d numbers each).

    Raises ValueError for malformed arguments. An instance that fails is no error: see ``Solution.status``. Explicit:
    for stiff problems the step length is limited by stability, and ``max_steps`` may be used up.

    Attention fields in float64 on the CPU are integrated by the compiled kernel where it is there (see
    :mod:`numerics.kernel.library`): the same method, the same results up to rounding. Evaluations at a rejected step's
    end, which torch makes for all instances at once, are counted there too.
    """
    times = _checked(y0, times, rtol, atol, max_steps)
    rtol = max(rtol, 100 * torch.finfo(y0.dtype).eps)
    known = getattr(field, "compiled", None)
    heads = known() if known is not None and project in (None, normalised) else None
    if heads is not None and kernel.applies(heads, y0, times):
        return _compiled(heads, y0, times, _Settings(rtol, atol, max_steps, project, dense))
    run = _Run(field, y0, times, _Settings(rtol, atol, max_steps, project, dense))
    with torch.no_grad():
        while run.live.row.numel():
            run.advance()
    return run.solution()


@dataclass(frozen=True)
class _Settings:
    """What :func:`integrate` is asked for beside the problem."""

    rtol: float
    atol: float
    max_steps: int
    project: Projection | None
    dense: bool


def _compiled(heads: kernel.Heads, y0: Tensor, times: Tensor, asked: _Settings) -> Solution:
    """The same by the compiled kernel."""
    found = kernel.integrate(
        heads, y0, times, rtol=asked.rtol, atol=asked.atol, max_steps=asked.max_steps,
        project=asked.project is not None, dense=asked.dense,
    )  # fmt: skip
    output = None
    if found.records is not None:
        row = torch.arange(len(y0)).repeat_interleave(found.steps)
        output = dense_output(row, *found.records, found.states, asked.project)
    return _solution(found.states, found.error, found.status, found.steps, found.rejected, output)


def _solution(
    states: Tensor, error: Tensor, status: Tensor, steps: Tensor, rejected: Tensor, dense: DenseOutput | None
) -> Solution:
    each = dop853.STAGES + (dop853.INTERPOLANT_STAGES if dense is not None else 0)
    return Solution(states, error, status, steps, rejected, 2 + (steps + rejected) * each, dense)


class _Run:
    """The state of one call of :func:`integrate`."""

    def __init__(self, field: Field, y0: Tensor, times: Tensor, asked: _Settings) -> None:
        batch, outputs = times.shape
        self.field, self.asked = field, asked
        self.epsilon = torch.finfo(y0.dtype).eps
        self.table = dop853.tableau(y0.dtype, y0.device)
        self.memory = torch.empty(len(dop853.NODES) * y0.numel(), dtype=y0.dtype, device=y0.device)
        self.recorder = DenseRecorder(batch) if asked.dense else None
        self.states = y0.new_full((batch, outputs, *y0.shape[1:]), torch.nan)
        self.error = y0.new_full((batch, outputs), torch.nan)
        count = torch.zeros(batch, dtype=torch.int64, device=y0.device)
        self.status, self.steps, self.rejected = count.clone(), count.clone(), count.clone()

        t = y0.new_zeros(batch)
        at_zero = times.select(1, 0) == 0
        self.states[at_zero, 0] = y0[at_zero]
        self.error[at_zero, 0] = 0.0
        with torch.no_grad():
            slope = field(t, y0)
            h = dop853.starting_step(field, t, y0, slope, asked.rtol, asked.atol)
        self.live = _Live(
            row=torch.arange(batch, device=y0.device),
            times=times,
            t=t,
            y=y0.detach().clone(),
            slope=slope,
            h=h,
            output=at_zero.to(torch.int64),
            error=y0.new_zeros(batch),
            steps=count,
            rejected=count.clone(),
            retry=torch.zeros_like(at_zero),
        )
        self._leave(self.live.output == outputs, Status.CONVERGED)

    def advance(self) -> None:
        """One trial step of every live instance, then let those go that are done."""
        live = self.live
        # One per cent longer rather than a last step of next to nothing.
        target = live.times.gather(1, live.output.unsqueeze(1)).squeeze(1)
        lands = live.t + 1.01 * live.h >= target
        h = torch.where(lands, target - live.t, live.h)
        stages = self.memory[: len(dop853.NODES) * live.y.numel()].view(len(dop853.NODES), *live.y.shape)
        y_new, error_5, error_3 = dop853.trial_step(self.field, live.t, live.y, live.slope, h, stages, self.table)
        scaled, absolute = dop853.error_norm(live.y, y_new, error_5, error_3, self.asked.rtol, self.asked.atol)
        accepted = scaled <= 1.0  # false for NaN
        if self.asked.project is not None:
            y_new = self.asked.project(y_new)
        t_new = torch.where(lands, target, live.t + h)
        slope_new = self.field(t_new, y_new)
        if self.recorder is not None:
            upper = dop853.interpolant(self.field, live.t, live.y, y_new, slope_new, h, stages, self.table)
            self.recorder.record(accepted, live.row, live.t, t_new, live.y, upper)
        rounding = dop853.max_norm(y_new) + h * dop853.max_norm(slope_new)
        live.error = torch.where(accepted, live.error + absolute + _ROUNDING * self.epsilon * rounding, live.error)
        self._move(accepted, t_new, y_new, slope_new)
        self._control(accepted, lands, scaled, h)
        self._output(accepted & lands)
        self._dismiss(accepted, scaled)

    def _move(self, accepted: Tensor, t_new: Tensor, y_new: Tensor, slope_new: Tensor) -> None:
        live = self.live
        live.steps = live.steps + accepted
        live.rejected = live.rejected + ~accepted
        if bool(accepted.all()):
            live.t, live.y, live.slope = t_new, y_new, slope_new
        else:
            step = dop853.per_instance(accepted)
            live.t = torch.where(accepted, t_new, live.t)
            live.y = torch.where(step, y_new, live.y)
            live.slope = torch.where(step, slope_new, live.slope)

    def _control(self, accepted: Tensor, lands: Tensor, scaled: Tensor, h: Tensor) -> None:
        """The next step length: proportional to error^(-1/8), no growth right after a rejection."""
        live = self.live
        factor = (SAFETY * scaled ** (-1 / dop853.ORDER)).clamp(SHRINK, GROW)
        factor = torch.where(scaled.isfinite(), factor, SHRINK)
        factor = torch.where(live.retry | ~accepted, factor.clamp(max=1.0), factor)
        # A step cut short to land on an output says nothing against the length planned before.
        resumed = torch.maximum(h * factor, live.h)
        live.h = torch.where(accepted & lands & (factor >= 1.0), resumed, h * factor)
        live.retry = ~accepted

    def _output(self, landed: Tensor) -> None:
        if not bool(landed.any()):
            return
        live = self.live
        at = landed.nonzero().squeeze(1)
        row, output = live.row[at], live.output[at]
        self.states[row, output] = live.y[at]
        self.error[row, output] = live.error[at]
        live.output = live.output + landed

    def _dismiss(self, accepted: Tensor, scaled: Tensor) -> None:
        """Let the instances go that have arrived or failed."""
        live = self.live
        arrived = live.output == live.times.shape[1]
        end = live.times.select(1, -1)
        shortest = 10 * self.epsilon * torch.maximum(live.t, self.epsilon * end)
        stuck = ~accepted & ~(live.h > shortest)
        exhausted = live.steps + live.rejected >= self.asked.max_steps
        status = torch.where(
            stuck,
            torch.where(scaled.isfinite(), int(Status.STEP_TOO_SMALL), int(Status.NOT_FINITE)),
            int(Status.MAX_STEPS),
        )
        status = torch.where(arrived, int(Status.CONVERGED), status)
        self._leave(arrived | stuck | exhausted, status)

    def _leave(self, done: Tensor, status: Tensor | Status) -> None:
        if not bool(done.any()):
            return
        live = self.live
        row = live.row[done]
        self.status[row] = status[done] if isinstance(status, Tensor) else int(status)
        self.steps[row], self.rejected[row] = live.steps[done], live.rejected[done]
        staying = (~done).nonzero().squeeze(1)
        self.live = live.select(staying)
        select = getattr(self.field, "select", None)
        if select is not None:
            self.field = select(staying)

    def solution(self) -> Solution:
        """What :func:`integrate` returns."""
        dense = None if self.recorder is None else self.recorder.output(self.states, self.asked.project)
        return _solution(self.states, self.error, self.status, self.steps, self.rejected, dense)


def _checked(y0: Tensor, times: Tensor, rtol: float, atol: float, max_steps: int) -> Tensor:
    """The times in the type of the state; raises ValueError with one line for what does not fit."""
    if y0.ndim != 3 or y0.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"the initial state must be float32 or float64 of shape (B, n, d), found {y0.dtype} {tuple(y0.shape)}"
        )
    if times.ndim != 2 or times.shape[0] != y0.shape[0] or times.shape[1] == 0:
        raise ValueError(f"times must have shape ({y0.shape[0]}, K) with K >= 1, found {tuple(times.shape)}")
    times = times.to(y0)
    if not bool(times.isfinite().all()) or bool((times < 0).any()) or bool((times.diff(dim=1) <= 0).any()):
        raise ValueError("times must be finite, not negative and increasing along each row")
    if not (rtol > 0 and atol >= 0):
        raise ValueError(f"tolerances must be positive, found rtol = {rtol}, atol = {atol}")
    if max_steps < 1:
        raise ValueError(f"max_steps must be at least 1, found {max_steps}")
    return times
