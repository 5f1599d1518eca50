"""The derivations of the claims, by result, and the registry of all of them."""

from __future__ import annotations

from theory.derivations import lemmas, prop_3_1, prop_3_3, remark_3_4, thm_4_2, thm_4_6
from theory.kernel.step import Derivation

_MODULES = (prop_3_1, prop_3_3, remark_3_4, thm_4_2, thm_4_6)

DERIVATIONS: dict[str, Derivation] = {
    item.claim: item
    for item in (*lemmas.LEMMAS, *(d for module in _MODULES for d in (*module.LEMMAS, *module.DERIVATIONS)))
}
"""Id of a claim or lemma → its derivation."""
