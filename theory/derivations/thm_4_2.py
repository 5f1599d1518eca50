"""Derivations of Theorem 4.2."""

from __future__ import annotations

from theory.derivations import (
    thm_4_2_critical,
    thm_4_2_model,
    thm_4_2_subcritical,
    thm_4_2_supercritical,
    thm_4_2_tied,
    thm_4_2_two_level,
    thm_4_2_variance,
)
from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = (*thm_4_2_model.LEMMAS, *thm_4_2_subcritical.LEMMAS)
DERIVATIONS: tuple[Derivation, ...] = (
    thm_4_2_variance.VARIANCE,
    *thm_4_2_subcritical.DERIVATIONS,
    thm_4_2_critical.CRITICAL,
    *thm_4_2_supercritical.DERIVATIONS,
    *thm_4_2_tied.DERIVATIONS,
    thm_4_2_two_level.TWO_LEVEL,
)
