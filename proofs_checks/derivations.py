"""Run derivations: which are needed, their checks in several processes, and what became of them as plain data."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from proofs_checks.errors import InputError
from proofs_checks.store import Run
from proofs_checks.verdicts import met, weakest, with_derivation
from theory.claims import CLAIMS, ancestors
from theory.derivations import DERIVATIONS
from theory.kernel.check import Outcome, applied, applied_faults, check

_CHECKERS = {"z3": "z3-solver", "flint": "python-flint"}


def missing_checkers() -> list[str]:
    """Packages that derivations are checked with and that are not installed."""
    return [package for module, package in _CHECKERS.items() if importlib.util.find_spec(module) is None]


def require_checkers() -> None:
    """Raise :class:`InputError` with the install line where a checker is missing."""
    missing = missing_checkers()
    if missing:
        raise InputError(f"derivations are checked with {' and '.join(missing)}: pip install 'loraproofs[certify]'")


def uses(claim_id: str) -> list[str]:
    """Ids of the derivations that this one applies, lemmas among them."""
    return list(applied(DERIVATIONS[claim_id]))


def needed(claim_ids: Iterable[str]) -> list[str]:
    """The ids that have a derivation, and all derivations that they apply, in the order of the registry."""
    waiting, seen = [i for i in claim_ids if i in DERIVATIONS], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [u for u in uses(name) if u in DERIVATIONS]
    return [i for i in DERIVATIONS if i in seen]


def check_one(claim_id: str) -> dict[str, Any]:
    """Check one derivation by itself, given those that it applies; what became of it as plain data."""
    return as_dict(check(DERIVATIONS[claim_id], CLAIMS.get(claim_id), DERIVATIONS))


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON data, with what the ledger and the derivation say of it."""
    derivation, claim = DERIVATIONS[outcome.claim], CLAIMS.get(outcome.claim)
    return {
        "id": outcome.claim,
        "title": claim.title if claim else derivation.title,
        "expected": claim.expected if claim else None,
        "statement_hash": claim.statement_hash if claim else None,
        "ok": outcome.ok,
        "first_failure": outcome.first_failure,
        "broken": list(outcome.broken),
        "steps": [
            {
                "id": r.id,
                "premises": list(r.premises),
                "kind": r.kind,
                "checked_by": r.checked_by,
                "cited": r.cited,
                "seconds": round(r.seconds, 4),
                "ok": r.ok,
                "error": r.error,
            }
            for r in outcome.steps
        ],
        "uses": list(outcome.applies),
        "modulo": list(outcome.modulo),
        "scope": outcome.scope,
        "conditional": derivation.conditional,
        "remark": derivation.remark,
    }


def run_derivations(
    claim_ids: Iterable[str], run: Run, done: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, Any]]:
    """Check the derivations of these claims and of what they apply; each result is kept as it comes.

    Those are ``ok`` that hold with all that they apply. ``done`` is called with each id. Raises
    :class:`InputError` where a checker is not installed.
    """
    require_checkers()
    wanted = needed(claim_ids)
    found: dict[str, dict[str, Any]] = {}
    for name in wanted:
        known = run.known(f"derivation {name}")
        if known is not None:
            found[name] = known
            done(name)
    rest = [name for name in wanted if name not in found]
    workers = min(os.cpu_count() or 1, len(rest))
    if workers < 2:
        for name in rest:
            found[name] = _kept(name, check_one(name), run, done)
        return _with_applied({name: found[name] for name in wanted})
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        futures = {pool.submit(check_one, name): name for name in rest}
        for future in as_completed(futures):
            name = futures[future]
            found[name] = _kept(name, future.result(), run, done)
    except BaseException:
        for process in list(getattr(pool, "_processes", {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return _with_applied({name: found[name] for name in wanted})


def _with_applied(outcomes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The outcomes, each not ok where one that it applies, directly or not, is missing or not ok itself."""
    applies = {name: found["uses"] for name, found in outcomes.items()}
    failures = {name: found["first_failure"] for name, found in outcomes.items()}
    result = {}
    for name, found in outcomes.items():
        faults = applied_faults(name, applies, failures)
        first = found["first_failure"] or next(iter(faults), None)
        result[name] = {
            **found, "ok": first is None, "first_failure": first, "broken": [*found["broken"], *faults]
        }  # fmt: skip
    return result


def _kept(name: str, result: dict[str, Any], run: Run, done: Callable[[str], None]) -> dict[str, Any]:
    run.keep(f"derivation {name}", result)
    done(name)
    return result


def holds(claim_id: str, outcomes: dict[str, dict[str, Any]]) -> bool:
    """Whether the derivation of the claim, and every one that it applies, directly or not, is checked throughout."""
    return claim_id in DERIVATIONS and all(outcomes.get(name, {}).get("ok", False) for name in needed([claim_id]))


def modulo(claim_id: str, outcomes: dict[str, dict[str, Any]]) -> list[str]:
    """All sources that the claim's derivation cites, those of the derivations that it applies among them."""
    return list(dict.fromkeys(source for name in needed([claim_id]) for source in outcomes[name]["modulo"]))


def scope(claim_id: str, outcomes: dict[str, dict[str, Any]]) -> str:
    """The scopes of the claim's derivation and of those that it applies."""
    return "; ".join(dict.fromkeys(s for name in needed([claim_id]) if (s := outcomes[name]["scope"])))


def add_to_rows(rows: list[dict[str, Any]], outcomes: dict[str, dict[str, Any]]) -> None:
    """Put into each row of the ledger what its derivation gives: the verdict, ``modulo``, ``scope``, ``effective``.

    ``effective`` is the weakest verdict among the claim and those that its proof rests on, as far as ``rows`` has them.
    """
    for r in rows:
        r["modulo"], r["scope"], r["derivation"] = [], "", None
        if r["id"] not in DERIVATIONS:
            continue
        claim = CLAIMS[r["id"]]
        chain = needed([claim.id])
        failure = next((f"{i}: {outcomes[i]['first_failure']}" for i in chain if not outcomes[i]["ok"]), None)
        taken = "; ".join(dict.fromkeys(t for i in chain if (t := outcomes[i]["conditional"])))
        if failure is not None or not taken:  # a conditional derivation lifts no verdict
            r["verdict"], r["reasons"] = with_derivation(claim, r["verdict"], r["reasons"], failure)
        r["met"] = met(claim, r["verdict"]) and failure is None
        r["modulo"], r["scope"] = modulo(claim.id, outcomes), scope(claim.id, outcomes)
        own = outcomes[claim.id]
        r["derivation"] = {"ok": failure is None, "steps": len(own["steps"]), "remark": own["remark"],
                           "cited": sum(bool(s["cited"]) for s in own["steps"]), "conditional": taken}  # fmt: skip
    words = {r["id"]: r["verdict"] for r in rows}
    for r in rows:
        chain = [r["id"], *(i for i in ancestors(r["id"], "proof") if i in words)]
        r["effective"] = weakest(words[i] for i in chain)
