"""Where instances come from: for each family how many, with which n and d, drawn and measured by what.

A new family of instances is a :class:`Source` in a module of its own, listed in
:data:`proofs_checks.families.SOURCES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from proofs_checks.instance_file import Instance
from proofs_checks.measurement import Measured
from proofs_checks.sampler import Batch, draw
from proofs_checks.spec import FAMILIES, Choice, Family

FULL = 10
"""The full profile draws this many times the quick one."""


@dataclass(frozen=True)
class Source:
    """A family of instances as ``verify`` uses it.

    Attributes
    ----------
    name: of the family. quick: instances in the quick profile, over all cells.
    shares: (n, d) → share of the instances.
    draw: ``(size, n, d, seed) -> Batch``; the same arguments give the same batch.
    measure: what is measured on a batch; passed on to the checks.
    instance: ``(batch, row, claim id, kind) -> Instance``: one row as an instance file.
    description: changes whenever the distribution does; part of the key of stored results.
    """

    name: str
    quick: int
    shares: dict[tuple[int, int], float]
    draw: Callable[[int, int, int, int], Batch]
    description: str
    measure: Callable[[Batch], Any] = Measured
    instance: Callable[[Batch, int, str, str], Instance] | None = None

    def cells(self, profile: str) -> list[tuple[int, int, int]]:
        """(n, d, number of instances) for a profile."""
        total = self.quick * (FULL if profile == "full" else 1)
        return [(n, d, max(1, round(total * share))) for (n, d), share in self.shares.items()]

    def as_instance(self, batch: Batch, row: int, claim_id: str, kind: str) -> Instance:
        """One row of a batch as an instance file."""
        return (self.instance or instance_of)(batch, row, claim_id, kind)


def instance_of(batch: Batch, row: int, claim_id: str, kind: str) -> Instance:
    """One row of a batch as an instance file: dense matrices, tokens, T, and the direction u of the cone."""

    def entry(tensor: Any) -> Any:
        return tensor[row].numpy()

    meta: dict[str, Any] = {"family": batch.family.name}
    if batch.columns["base"][row] == "general":
        meta["u"] = [repr(float(x)) for x in entry(batch.direction)]
    return Instance.from_arrays(
        V=entry(batch.V),
        dV=entry(batch.dV),
        A=entry(batch.A),
        dA=entry(batch.dA),
        X0=entry(batch.tokens),
        T=float(batch.times[row, -1]),
        claim=claim_id,
        kind=kind,
        meta=meta,
    )


def product_shares(n: Choice, d: Choice) -> dict[tuple[int, int], float]:
    """(n, d) → share, for independent choices of n and d."""

    def weights(choice: Choice) -> dict[int, float]:
        given = choice.weights or (1.0,) * len(choice.values)
        return {v: w / sum(given) for v, w in zip(choice.values, given, strict=True)}

    return {(i, k): p * q for i, p in weights(n).items() for k, q in weights(d).items()}


def planted_source(family: Family, quick: int) -> Source:
    """The source of a family of :mod:`proofs_checks.spec`."""
    n, d = family.domain["n"], family.domain["d"]
    assert isinstance(n, Choice)
    assert isinstance(d, Choice)
    return Source(family.name, quick, product_shares(n, d), partial(draw, family), repr(family))


_QUICK = {
    "criterion": 12_000,
    "cone": 6_500,
    "converged": 3_000,
    "spectral": 2_000,
    "quoted": 600,
    "quoted-nonsymmetric": 600,
    "gap-only": 400,
}

PLANTED: dict[str, Source] = {name: planted_source(FAMILIES[name], size) for name, size in _QUICK.items()}
"""Family name → source."""
