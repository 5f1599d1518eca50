"""The lock: what the ledger said when it was last accepted, and what differs from it now.

``evidence/lock.json`` holds, for each claim, the verdict, the hash of the statement, the formulas and sharp constants
as text, and what the claim depends on: no floats, no times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofs_checks.errors import InputError
from proofs_checks.json_file import read_object
from proofs_checks.output import SCHEMA
from theory.claims import CLAIMS, descendants

PATH = Path(__file__).resolve().parent / "evidence" / "lock.json"
_STATEMENT = ("assumptions", "formulas", "constants", "required", "statement")


def entry(claim_id: str, row: dict[str, Any]) -> dict[str, Any]:
    """What the lock says of one claim, from its row of a ``verify`` result."""
    claim = CLAIMS[claim_id]
    return {
        "verdict": row["verdict"],
        "effective": row.get("effective", row["verdict"]),
        "expected": claim.expected,
        "statement_hash": claim.statement_hash,
        "statement": claim.statement,
        "assumptions": list(claim.assumptions),
        "formulas": {f.name: str(f.expr) for f in claim.formulas},
        "constants": {t.name: str(t.apply(0.01).expr) for t in claim.tightenings},
        "required": claim.required,
        "depends": sorted({*claim.statement_depends, *claim.proof_depends}),
    }


def build(rows: list[dict[str, Any]], old: dict[str, Any] | None = None) -> dict[str, Any]:
    """A lock of these rows; claims that are not among them keep what the old lock says."""
    kept = dict((old or {}).get("claims", {}))
    kept |= {r["id"]: entry(r["id"], r) for r in rows}
    return {"schema": SCHEMA, "claims": {i: kept[i] for i in CLAIMS if i in kept}}


def read(path: Path = PATH) -> dict[str, Any]:
    """A lock file. Raises :class:`InputError` where it is missing or is none."""
    found = read_object(path, f"there is no lock at {path}; `loraproofs accept` writes one")
    claims = found.get("claims") if found.get("schema") == SCHEMA else None
    if not isinstance(claims, dict) or not all(isinstance(c, dict) and "statement_hash" in c for c in claims.values()):
        raise InputError(f"{path} is no lock of this version: it needs schema {SCHEMA} and the claims by id")
    return found


@dataclass
class Difference:
    """What differs from a lock.

    ``changed``: claim → what of its statement differs, in words; ``added``, ``removed``: claims; ``stale``: claims
    downstream of a change that have not been verified since; ``verdicts``: claim → (before, now).
    """

    changed: dict[str, list[str]] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed or self.stale or self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        moved = {i: {"before": b, "now": n} for i, (b, n) in self.verdicts.items()}
        return {
            "changed": self.changed, "added": self.added, "removed": self.removed, "stale": self.stale,
            "verdicts": moved,
        }  # fmt: skip


def changed_claims(lock: dict[str, Any]) -> list[str]:
    """Claims whose statement is another than the lock's, or new, and all that rest on them; in the ledger's order."""
    known = lock["claims"]
    first = {i for i, c in CLAIMS.items() if i not in known or known[i]["statement_hash"] != c.statement_hash}
    touched = first | {d for i in first for d in descendants(i)}
    return [i for i in CLAIMS if i in touched]


def compare(lock: dict[str, Any], rows: list[dict[str, Any]], *, derivations: bool = True) -> Difference:
    """What these rows of ``verify`` say that the lock does not.

    Without ``derivations`` (their checkers are not installed) ``supported`` where the lock has ``derived`` is no
    difference, nor is ``inconclusive`` for what is open (a model that is not installed).
    """
    known, found = lock["claims"], {r["id"]: r for r in rows}
    result = Difference()
    result.removed = [i for i in known if i not in CLAIMS]
    for claim_id, claim in CLAIMS.items():
        if claim_id not in known:
            result.added.append(claim_id)
        elif known[claim_id]["statement_hash"] != claim.statement_hash:
            result.changed[claim_id] = _words(known[claim_id], entry(claim_id, {"verdict": ""}))
    result.stale = [i for i in changed_claims(lock) if i not in found]
    for claim_id, row in found.items():
        before = known.get(claim_id, {}).get("verdict")
        unchecked = not derivations and (before, row["verdict"]) == ("derived", "supported")
        # an experiment whose model is not installed expects nothing
        unchecked |= CLAIMS[claim_id].expected == "open" and row["verdict"] == "inconclusive"
        if before is not None and before != row["verdict"] and not unchecked:
            result.verdicts[claim_id] = (before, row["verdict"])
    return result


def _words(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of a statement differs, one line each."""
    found = []
    for name in _STATEMENT:
        old, new = before.get(name), now[name]
        if old == new:
            continue
        if isinstance(new, dict) and isinstance(old, dict):
            keys = [k for k in {**old, **new} if old.get(k) != new.get(k)]
            found += [f"{k}: {old.get(k, '(none)')} → {new.get(k, '(none)')}" for k in keys]
        elif isinstance(new, list) and isinstance(old, list):
            found += [f"no longer assumes {x}" for x in old if x not in new]
            found += [f"now assumes {x}" for x in new if x not in old]
        else:
            found.append(f"{name}: {old} → {new}")
    return found or ["its statement (by hash)"]


def report(difference: Difference, rows: list[dict[str, Any]]) -> list[str]:
    """The difference in lines fit for a code review, the reason beside each verdict that moved."""
    reasons = {r["id"]: "; ".join(r.get("reasons", [])) for r in rows}
    files = {r["id"]: (r.get("counterexample") or {}).get("file") for r in rows}
    lines = [f"changed  {i}: {what}" for i, words in difference.changed.items() for what in words]
    lines += [f"new      {i}" for i in difference.added]
    lines += [f"removed  {i}" for i in difference.removed]
    for i, (before, now) in difference.verdicts.items():
        why = f", counterexample {files[i]}" if now == "refuted" and files.get(i) else ""
        lines.append(f"verdict  {i}: {before} → {now}" + (f" ({reasons[i]}{why})" if reasons.get(i) else why))
    lines += [f"stale    {i}: rests on what changed and has not been verified since" for i in difference.stale]
    return lines
