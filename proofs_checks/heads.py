"""prop-3.3/heads: several heads with a common u1 contract at the sum of their rates."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp

from numerics import spectral
from numerics.field import AttentionField, normalised
from numerics.heads import MultiHeadField
from numerics.integrator import integrate
from numerics.linear_map import LinearMap
from numerics.reference import attention_velocity
from proofs_checks import planting
from proofs_checks.checks.comparison import Comparison
from proofs_checks.ledger import row
from proofs_checks.spec import DIMENSIONS, TOKENS
from proofs_checks.store import Run
from proofs_checks.tally import CONTROL_AMOUNT
from proofs_checks.verdicts import Evidence
from theory.claim import Claim
from theory.formula import Formula
from theory.lowering import to_torch

HEADS = (2, 3, 4)
PER_CELL = 120


def sample(n: int, d: int, heads: int, size: int, seed: int) -> dict[str, torch.Tensor]:
    """Heads with a common u1: V, A (H, B, d, d), tokens (B, n, d), T (B,), and the planted rate and start.

    In every fourth instance all heads share u2 as well and the tokens lie in span(u1, u2): there the rate is attained.
    """
    rng = np.random.default_rng((seed, n, d, heads))
    frame = planting.orthogonal(rng, size, d, np.ones(size, bool))
    shared = np.arange(size) % 4 == 0
    top = rng.uniform(0.2, 1.0, (heads, size))
    share = rng.uniform(0.2, 1.0, (heads, size))
    rest = top[..., None] * (1 - share[..., None]) * rng.uniform(-1, 1, (heads, size, d - 1))
    rest[..., 0] = top * (1 - share)
    V = np.empty((heads, size, d, d))
    for k in range(heads):
        turn = planting.orthogonal(rng, size, d - 1, ~shared)
        inner = np.zeros((size, d, d))
        inner[:, 0, 0] = top[k]
        inner[:, 1:, 1:] = np.einsum("bij,bj,bkj->bik", turn, rest[k], turn)
        V[k] = frame @ inner @ frame.transpose(0, 2, 1)
    V = (V + V.transpose(0, 1, 3, 2)) / 2
    A = rng.standard_normal((heads, size, d, d))
    directions = rng.standard_normal((size, n, d - 1))
    directions[shared] = np.eye(d - 1)[0] * rng.choice([-1.0, 1.0], (int(shared.sum()), n, 1))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    outer = rng.uniform(0.2, 1.4, size)
    angles = outer[:, None] * rng.uniform(size=(size, n))
    angles[:, 0] = outer
    local = np.concatenate([np.cos(angles)[..., None], np.sin(angles)[..., None] * directions], axis=-1)
    rate = (top * share).sum(axis=0)
    arrays = {
        "V": V,
        "A": A,
        "tokens": local @ frame.transpose(0, 2, 1),
        "T": rng.uniform(0.3, 2.5, size) / rate,
        "dominant_gap_sum": rate,
        "tan_max_angle_0": np.tan(outer),
    }
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in arrays.items()}


def compare(batch: dict[str, torch.Tensor], formula: Formula) -> Comparison:
    """tan of the largest angle to u1 at T against the bound; u1 is measured as that of the sum of the V_h."""
    fields = tuple(AttentionField(LinearMap(a), LinearMap(v)) for a, v in zip(batch["A"], batch["V"], strict=True))
    times = batch["T"].unsqueeze(1)
    found = integrate(MultiHeadField(fields), batch["tokens"], times, rtol=1e-11, atol=1e-13, project=normalised)
    pair = spectral.leading_eigenvector_symmetric(batch["V"].sum(dim=0))
    side = torch.where((pair.vector * batch["tokens"].mean(dim=1)).sum(dim=-1) < 0, -1.0, 1.0).unsqueeze(-1)
    observed = spectral.tan_max_angle(found.states[:, 0], side * pair.vector)
    error = (found.error[:, 0] + pair.vector_error) * (1 + observed**2)
    bound = to_torch(formula, t=batch["T"], **{k: batch[k] for k in ("dominant_gap_sum", "tan_max_angle_0")})
    return Comparison("tokens", observed, error, bound, torch.ones_like(observed, dtype=torch.bool))


def confirm(batch: dict[str, torch.Tensor], index: int, bound: float) -> bool:
    """Whether scipy's DOP853 sees the bound exceeded on one instance too."""
    tokens = batch["tokens"][index].numpy()
    A, V = batch["A"][:, index].numpy(), batch["V"][:, index].numpy()

    def velocity(_: float, flat: np.ndarray) -> np.ndarray:
        x = flat.reshape(tokens.shape)
        return sum(attention_velocity(x, a, v) for a, v in zip(A, V, strict=True)).ravel()  # type: ignore[union-attr]

    done = solve_ivp(velocity, (0, float(batch["T"][index])), tokens.ravel(), method="DOP853", rtol=1e-13, atol=1e-14)
    end = done.y[:, -1].reshape(tokens.shape)
    u1 = np.linalg.eigh(V.sum(axis=0))[1][:, -1]
    along = end @ u1 * np.sign((tokens @ u1).sum())
    across = np.linalg.norm(end - np.outer(end @ u1, u1), axis=1)
    return float((across / along).max()) > bound * (1 + 1e-9)


def heads_row(claim: Claim, run: Run) -> dict[str, Any]:
    """The row of the ledger."""
    started = time.perf_counter()
    size = PER_CELL * (10 if run.profile == "full" else 1)

    def cell(n: int, d: int) -> dict[str, Any]:
        batch = sample(n, d, HEADS[(n + d) % len(HEADS)], size // len(HEADS) * len(HEADS), run.seed)
        stated = compare(batch, claim.formulas[0])
        tightened = compare(batch, claim.tightenings[0].apply(CONTROL_AMOUNT))

        def confirmed(c: Comparison) -> int:
            rows = torch.nonzero(c.candidate).flatten().tolist()[:2]
            return sum(confirm(batch, r, float(c.bound[r])) for r in rows)

        counted = stated.nonvacuous
        return {
            "nonvacuous": int(counted.sum()),
            "candidates": int(stated.candidate.sum()),
            "violations": confirmed(stated),
            "control": confirmed(tightened),
            "max_ratio": float(stated.ratio[counted].max()) if bool(counted.any()) else 0.0,
        }

    cells = [
        run.once(f"heads {n} {d} {claim.statement_hash}", lambda n=n, d=d: cell(n, d))
        for n in TOKENS
        for d in DIMENSIONS
    ]
    violations = sum(c["violations"] for c in cells)
    evidence = Evidence(
        statement_hash=claim.statement_hash,
        instances=size * len(cells),
        nonvacuous=sum(c["nonvacuous"] for c in cells),
        violations=violations,
        unexamined=0 if violations else sum(c["candidates"] for c in cells),
        controls={claim.tightenings[0].name: any(c["control"] for c in cells)},
        max_ratio=max(c["max_ratio"] for c in cells),
        tightness=0.999,
    )
    return row(claim, evidence, time.perf_counter() - started)
