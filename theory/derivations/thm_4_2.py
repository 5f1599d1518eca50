"""Derivations of Theorem 4.2."""

from __future__ import annotations

from theory.derivations import (
    thm_4_2_below,
    thm_4_2_clouds,
    thm_4_2_critical,
    thm_4_2_curve,
    thm_4_2_fixed,
    thm_4_2_growth,
    thm_4_2_loss,
    thm_4_2_model,
    thm_4_2_slopes,
    thm_4_2_stretch,
    thm_4_2_supercritical,
    thm_4_2_tied,
    thm_4_2_two_level,
    thm_4_2_variance,
)
from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = (
    *thm_4_2_model.LEMMAS,
    *thm_4_2_growth.LEMMAS,
    *thm_4_2_loss.LEMMAS,
    *thm_4_2_fixed.LEMMAS,
    *thm_4_2_clouds.LEMMAS,
    *thm_4_2_stretch.LEMMAS,
)
DERIVATIONS: tuple[Derivation, ...] = (
    thm_4_2_variance.VARIANCE,
    *thm_4_2_below.DERIVATIONS,
    thm_4_2_critical.CRITICAL,
    *thm_4_2_supercritical.DERIVATIONS,
    *thm_4_2_tied.DERIVATIONS,
    *thm_4_2_curve.DERIVATIONS,
    *thm_4_2_slopes.DERIVATIONS,
    *thm_4_2_fixed.DERIVATIONS,
    thm_4_2_two_level.TWO_LEVEL,
)
