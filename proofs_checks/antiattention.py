"""prop-3.1/initial-w2-kstar: strong anti-attention makes W2 grow faster than W_∞ may (expected refuted).

Many equal tokens look at one that is opposite to them; moving that one moves all of them. Equal tokens stay equal, so
that N copies and one are a system of two weighted tokens, which is the second, independent look.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from mpmath import mp
from scipy.integrate import solve_ivp

from numerics.flow import simulate
from numerics.transport import exact_w2
from proofs_checks.checks.confirmation import DIGITS, Confirmation
from proofs_checks.checks.prop_3_1 import exact_norms
from proofs_checks.instance_file import Instance
from proofs_checks.ledger import confirmation_dict, row, shipped_counterexample
from proofs_checks.store import Run, file_name
from proofs_checks.verdicts import Evidence
from theory import prop_3_1 as theory
from theory.claim import Claim
from theory.lowering import to_mpmath

_METHODS = ("all tokens, own integrator at rtol 1e-11", "weighted tokens, scipy DOP853 at rtol 1e-13", "exact W2")
_MARGIN = 1e-6


def _clouds(instance: Instance) -> tuple[list[np.ndarray], np.ndarray]:
    """Both clouds of distinct tokens (2, n, d), and how often each token stands (n,)."""
    first = instance.arrays()["X0"]
    other = np.array([[_number(x) for x in token] for token in instance.meta["other_tokens"]])
    return [first, other / np.linalg.norm(other, axis=1, keepdims=True)], np.array(instance.meta["multiplicity"])


def _number(text: Any) -> float:
    upper, _, lower = str(text).partition("/")
    return float(upper) / float(lower or 1)


def _all_tokens(instance: Instance, cloud: np.ndarray, copies: np.ndarray) -> np.ndarray:
    attention, value = instance.flow_matrices(perturbed=False)
    start = np.repeat(cloud, copies, axis=0)
    batch = [torch.from_numpy(np.ascontiguousarray(x))[None] for x in (start, attention, value)]
    T = torch.tensor([[float(instance.T or 0)]], dtype=torch.float64)
    return simulate(batch[0], batch[1], batch[2], T, rtol=1e-11, atol=1e-13).states[0, 0].numpy()


def _weighted(instance: Instance, cloud: np.ndarray, copies: np.ndarray) -> np.ndarray:
    attention, value = instance.flow_matrices(perturbed=False)

    def velocity(_: float, flat: np.ndarray) -> np.ndarray:
        x = flat.reshape(cloud.shape)
        weights = copies * np.exp(x @ attention.T @ x.T)
        drive = (weights / weights.sum(axis=1, keepdims=True)) @ x @ value.T
        return (drive - (drive * x).sum(axis=1, keepdims=True) * x).ravel()

    done = solve_ivp(velocity, (0, float(instance.T or 0)), cloud.ravel(), method="DOP853", rtol=1e-13, atol=1e-15)
    end = done.y[:, -1].reshape(cloud.shape)
    return end / np.linalg.norm(end, axis=1, keepdims=True)


def confirm_w2(instance: Instance) -> Confirmation:
    """Growth of W2 between the two clouds of the file against e^{K*T}."""
    if instance.T is None or instance.X0 is None or not {"multiplicity", "other_tokens"} <= set(instance.meta):
        return Confirmation(0.0, 0.0, 0.0, False, False, _METHODS)
    clouds, copies = _clouds(instance)
    share = copies / copies.sum()
    with mp.workdps(DIGITS):
        norms = exact_norms(instance)
        T = mp.mpf(instance.T.numerator) / instance.T.denominator
        names = {k: norms[k] for k in theory.W2_GROWTH_K_STAR.arguments if k != "t"}
        bound = float(to_mpmath(theory.W2_GROWTH_K_STAR, t=T, **names))
    # Far fewer moves than the distance between distinct tokens: the plan that keeps the labels is optimal.
    start = float(np.sqrt(share @ ((clouds[0] - clouds[1]) ** 2).sum(axis=1)))
    ends = [_weighted(instance, cloud, copies) for cloud in clouds]
    reduced = float(np.sqrt(share @ ((ends[0] - ends[1]) ** 2).sum(axis=1))) / start
    full = [torch.from_numpy(_all_tokens(instance, cloud, copies)) for cloud in clouds]
    growth = exact_w2(full[0], full[1]) / start
    observed, error = min(growth, reduced), max(abs(growth - reduced), _MARGIN * bound)
    return Confirmation(observed, bound, error, True, observed - bound > 10 * error, _METHODS)


def kstar_row(claim: Claim, run: Run) -> dict[str, Any]:
    """The row of the ledger: the shipped counterexample, run again."""
    started = time.perf_counter()
    shipped = shipped_counterexample(claim.id)
    if shipped is None:
        return row(claim, Evidence(claim.statement_hash, failure="its counterexample is missing from the package"))
    found = run.once(f"w2-kstar {claim.statement_hash}", lambda: confirmation_dict(confirm_w2(shipped)))
    evidence = Evidence(
        claim.statement_hash, instances=1, nonvacuous=1, violations=int(found["violated"]), max_ratio=found["ratio"]
    )
    path = run.store.keep("counterexamples", file_name(claim.id), shipped.to_dict())
    count = sum(shipped.meta["multiplicity"])
    finding = f"{count:,} tokens: W2 grows {found['observed']:.3g}-fold where e^(K*t) = {found['bound']:.3g}"
    kept = {"file": str(path), "origin": "shipped with the package", **found} if found["violated"] else None
    return row(claim, evidence, time.perf_counter() - started, counterexample=kept, finding=finding)
