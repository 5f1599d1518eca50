"""Every claim's derivation: the chain holds, no step is idle, little is cited.

That every step follows is seen from the run of the quick profile, in tests/test_verify.py.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
import sympy as sp

from proofs_checks.derivations import uses
from theory.claims import CLAIMS, ancestors
from theory.derivations import DERIVATIONS
from theory.kernel.check import chain_faults, check_step
from theory.kernel.step import Derivation

THEOREMS = [i for i in CLAIMS if not i.startswith("exp-")]
LARGEST_SHARE_CITED = 1 / 5


def test_every_theorem_has_a_derivation() -> None:
    assert [i for i in THEOREMS if i not in DERIVATIONS] == []
    assert {i for i in DERIVATIONS if i not in CLAIMS} == {i for i in DERIVATIONS if i.startswith("lemma/")}


def test_at_most_a_fifth_of_the_steps_is_cited() -> None:
    rules = [step.rule for d in DERIVATIONS.values() for step in d.steps]
    cited = sum(bool(rule.cited) for rule in rules)
    assert len(rules) >= 300
    assert cited <= LARGEST_SHARE_CITED * len(rules)


@pytest.mark.parametrize("name", THEOREMS)
def test_the_last_step_is_no_citation(name: str) -> None:
    last = DERIVATIONS[name].steps[-1].rule
    if last.kind != "comparison":  # the comparison principle, where what is compared is checked
        assert not last.cited


def test_sources_are_precise() -> None:
    for derivation in DERIVATIONS.values():
        for step in derivation.steps:
            if step.rule.cited:
                assert re.search(r"\b(1[89]|20)\d\d\b", step.rule.cited), f"no year: {step.rule.cited}"
                assert len(step.rule.cited) > 25


@pytest.mark.parametrize("name", THEOREMS)
def test_what_is_applied_is_an_edge_of_the_ledger(name: str) -> None:
    applied, waiting = set(), [name]
    while waiting:  # through lemmas too
        for used in uses(waiting.pop()):
            if used not in applied:
                applied.add(used)
                if used not in CLAIMS:
                    waiting.append(used)
    assert {u for u in applied if u in CLAIMS} <= set(ancestors(name)), "add it to proof_depends"


def _without_survives(derivation: Derivation, step_id: str) -> bool:
    """Whether the derivation still holds with one step deleted."""
    less = derivation.without(step_id)
    if set(chain_faults(less, CLAIMS.get(derivation.claim))) - set(
        chain_faults(derivation, CLAIMS.get(derivation.claim))
    ):
        return False
    library = {**DERIVATIONS, derivation.claim: less}
    touched = {s.id for s in derivation.steps if step_id in s.premises}
    return all(check_step(less, k, library).ok for k, s in enumerate(less.steps) if s.id in touched)


@pytest.mark.parametrize("name", list(DERIVATIONS))
def test_deleting_any_one_step_breaks_it(name: str) -> None:
    derivation = DERIVATIONS[name]
    idle = [s.id for s in derivation.steps[:-1] if _without_survives(derivation, s.id)]
    assert idle == []
    assert chain_faults(derivation.without(derivation.steps[-1].id), CLAIMS.get(name)) or len(derivation.steps) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", list(DERIVATIONS))
def test_every_premise_is_needed(name: str) -> None:
    derivation = DERIVATIONS[name]
    idle = []
    for k, step in enumerate(derivation.steps):
        for premise in step.premises if step.rule.kind != "witness" else ():  # an instance of what is listed
            fewer = replace(step, premises=tuple(p for p in step.premises if p != premise))
            less = replace(derivation, steps=(*derivation.steps[:k], fewer, *derivation.steps[k + 1 :]))
            if check_step(less, k, DERIVATIONS).ok:
                idle.append((step.id, premise))
    assert idle == []


def test_symbols_have_one_meaning_within_a_derivation() -> None:
    for derivation in DERIVATIONS.values():
        sorts: dict[str, set[object]] = {}
        for statement in [*derivation.given().values(), *(s.says for s in derivation.steps)]:
            for symbol in statement.atoms(sp.Symbol):
                sorts.setdefault(str(symbol), set()).add(symbol)
        assert [name for name, found in sorts.items() if len(found) > 1] == [], derivation.claim


def test_steps_are_of_many_kinds() -> None:
    kinds = Counter(step.rule.kind for d in DERIVATIONS.values() for step in d.steps)
    assert kinds["identity"] >= 50
    assert kinds["inequality"] >= 30
    assert {"derivative", "limit", "expectation", "evaluation", "application"} <= set(kinds)


def test_a_changed_formula_breaks_its_derivation() -> None:
    for name in THEOREMS:
        claim = CLAIMS[name]
        if claim.formulas:
            first = claim.formulas[0]
            other = replace(claim, formulas=(replace(first, expr=first.expr * 2), *claim.formulas[1:]))
            assert chain_faults(DERIVATIONS[name], other), name


def test_a_declared_assumption_that_is_not_used_breaks_the_chain() -> None:
    claim = CLAIMS["prop-3.3/convergence"]
    other = replace(claim, assumptions=(*claim.assumptions, "psd"))
    assert "the assumption psd is declared and not used" in chain_faults(DERIVATIONS[claim.id], other)
    fewer = replace(claim, assumptions=tuple(a for a in claim.assumptions if a != "hemisphere"))
    assert "the assumption hemisphere is used and not declared" in chain_faults(DERIVATIONS[claim.id], fewer)
