"""Gradient ascent on observed / bound, through the spectra and through the flow, from many starts at once.

What is moved are the matrices, the tokens and the time themselves; symmetric matrices stay symmetric and tokens on the
sphere by construction. A candidate counts only after the same second look as any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from numerics.differentiable import flow
from proofs_checks.falsify.search import Outcome, Progress
from proofs_checks.falsify.targets import Target
from proofs_checks.instance_file import Instance
from theory.formula import Formula
from theory.lowering import to_torch

STARTS, STEPS, RATE, EXAMINED = 64, 120, 0.03, 3
_DIGITS = 6
_SMALL = 1e-5
"""Below it double precision says nothing here."""


@dataclass
class Point:
    """B instances: V, ΔV, A, ΔA ``(B, d, d)``, tokens ``(B, n, d)``, time ``(B,)``."""

    V: Tensor
    dV: Tensor
    A: Tensor
    dA: Tensor
    X: Tensor
    T: Tensor


Objective = Callable[[Point, Formula], Tensor]
"""Observed / bound ``(B,)``; NaN where the claim says nothing."""


def _norm(matrix: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(matrix, ord=2)


def _symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.mT) / 2


def sphere(p: Point, formula: Formula) -> Tensor:
    """Largest angle between twins against the bound of prop-3.1/sphere."""
    ends = [flow(p.A, p.V, p.X, p.T), flow(p.A + p.dA, p.V + p.dV, p.X, p.T)]
    apart = torch.linalg.vector_norm(ends[0] - ends[1], dim=2).clamp(max=2 - 1e-12)
    observed = (2 * torch.arcsin(apart / 2)).amax(dim=1)
    given = {
        "V_norm": _norm(p.V), "A_norm": _norm(p.A), "dV_norm": _norm(p.dV), "dA_norm": _norm(p.dA),
        "perturbed_V_norm": _norm(p.V + p.dV), "perturbed_A_norm": _norm(p.A + p.dA), "t": p.T,
    }  # fmt: skip
    return observed / to_torch(formula, **{k: given[k] for k in formula.arguments})


def _leading(matrix: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(_symmetric(matrix))
    return values, vectors[:, :, -1]


def convergence(p: Point, formula: Formula) -> Tensor:
    """Largest tangent at T against the bound of prop-3.3/convergence."""
    values, u = _leading(p.V)
    gap = values[:, -1] - values[:, :-1].abs().amax(dim=1)

    def tangent(tokens: Tensor) -> Tensor:
        along = (tokens * u[:, None]).sum(dim=2)
        across = torch.linalg.vector_norm(tokens - along[:, :, None] * u[:, None], dim=2)
        return torch.where(along.amin(dim=1) > 0, (across / along).amax(dim=1), torch.nan)

    start = tangent(p.X)
    given = {"dominant_gap": gap, "tan_max_angle_0": start, "t": p.T}
    bound = to_torch(formula, **{k: given[k] for k in formula.arguments})
    speaks = (gap > 0) & (bound > _SMALL)
    return torch.where(speaks, tangent(flow(p.A, _symmetric(p.V), p.X, p.T)) / bound, torch.nan)


def drift(p: Point, formula: Formula) -> Tensor:
    """Chord of the leading eigenvectors against a bound of prop-3.3/drift."""
    values, u = _leading(p.V)
    update = _symmetric(p.dV)
    moved = (update @ u[:, :, None])[:, :, 0]
    a = (moved * u).sum(dim=1)
    across = torch.eye(u.shape[1], dtype=u.dtype) - u[:, :, None] * u[:, None]
    given = {
        "gap": values[:, -1] - values[:, -2], "a": a, "b_norm": torch.linalg.vector_norm(moved - a[:, None] * u, dim=1),
        "E_norm": _norm(across @ update @ across), "lambda_1": values[:, -1],
    }  # fmt: skip
    _, other = _leading(p.V + update)
    cosine = (u * other).sum(dim=1).abs().clamp(max=1 - 1e-15)
    bound = to_torch(formula, **{k: given[k] for k in formula.arguments})
    chord = (2 - 2 * cosine).sqrt()
    speaks = (given["gap"] + a > given["E_norm"]) & (chord > _SMALL)
    return torch.where(speaks, chord / bound, torch.nan)


OBJECTIVES: dict[str, Objective] = {
    "prop-3.1/sphere": sphere,
    "prop-3.3/convergence": convergence,
    "prop-3.3/drift": drift,
}
"""Claim → what is climbed on."""
_SYMMETRIC = ("prop-3.3/convergence", "prop-3.3/drift")


def start(claim: str, n: int, d: int, generator: torch.Generator) -> Point:
    """Random starts."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(STARTS, *shape, dtype=torch.float64, generator=generator)

    X = draw(n, d)
    V = _symmetric(draw(d, d)) if claim in _SYMMETRIC else draw(d, d)
    if claim == "prop-3.3/convergence":  # a positive leading eigenvalue, and tokens in its hemisphere
        V = V @ V
        X = X * torch.sign((X * _leading(V)[1][:, None]).sum(dim=2, keepdim=True))
    dV = 0.3 * draw(d, d)
    dV = _symmetric(dV) if claim in _SYMMETRIC else dV
    X = X / torch.linalg.vector_norm(X, dim=2, keepdim=True)
    T = 0.5 * torch.rand(STARTS, dtype=torch.float64, generator=generator) + 0.1
    return Point(V, dV, draw(d, d), 0.3 * draw(d, d), X, T)


def _climbed(
    objective: Objective, formula: Formula, begin: Point, symmetric: bool, deadline: float
) -> tuple[Point, Tensor]:
    """The best point of each start on its way, and its ratio."""
    free = [x.clone().requires_grad_() for x in vars(begin).values()]
    optimiser = torch.optim.Adam(free, lr=RATE)
    best, found = begin, torch.full((STARTS,), -torch.inf, dtype=torch.float64)
    for _ in range(STEPS):
        V, dV, A, dA, X, T = free
        if symmetric:
            V, dV = _symmetric(V), _symmetric(dV)
        here = Point(V, dV, A, dA, X / torch.linalg.vector_norm(X, dim=2, keepdim=True), T.abs() + 1e-3)
        ratio = objective(here, formula)
        better = (ratio > found).detach()
        found = torch.where(better, ratio, found).detach()
        best = Point(*(
            torch.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old).detach()
            for new, old in zip(vars(here).values(), vars(best).values(), strict=True)
        ))  # fmt: skip
        if time.perf_counter() > deadline:
            break
        optimiser.zero_grad()
        torch.where(ratio.isfinite(), ratio, 0.0).sum().neg().backward()
        for x in free:
            if x.grad is not None:
                x.grad.nan_to_num_(0.0)
        optimiser.step()
    return best, found


def _instance(point: Point, row: int, claim: str) -> Instance:
    def short(x: Tensor) -> np.ndarray:
        return np.round(x[row].numpy(), _DIGITS)

    tokens = claim != "prop-3.3/drift"
    V, dV = (short(_symmetric(x) if claim in _SYMMETRIC else x) for x in (point.V, point.dV))
    return Instance.from_arrays(
        V, dV, short(point.A) if tokens else None, short(point.dA) if tokens else None,
        short(point.X) if tokens else None, float(short(point.T)) if tokens else None,
        claim=claim, kind="counterexample", options={"normalize": True} if tokens else {},
    )  # fmt: skip


def ascend(target: Target, budget: float, seed: int, progress: Progress) -> Outcome:
    """Climb from random starts, small n and d first, for at most ``budget`` seconds; a confirmed violation ends it."""
    started, outcome, objective = time.perf_counter(), Outcome(), OBJECTIVES[target.claim]
    generator = torch.Generator().manual_seed(seed)
    round_ = 0
    while outcome.seconds < budget:
        n, d = (1, 2) if round_ % 2 == 0 else (2, 3)
        round_ += 1
        begin = start(target.claim, n, d, generator)
        symmetric = target.claim in _SYMMETRIC
        best, ratio = _climbed(objective, target.formula, begin, symmetric, started + budget)
        outcome.tried += STARTS
        top = float(ratio.max())
        outcome.best_ratio = top if outcome.best_ratio is None else max(top, outcome.best_ratio)
        for row in ratio.argsort(descending=True)[:EXAMINED].tolist():
            if ratio[row] > 1:
                instance = _instance(best, row, target.claim)
                result = target.confirm(instance, target.formula)
                if result.violated:
                    outcome.instance, outcome.confirmation = instance, result
                    outcome.seconds = time.perf_counter() - started
                    return outcome
                outcome.unconfirmed += 1
        outcome.seconds = time.perf_counter() - started
        progress(outcome.seconds, outcome.tried, outcome.best_ratio)
    return outcome
