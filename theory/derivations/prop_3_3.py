"""The derivations of Proposition 3.3, collected."""

from __future__ import annotations

from theory.derivations import (
    prop_3_3_cone,
    prop_3_3_convergence,
    prop_3_3_criterion,
    prop_3_3_drift,
    prop_3_3_gap_only,
    prop_3_3_heads,
    prop_3_3_interior,
    prop_3_3_orthogonal,
    prop_3_3_persistence,
    prop_3_3_quoted,
    prop_3_3_refuted,
    prop_3_3_symmetric,
)
from theory.kernel.step import Derivation

_PARTS = (
    prop_3_3_persistence,
    prop_3_3_convergence,
    prop_3_3_drift,
    prop_3_3_quoted,
    prop_3_3_criterion,
    prop_3_3_orthogonal,
    prop_3_3_interior,
    prop_3_3_cone,
    prop_3_3_heads,
    prop_3_3_refuted,
    prop_3_3_symmetric,
    prop_3_3_gap_only,
)

LEMMAS: tuple[Derivation, ...] = tuple(item for part in _PARTS for item in part.LEMMAS)
DERIVATIONS: tuple[Derivation, ...] = tuple(item for part in _PARTS for item in part.DERIVATIONS)
