"""remark-3.4/rank: for random adapters the mean drift depends on rank only through ||s||² (a statistical claim).

The drift is measured, as tan² of the angle between u1 and the right eigenvector of V + ΔV for a small η, not from the
formula's leading term: its relative bias is of order η and stays far below the interval. Each mean is compared at ``Z``
standard errors (from the sample; 3·10⁵ draws, so the mean is normal to that accuracy): with ``len(CONFIGURATIONS)``
comparisons the chance of any false alarm is below 1e-8. Power: the mean 5 % off must lie outside the interval.
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
from theory.formula import Formula
from theory.lowering import to_torch

ETA = 1e-5
DRAWS = 300_000
Z = 6.5
WRONG = 0.05


@dataclass(frozen=True)
class Configuration:
    """Eigenvalues of V (λ1 first) and the singular weights s_1 ... s_r of the adapter."""

    levels: tuple[float, ...]
    weights: tuple[float, ...]


CONFIGURATIONS = (
    Configuration((1.0, 0.5, 0.0), (1.0,)),
    Configuration((1.0, 0.5, 0.0), (0.6, 0.8)),
    Configuration((1.0, 0.5, 0.0), (0.5, 0.5, 0.5, 0.5)),
    Configuration((2.0, 1.5, 1.0, -1.0), (0.5, 0.5, 0.5, 0.5)),
)
"""The first three differ in rank only, at ||s|| = 1."""


def measured_drifts(configuration: Configuration, draws: int, seed: int) -> torch.Tensor:
    """tan² / η² (draws,) of the drift for random adapters ``ΔV = η Σ_k s_k u_k v_kᵀ``, u, v ~ N(0, I_d / d)."""
    d, r = len(configuration.levels), len(configuration.weights)
    generator = torch.Generator().manual_seed(seed)
    left, right = torch.randn(2, draws, r, d, generator=generator, dtype=torch.float64) / d**0.5
    weights = torch.tensor(configuration.weights, dtype=torch.float64)
    update = torch.einsum("k,bki,bkj->bij", weights, left, right)
    V = torch.diag(torch.tensor(configuration.levels, dtype=torch.float64))
    pair = spectral.leading_eigenvector_general(V + ETA * update)
    u1 = torch.eye(d, dtype=torch.float64)[0].expand(draws, d)
    return spectral.drift(u1, pair.vector).tan_squared / ETA**2


def predicted_mean(configuration: Configuration, formula: Formula) -> float:
    """Mean of the leading term over η², from theory."""
    levels = torch.tensor(configuration.levels, dtype=torch.float64)
    s_norm = torch.tensor(configuration.weights, dtype=torch.float64).norm()
    one = torch.ones((), dtype=torch.float64)
    return float(to_torch(formula, eta=one, s_norm=s_norm, d=one * len(levels), gaps=levels[0] - levels[1:]))


def rank_row(claim: Claim, run: Run) -> dict[str, Any]:
    """The row of the ledger: one comparison a configuration."""
    started = time.perf_counter()
    draws = DRAWS * (4 if run.profile == "full" else 1)
    formula = claim.formulas[0]

    def configuration(index: int) -> dict[str, float]:
        drifts = measured_drifts(CONFIGURATIONS[index], draws, 1_000 * run.seed + index)
        return {"mean": float(drifts.mean()), "error": float(drifts.std() / draws**0.5)}

    results = []
    for index, chosen in enumerate(CONFIGURATIONS):
        found = run.once(f"rank {index} {claim.statement_hash}", lambda index=index: configuration(index))
        results.append({**found, "predicted": predicted_mean(chosen, formula)})
    outside = [abs(r["mean"] - r["predicted"]) > Z * r["error"] for r in results]
    power = [abs(r["mean"] - r["predicted"] * (1 - WRONG)) > Z * r["error"] for r in results]
    evidence = Evidence(
        statement_hash=claim.statement_hash,
        instances=len(results),
        nonvacuous=len(results),
        violations=sum(outside),
        controls={claim.tightenings[0].name: all(power)},
        max_ratio=max(r["mean"] / r["predicted"] for r in results),
    )
    return row(claim, evidence, time.perf_counter() - started, comparisons=results, z=Z, draws=draws)
