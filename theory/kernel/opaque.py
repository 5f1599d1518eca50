"""Opaque symbols: the generators that stand for what is no polynomial, and what they depend on."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import sympy as sp

from theory.kernel.step import Rejected
from theory.kernel.words import BRACKETS

RESERVED = re.compile(r"<|_[0-9a-f]+:")
"""How the names of brackets and of opaque expressions begin."""

OPAQUE: dict[sp.Basic, tuple[Any, ...]] = {}
"""Opaque symbol → what it stands for. One meaning a symbol, so that values may go from one algebra to another."""


def opaque_symbol(key: tuple[Any, ...]) -> sp.Symbol:
    """The symbol that stands for an opaque expression."""
    digest = hashlib.sha1(str(key).encode()).hexdigest()
    for length in range(6, len(digest) + 1):
        symbol = sp.Symbol(f"_{digest[:length]}:{key[0]}", real=True)
        if OPAQUE.setdefault(symbol, key) == key:
            return symbol
    raise Rejected("two expressions cannot be told apart by their text")


def depends(symbol: Any, running: sp.Symbol) -> bool:
    """Whether a symbol may change with the running index; vectors may (``z_j`` is one of a family)."""
    if symbol in BRACKETS:
        return True
    return any(mentions(part, running) for part in OPAQUE.get(symbol, ())[1:])


def mentions(part: Any, running: sp.Symbol) -> bool:
    """Whether a value in normal form may change with the running index."""
    if isinstance(part, sp.Basic):
        free = part.free_symbols
        return running in free or bool(part.atoms(sp.MatrixSymbol)) or any(depends(s, running) for s in free)
    return not isinstance(part, tuple) or any(mentions(inner, running) for inner in part)


def letters_within(part: Any) -> set[str]:
    """The names of the vectors, matrices and symbols on which a value in normal form depends."""
    if isinstance(part, str):
        return {part}
    if isinstance(part, tuple):
        return set().union(*(letters_within(inner) for inner in part))
    if not isinstance(part, sp.Basic):
        return set()
    found = {str(symbol.name) for symbol in part.atoms(sp.MatrixSymbol)}
    for symbol in part.free_symbols:
        inside = BRACKETS.get(symbol, OPAQUE.get(symbol, ())[1:])  # type: ignore[call-overload]
        found |= letters_within(inside) if inside else {str(symbol)}
    return found
