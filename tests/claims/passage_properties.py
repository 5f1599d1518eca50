"""What the property tests of first-passage claims share: batches of a source, compared and confirmed."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.families import SOURCES
from proofs_checks.registry import CHECKS
from proofs_checks.sampler import Batch
from theory.claims import CLAIMS
from theory.formula import Formula

SIZES = st.sampled_from((1, 2, 4, 8, 16))
DIMENSIONS = st.sampled_from((2, 3, 4, 8, 16))


def readings(claim_id: str, family: str, batch: Batch, formula: Formula | None = None) -> tuple[Comparison, ...]:
    """The readings of a claim on a batch of a family, with its own formula or another."""
    return _compared(claim_id, batch, SOURCES[family].measure(batch), formula or CLAIMS[claim_id].formulas[0])


def _compared(claim_id: str, batch: Batch, measured: Any, formula: Formula) -> tuple[Comparison, ...]:
    return tuple(c.flattened() for c in CHECKS[claim_id].compare(batch, measured, formula))


def confirmed(claim_id: str, family: str, batch: Batch, row: int, formula: Formula | None = None) -> Confirmation:
    """The second look at one row of a batch."""
    instance = SOURCES[family].as_instance(batch, row, claim_id, "counterexample")
    return CHECKS[claim_id].confirm(instance, formula or CLAIMS[claim_id].formulas[0])


def holds_on_batches(
    claim_id: str,
    family: str,
    *,
    size: int = 12,
    examples: int = 12,
    n: st.SearchStrategy[int] = SIZES,
    d: st.SearchStrategy[int] = DIMENSIONS,
) -> float:
    """The share of all instances that says something, none of which violates the claim (AssertionError)."""
    seen = {"drawn": 0, "nonvacuous": 0}

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(n, d, st.integers(0, 10_000))
    def property_of_claim(tokens: int, dimension: int, seed: int) -> None:
        batch = SOURCES[family].draw(size, tokens, dimension, seed)
        found = readings(claim_id, family, batch)
        seen["drawn"] += size
        seen["nonvacuous"] += int(found[0].nonvacuous.sum())
        for reading in found:
            for row in torch.nonzero(reading.candidate).flatten().tolist():
                again = confirmed(claim_id, family, batch, row)
                assert not again.violated, f"{reading.reading}: {float(reading.ratio[row])}, confirmed {again}"

    property_of_claim()
    return seen["nonvacuous"] / seen["drawn"]


def refuted_controls(claim_id: str, family: str, n: int, d: int, size: int = 60, only: str = "") -> set[str]:
    """The sharp constants that, made 1 % stronger, an instance refutes, and the second look agrees.

    Measured once: what is measured knows no formula.
    """
    batch, refuted = SOURCES[family].draw(size, n, d, 5), set()
    measured = SOURCES[family].measure(batch)
    for tightening in (t for t in CLAIMS[claim_id].tightenings if only in t.name):
        formula = tightening.apply(0.01)
        rows = torch.nonzero(_compared(claim_id, batch, measured, formula)[0].candidate).flatten().tolist()
        if rows and confirmed(claim_id, family, batch, rows[0], formula).violated:
            refuted.add(tightening.name)
    return refuted
