"""Derivations of Remark 3.4."""

from __future__ import annotations

from theory.derivations import (
    remark_3_4_drift,
    remark_3_4_expansion,
    remark_3_4_levels,
    remark_3_4_rank,
    remark_3_4_recursion,
    remark_3_4_roots,
    remark_3_4_secular,
    remark_3_4_subspace,
)
from theory.kernel.step import Derivation

_PARTS = (
    remark_3_4_secular,
    remark_3_4_drift,
    remark_3_4_roots,
    remark_3_4_levels,
    remark_3_4_subspace,
    remark_3_4_rank,
    remark_3_4_recursion,
    remark_3_4_expansion,
)

LEMMAS: tuple[Derivation, ...] = tuple(lemma for part in _PARTS for lemma in part.LEMMAS)
DERIVATIONS: tuple[Derivation, ...] = tuple(item for part in _PARTS for item in part.DERIVATIONS)
