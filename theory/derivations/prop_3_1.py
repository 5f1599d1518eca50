"""Derivations of Proposition 3.1."""

from __future__ import annotations

from theory.kernel.step import Derivation

LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = ()
