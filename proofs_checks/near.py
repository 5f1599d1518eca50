"""What would change our mind: for each claim, the instance that came closest to breaking it, and its margin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from theory.claims import CLAIMS

FILE = Path(__file__).resolve().parents[1] / "docs" / "generated" / "tables" / "near.json"
_LONGEST = 1200
"""Characters of an instance that a page shows."""
_SHOWN = ("V", "dV", "A", "X0", "T")


def nearest(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """From rows of ``verify``: claim → largest observed / bound, or deviation in standard errors, and the instance."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if CLAIMS[row["id"]].expected != "holds":
            continue
        entry: dict[str, Any] = {"counted": row["nonvacuous"]}
        equalities = [e for e in row.get("comparisons") or [] if _deviation(e) <= row["z"]]  # bounds are far from equal
        if equalities:
            worst = max(equalities, key=_deviation)
            entry |= {"deviation": float(f"{_deviation(worst):.2g}"), "allowed": row["z"], "where": worst.get("name")}
        elif row["max_ratio"] is not None:
            entry["ratio"] = float(f"{row['max_ratio']:.7g}")
        instance = _instance(row)
        if instance is not None:
            shown = {k: instance[k] for k in _SHOWN if k in instance}
            if len(json.dumps(shown)) <= _LONGEST:
                entry["instance"] = shown
        found[row["id"]] = entry
    return found


def _deviation(comparison: Mapping[str, Any]) -> float:
    """How many standard errors a mean is from its formula."""
    return abs(comparison["mean"] - comparison["predicted"]) / comparison["error"]


def _instance(row: Mapping[str, Any]) -> dict[str, Any] | None:
    file = (row.get("extreme") or {}).get("file")
    if not file:
        return None
    return json.loads(Path(file).read_text(encoding="utf-8"))


def committed() -> dict[str, dict[str, Any]]:
    """What ``make figures`` wrote last."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
