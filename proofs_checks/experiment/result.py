"""What an experiment finds: a word for every sentence, the numbers in a table, and the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from proofs_checks.sweep.fits import FEWEST, interval, resampled_means

Word = Literal["confirmed", "not_confirmed", "differs"]
LEAST_SEEDS = 3
"""Seeds that a word takes at least; with fewer there are numbers, and no word."""
FIXED_STEP = "fixed step h (every layer adds to the residual stream with weight one): thm-4.2/fixed-step"
BOOTSTRAP = 0
"""Seed of the resampling."""


def word_of(found: Sequence[bool], seeds: int) -> Word | None:
    """``confirmed`` where all are true, ``not_confirmed`` where none is, else ``differs``; None for too few seeds."""
    if seeds < LEAST_SEEDS or not found:
        return None
    if all(found):
        return "confirmed"
    return "differs" if any(found) else "not_confirmed"


@dataclass(frozen=True)
class Sentence:
    """One sentence of the paper's results (``ours``: of a theorem of this project instead), and what became of it.

    Attributes
    ----------
    says: the sentence. criterion: when it counts as true of one seed. word: None where there are too few seeds.
    found: how often it was true, and of how many. why: the numbers behind it, in words.
    ledger: whether it is (part of) what the claim in the ledger states: the claim's word is made of these.
    """

    says: str
    criterion: str
    word: Word | None
    found: tuple[int, int]
    why: str
    ours: bool = False
    ledger: bool = True


def sentence(
    says: str, criterion: str, found: Sequence[bool], seeds: int, why: str, *, ours: bool = False, ledger: bool = True
) -> Sentence:
    """The sentence with its word."""
    return Sentence(says, criterion, word_of(found, seeds), (sum(found), len(found)), why, ours, ledger)


@dataclass(frozen=True)
class Result:
    """One experiment.

    Attributes
    ----------
    claim: id in the ledger. model, seeds: what it ran on. regime: fixed T or fixed h.
    table: rows with the same headings. figures: name → what draws it.
    """

    claim: str
    model: str
    seeds: int
    sentences: tuple[Sentence, ...]
    table: tuple[dict[str, Any], ...]
    regime: str = FIXED_STEP
    figures: dict[str, Callable[[], Any]] = field(default_factory=dict)

    @property
    def word(self) -> Word | None:
        """Of the sentences that the ledger states: the word that all have, else ``differs``."""
        asked: list[Word | None] = [s.word for s in self.sentences if s.ledger]
        if not asked or None in asked:
            return None
        return asked[0] if len(set(asked)) == 1 else "differs"

    @property
    def finding(self) -> str:
        """All of it in words."""
        many = f"{self.seeds} seed" + ("s" if self.seeds != 1 else "")
        first = "" if self.seeds >= LEAST_SEEDS else f"a first look: {LEAST_SEEDS} seeds are needed for a word; "
        parts = [f"“{s.says}”: {s.word or 'open'} ({s.found[0]} of {s.found[1]}); {s.why}" for s in self.sentences]
        return f"{self.model}, {many}: {first}" + " ".join(parts)


def spread(values: Sequence[float] | np.ndarray, digits: int = 3) -> str:
    """Mean over the seeds, with the bootstrap interval (95 %) from five seeds on, else smallest and largest."""
    x = np.asarray(values, dtype=float)
    if np.isnan(x).any():
        known = x[~np.isnan(x)]
        return "not reached" if not len(known) else f"{spread(known, digits)}, not reached by {len(x) - len(known)}"
    mean = f"{x.mean():.{digits}g}"
    if len(x) == 1:
        return mean
    low, high = x.min(), x.max()
    if len(x) >= FEWEST:
        found = interval(x.mean(), resampled_means(x, BOOTSTRAP))
        low, high = found.low, found.high
    return f"{mean} ({low:.{digits}g} ... {high:.{digits}g})"


def in_interval(values: Sequence[float] | np.ndarray) -> str:
    """What stands in the brackets of :func:`spread`."""
    count = len(np.asarray(values))
    if count < 2:
        return "one seed"
    return "bootstrap, 95 %" if count >= FEWEST else f"smallest and largest of {count} seeds"
