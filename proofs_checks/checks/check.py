"""A check: what connects one claim with families of instances, measurements and an independent confirmation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.instance_file import Instance
from proofs_checks.sampler import Batch
from theory.formula import Formula

Compare = Callable[[Batch, Any, Formula], tuple[Comparison, ...]]
"""Batch, what its source measures (a ``Measured``, say), formula → readings."""
Confirm = Callable[[Instance, Formula], Confirmation]


@dataclass(frozen=True)
class Check:
    """The check of one claim.

    Attributes
    ----------
    claim_id: the claim; its first formula is the prediction.
    families: families of instances that serve it.
    compare: batch, measurements and the formula (as stated, or tightened for a negative control) → readings. The
        first reading is the one whose non-vacuous instances count.
    confirm: one instance again, in another precision or by another integrator.
    readings: further readings that must have at least so many non-vacuous instances.
    tightness: the largest ratio must reach this, or the check has lost its power to see a sharp constant.
    """

    claim_id: str
    families: tuple[str, ...]
    compare: Compare
    confirm: Confirm
    readings: dict[str, int] = field(default_factory=dict)
    tightness: float = 0.0
