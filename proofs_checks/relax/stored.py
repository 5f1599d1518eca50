"""The shipped counterexamples, one for each assumption that is needed, and what was tried where none was found.

``python -m proofs_checks.relax.stored`` searches again and writes them (about ten minutes on two cores).
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import torch

from proofs_checks.instance_file import Instance, load_instance
from proofs_checks.output import dumps, write_text
from proofs_checks.relax.search import ALL, search
from proofs_checks.store import file_name
from theory.claims import CLAIMS
from theory.models import assumed

FOLDER = Path(__file__).resolve().parents[1] / "evidence" / "counterexamples" / "assumptions"
TRIED = FOLDER / "tried.json"


def path(claim_id: str, assumption: str) -> Path:
    """Where the counterexample to the claim without the assumption is kept."""
    return FOLDER / f"{file_name(claim_id)}--{assumption}.json"


def stored(claim_id: str, assumption: str) -> Instance | None:
    """The shipped counterexample, or None."""
    file = path(claim_id, assumption)
    return load_instance(str(file)) if file.exists() else None


@cache
def tried() -> dict[str, dict[str, Any]]:
    """``claim assumption`` → instances tried and the largest ratio, where no counterexample was found."""
    return json.loads(TRIED.read_text(encoding="utf-8")) if TRIED.exists() else {}


def cells() -> list[tuple[str, str]]:
    """Claims that are read on relaxed models, with each assumption that they make."""
    return [(i, a) for i, claim in CLAIMS.items() if i in ALL for a in assumed(claim)]


def _one(cell: tuple[str, str], budget: float) -> tuple[tuple[str, str], dict[str, Any] | None, int, float | None]:
    found = search(*cell, budget, 0)
    return cell, None if found.instance is None else found.instance.to_dict(), found.tried, found.best_ratio


def main() -> None:
    """Search every cell and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds for each cell")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="only these (default: all)")
    parser.add_argument("--without", metavar="ASSUMPTION", help="only the cells of this assumption")
    parser.add_argument("--open", action="store_true", help="only cells that have no counterexample yet")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    chosen = [c for c in cells() if not args.claims or c[0] in args.claims]
    chosen = [c for c in chosen if args.without in (None, c[1]) and not (args.open and path(*c).exists())]
    without = {k: v for k, v in tried().items() if tuple(k.split()) in set(cells()) - set(chosen)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(args.jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for future in [pool.submit(_one, cell, args.budget) for cell in chosen]:
            (claim_id, assumption), found, count, best = future.result()
            file = path(claim_id, assumption)
            if found is not None:
                write_text(file, dumps(found))
            else:
                file.unlink(missing_ok=True)
                shown = None if best is None else round(best, 6)
                without[f"{claim_id} {assumption}"] = {"tried": count, "best_ratio": shown}
            print(claim_id, assumption, "needed" if found else f"not found in {count}", flush=True)
    write_text(TRIED, dumps({key: without[key] for key in map(" ".join, cells()) if key in without}))


if __name__ == "__main__":
    main()
