"""Dense output: the solution between the steps, by the interpolant of order 7 of DOP853."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from numerics import dop853

Projection = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class DenseOutput:
    """The interpolants of all accepted steps of a batch of B instances.

    Attributes
    ----------
    starts: ``(B, S)``, times at which the steps of each instance begin, increasing, padded with infinity.
    end: ``(B,)``, the time that each instance reached.
    first: ``(B,)``, place of the first step of each instance in the tables below; its others follow.
    length, state, coefficients: ``(N,)``, ``(N, n, d)``, ``(N, 7, n, d)``, of all N steps, instance by instance.
    project: brings an interpolated state back to the manifold.
    """

    starts: Tensor
    end: Tensor
    first: Tensor
    length: Tensor
    state: Tensor
    coefficients: Tensor
    project: Projection | None = None

    def at(self, times: Tensor) -> Tensor:
        """States ``(B, M, n, d)`` at ``times (B, M)``; NaN outside ``[0, end]``.

        Needs memory for the coefficients of all ``B M`` steps at once. The interpolation error is of the order of
        the tolerance and not part of the error estimate of the solution.
        """
        batch = self.first.shape[0]
        if times.ndim != 2 or times.shape[0] != batch:
            raise ValueError(f"times must have shape ({batch}, M), found {tuple(times.shape)}")
        times = times.to(self.starts)
        inside = (times >= 0) & (times <= self.end.unsqueeze(1))
        if self.length.shape[0] == 0:
            return self.state.new_full((*times.shape, *self.state.shape[1:]), torch.nan)
        # Counted from the left: a time where two steps meet belongs to the earlier one, except time zero.
        step = (torch.searchsorted(self.starts, times.contiguous()) - 1).clamp(min=0)
        place = (self.first.unsqueeze(1) + step).clamp(max=self.length.shape[0] - 1)
        theta = (times - self.starts.gather(1, step)) / self.length[place]
        states = dop853.interpolate(self.state[place], self.coefficients[place], theta)
        if self.project is not None:
            states = self.project(states)
        return torch.where(inside.unsqueeze(-1).unsqueeze(-1), states, torch.nan)

    def select(self, index: Tensor) -> DenseOutput:
        """The interpolants of the instances ``index``; the tables of the steps are shared, not copied."""
        return DenseOutput(
            self.starts[index],
            self.end[index],
            self.first[index],
            self.length,
            self.state,
            self.coefficients,
            self.project,
        )


@dataclass
class DenseRecorder:
    """Collects the steps of a run of ``batch`` instances."""

    batch: int
    _steps: list[tuple[Tensor, ...]] = field(default_factory=list)

    def record(self, accepted: Tensor, row: Tensor, t: Tensor, t_new: Tensor, y: Tensor, coefficients: Tensor) -> None:
        """Keep the accepted ones of one step of the instances ``row`` from ``t`` to ``t_new``."""
        self._steps.append(tuple(x[accepted] for x in (row, t, t_new, y, coefficients)))

    def output(self, like: Tensor, project: Projection | None) -> DenseOutput:
        """The steps sorted by instance; ``like (B, K, n, d)`` gives sizes, type and device."""
        if not self._steps:
            shape = like.shape[2:]
            none = like.new_empty(0)
            self._steps.append(
                (none.to(torch.int64), none, none, like.new_empty(0, *shape), like.new_empty(0, 7, *shape))
            )
        row, t, t_new, y, coefficients = (torch.cat(x) for x in zip(*self._steps, strict=True))
        order = torch.argsort(row, stable=True)  # stable: the steps of one instance stay in the order of time
        return dense_output(row[order], t[order], t_new[order], y[order], coefficients[order], like, project)


def dense_output(
    row: Tensor, t: Tensor, t_new: Tensor, y: Tensor, coefficients: Tensor, like: Tensor, project: Projection | None
) -> DenseOutput:
    """All N steps of a batch, instance by instance in the order of time.

    ``row``, ``t``, ``t_new`` (N,): the instance, start and end of each step; ``y (N, n, d)``, ``coefficients
    (N, 7, n, d)``; ``like (B, K, n, d)`` gives sizes, type and device.
    """
    batch = like.shape[0]
    count = torch.bincount(row, minlength=batch)
    first = count.cumsum(0) - count
    rank = torch.arange(row.shape[0], device=row.device) - first[row]
    widest = int(count.max()) if batch else 0
    starts = like.new_full((batch, max(widest, 1)), torch.inf)
    starts[row, rank] = t
    end = like.new_full((batch,), -torch.inf).scatter_reduce(0, row, t_new, "amax")
    return DenseOutput(starts, end, first, t_new - t, y, coefficients, project)
