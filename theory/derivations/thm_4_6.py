"""Derivations of Theorem 4.6."""

from __future__ import annotations

from theory.derivations import (
    thm_4_6_cutoff,
    thm_4_6_degenerate,
    thm_4_6_lower,
    thm_4_6_model,
    thm_4_6_motion,
    thm_4_6_random,
    thm_4_6_riccati,
    thm_4_6_safe,
    thm_4_6_times,
    thm_4_6_upper,
)
from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = (*thm_4_6_model.LEMMAS, *thm_4_6_times.LEMMAS, *thm_4_6_motion.LEMMAS)
DERIVATIONS: tuple[Derivation, ...] = (
    *thm_4_6_lower.DERIVATIONS,
    *thm_4_6_riccati.DERIVATIONS,
    *thm_4_6_upper.DERIVATIONS,
    *thm_4_6_cutoff.DERIVATIONS,
    *thm_4_6_degenerate.DERIVATIONS,
    *thm_4_6_random.DERIVATIONS,
    *thm_4_6_safe.DERIVATIONS,
)
