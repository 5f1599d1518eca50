"""Evidence files of the experiments: written by ``loraproofs experiment``, read by the ledger."""

from __future__ import annotations

from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from proofs_checks.errors import InputError
from proofs_checks.experiment.result import Result
from proofs_checks.json_file import read_object
from proofs_checks.output import SCHEMA, dumps, write_text
from theory.claims import CLAIMS

FOLDER = "experiments"


def fields(result: Result) -> dict[str, Any]:
    """What an evidence file says, without anything that depends on the machine."""
    return {
        "claim": result.claim,
        "statement_hash": CLAIMS[result.claim].statement_hash,
        "model": result.model,
        "seeds": result.seeds,
        "regime": result.regime,
        "experiment": result.word,
        "finding": result.finding,
        "sentences": [asdict(s) for s in result.sentences],
        "table": list(result.table),
    }


def write(result: Result, folder: Path) -> Path:
    """Write ``CLAIM.json`` below the folder."""
    path = folder / f"{result.claim}.json"
    write_text(path, dumps({"schema": SCHEMA, "command": "experiment", **fields(result)}))
    return path


def read(claim_id: str, store: Path) -> dict[str, Any] | None:
    """The evidence of an experiment: of the last run in this store, else what the package ships; None without any.

    Raises InputError where the file of the store is not one.
    """
    own = store / FOLDER / f"{claim_id}.json"
    if own.exists():
        return _checked(own)
    with resources.as_file(resources.files("proofs_checks") / "evidence" / FOLDER / f"{claim_id}.json") as shipped:
        return _checked(shipped) if shipped.exists() else None


def brief(found: dict[str, Any]) -> str:
    """The sentences with their words, without the numbers, which ``loraproofs show`` has."""
    words = "; ".join(f"“{s['says']}”: {s['word'] or 'open'}" for s in found["sentences"])
    return f"{found['model']}, {found['seeds']} seed{'s' if found['seeds'] != 1 else ''}: {words}"


def _checked(path: Path) -> dict[str, Any]:
    mend = "delete it, or run `loraproofs experiment` again"
    found = read_object(path, f"{path} is gone; run `loraproofs experiment` again", mend)
    if found.get("schema") != SCHEMA or not {
        "statement_hash",
        "model",
        "finding",
        "experiment",
        "seeds",
        "sentences",
    } <= set(found):
        raise InputError(f"{path} is no evidence of this version; {mend}")
    return found
