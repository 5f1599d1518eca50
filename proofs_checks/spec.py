"""What an instance looks like before it is drawn: one frozen specification for both samplers.

The batched sampler (:mod:`proofs_checks.sampler`) and the hypothesis strategies (:mod:`proofs_checks.strategies`)
draw the same :class:`InstanceSpec` from the same :class:`Family`, so they cover the same ground (a test compares).
Every field is a choice among few readable values or a number on a grid; nothing is filtered afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

TOKENS = (1, 2, 4, 8, 16)
DIMENSIONS = (2, 3, 4, 8, 16)


@dataclass(frozen=True)
class Choice:
    """One of a few values, with weights for the batched sampler; the first is what hypothesis shrinks to."""

    values: tuple[Any, ...]
    weights: tuple[float, ...] = ()

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """``size`` values, drawn by weight."""
        p = np.asarray(self.weights or [1.0] * len(self.values))
        return np.asarray(self.values)[rng.choice(len(self.values), size=size, p=p / p.sum())]


@dataclass(frozen=True)
class Grid:
    """A number ``k / steps`` with ``low <= k <= high``; hypothesis shrinks to ``low``."""

    low: int
    high: int
    steps: int

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """``size`` numbers, uniform on the grid."""
        return rng.integers(self.low, self.high, size=size, endpoint=True) / self.steps


@dataclass(frozen=True)
class InstanceSpec:
    """One instance (V, ΔV, A, tokens, T), up to three random seeds.

    Attributes
    ----------
    n, d: number of tokens and dimension.
    base: ``psd``, ``symmetric`` (indefinite allowed) or ``general`` (non-symmetric V).
    spectrum: ``flat`` (all λ_j = λ2), ``generic``, ``tie`` (λ2 = λ3), ``mirror`` (λ_d = -λ2).
    scale: λ1 (for ``general``: w of V).
    gap: gap / λ1.
    collapse: the gap is divided by ``10**collapse``.
    update: ``blocks`` (symmetric, planted a, b, E), ``gram`` (symmetric, rank r), ``lowrank`` (B·A), ``aligned``
        (rank one, from or into u1), ``orthogonal`` (b = c = 0).
    rank: rank of ``gram`` and ``lowrank``, at most d.
    a: a / gap*.
    coupling: ||b|| / (gap + a - ||E||) for ``blocks``.
    block: ||E|| / (gap* + a) for ``blocks`` and ``orthogonal``.
    level: fraction of the largest ΔV that the criterion allows (above 1: beyond its boundary).
    tokens: ``planar`` (all in the plane of u1 and one direction), ``cone``, ``clustered``.
    spread: largest angle to u1 over the angle that the hypotheses allow.
    attention: ``value`` (A = V), ``general``, ``zero``.
    beta: ||A|| for ``general``.
    horizon: T in units of 1/gap*.
    frame, directions, placement: seeds of the rotation, of b and E, of the tokens; 0 is the readable, axis-aligned
        choice.
    """

    n: int
    d: int
    base: str
    spectrum: str
    scale: float
    gap: float
    collapse: int
    update: str
    rank: int
    a: float
    coupling: float
    block: float
    level: float
    tokens: str
    spread: float
    attention: str
    beta: float
    horizon: float
    frame: int
    directions: int
    placement: int


@dataclass(frozen=True)
class Family:
    """A family of instances: a domain for every field of :class:`InstanceSpec`, and what its tokens may do.

    Attributes
    ----------
    region: where tokens start: ``hemisphere`` (up to π/2 from u1), ``criterion`` (up to π/2 - θ_b), ``beyond``
        (between π/2 - θ_b and π/2), ``cone`` (up to arctan t+).
    simulated: False for spectral families, whose checks need no trajectories.
    converge: where positive, T is long enough for tokens to come within this angle of their limit.
    """

    name: str
    domain: dict[str, Choice | Grid]
    region: str
    simulated: bool = True
    converge: float = 0.0

    def columns(self, rng: np.random.Generator, size: int, n: int, d: int) -> dict[str, np.ndarray]:
        """``size`` specifications for given n and d, as columns (field → array)."""
        drawn = {name: domain.draw(rng, size) for name, domain in self.domain.items() if name not in ("n", "d")}
        return {"n": np.full(size, n), "d": np.full(size, d), **drawn}


def as_columns(spec: InstanceSpec) -> dict[str, np.ndarray]:
    """One specification as columns of length one."""
    return {f.name: np.asarray([getattr(spec, f.name)]) for f in fields(spec)}


_SEED = Choice(tuple(range(16)))
COMMON: dict[str, Choice | Grid] = {
    "n": Choice(TOKENS, (0.14, 0.2, 0.22, 0.22, 0.22)),
    "d": Choice(DIMENSIONS, (0.14, 0.2, 0.22, 0.22, 0.22)),
    "base": Choice(("psd", "symmetric")),
    "spectrum": Choice(("flat", "generic", "tie", "mirror"), (0.2, 0.5, 0.15, 0.15)),
    "scale": Grid(8, 32, 16),
    "gap": Grid(4, 16, 16),
    "collapse": Choice((0,)),
    "update": Choice(("blocks", "gram", "orthogonal"), (0.75, 0.2, 0.05)),
    "rank": Choice((1, 2, 4)),
    "a": Grid(-8, 16, 16),
    "coupling": Grid(1, 64, 64),
    "block": Grid(0, 30, 32),
    "level": Grid(1, 31, 32),
    "tokens": Choice(("planar", "cone", "clustered")),
    "spread": Grid(2, 31, 32),
    "attention": Choice(("value", "general", "zero"), (0.3, 0.6, 0.1)),
    "beta": Grid(1, 40, 8),
    "horizon": Grid(4, 40, 16),
    "frame": _SEED,
    "directions": _SEED,
    "placement": _SEED,
}

CRITERION = Family("criterion", COMMON, region="criterion")
CONVERGED = Family(
    "converged",
    COMMON
    | {
        "n": Choice((4, 8, 16)),
        "gap": Grid(8, 16, 16),
        "update": Choice(("blocks", "gram")),
        "a": Grid(-4, 16, 16),
        "coupling": Grid(4, 64, 64),
        "block": Grid(0, 16, 32),
    },
    region="criterion",
    converge=1e-10,
)
CONE = Family(
    "cone",
    COMMON
    | {
        "base": Choice(("psd", "symmetric", "general")),
        "update": Choice(("lowrank", "aligned"), (0.8, 0.2)),
        "level": Grid(1, 31, 32),
    },
    region="cone",
)
SPECTRAL = Family(
    "spectral",
    COMMON
    | {
        "update": Choice(("blocks", "gram"), (0.8, 0.2)),
        "collapse": Choice((0, 1, 2, 4, 6), (0.6, 0.1, 0.1, 0.1, 0.1)),
        "a": Grid(-15, 32, 16),
        "coupling": Grid(1, 128, 64),
        "block": Grid(0, 44, 32),
    },
    region="hemisphere",
    simulated=False,
)
QUOTED = Family(
    "quoted",
    COMMON
    | {
        "n": Choice((1, 2, 4)),
        "d": Choice((2, 3, 4)),
        "base": Choice(("psd",)),
        "gap": Grid(8, 15, 16),
        "update": Choice(("blocks",)),
        "a": Grid(0, 8, 16),
        "coupling": Grid(24, 31, 64),
        "block": Choice((0.0,)),
        "tokens": Choice(("clustered", "planar")),
        "attention": Choice(("value",)),
        "spread": Grid(1, 8, 32),
    },
    region="beyond",
    converge=1e-2,
)
QUOTED_NONSYMMETRIC = Family(
    "quoted-nonsymmetric",
    QUOTED.domain | {"update": Choice(("aligned",)), "level": Grid(64, 96, 32), "spread": Grid(20, 31, 32)},
    region="hemisphere",
    converge=1e-2,
)
GAP_ONLY = Family(
    "gap-only",
    COMMON
    | {
        "n": Choice((2, 4)),
        "d": Choice((2, 3)),
        "base": Choice(("symmetric",)),
        "spectrum": Choice(("indefinite",)),
        "update": Choice(("orthogonal",)),
        "attention": Choice(("value",)),
        "tokens": Choice(("planar",)),
        "spread": Grid(28, 31, 32),
    },
    region="hemisphere",
)

FAMILIES = {f.name: f for f in (CRITERION, CONVERGED, CONE, SPECTRAL, QUOTED, QUOTED_NONSYMMETRIC, GAP_ONLY)}
"""Family name → family."""
