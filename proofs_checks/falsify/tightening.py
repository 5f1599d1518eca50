"""The smallest tightening of prop-3.1/sphere that is refuted at t = 1, ||V|| = 1, ||A|| = 1.

``python -m proofs_checks.falsify.tightening`` climbs from random starts with these norms held, for n = 1, 2, 3 tokens.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import Tensor

from proofs_checks.falsify.gradient import RATE, start
from proofs_checks.falsify.objective import Point
from proofs_checks.falsify.objectives_flows import sphere
from theory import prop_3_1

STEPS = 150


def unit(matrix: Tensor) -> Tensor:
    """The matrix scaled to operator norm one."""
    return matrix / torch.linalg.matrix_norm(matrix, ord=2)[:, None, None]


def largest_ratio(n: int, d: int, size: float, seconds: float, seed: int = 0) -> float:
    """Largest observed / bound at t = 1 with ``||V|| = ||A|| = 1`` and ``||ΔV|| = size``, ΔA free below it."""
    generator, deadline, best = torch.Generator().manual_seed(seed), time.perf_counter() + seconds, 0.0
    while time.perf_counter() < deadline:
        begin = start("prop-3.1/sphere", n, d, generator)
        free = [x.clone().requires_grad_() for x in (begin.V, begin.dV, begin.A, begin.dA, begin.X)]
        optimiser = torch.optim.Adam(free, lr=RATE)
        for _ in range(STEPS):
            V, dV, A, dA, X = free
            tokens = X / torch.linalg.vector_norm(X, dim=2, keepdim=True)
            share = torch.tanh(torch.linalg.matrix_norm(dA, ord=2))[:, None, None]
            times = torch.ones(len(V), dtype=torch.float64)
            point = Point(unit(V), size * unit(dV), unit(A), size * share * unit(dA), tokens, times)
            ratio = sphere(point, prop_3_1.BOUND)
            best = max(best, float(ratio.detach().nan_to_num(0.0).max()))
            optimiser.zero_grad()
            ratio.nan_to_num(0.0).sum().neg().backward()
            for x in free:
                if x.grad is not None:
                    x.grad.nan_to_num_(0.0)
            optimiser.step()
            if time.perf_counter() > deadline:
                break
    return best


def main() -> None:
    """Print one line for each number of tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0, help="for each number of tokens")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for n, d in ((1, 2), (2, 3), (3, 3)):
        best = max(largest_ratio(n, d, size, args.seconds / 2) for size in (0.01, 1.0))
        print(f"n = {n}, d = {d}: largest observed / bound {best:.4f}, smallest tightening refuted {1 - best:.4f}")


if __name__ == "__main__":
    main()
