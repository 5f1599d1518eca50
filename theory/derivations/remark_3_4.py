"""Derivations of Remark 3.4."""

from __future__ import annotations

from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = ()
