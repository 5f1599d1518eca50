"""A law in words: the cells of its row, the same in the terminal, on the page and in the documentation."""

from __future__ import annotations

import math

from proofs_checks.sweep.laws import Law

HEADS = ("family", "law", "measured", "95 % interval", "theory", "")
DIFFERS = "differs"


def cells(law: Law) -> tuple[str, ...]:
    """Family, law, measured, interval (empty where the number is exact or seeds are too few), theory, verdict."""
    found = law.measured
    known = found.low != found.high and not math.isnan(found.low)
    interval = f"{found.low:.4g} ... {found.high:.4g}" if known else ""
    theory = "" if law.predicted is None else f"{'>= ' if law.at_least else ''}{law.predicted:.4g}"
    word = {True: "agrees", False: DIFFERS, None: "too few seeds" if theory else ""}[law.agrees]
    return law.family, law.law, f"{found.value:.4g}", interval, theory, word
