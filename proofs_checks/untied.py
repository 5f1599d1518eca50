"""prop-3.3/layered: untied layers that share u1 contract the cone about it at any step; a common cone is invariant."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from numerics import spectral
from numerics.layered import layered_states
from numerics.reference import attention_velocity
from proofs_checks import planting
from proofs_checks.checks.comparison import Comparison
from proofs_checks.families_first_passage import units
from proofs_checks.ledger import row
from proofs_checks.spec import DIMENSIONS, TOKENS
from proofs_checks.store import Run
from proofs_checks.tally import CONTROL_AMOUNT
from proofs_checks.verdicts import Evidence
from theory.claim import Claim
from theory.formula import Formula
from theory.lowering import to_torch

DEPTH = 4
PER_CELL = 120
_COMMON = 1.0
"""The tangent t of the cone that lies in all (t-, t+) of the ``cone`` instances."""
Array = np.ndarray


def sample(n: int, d: int, size: int, seed: int) -> dict[str, Any]:
    """Layers V^l, h^l (L, B, ...), A (B, d, d), tokens (B, n, d), and the planted λ1, κ (L, B) and ϑ0 (B,).

    Thirds: ``planar`` tokens in a plane where κ acts in every layer (the bound is attained), ``free`` ones, and
    ``cone`` instances with b, c ≠ 0, whose layers share no eigenvector but a cone.
    """
    rng = np.random.default_rng((seed, n, d, *b"untied"))
    kind = np.arange(size) % 3
    frame = planting.orthogonal(rng, size, d, np.ones(size, bool))
    axis = units(rng, size, d - 1)
    top, kappa = rng.uniform(0.2, 2.0, (DEPTH, size)), rng.uniform(0.0, 1.0, (DEPTH, size))
    kappa = np.where(kind == 2, 0.5 * top * kappa, kappa)
    share = rng.uniform(0, 0.45, (2, DEPTH, size)) * (top - kappa) * (kind == 2)
    V = np.empty((DEPTH, size, d, d))
    along = axis[:, :, None] * axis[:, None, :]
    for k in range(DEPTH):
        g = rng.standard_normal((size, d - 1, d - 1))
        g /= planting.operator_norm(g)[:, None, None]
        across = np.eye(d - 1) - along
        block = np.where((kind == 0)[:, None, None], along + 0.9 * across @ g @ across, g)
        column, across_row = (share[i, k][:, None] * units(rng, size, d - 1) for i in (0, 1))
        V[k] = planting.Blocks(top[k], column, across_row, kappa[k][:, None, None] * block).matrix()
    outer = np.where(kind == 2, np.arctan(_COMMON), rng.uniform(0.1, 1.4, size))
    directions = units(rng, size, n, d - 1)
    directions = np.where((kind == 0)[:, None, None], axis[:, None, :], directions)
    angles = outer[:, None] * np.where((kind == 0)[:, None], 1.0, rng.uniform(size=(size, n)))
    angles[:, 0] = outer
    local = np.concatenate([np.cos(angles)[..., None], np.sin(angles)[..., None] * directions], axis=-1)
    return {
        "V": torch.from_numpy(np.ascontiguousarray(frame @ V @ frame.transpose(0, 2, 1))),
        "h": torch.from_numpy(rng.uniform(0.05, 2.0, (DEPTH, size))),
        "A": torch.from_numpy(2 * rng.standard_normal((size, d, d))),
        "tokens": torch.from_numpy(np.ascontiguousarray(local @ frame.transpose(0, 2, 1))),
        "u": torch.from_numpy(np.ascontiguousarray(frame[:, :, 0])),
        "lambda_1": torch.from_numpy(top), "kappa": torch.from_numpy(kappa), "tan_0": torch.from_numpy(np.tan(outer)),
        "cone": torch.from_numpy(kind == 2), "causal": bool((n + d + seed) % 2),
    }  # fmt: skip


def compare(batch: dict[str, Any], formula: Formula) -> tuple[Comparison, Comparison]:
    """ϑ after all layers against the product of the contractions; where b, c ≠ 0, ϑ against the common cone."""
    values = [h[:, None, None] * V for h, V in zip(batch["h"], batch["V"], strict=True)]  # the step is in the matrix
    states = torch.stack(
        list(layered_states(batch["tokens"], batch["A"], values, h=1.0, depth=DEPTH, causal=batch["causal"])), dim=1
    )
    tangent = spectral.tan_max_angle(states, batch["u"])
    error = 1e-15 * batch["V"].shape[-1] * (1 + tangent**2)
    bound = batch["tan_0"]
    for k in range(DEPTH):
        bound = bound * to_torch(formula, h=batch["h"][k], kappa=batch["kappa"][k], lambda_1=batch["lambda_1"][k])
    cone = torch.full_like(tangent, _COMMON)
    inside = Comparison("common cone", tangent, error, cone, batch["cone"].unsqueeze(1)).flattened()
    return Comparison("tokens", tangent[:, -1], error[:, -1], bound, ~batch["cone"]), inside


def confirm(batch: dict[str, Any], index: int, bound: float) -> bool:
    """Whether layers in plain numpy, token by token, exceed the bound on one instance too."""
    x, u = batch["tokens"][index].numpy(), batch["u"][index].numpy()
    for V, h in zip(batch["V"][:, index].numpy(), batch["h"][:, index].numpy(), strict=True):
        x = x + h * attention_velocity(x, batch["A"][index].numpy(), V, sphere=False, causal=batch["causal"])
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    across = np.linalg.norm(x - np.outer(x @ u, u), axis=1)
    return float((across / (x @ u)).max()) > bound * (1 + 1e-9)


def layered_row(claim: Claim, run: Run) -> dict[str, Any]:
    """The row of the ledger."""
    started = time.perf_counter()
    size = PER_CELL * (10 if run.profile == "full" else 1)

    def cell(n: int, d: int) -> dict[str, Any]:
        batch = sample(n, d, size, run.seed)
        stated, cone = compare(batch, claim.formulas[0])
        controls = {}
        for tightening in claim.tightenings:
            tightened = compare(batch, tightening.apply(CONTROL_AMOUNT))[0]
            rows = torch.nonzero(tightened.candidate).flatten().tolist()[:2]
            controls[tightening.name] = any(confirm(batch, r, float(tightened.bound[r])) for r in rows)
        candidates = [(c, r) for c in (stated, cone) for r in torch.nonzero(c.candidate).flatten().tolist()]
        return {
            "nonvacuous": int(stated.nonvacuous.sum()),
            "cone": int(cone.nonvacuous.sum()),
            "candidates": len(candidates),
            "violations": sum(confirm(batch, r, float(c.bound[r])) for c, r in candidates[:4]),
            "controls": controls,
            "max_ratio": float(stated.ratio[stated.nonvacuous].max()),
        }

    cells = [
        run.once(f"untied {n} {d} {claim.statement_hash}", lambda n=n, d=d: cell(n, d))
        for n in TOKENS
        for d in DIMENSIONS
    ]
    violations = sum(c["violations"] for c in cells)
    evidence = Evidence(
        statement_hash=claim.statement_hash,
        instances=size * len(cells),
        nonvacuous=sum(c["nonvacuous"] + c["cone"] for c in cells),
        violations=violations,
        unexamined=0 if violations else sum(c["candidates"] for c in cells),
        readings={"common cone": sum(c["cone"] for c in cells)},
        required_readings={"common cone": 500},
        controls={t.name: any(c["controls"][t.name] for c in cells) for t in claim.tightenings},
        max_ratio=max(c["max_ratio"] for c in cells),
        tightness=0.999,
    )
    return row(claim, evidence, time.perf_counter() - started)
