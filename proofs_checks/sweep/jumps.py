"""Items of the deterministic families (when tokens jump), and of those where noise carries a token out of its well."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from numerics.adapters import AdapterLaw
from numerics.field import AttentionField, normalised
from numerics.first_passage import angle_event, last_entry
from numerics.flow import simulate
from numerics.layered import collapsed_states
from numerics.linear_map import LinearMap
from proofs_checks.sweep.clouds import Columns
from proofs_checks.sweep.families import Escapes, Passages

LOW, HIGH = 0.1, 0.9
"""Overlaps with ũ1 between which the window is measured (of the deviation, for the degenerate shape)."""
_ENDS = 4
"""Steps of the integrator per time in which the slow mode grows by a factor e, at least."""
LONGEST = 40.0
"""An escape is waited for during this many times e^(gap/σ²)/gap."""


def levels(family: Passages, epsilon: float) -> Tensor:
    """Spectrum of V + ΔV."""
    if family.shape == "cutoff":
        return torch.tensor([1.0, 1.0 - family.gap, *[0.0] * (family.d - 2)], dtype=torch.float64)
    return torch.tensor([1.0, *[1.0 - epsilon] * (family.d - 1)], dtype=torch.float64)


def starts(family: Passages, epsilon: float, generator: torch.Generator) -> Tensor:
    """Tokens ``(block, n, d)`` about the second axis (cutoff), or about the angle θ0 from the first (degenerate)."""
    block, n, d = family.block, family.tokens, family.d
    noise = torch.randn((block, n, d), dtype=torch.float64, generator=generator, device=generator.device)
    noise *= family.spread / d**0.5
    centre = torch.zeros(d, dtype=torch.float64, device=generator.device)
    if family.shape == "degenerate":
        centre[0], centre[1] = math.cos(family.angle), math.sin(family.angle)
        return normalised(centre + noise)
    centre[1] = 1.0
    across = centre + noise
    across[..., 0] = 0.0
    share = torch.rand((block, n), dtype=torch.float64, generator=generator, device=generator.device)
    overlap = epsilon * (torch.ones_like(share) if n == 1 else 0.5 + share)
    tokens = normalised(across) * (1 - overlap**2).sqrt().unsqueeze(2)
    tokens[..., 0] = overlap
    return tokens


def passages(family: Passages, epsilon: float, generator: torch.Generator) -> Columns:
    """The time at which every token is within given angles of ũ1 (of e1), for each seed: T*, and the window's ends."""
    tokens = starts(family, epsilon, generator)
    value = torch.diag(levels(family, epsilon)).to(tokens).expand(family.block, family.d, family.d)
    if family.shape == "cutoff":
        angles = {"time": math.pi / 4, "begins": math.acos(LOW), "ends": math.acos(HIGH)}
        horizon, rate = (math.log(1 / epsilon) + 12) / family.gap, family.gap
    else:
        angles = {"time": family.angle / 2, "begins": family.angle * (1 - LOW), "ends": family.angle * (1 - HIGH)}
        horizon, rate = 2 * math.log(math.tan(family.angle) / math.tan(angles["ends"])) / epsilon + 10, epsilon
    field = AttentionField(LinearMap(value), LinearMap(value))
    # Where all tokens are near ũ2 long steps keep |x| but not the ratio of the small overlap: steps end here.
    times = torch.linspace(0, horizon, max(2, math.ceil(horizon * rate * _ENDS)), dtype=tokens.dtype)[1:]
    times = times.to(tokens.device).expand(family.block, -1)
    solution = simulate(tokens, value, value, times, dense=True, max_steps=200_000)
    axis = torch.eye(family.d, dtype=tokens.dtype, device=tokens.device)[0].expand(family.block, family.d)
    found = {}
    for name, angle in angles.items():
        passage = last_entry(solution, field, angle_event(axis, tokens.new_full((family.block,), angle)))
        found[name] = passage.time.cpu().numpy()
        if name == "time":
            found["error"] = passage.error.cpu().numpy()
    return found


def escapes(family: Escapes, barrier: float, generator: torch.Generator) -> Columns:
    """The time of the first layer after which the token is beyond the perpendicular of u1; NaN: not in the horizon."""
    d, h = 2, family.h
    sigma = (family.gap / barrier) ** 0.5
    value = torch.diag(torch.tensor([family.gap, 0.0], dtype=torch.float64, device=generator.device))
    adapters = AdapterLaw(scale=sigma * d / h**0.5).layers(family.block, d, generator)
    start = torch.eye(d, dtype=torch.float64, device=generator.device)[0].expand(family.block, 1, d)
    depth = math.ceil(LONGEST * math.exp(barrier) / (family.gap * h))
    left = torch.full((family.block,), torch.nan, dtype=torch.float64, device=generator.device)
    one = torch.ones(1, dtype=torch.float64, device=generator.device)
    for layer, x in enumerate(collapsed_states(start, value, one, h=h, depth=depth, adapters=adapters), 1):
        left = torch.where(left.isnan() & (x[:, 0, 0] <= 0), layer * h, left)
        if layer % 64 == 0 and not bool(left.isnan().any()):
            break
    return {"time": left.cpu().numpy()}
