"""Make a counterexample small: fewer tokens, fewer dimensions, numbers of few digits, each step confirmed again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import Matrix

DIGITS = (1, 2, 3, 4, 6)
Confirm = Callable[[Instance], Confirmation]
_MATRICES = ("V", "dV", "A", "dA", "X0")


def shrink(
    instance: Instance, confirmation: Confirmation, confirm: Confirm, seconds: float
) -> tuple[Instance, Confirmation]:
    """The instance as greedy steps make it within the time, and its confirmation: still a violation."""
    deadline = time.perf_counter() + seconds
    simpler = True
    while simpler:
        simpler = False
        for candidate in _simpler(instance):
            if time.perf_counter() > deadline:
                return instance, confirmation
            result = _violates(candidate, confirm)
            if result is not None:
                instance, confirmation, simpler = candidate, result, True
                break
    return instance, confirmation


def _violates(candidate: Instance, confirm: Confirm) -> Confirmation | None:
    try:
        result = confirm(candidate)
    except (InputError, ArithmeticError, ValueError):
        return None
    return result if result.violated else None


def _simpler(instance: Instance) -> Iterator[Instance]:
    """Candidates that are strictly smaller than the instance, the boldest first."""
    for make in (_fewer_tokens, _fewer_dimensions, _plainer_attention, _rounder):
        for changes in make(instance):
            try:
                yield replace(instance, factors=None, **changes)
            except InputError:
                continue


def _fewer_tokens(instance: Instance) -> Iterator[dict[str, Any]]:
    tokens = instance.X0 or ()
    if tokens:
        yield {"X0": None, "T": None}  # where the claim is about matrices alone
    for count in {1, 2, 3, len(tokens) // 2, len(tokens) - 1}:
        if 0 < count < len(tokens):
            for first in range(0, len(tokens), count):
                kept = tokens[first : first + count]
                if len(kept) == count:
                    yield {"X0": kept}
    if len(tokens) > 1:
        yield from ({"X0": tokens[:k] + tokens[k + 1 :]} for k in range(len(tokens)))


def _fewer_dimensions(instance: Instance) -> Iterator[dict[str, Any]]:
    if instance.d == 2:
        return
    for k in range(instance.d):
        changes: dict[str, Any] = {"options": instance.options | ({"normalize": True} if instance.X0 else {})}
        for name in _MATRICES:
            rows = getattr(instance, name)
            if rows is not None:
                kept = rows if name == "X0" else tuple(r for i, r in enumerate(rows) if i != k)
                changes[name] = tuple(tuple(x for j, x in enumerate(row) if j != k) for row in kept)
        if "u" in instance.meta:
            changes["meta"] = instance.meta | {"u": [x for i, x in enumerate(instance.meta["u"]) if i != k]}
        yield changes


def _plainer_attention(instance: Instance) -> Iterator[dict[str, Any]]:
    if instance.A is None and instance.dA is None:
        return
    zero = tuple(tuple(Fraction(0) for _ in row) for row in instance.V)
    yield {"A": None, "dA": None}  # as V and ΔV
    if instance.A is not None and zero != instance.A:
        yield {"A": zero, "dA": zero}
    if instance.dA not in (None, zero):
        yield {"dA": zero}


def _rounder(instance: Instance) -> Iterator[dict[str, Any]]:
    """All numbers at once, then one array at a time."""
    options = instance.options | ({"normalize": True} if instance.X0 else {})
    for digits in DIGITS:
        rounded: dict[str, Any] = {}
        for name in _MATRICES:
            rows = getattr(instance, name)
            if rows is not None:
                rounded[name] = _rounded(rows, digits)
        if instance.T is not None:
            rounded["T"] = _number(instance.T, digits)
        changed = {k: v for k, v in rounded.items() if v != getattr(instance, k)}
        if changed:
            yield {**changed, "options": options}
        if len(changed) > 1:
            yield from ({name: value, "options": options} for name, value in changed.items())


def _rounded(rows: Matrix, digits: int) -> Matrix:
    """Entries to so many significant digits of the largest one, so that small ones become zero."""
    largest = max((abs(x) for row in rows for x in row), default=Fraction(0))
    if not largest:
        return rows
    place = _exponent(largest) - digits + 1
    unit = Fraction(10) ** place
    return tuple(tuple(round(x / unit) * unit for x in row) for row in rows)


def _number(value: Fraction, digits: int) -> Fraction:
    unit = Fraction(10) ** (_exponent(value) - digits + 1)
    return round(value / unit) * unit or value


def _exponent(value: Fraction) -> int:
    """Of the leading decimal digit."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).adjusted()
