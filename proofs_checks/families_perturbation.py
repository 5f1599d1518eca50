"""Instances for the perturbation series and for updates with b = c = 0; no trajectories are needed."""

from __future__ import annotations

from proofs_checks.sources import Source, planted_source
from proofs_checks.spec import COMMON, Choice, Family, Grid

PERTURBATIVE = Family(
    "perturbative",
    COMMON
    | {
        "update": Choice(("blocks", "gram")),
        "a": Grid(-4, 4, 16),
        "coupling": Grid(1, 16, 64),
        "block": Grid(0, 8, 32),
        "level": Grid(1, 16, 64),
    },
    region="hemisphere",
    simulated=False,
)
CROSSING = Family(
    "crossing",
    COMMON | {"update": Choice(("orthogonal",)), "block": Grid(0, 96, 32), "a": Grid(-12, 16, 16)},
    region="hemisphere",
    simulated=False,
)

SOURCES: dict[str, Source] = {
    family.name: planted_source(family, size) for family, size in ((PERTURBATIVE, 3_500), (CROSSING, 7_500))
}
"""Family name → source."""
