"""From tallies to the ledger: confirm candidates and controls, compute evidence and verdicts, one row a claim."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np

from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.instance_file import Instance, load_instance
from proofs_checks.registry import CHECKS
from proofs_checks.store import Store, file_name
from proofs_checks.tally import CONTROL_AMOUNT, merge_counts
from proofs_checks.verdicts import Evidence, coverage_shortcomings, met, verdict
from proofs_checks.verification import Block
from theory.claim import Claim
from theory.claims import CLAIMS
from theory.formula import Formula

EXAMINED = 8
QUANTILES = (0.5, 0.9, 0.99, 1.0)
Confirm = Callable[[Instance, Formula], Confirmation]


def shipped_counterexample(claim_id: str) -> Instance | None:
    """The counterexample that the package ships for a claim, or None."""
    path = resources.files("proofs_checks") / "evidence" / "counterexamples" / f"{file_name(claim_id)}.json"
    with resources.as_file(path) as file:
        return load_instance(file) if file.exists() else None


def row(claim: Claim, evidence: Evidence | None, seconds: float = 0.0, **extra: Any) -> dict[str, Any]:
    """One row of the ledger, with its verdict."""
    word, reasons = verdict(claim, evidence)
    known = evidence or Evidence(claim.statement_hash)
    return {
        "id": claim.id,
        "title": claim.title,
        "expected": claim.expected,
        "verdict": word,
        "met": met(claim, word),
        "reasons": reasons,
        "instances": known.instances,
        "nonvacuous": known.nonvacuous,
        "required": claim.required,
        "violations": known.violations,
        "unconfirmed": known.unconfirmed,
        "max_ratio": known.max_ratio,
        "ratio_quantiles": {},
        "seconds": round(seconds, 3),
        "counterexample": None,
        "certified_instances": None,
        "controls": known.controls,
        "readings": known.readings,
        "statement_hash": claim.statement_hash,
        **extra,
    }


def sampled_row(claim: Claim, blocks: list[dict[str, Any]], store: Store) -> dict[str, Any]:
    """The row of a claim that is checked on blocks of instances."""
    started = time.perf_counter()
    check = CHECKS[claim.id]
    parts = [(b["block"], b["claims"][claim.id]) for b in blocks if claim.id in b["claims"]]
    examined, counterexample = _examine(claim, check.confirm, parts, store)
    controls = {t.name: _control(claim, check.confirm, t.name, parts) for t in claim.tightenings}
    coverage = {
        "n": merge_counts([p["coverage"]["n"] for _, p in parts]),
        "d": merge_counts([p["coverage"]["d"] for _, p in parts]),
        "a_differs": sum(p["coverage"]["a_differs"] for _, p in parts),
        "nonsymmetric": sum(p["coverage"]["nonsymmetric"] for _, p in parts),
    }
    nonvacuous = sum(p["nonvacuous"] for _, p in parts)
    ratios = np.array([x for _, p in parts for x in p["ratios"]])
    readings = _readings([p["readings"] for _, p in parts])
    evidence = Evidence(
        statement_hash=claim.statement_hash,
        instances=sum(p["instances"] for _, p in parts),
        nonvacuous=nonvacuous - examined["unconfirmed"],
        violations=examined["violations"],
        unconfirmed=examined["unconfirmed"],
        unexamined=examined["unexamined"],
        readings={name: r["nonvacuous"] for name, r in readings.items()},
        required_readings=check.readings,
        controls=controls,
        coverage=coverage_shortcomings(claim, nonvacuous, **coverage),
        max_ratio=float(ratios.max()) if len(ratios) else None,
        tightness=check.tightness,
    )
    extreme = _extreme(claim, parts, store)
    seconds = sum(p["seconds"] for _, p in parts) + time.perf_counter() - started
    return row(
        claim,
        evidence,
        seconds,
        ratio_quantiles={str(q): float(np.quantile(ratios, q)) for q in QUANTILES} if len(ratios) else {},
        counterexample=counterexample,
        coverage=coverage,
        reading_details=readings,
        unusable=sum(p["unusable"] for _, p in parts),
        candidates=sum(p["readings"][next(iter(p["readings"]))]["candidates"] for _, p in parts),
        extreme=extreme,
    )


def _readings(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, reading in part.items():
            into = merged.setdefault(name, {"instances": 0, "nonvacuous": 0, "candidates": 0, "max_ratio": None})
            for key in ("instances", "nonvacuous", "candidates"):
                into[key] += reading[key]
            found = [x for x in (into["max_ratio"], reading["max_ratio"]) if x is not None]
            into["max_ratio"] = max(found, default=None)
    return merged


def _smallest_first(parts: list[tuple[dict[str, Any], Any]], rows_of: Callable[[Any], list[int]]) -> list[Any]:
    """(block, row) of candidates, small n and d first: those make readable counterexamples."""
    found = [(block, r) for block, part in parts for r in rows_of(part)]
    return sorted(found, key=lambda x: (x[0]["n"] * x[0]["d"], x[0]["family"], x[0]["seed"]))


def _instance(block: dict[str, Any], index: int, claim_id: str, kind: str) -> Instance:
    chosen = Block(**block)
    return chosen.source.as_instance(chosen.draw(), index, claim_id, kind)


def _examine(
    claim: Claim, confirm: Confirm, parts: list[tuple[dict[str, Any], Any]], store: Store
) -> tuple[dict[str, int], dict[str, Any] | None]:
    """A second look at the shipped counterexample and at the candidates; keeps the first confirmed one."""
    counts = {"violations": 0, "unconfirmed": 0, "unexamined": 0}
    kept = None
    shipped = shipped_counterexample(claim.id)
    if shipped is not None:
        result = confirm(shipped, claim.formulas[0])
        if result.violated:
            counts["violations"] += 1
            kept = _kept(claim, shipped, result, store, "shipped with the package")
    candidates = _smallest_first(parts, lambda p: sorted({r for x in p["readings"].values() for r in x["rows"]}))
    total = sum(max(x["candidates"] for x in p["readings"].values()) for _, p in parts)
    for block, index in candidates[:EXAMINED]:
        instance = _instance(block, index, claim.id, "counterexample")
        result = confirm(instance, claim.formulas[0])
        counts["violations" if result.violated else "unconfirmed"] += 1
        if result.violated and kept is None:
            kept = _kept(claim, instance, result, store, f"found in family {block['family']}")
    counts["unexamined"] = max(0, total - EXAMINED) if not counts["violations"] else 0
    return counts, kept


def _kept(claim: Claim, instance: Instance, result: Confirmation, store: Store, origin: str) -> dict[str, Any]:
    path = store.keep("counterexamples", file_name(claim.id), instance.to_dict())
    return {"file": str(path), "origin": origin, **confirmation_dict(result)}


def confirmation_dict(result: Confirmation) -> dict[str, Any]:
    """A confirmation as JSON data."""
    return {
        "observed": result.observed,
        "bound": result.bound,
        "ratio": result.ratio,
        "error": result.error,
        "violated": result.violated,
        "confirmed_by": list(result.methods),
    }


def _control(claim: Claim, confirm: Confirm, name: str, parts: list[tuple[dict[str, Any], Any]]) -> bool:
    """Whether the claim with this constant 1 % stronger is refuted by an instance, and the second look agrees."""
    formula = next(t for t in claim.tightenings if t.name == name).apply(CONTROL_AMOUNT)
    candidates = _smallest_first(parts, lambda p: p["controls"][name]["rows"])
    return any(
        confirm(_instance(block, index, claim.id, "control"), formula).violated
        for block, index in candidates[:EXAMINED]
    )


def _extreme(claim: Claim, parts: list[tuple[dict[str, Any], Any]], store: Store) -> dict[str, Any] | None:
    """The instance with the largest ratio, kept so that it can be replayed."""
    found = [(p["extreme"]["ratio"], block, p["extreme"]["row"]) for block, p in parts if p["extreme"]]
    if not found:
        return None
    ratio, block, index = max(found, key=lambda x: x[0])
    instance = _instance(block, index, claim.id, "extreme")
    path = store.keep("extremes", file_name(claim.id), instance.to_dict())
    return {"file": str(path), "ratio": ratio, "block": block, "row": index}


def open_row(claim: Claim) -> dict[str, Any]:
    """The row of a claim that has no check yet."""
    return row(claim, None)


def load_row(document: dict[str, Any], claim_id: str) -> dict[str, Any] | None:
    """The row of a claim in a stored document, made ``stale`` where the claim has changed since."""
    found = next((r for r in document.get("claims", []) if r["id"] == claim_id), None)
    if found is None or found["statement_hash"] == CLAIMS[claim_id].statement_hash:
        return found
    claim = CLAIMS[claim_id]
    changed = json.loads(json.dumps(found))
    word = "refuted" if found["violations"] else "stale"
    changed.update(verdict=word, met=met(claim, word), reasons=["the claim has changed since; run verify again"])
    return changed
