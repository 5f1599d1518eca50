"""The experiments by name."""

from __future__ import annotations

from collections.abc import Callable

from proofs_checks.experiment import ablation, collapse, correlation, depth, indicator, norm, spectrum
from proofs_checks.experiment.result import Result
from proofs_checks.experiment.session import Session

EXPERIMENTS: dict[str, tuple[Callable[[Session], Result], ...]] = {
    "spectrum": (spectrum.run,),
    "norm": (norm.run,),
    "depth": (depth.run,),
    "ablation": (ablation.run, ablation.run_rank),
    "correlation": (correlation.run,),
    "collapse": (collapse.run,),
    "indicator": (indicator.run,),
}
"""Name on the command line → what computes its results, one a claim of the ledger."""
