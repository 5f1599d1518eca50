"""Limits on what the monitor measures, and what is to happen where one is crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proofs_checks.errors import InputError

TOTALS = {
    "norm_over_sqrt_layers": "largest_norm_over_sqrt_layers",
    "cone_margin": "smallest_cone_margin",
    "drift_bound": "largest_drift_bound",
}
ACTIONS = ("warn", "stop", "save", "project")


@dataclass(frozen=True)
class Threshold:
    """A ``quantity`` of the worst head may not pass ``limit``: the margin not fall below it, the others not rise above.

    ``action``: ``warn`` writes to the log, ``stop`` ends the training, ``save`` asks for a checkpoint, ``project``
    takes the factors A off the leading directions of every head. Raises :class:`InputError` for other words.
    """

    quantity: str
    limit: float
    action: str = "warn"

    def __post_init__(self) -> None:
        if self.quantity not in TOTALS:
            raise InputError(f"unknown quantity {self.quantity!r}; known are {', '.join(TOTALS)}")
        if self.action not in ACTIONS:
            raise InputError(f"unknown action {self.action!r}; known are {', '.join(ACTIONS)}")

    def crossed(self, measured: dict[str, Any]) -> bool:
        """Whether a measurement passes the limit; always where factors are not finite.

        A drift bound that no head has is none that is passed: watch the margin for that.
        """
        if not measured["finite"]:
            return True
        value = measured[TOTALS[self.quantity]]
        if value is None:
            return False
        return value < self.limit if self.quantity == "cone_margin" else value > self.limit

    def words(self, measured: dict[str, Any]) -> str:
        """What was crossed, for a log."""
        name = TOTALS[self.quantity]
        side = "below" if self.quantity == "cone_margin" else "above"
        value = measured[name]
        found = "not finite" if not measured["finite"] else f"{value:.4g}, {side} {self.limit:.4g}"
        return f"step {measured['step']}: {name} is {found} ({self.action})"
