"""A claim as data: what the paper says, what we state, and what evidence it takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import sympy as sp

from theory.assumptions import ASSUMPTIONS
from theory.formula import Formula, Tightening, WrongForm
from theory.symbols import LATEX

Expected = Literal["holds", "refuted", "open"]
ARXIV = "2402.15415v2"


@dataclass(frozen=True)
class Claim:
    """One claim of the ledger. Its verdict is computed from evidence and is no part of it.

    Attributes
    ----------
    id: as the ledger and the tests name it, e.g. ``prop-3.3/drift``.
    title: one line.
    quoted: the sentence as the paper's summary has it; empty where the claim is ours alone.
    statement: the formal statement, LaTeX.
    assumptions: names from :data:`theory.assumptions.ASSUMPTIONS`.
    formulas: the formulas that the claim is about; the first is the one that is checked.
    expected: ``holds``, ``refuted`` (quoted forms known to be false) or ``open``.
    statement_depends, proof_depends: ids of the claims that the statement, or only its proof, uses.
    tightenings: the sharp constants; each made stronger (or the wrong form in its place) must be refuted.
    required: non-vacuous instances below which the verdict is ``inconclusive``.
    note: why it holds, where it is sharp, or what breaks it.
    """

    id: str
    title: str
    quoted: str
    statement: str
    assumptions: tuple[str, ...]
    formulas: tuple[Formula, ...]
    expected: Expected
    statement_depends: tuple[str, ...] = ()
    proof_depends: tuple[str, ...] = ()
    tightenings: tuple[Tightening | WrongForm, ...] = ()
    required: int = 0
    note: str = ""
    arxiv: str = ARXIV
    symbols: dict[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        unknown = set(self.assumptions) - set(ASSUMPTIONS)
        if unknown:
            raise ValueError(f"{self.id}: unknown assumptions {sorted(unknown)}")
        if self.expected != "open" and self.required <= 0:
            raise ValueError(f"{self.id}: a claim expected to be {self.expected} must require instances")
        names = sorted({name for formula in self.formulas for name in formula.arguments})
        object.__setattr__(self, "symbols", {name: LATEX[name] for name in names})

    @property
    def statement_hash(self) -> str:
        """SHA-256 over everything that evidence speaks of; evidence with another hash is stale."""
        parts = [self.statement, *sorted(self.assumptions), str(self.required), self.arxiv]
        parts += [f"{f.name}={sp.srepr(f.closed)}" for f in self.formulas]
        parts += [f"{x.name}={sp.srepr(x.apply(0.01).closed)}" for x in self.tightenings]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
