"""What a sweep simulates: families of one model over a grid. Every number that a result depends on stands in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from proofs_checks.errors import InputError

Kind = Literal["random", "tied", "ar1"]
Directions = Literal["all", "off-u1", "small-gap", "large-gap"]
POWERS = {("random", "T"): 0.5, ("ar1", "T"): 0.5, ("tied", "T"): 0.0, ("random", "h"): -0.5, ("tied", "h"): -1.0,
          ("ar1", "h"): -0.5}  # fmt: skip
"""Exponent p of the grid ``η = x·L^p``, by kind of adapter and by what is fixed; where the transition stays on it."""


def well(d: int, gap: float) -> tuple[float, ...]:
    """Eigenvalues of V: 1, then ``1 - gap`` down to 0 evenly (all ``1 - gap`` where that is negative)."""
    second = 1.0 - gap
    if d == 2:
        return (1.0, second)
    return (1.0, *(second * (1 - k / (d - 2)) if second > 0 else second for k in range(d - 1)))


@dataclass(frozen=True)
class Clouds:
    """Clouds of tokens in the layered model, base and LoRA from the same start, over η and L.

    Attributes
    ----------
    name: of the family. adapters, correlation: the law of ΔV^l over the layers.
    etas: grid x of ``η = x·L^power``. depths: L.
    fixed, amount: ``T`` or ``h``, and its value. levels: the spectrum of V = A, u1 the first axis.
    tokens: n; uniform in the hemisphere of u1, or (``collapsed``) all at u1.
    rank, norm: r and ||s||; the weights ``s_k = ||s||/√r`` are equal.
    directions: what both factors of an adapter are confined to; ``small-gap`` and ``large-gap``: u1 and the half of
        the other eigenvectors whose eigenvalues are nearest to λ1, or farthest.
    seeds, block: independent replicas, and how many of them one item of work has.
    threshold: D at which η_c is read. radius: RMS distance from the base at which a first passage is recorded.
    cluster_angle: tokens nearer than this (radians) are in one cluster.
    """

    name: str
    adapters: Kind = "random"
    correlation: float = 0.0
    etas: tuple[float, ...] = (1.0,)
    power: float = 0.5
    depths: tuple[int, ...] = (64,)
    fixed: Literal["T", "h"] = "T"
    amount: float = 4.0
    levels: tuple[float, ...] = well(8, 0.5)
    tokens: int = 16
    collapsed: bool = False
    rank: int = 4
    norm: float = 2.0
    directions: Directions = "all"
    seeds: int = 200
    block: int = 25
    threshold: float = 0.25
    radius: float = 0.5
    cluster_angle: float = 0.1
    model: Literal["clouds"] = "clouds"

    @property
    def d(self) -> int:
        """Dimension of a token."""
        return len(self.levels)

    def step(self, depth: int) -> float:
        """h at this depth."""
        return self.amount / depth if self.fixed == "T" else self.amount

    def points(self) -> list[dict[str, Any]]:
        """What the items of one block of seeds are about."""
        return [{"depth": depth} for depth in self.depths]

    def cost(self, point: dict[str, Any]) -> float:
        """Seconds that one item takes, roughly (one thread of a 2024 server)."""
        clouds = self.block * (len(self.etas) + 1)
        return point["depth"] * (1e-4 + 8e-8 * clouds * self.tokens * (self.tokens + self.d) / 4)

    def memory(self) -> int:
        """Bytes at the peak of one item: five states, the attention weights, and the matrices of what is measured."""
        clouds = self.block * (len(self.etas) + 1)
        weights = self.tokens if 1 < self.tokens < 1_024 else 0
        layers = clouds * self.tokens * (5 * self.d + weights)
        matrices = 8 * self.tokens**2 * (clouds if self.tokens <= 256 else 1 if self.tokens <= 4_096 else 0)
        sliced = 0 if self.tokens <= 4_096 else 12 * 64 * clouds * self.tokens
        return 8 * (layers + max(matrices, sliced))


@dataclass(frozen=True)
class Passages:
    """The deterministic flow under V + ΔV: when the tokens jump.

    Attributes
    ----------
    shape: ``cutoff``: V + ΔV = diag(λ̃1, λ̃1 - gap, rest), overlaps ε with ũ1, the tokens else near ũ2;
        ``degenerate``: V + ΔV = diag(1, 1 - ε), tokens near the angle ``angle`` from e1.
    epsilons: grid of ε. gap: λ̃1 - λ̃2. tokens: 1 is a collapsed cloud. spread: RMS angle about the centre (radians).
    """

    name: str
    shape: Literal["cutoff", "degenerate"] = "cutoff"
    epsilons: tuple[float, ...] = (1e-2,)
    gap: float = 0.1
    d: int = 3
    tokens: int = 1
    spread: float = 0.0
    angle: float = 0.9
    seeds: int = 1
    block: int = 1
    model: Literal["passages"] = "passages"

    def points(self) -> list[dict[str, Any]]:
        """What the items of one block of seeds are about."""
        return [{"epsilon": x} for x in self.epsilons]

    def cost(self, point: dict[str, Any]) -> float:
        """Seconds that one item takes, roughly."""
        rate = self.gap / math.log(10 / point["epsilon"]) if self.shape == "cutoff" else point["epsilon"]
        return 0.2 + (1 + self.block * self.tokens / 16) * 1e-3 / rate

    def memory(self) -> int:
        """Bytes at the peak of one item: the stages of the integrator and its interpolant over a few hundred steps."""
        return 8 * self.block * self.tokens * (self.d * 8 * 400 + 16 * (self.d + self.tokens))


@dataclass(frozen=True)
class Escapes:
    """One token at u1 in the plane under V = diag(gap, 0), independent adapters at a small step: when it leaves.

    Attributes
    ----------
    barriers: grid of gap/σ². gap, h: the well and the step. seeds, block: replicas, and those of one item.
    """

    name: str
    barriers: tuple[float, ...] = (1.0,)
    gap: float = 1.0
    h: float = 0.01
    seeds: int = 400
    block: int = 200
    model: Literal["escapes"] = "escapes"

    def points(self) -> list[dict[str, Any]]:
        """What the items of one block of seeds are about."""
        return [{"barrier": x} for x in self.barriers]

    def cost(self, point: dict[str, Any]) -> float:
        """Seconds that one item takes, roughly: 0.1 ms for each layer until the last token has left."""
        return 6e-4 * math.exp(point["barrier"]) / (self.gap * self.h)

    def memory(self) -> int:
        """Bytes at the peak of one item."""
        return 8 * self.block * 64


Family = Clouds | Passages | Escapes
MODELS: dict[str, type[Family]] = {"clouds": Clouds, "passages": Passages, "escapes": Escapes}
LARGEST_MEMORY = 4 * 2**30


@dataclass(frozen=True)
class Sweep:
    """A whole sweep: its kind (norm, depth, gap, rank), its families, and the seed of all of its random numbers."""

    kind: str
    families: tuple[Family, ...]
    seed: int = 0
    profile: str = field(default="custom", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": self.kind, "seed": self.seed, "families": [asdict(x) for x in self.families]}

    @staticmethod
    def from_dict(value: dict[str, Any]) -> Sweep:
        """The sweep that :meth:`to_dict` wrote; raises KeyError, TypeError or ValueError where it did not."""
        return Sweep(value["kind"], tuple(family_of(x) for x in value["families"]), value["seed"])


def family_of(value: dict[str, Any]) -> Family:
    """One family from plain JSON values."""
    plain: dict[str, Any] = {k: tuple(x) if isinstance(x, list) else x for k, x in value.items()}
    return checked(MODELS[plain["model"]](**plain))


def checked(family: Family) -> Family:
    """The family itself; raises InputError where it makes no sense or does not fit in memory."""

    def refuse(what: str) -> None:
        raise InputError(f"{family.name}: {what}")

    if family.seeds < 1 or family.block < 1:
        refuse(f"seeds {family.seeds}, block {family.block}: give at least 1")
    if family.memory() > LARGEST_MEMORY:
        refuse(f"one item needs {family.memory() / 2**30:.0f} GiB, more than {LARGEST_MEMORY / 2**30:.0f}: make --block"
               " or the grid of η smaller")  # fmt: skip
    if isinstance(family, Clouds):
        if family.d < 2:
            refuse("d must be 2 or more")
        if family.adapters == "ar1" and not 0 < family.correlation < 1:
            refuse(f"the correlation of AR(1) adapters must be in (0, 1), found {family.correlation:g}")
        if not 0 < family.threshold < 1:
            refuse(f"the threshold of D must be in (0, 1), found {family.threshold:g}")
        lowest = 1 + family.step(min(family.depths)) * min(family.levels)
        if lowest <= 0:
            refuse("1 + hλ must be positive for every eigenvalue λ: make the step smaller")
    if isinstance(family, Passages):
        if not 0 < family.gap < 1:
            refuse(f"gap {family.gap:g}: must be in (0, 1)")
        if family.d < (3 if family.shape == "cutoff" and family.tokens > 1 else 2):
            refuse(f"d = {family.d} leaves no room for the tokens to spread: make it larger")
        largest = 0.7 if family.shape == "cutoff" else 1.0
        if max(family.epsilons) >= largest:
            refuse(f"ε = {max(family.epsilons):g}: must be below {largest:g}")
    if isinstance(family, Escapes) and max(family.barriers) > 8:
        refuse(f"gap/σ² = {max(family.barriers):g}: a token stays longer than e^8, which no run waits for; at most 8")
    return family


def summed(families: Sequence[Family]) -> tuple[int, int]:
    """Items in all, and the largest memory of one (bytes)."""
    items = sum(len(f.points()) * -(-f.seeds // f.block) for f in families)
    return items, max(f.memory() for f in families)
