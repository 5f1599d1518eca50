"""remark-3.4/subspace: what removing the small-gap directions from ΔV buys, against as many others (a finding).

Random symmetric ΔV in the frame of u1, scaled to a fixed ||E||. ``P ΔV P`` with P the projection off m directions of
u1⊥: those of the smallest gaps, or m others drawn at random. The drift is measured from eigenvectors.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from numerics import spectral
from proofs_checks.ledger import row
from proofs_checks.store import Run
from proofs_checks.verdicts import Evidence
from theory.claim import Claim

LEVELS = (1.0, 0.9, 0.85, 0.4, 0.2, 0.0, -0.1, -0.3)
"""Eigenvalues of V: two small gaps, the others four times as large and more."""
REMOVED = 2
E_NORM = 0.02
DRAWS = 20_000


@dataclass(frozen=True)
class Drifts:
    """tan² of the drift (N,): of ΔV, without the small-gap directions, and without as many others."""

    whole: torch.Tensor
    without_small: torch.Tensor
    without_others: torch.Tensor

    @property
    def share(self) -> float:
        """Share of the draws in which removing the small-gap directions leaves less drift."""
        return float((self.without_small < self.without_others).double().mean())

    @property
    def left(self) -> tuple[float, float]:
        """Mean drift that is left, over the mean drift of ΔV: without the small gaps, and without the others."""
        whole = float(self.whole.mean())
        return float(self.without_small.mean()) / whole, float(self.without_others.mean()) / whole


def _drift(value: torch.Tensor, update: torch.Tensor) -> torch.Tensor:
    u1 = torch.eye(value.shape[-1], dtype=value.dtype)[0].expand(len(update), -1)
    return spectral.drift(u1, spectral.leading_eigenvector_symmetric(value + update).vector).tan_squared


def _projected(update: torch.Tensor, removed: torch.Tensor) -> torch.Tensor:
    """``P ΔV P`` with the coordinates ``removed (N, d)`` set to zero."""
    kept = (~removed).to(update.dtype)
    return kept.unsqueeze(2) * update * kept.unsqueeze(1)


def measured_drifts(draws: int, seed: int) -> Drifts:
    """The three drifts for ``draws`` random updates."""
    d = len(LEVELS)
    generator = torch.Generator().manual_seed(seed)
    g = torch.randn(draws, d, d, generator=generator, dtype=torch.float64)
    update = (g + g.mT) / 2
    size = torch.linalg.matrix_norm(update[:, 1:, 1:], ord=2)
    update = update * (E_NORM / size)[:, None, None]
    value = torch.diag(torch.tensor(LEVELS, dtype=torch.float64))
    small = torch.zeros(draws, d, dtype=torch.bool)
    small[:, 1 : 1 + REMOVED] = True
    order = torch.rand(draws, d - 1 - REMOVED, generator=generator).argsort(dim=1)[:, :REMOVED]
    others = torch.zeros(draws, d, dtype=torch.bool).scatter_(1, order + 1 + REMOVED, True)
    return Drifts(*(_drift(value, x) for x in (update, _projected(update, small), _projected(update, others))))


def subspace_row(claim: Claim, run: Run) -> dict[str, Any]:
    """The row of the ledger: open, with what was found."""
    started = time.perf_counter()
    draws = DRAWS * (10 if run.profile == "full" else 1)

    def compute() -> dict[str, Any]:
        found = measured_drifts(draws, run.seed)
        return {"share": found.share, "left": list(found.left)}

    found = run.once(f"subspace {claim.statement_hash}", compute)
    small, others = found["left"]
    finding = (
        f"random symmetric ΔV: removing the {REMOVED} directions of smallest gap leaves {small:.3f} of the mean "
        f"drift, {REMOVED} others {others:.3f}; better in {found['share']:.1%} of {draws:,} draws. Not for every ΔV: "
        "where b has no component in the small-gap directions, removing them leaves the leading term as it is"
    )
    evidence = Evidence(claim.statement_hash, instances=draws, nonvacuous=draws)
    return row(claim, evidence, time.perf_counter() - started, finding=finding)
