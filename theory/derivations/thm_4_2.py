"""Derivations of Theorem 4.2."""

from __future__ import annotations

from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = ()
