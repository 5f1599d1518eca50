"""All families of instances by name: the sources that ``verify`` draws from."""

from __future__ import annotations

from proofs_checks import families_collapsed, families_first_passage, families_perturbation, families_stability, sources
from proofs_checks.sources import Source

SOURCES: dict[str, Source] = {
    **sources.PLANTED,
    **families_perturbation.SOURCES,
    **families_first_passage.SOURCES,
    **families_collapsed.SOURCES,
    **families_stability.SOURCES,
}
"""Family name → source, in the order in which ``verify`` draws them."""
