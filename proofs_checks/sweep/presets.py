"""The sweeps that need no options: what ``loraproofs sweep KIND`` simulates, by profile."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from proofs_checks.sweep.families import Clouds, Escapes, Family, Passages, Sweep, well
from proofs_checks.sweep.predictions import critical

NEARLY_FLAT = (1.0, 1 - 1e-4, 1 - 1e-4)
DEEP = (1.0, 0.0, 0.0)
FLAT = (0.0, 0.0, 0.0)
WELL = (1.0, 0.5, 0.5)
LOW = 0.01
"""A level of D so low that the linearised model holds."""
Factory = Callable[[bool], tuple[Family, ...]]


def spaced(first: float, last: float, count: int) -> tuple[float, ...]:
    """Evenly spaced in the logarithm."""
    return tuple(first * (last / first) ** (k / (count - 1)) for k in range(count))


def powers_of_two(first: int, last: int) -> tuple[int, ...]:
    """``first``, twice that, ..., ``last``."""
    return tuple(first * 2**k for k in range(int(math.log2(last / first)) + 1))


def _near(x: float, factor: float, count: int = 5) -> tuple[float, ...]:
    """A grid about ``x``."""
    return spaced(x / factor, x * factor, count)


def _near_linear(family: Clouds) -> Clouds:
    """The family with a grid about where the linearised model puts η_c at its depths."""
    places = [critical(family, depth) / depth**family.power for depth in (family.depths[0], family.depths[-1])]
    return replace(family, etas=spaced(min(places) / 1.6, max(places) * 1.6, 7))


def norm(full: bool) -> tuple[Family, ...]:
    """Thm. 4.2: clouds in the hemisphere at fixed T; one collapsed token for the laws at fixed h and of AR(1)."""
    clouds = Clouds(
        "fixed T, random", etas=spaced(0.1, 10, 16), depths=powers_of_two(16, 4_096 if full else 1_024),
        seeds=400 if full else 100,
    )  # fmt: skip
    one = Clouds(
        "", levels=FLAT, tokens=1, collapsed=True, rank=1, norm=1.0, seeds=8_000 if full else 2_000, block=1_000,
        threshold=0.35,
    )  # fmt: skip
    deep, long = (1_024, 1_024) if full else (256, 256)
    step = replace(one, fixed="h", amount=0.1, levels=NEARLY_FLAT, depths=powers_of_two(64, deep))
    flat = replace(one, depths=powers_of_two(16, long), seeds=2 * one.seeds)
    in_well = replace(flat, levels=WELL, threshold=LOW, collapsed=True)
    low = replace(step, levels=DEEP, power=0.0, depths=powers_of_two(256, 1_024), threshold=LOW)
    low_flat = replace(flat, threshold=LOW)
    return (
        clouds,
        replace(clouds, name="fixed T, tied", adapters="tied", power=0.0),
        replace(step, name="fixed h, random", power=-0.5, etas=_near(21.7, 1.3)),
        replace(step, name="fixed h, tied", adapters="tied", power=-1.0, etas=_near(22.6, 1.3), threshold=0.2),
        _near_linear(replace(low, name="fixed h, random, plateau")),
        replace(flat, name="no well, random", etas=spaced(0.02, 5, 24)),
        _near_linear(replace(low_flat, name="no well, random, small drift")),
        *(
            _near_linear(replace(low_flat, name=f"no well, AR(1) {rho:g}", adapters="ar1", correlation=rho))
            for rho in (0.5, 0.9)
        ),
        _near_linear(replace(in_well, name="well, random")),
        _near_linear(replace(in_well, name="well, AR(1) 0.5", adapters="ar1", correlation=0.5)),
        replace(clouds, name="off u1, random", directions="off-u1", depths=powers_of_two(64, 256)),
    )


def depth(full: bool) -> tuple[Family, ...]:
    """Thm. 4.6: the time of the jump against ε, and the degenerate pair of the first version's experiment."""
    epsilons = tuple(10.0**-k for k in range(2, 13, 1 if full else 5))
    spread = Passages("cutoff, 16 tokens", epsilons=epsilons, d=4, tokens=16, spread=0.5, seeds=20 if full else 4,
                      block=4)  # fmt: skip
    weak = spaced(0.1, 1e-4, 7) if full else (0.1, 0.01, 1e-3)
    degenerate = Passages("degenerate, one cluster", "degenerate", epsilons=weak, d=2)
    return (
        Passages("cutoff, one cluster", epsilons=epsilons),
        spread,
        degenerate,
        replace(degenerate, name="degenerate, 16 tokens", d=3, tokens=16, spread=0.3, seeds=8 if full else 2, block=2),
    )


def gap(full: bool) -> tuple[Family, ...]:
    """The depth at which noise carries a token out of a well, and the critical norm against the gap."""
    barriers = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0) if full else (0.5, 1.0, 1.5, 2.0)
    seeds = 4_000 if full else 1_000
    one = Clouds("", tokens=1, collapsed=True, rank=1, norm=1.0, seeds=seeds, block=1_000, threshold=LOW,
                 depths=(256,))  # fmt: skip
    return (
        Escapes("escape from the well", barriers, seeds=seeds, block=500),
        *(
            _near_linear(replace(one, name=f"gap {g:g}", levels=(1.0, 1.0 - g, 1.0 - g)))
            for g in (0.1, 0.3, 1.0, 3.0)
        ),
    )  # fmt: skip


def rank(full: bool) -> tuple[Family, ...]:
    """Rank at a fixed Σs_k², and adapters confined to the directions of small or of large gaps."""
    clouds = Clouds("", etas=spaced(0.1, 10, 16), depths=(256,), seeds=400 if full else 100)
    one = Clouds("", tokens=1, collapsed=True, rank=1, norm=1.0, depths=(256,), seeds=8_000 if full else 2_000,
                 block=1_000, threshold=LOW, levels=well(8, 0.5))  # fmt: skip
    return (
        *(replace(clouds, name=f"16 tokens, rank {r}", rank=r) for r in (1, 2, 4, 8)),
        *(_near_linear(replace(one, name=f"one token, rank {r}", rank=r)) for r in (1, 2, 4, 8)),
        _near_linear(replace(one, name="one token, small gaps", directions="small-gap")),
        _near_linear(replace(one, name="one token, large gaps", directions="large-gap")),
    )


KINDS: dict[str, Factory] = {"norm": norm, "depth": depth, "gap": gap, "rank": rank}


def sweep(kind: str, profile: str, seed: int) -> Sweep:
    """The sweep of that kind."""
    return Sweep(kind, KINDS[kind](profile == "full"), seed, profile)
