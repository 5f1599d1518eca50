"""Which points the experiments share, seed by seed: what one of them has computed the others need not."""

from __future__ import annotations

from proofs_checks.experiment.adapters import KINDS, PLACES, RANK, Adapters
from proofs_checks.experiment.points import Point
from proofs_checks.experiment.tolerance import Search

NORMS = {"v": tuple(0.05 * 2**k for k in range(8)), "ov": tuple(0.0125 * 2**k for k in range(9))}
"""Place → the grid of ``||ΔV||/||V||``."""
RANKS = (1, RANK, 64)
RANK_NORMS = {place: NORMS[place][1:6] for place in PLACES}
COUNTS = (1, 3, 10, 30)
"""Numbers of layers that have adapters (those above the model's depth are left out, the depth itself is added)."""


def bare(seed: int) -> Point:
    """The model without adapters."""
    return Point(seed)


def curve(seed: int, kind: str, place: str, rank: int = RANK) -> list[Point]:
    """The points of one curve, norms increasing."""
    norms = NORMS[place] if rank == RANK else RANK_NORMS[place]
    return [Point(seed, Adapters(kind, place, norm, rank, seed)) for norm in norms]


def curves(seed: int) -> list[Point]:
    """The curves of all kinds at rank 8."""
    return [point for place in PLACES for kind in KINDS for point in curve(seed, kind, place)]


def ranks(seed: int) -> list[Point]:
    """The curves of random adapters of the other ranks."""
    return [p for place in PLACES for r in RANKS if r != RANK for p in curve(seed, "random", place, r)]


def counts(depth: int) -> tuple[int, ...]:
    """Numbers of layers for a model of ``depth`` layers."""
    return tuple(sorted({k for k in COUNTS if k < depth} | {depth}))


def searches(seed: int, depth: int) -> list[Search]:
    """The searches for tolerable norms."""
    return [Search(seed, kind, place, k) for place in PLACES for kind in ("random", "tied") for k in counts(depth)]
