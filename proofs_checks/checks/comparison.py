"""Measured values beside predicted ones, and the rules by which a comparison counts.

An instance is *non-vacuous* where the hypotheses hold with a margin, the bound is below its trivial value, the
measured value is more than 1,000 times its own error, and the tolerance of the comparison (10 times the error) is
at most 1e-6 of the bound. It is a *candidate* for a violation where the measured value is beyond the bound by more
than that tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch

SIGNAL = 1_000.0
TOLERANCE_FACTOR = 10.0
LARGEST_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Comparison:
    """One reading of a claim on a batch. Tensors of shape (B,), or (B, K) where it is read at K times.

    Attributes
    ----------
    reading: what was measured, e.g. ``eigenvectors`` or ``tokens``.
    observed: the measured value; error: estimate of its own numerical error.
    bound: the predicted value.
    applies: where the hypotheses hold with margin > 0.
    trivial: value from which on the bound says nothing (π for angles, 2 for chords).
    relation: ``<=`` (an upper bound), ``>=`` (a lower bound; the ratio is then bound / observed, so that it is at most
        one where the claim holds and one where it is tight) or ``==`` (an exact formula).
    """

    reading: str
    observed: torch.Tensor
    error: torch.Tensor
    bound: torch.Tensor
    applies: torch.Tensor
    trivial: float = math.inf
    relation: Literal["<=", ">=", "=="] = "<="

    @property
    def usable(self) -> torch.Tensor:
        """Where the numbers are finite and precise enough to compare at all."""
        finite = self.observed.isfinite() & self.error.isfinite() & self.bound.isfinite() & (self.bound > 0)
        return self.applies & finite & (TOLERANCE_FACTOR * self.error <= LARGEST_TOLERANCE * self.bound)

    @property
    def nonvacuous(self) -> torch.Tensor:
        """Where the comparison says something."""
        return self.usable & (self.bound < self.trivial) & (self.observed > SIGNAL * self.error)

    @property
    def candidate(self) -> torch.Tensor:
        """Where the measured value contradicts the prediction beyond the tolerance."""
        excess = self.observed - self.bound
        if self.relation != "<=":
            excess = -excess if self.relation == ">=" else excess.abs()
        return self.usable & (excess > TOLERANCE_FACTOR * self.error)

    @property
    def ratio(self) -> torch.Tensor:
        """observed / bound (bound / observed for a lower bound); NaN where not usable."""
        found = self.bound / self.observed if self.relation == ">=" else self.observed / self.bound
        return torch.where(self.usable, found, torch.nan)

    def flattened(self) -> Comparison:
        """Readings at K times reduced to the one that comes closest to (or goes beyond) the bound."""
        if self.observed.dim() == 1:
            return self
        ratio = self.ratio
        deviation = (ratio - 1).abs() if self.relation == "==" else ratio
        score = torch.where(self.nonvacuous, deviation, deviation - 1e6).nan_to_num(nan=-1e12)
        index = score.argmax(dim=1, keepdim=True)

        def pick(x: torch.Tensor) -> torch.Tensor:
            return x.expand_as(ratio).gather(1, index).squeeze(1)

        return Comparison(
            self.reading,
            pick(self.observed),
            pick(self.error),
            pick(self.bound),
            pick(self.applies.reshape(len(self.applies), -1)),
            self.trivial,
            self.relation,
        )
