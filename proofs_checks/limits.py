"""The limits that connect the models, measured: ``python -m proofs_checks.limits`` prints the table of the docs.

Layered model → flow at O(h); random adapters of mean M → the flow with V + M at O(1/√L); the Ornstein-Uhlenbeck process
about u1 against the full layered model, and where it stops to hold.
"""

from __future__ import annotations

import numpy as np
import torch

from numerics.adapters import AdapterLaw
from numerics.flow import simulate
from numerics.layered import layered_states
from proofs_checks.transition import axis, last_states, value_of
from theory import thm_4_2 as theory

DEPTHS = (64, 256, 1_024)
T = 2.0
TOLERANCE = 0.05
"""The Ornstein-Uhlenbeck variance counts as holding up to this relative difference."""
NOISES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def _last(states: object) -> torch.Tensor:
    end = torch.empty(0)
    for end in states:  # type: ignore[attr-defined]  # noqa: B007
        pass
    return end


def _problem(size: int, n: int, d: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens (B, n, d), A and V (B, d, d)."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.nn.functional.normalize(torch.randn(size, n, d, generator=generator, dtype=torch.float64), dim=-1)
    A, V = torch.randn(2, size, d, d, generator=generator, dtype=torch.float64) / d**0.5
    return tokens, A, V


def flow_errors(causal: bool, seed: int = 0, size: int = 24) -> torch.Tensor:
    """Largest distance (depths, B) of a token of the layered model from the flow at time T, for each depth."""
    tokens, A, V = _problem(size, 8, 4, seed)
    times = torch.full((size, 1), T, dtype=torch.float64)
    exact = simulate(tokens, A, V, times, rtol=1e-12, atol=1e-14, causal=causal).states[:, 0]
    found = [_last(layered_states(tokens, A, V, h=T / n, depth=n, causal=causal)) for n in DEPTHS]
    return torch.stack([(x - exact).norm(dim=-1).amax(dim=-1) for x in found])


def slope(values: torch.Tensor) -> torch.Tensor:
    """Slope of log values (depths, ...) in log L, between the two largest depths."""
    return (values[-1] / values[-2]).log() / float(np.log(DEPTHS[-1] / DEPTHS[-2]))


def mean_adapter_errors(seed: int = 0, seeds: int = 400, eta: float = 0.5, shift: float = 0.0) -> torch.Tensor:
    """RMS distance (depths,) from the flow with V + M of the layered model with random adapters of mean M.

    ``shift`` moves the mean of the flow away from M: a wrong limit, for the negative control.
    """
    d, n = 3, 4
    tokens, A, V = (x[0] for x in _problem(1, n, d, seed))
    M = 0.8 * _problem(1, n, d, seed + 1)[2][0]
    limit = (V + M + shift * torch.eye(d, dtype=torch.float64).roll(1, 0))[None]
    exact = simulate(tokens[None], A[None], limit, torch.tensor([[T]]).double(), rtol=1e-12, atol=1e-14).states[0, 0]
    found = []
    for depth in DEPTHS:
        adapters = AdapterLaw(scale=eta, mean=M).layers(seeds, d, torch.Generator().manual_seed(seed + depth))
        end = _last(layered_states(tokens.expand(seeds, n, d), A, V, h=T / depth, depth=depth, adapters=adapters))
        found.append((end - exact).square().sum(dim=2).mean().sqrt())
    return torch.stack(found)


def linearisation(noise: float, seed: int = 0, seeds: int = 20_000) -> tuple[float, float, float]:
    """E|x - u1|² of the full model at σ² = noise, gap 1, its error, and the Ornstein-Uhlenbeck value."""
    levels, time, depth = (1.0, 0.0, 0.0), 3.0, 600
    d, h = len(levels), time / depth
    law = AdapterLaw(scale=noise**0.5 * d / h**0.5)
    value = torch.diag(torch.tensor(levels, dtype=torch.float64))
    end = last_states(law, value, axis(d), h=h, depth=depth, seeds=seeds, seed=seed)
    chord = (end - axis(d)).square().sum(dim=1)
    numbers = {"sigma": noise**0.5, "lambda_1": levels[0], "lambda_j": levels[1], "T": time}
    predicted = (d - 1) * value_of(theory.CRITICAL_VARIANCE_LIMIT, **numbers)
    return float(chord.mean()), float(chord.std() / seeds**0.5), predicted


def breakdown(table: dict[float, tuple[float, float, float]]) -> float:
    """The smallest σ²/gap of the table at which the linearised variance is off by more than :data:`TOLERANCE`."""
    return min(s for s, (mean, error, ou) in table.items() if abs(mean / ou - 1) - 5 * error / ou > TOLERANCE)


def markdown(seeds: int = 20_000) -> str:
    """The tables of the docs."""
    lines = ["| limit | what is measured | L = 64 | 256 | 1,024 | slope in L | expected |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for causal in (False, True):
        errors = flow_errors(causal)
        cells = " | ".join(f"{float(x):.2e}" for x in errors.median(dim=1).values)
        mask = "causal mask" if causal else "full attention"
        middle = float(slope(errors).median())
        lines.append(f"| layered → flow, {mask} | largest distance, median of 24 | {cells} | {middle:.3f} | -1 |")
    errors = mean_adapter_errors()
    cells = " | ".join(f"{float(x):.2e}" for x in errors)
    lines.append(
        f"| mean M → flow with V + M | RMS distance, 400 draws | {cells} | {float(slope(errors)):.2f} | -1/2 |"
    )
    lines += [
        "",
        "| σ²/gap | E‖x - u1‖², full model | Ornstein-Uhlenbeck | relative difference |",
        "| --- | --- | --- | --- |",
    ]
    table = {noise: linearisation(noise, seeds=seeds) for noise in NOISES}
    for noise, (mean, error, ou) in table.items():
        lines.append(f"| {noise:g} | {mean:.4f} ± {error:.4f} | {ou:.4f} | {mean / ou - 1:+.1%} |")
    lines += [
        "",
        f"Off by more than {TOLERANCE:.0%} (beyond five standard errors) from σ²/gap = {breakdown(table):g} on.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown())
