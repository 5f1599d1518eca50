"""The words that a proof may end with. None of them has a truth value, so that none is taken for true by accident."""

from __future__ import annotations

from enum import Enum
from typing import NoReturn


class Decision(Enum):
    """``proved_true``, ``proved_false``, ``undecided`` (at this precision, in this time) or ``degenerate`` (exact)."""

    PROVED_TRUE = "proved_true"
    PROVED_FALSE = "proved_false"
    UNDECIDED = "undecided"
    DEGENERATE = "degenerate"

    def __bool__(self) -> NoReturn:
        """Refused: compare with ``is Decision.PROVED_TRUE``."""
        raise TypeError(f"{self.value!r} has no truth value: compare it with a Decision")

    @property
    def settled(self) -> bool:
        """Whether it is an answer, not ``undecided``."""
        return self is not Decision.UNDECIDED


def every(decisions: list[Decision]) -> Decision:
    """All of them: false where one is false, else degenerate, else undecided where one is, else true."""
    for word in (Decision.PROVED_FALSE, Decision.DEGENERATE, Decision.UNDECIDED):
        if any(d is word for d in decisions):
            return word
    return Decision.PROVED_TRUE
