"""Derivations of Proposition 3.1."""

from __future__ import annotations

from theory.derivations import (
    prop_3_1_angles,
    prop_3_1_discrete,
    prop_3_1_euclidean,
    prop_3_1_initial,
    prop_3_1_lemmas,
    prop_3_1_paths,
    prop_3_1_radius,
    prop_3_1_refuted,
    prop_3_1_sphere,
)
from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = (
    *prop_3_1_lemmas.LEMMAS,
    *prop_3_1_paths.LEMMAS,
    *prop_3_1_angles.LEMMAS,
    *prop_3_1_discrete.LEMMAS,
    *prop_3_1_radius.LEMMAS,
    *prop_3_1_initial.LEMMAS,
)
DERIVATIONS: tuple[Derivation, ...] = (
    prop_3_1_sphere.SPHERE,
    prop_3_1_euclidean.EUCLIDEAN,
    prop_3_1_initial.INITIAL,
    prop_3_1_refuted.REFUTED,
    prop_3_1_discrete.DISCRETE,
)
