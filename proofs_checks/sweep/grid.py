"""Grids as they are typed: ``0.1,1,10``, or ``0.1:10:12`` for twelve values evenly spaced in the logarithm."""

from __future__ import annotations

import math

from proofs_checks.errors import InputError

LARGEST = 1_000
"""Values that one grid may have."""


def numbers(text: str, name: str) -> tuple[float, ...]:
    """The positive numbers of a grid, increasing and without repetition; raises InputError that names the option."""
    try:
        if ":" in text:
            first, last, count = text.split(":")
            low, high, many = float(first), float(last), int(count)
            if not 1 <= many <= LARGEST:
                raise InputError(f"{name} {text}: a grid has 1 to {LARGEST} values")
            if not (0 < low < math.inf and 0 < high < math.inf):
                raise InputError(f"{name} {text}: both ends must be positive and finite")
            step = math.log(high / low) / max(many - 1, 1)
            found = [low * math.exp(k * step) for k in range(many)]
        else:
            found = [float(x) for x in text.split(",")]
    except ValueError as error:
        raise InputError(f"{name} {text}: give numbers as 0.1,1,10 or FIRST:LAST:COUNT") from error
    wrong = [x for x in found if not 0 < x < math.inf]
    if wrong:
        raise InputError(f"{name} {text}: {wrong[0]:g} is not a positive number")
    if len(found) > LARGEST:
        raise InputError(f"{name} {text}: a grid has 1 to {LARGEST} values")
    return tuple(sorted(dict.fromkeys(found)))


def integers(text: str, name: str, largest: int) -> tuple[int, ...]:
    """The same for whole numbers from 1 to ``largest``; a spaced grid is rounded."""
    found = [round(x) if ":" in text else x for x in numbers(text, name)]
    wrong = [x for x in found if x != int(x) or not 1 <= x <= largest]
    if wrong:
        raise InputError(f"{name} {text}: {wrong[0]:g} is not a whole number from 1 to {largest:,}")
    return tuple(sorted({int(x) for x in found}))
