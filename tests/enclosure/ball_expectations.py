"""What a check asks of a ball, and of a computation that must refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb


def holds(ball: arb, value: Any) -> bool:
    return bool(ball.contains(arb(value) if not isinstance(value, arb) else value))


def raises(error: str, call: Callable[[], Any]) -> bool:
    try:
        call()
    except ArithmeticError as found:
        return type(found).__name__ == error
    return False
