"""Claims made false on purpose, each of which a search must break: the table in the documentation.

``python -m proofs_checks.falsify.mutants`` runs them and writes ``docs/generated/tables/mutated_claims.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from proofs_checks.claims_table import escape
from proofs_checks.falsify.search import search
from proofs_checks.falsify.targets import target
from proofs_checks.output import write_text
from proofs_checks.registry import CHECKS
from proofs_checks.relax.search import search as search_without
from theory.claims import CLAIMS
from theory.formula import Tightening

TABLE = Path(__file__).resolve().parents[2] / "docs" / "generated" / "tables" / "mutated_claims.md"
BUDGET = 60.0
_WRONG = (
    ("prop-3.1/sphere", "delta*t", "no growth"),
    ("prop-3.1/sphere", "delta*(exp(K*t/2) - 1)/K", "half the rate, the same prefactor"),
    ("prop-3.3/convergence", "tan_max_angle_0*exp(-2*dominant_gap*t)", "twice the rate"),
    ("prop-3.3/convergence", "tan_max_angle_0**2*exp(-dominant_gap*t)", "another exponent"),
    ("prop-3.3/drift", "sin(theta_bound/2)", "the factor 2 missing"),
    ("prop-3.3/drift", "2*b_norm/(gap + a + E_norm)", "the sign of ||E||"),
    ("prop-3.3/drift", "b_norm/(gap - E_norm)", "a missing"),
    ("prop-3.3/drift-quoted", "b_norm/(a + gap)", "||E|| missing"),
    ("prop-3.3/criterion", "tan_max_angle_0*exp(-perturbed_dominant_gap*t)/2", "half the bound"),
    ("remark-3.4/expansion", "gap*exp((order + 2)*log(radius_share))/2", "one order too many"),
    ("thm-4.6/upper", "log(1/overlap)/perturbed_dominant_gap", "the target angle missing"),
    ("thm-4.6/degenerate", "log(tan(angle_0)/tan(angle_0 - deviation))", "the rate missing"),
)
_DROPPED = (
    ("prop-3.3/convergence", "dominant-gap"),
    ("prop-3.3/criterion", "hemisphere"),
    ("prop-3.3/criterion", "symmetric-update"),
    ("prop-3.3/drift", "symmetric-base"),
    ("prop-3.1/initial", "full-attention"),
    ("thm-4.6/upper", "single-head"),
    ("thm-4.2/critical", "independent-adapters"),
    ("thm-4.2/variance", "gaussian-adapters"),
)


@dataclass(frozen=True)
class Mutant:
    """A claim, how it is made false, and what is given to ``loraproofs falsify``."""

    claim: str
    how: str
    arguments: tuple[str, str]
    constant: str | None = None


def mutants() -> list[Mutant]:
    """All of them: every sharp constant 1 % and 10 % off, wrong formulas, dropped assumptions."""
    found = []
    for claim_id in CHECKS:
        for tightening in CLAIMS[claim_id].tightenings:
            if isinstance(tightening, Tightening):
                for amount in ("0.01", "0.1"):
                    how = f"{tightening.name} off by {int(100 * float(amount))} %"
                    found.append(Mutant(claim_id, how, ("--tighten", amount), tightening.name))
    found += [Mutant(claim_id, why, ("--replace", expression)) for claim_id, expression, why in _WRONG]
    found += [Mutant(claim_id, f"without {name}", ("--drop", name)) for claim_id, name in _DROPPED]
    return found


def seconds_to_refutation(mutant: Mutant, budget: float = BUDGET, seed: int = 0) -> float | None:
    """How long the search took until a violation was confirmed; None where it found none."""
    option, value = mutant.arguments
    if option == "--drop":
        found = search_without(mutant.claim, value, budget, seed)
        return None if found.instance is None else found.seconds
    chosen = target(
        mutant.claim,
        value if option == "--tighten" else None,
        mutant.constant,
        value if option == "--replace" else None,
    )
    outcome = search(chosen, budget, seed, lambda *_: None)
    return None if outcome.instance is None else outcome.seconds


def _one(mutant: Mutant) -> tuple[Mutant, float | None, str]:
    try:
        return mutant, seconds_to_refutation(mutant), ""
    except Exception as error:  # told in the table's console, never hidden as a refutation
        return mutant, None, f"{type(error).__name__}: {error}"


def markdown(rows: list[tuple[Mutant, float | None]]) -> str:
    """The table."""
    lines = ["| claim | made false | refuted after |", "| --- | --- | --- |"]
    lines += [
        f"| `{m.claim}` | {escape(m.how)} | {'not found' if seconds is None else f'{seconds:.1f} s'} |"
        for m, seconds in rows
    ]
    refuted = sum(seconds is not None for _, seconds in rows)
    return "\n".join([*lines, f"| all | {len(rows)} | {refuted} refuted |"]) + "\n"


def main(say: Callable[..., None] = print) -> None:
    """Run all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(args.jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for mutant, seconds, trouble in pool.map(_one, mutants()):
            rows.append((mutant, seconds))
            say(mutant.claim, mutant.how, "not found" if seconds is None else f"{seconds:.1f} s", trouble, flush=True)
    write_text(TABLE, markdown(rows))


if __name__ == "__main__":
    main()
