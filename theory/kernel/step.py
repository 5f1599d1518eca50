"""A derivation as data: steps with premises, statements, justifications and the rules that check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import sympy as sp


class Rejected(Exception):
    """A statement does not follow from its premises by the rule that is given for it."""


class Context(Protocol):
    """What a rule may know beside its premises."""

    def theorem(self, name: str) -> tuple[sp.Basic, tuple[sp.Basic, ...]]:
        """Conclusion and hypotheses of another derivation (``ID``), or of one of its steps (``ID#STEP``)."""
        ...

    def earlier(self) -> Sequence[sp.Basic]:
        """The setting, the assumptions and every statement before this step."""
        ...

    def origins(self) -> Sequence[sp.Basic]:
        """Those of them that are true by choice: the setting, the assumptions and the definitions."""
        ...

    def basis(self, statement: sp.Basic) -> Sequence[sp.Basic]:
        """Those statements of the setting and the assumptions on which an earlier statement rests."""
        ...


class Rule(Protocol):
    """How a step is checked.

    ``kind`` is one word for the sort of argument; ``cited`` the source of a textbook theorem that the rule takes
    as true (None where nothing is); ``uses`` the derivation that it applies, if any.
    """

    @property
    def kind(self) -> str:
        """One word."""
        ...

    @property
    def cited(self) -> str | None:
        """The source of what is taken as true."""
        ...

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """Verify that the premises entail ``says``; return what checked it, or raise :class:`Rejected`."""
        ...


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes
    ----------
    id: unique within the derivation.
    says: an equation, an inequality or a ``sympy.Tuple`` of them (all hold).
    premises: ids of earlier steps, keys of the setting or names of assumptions.
    rule: what checks it.
    why: the justification, one sentence of LaTeX.
    """

    id: str
    says: sp.Basic
    premises: tuple[str, ...]
    rule: Rule
    why: str


@dataclass(frozen=True)
class Derivation:
    """The derivation of one claim, or of a lemma.

    Attributes
    ----------
    claim: id of the claim, or ``lemma/...``.
    steps: in order. The last one has the claim's first formula as one of its sides; every other formula of the
        claim is a side of some step.
    setting: what the objects of the statement are (``V u1 = λ1 u1``, say), by keys of their own.
    assumptions: name of a declared assumption → what it gives in symbols.
    meets: name of a declared assumption → id of the step that shows it of the instance (derivations of
        counterexamples, where the instance is the setting).
    sharpness: id of the step that shows an instance beyond a stronger statement; empty where there is none.
    states: of a lemma: the statement that its last step must have; None for a claim.
    title: of a lemma, one line.
    scope: where only small dimensions or random exact matrices were checked; empty where the check is general.
    conditional: a statement of the setting that carries the claim and that nothing here proves; a claim with such a
        derivation is not ``derived``. Empty where there is none.
    remark: what the derivation does not cover, or how it is to be read.
    """

    claim: str
    steps: tuple[Step, ...]
    setting: Mapping[str, sp.Basic] = field(default_factory=dict, hash=False)
    assumptions: Mapping[str, sp.Basic] = field(default_factory=dict, hash=False)
    meets: dict[str, str] = field(default_factory=dict, hash=False)
    sharpness: str = ""
    states: sp.Basic | None = None
    title: str = ""
    scope: str = ""
    conditional: str = ""
    remark: str = ""

    def given(self) -> dict[str, sp.Basic]:
        """Setting and assumptions, by name."""
        return {**self.setting, **self.assumptions}

    def without(self, step_id: str) -> Derivation:
        """The derivation with one step deleted, there and among the premises of the others."""
        kept = [
            replace(step, premises=tuple(p for p in step.premises if p != step_id))
            for step in self.steps
            if step.id != step_id
        ]
        return replace(self, steps=tuple(kept))

    def with_statement(self, step_id: str, says: sp.Basic) -> Derivation:
        """The derivation with the statement of one step replaced."""
        return replace(self, steps=tuple(replace(s, says=says) if s.id == step_id else s for s in self.steps))


def parts(statement: sp.Basic) -> list[sp.Basic]:
    """The single relations of a statement."""
    if isinstance(statement, sp.Tuple | sp.And):
        return [part for inner in statement.args for part in parts(inner)]
    return [statement]
