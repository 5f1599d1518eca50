"""Mutants of the derivations' steps: each must be rejected, by its rule or by the chain."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy as sp

from proofs_checks.step_mutants import EXPLAINED, KINDS, TABLE_STRIDE, Mutant, changes, fate, mutants, run, sample
from theory.kernel.notation import at_most, equal

TABLE = Path(__file__).resolve().parents[2] / "docs" / "generated" / "tables" / "step_mutants.md"
STRIDE = 16
a, b, c = sp.symbols("a b c", real=True)


def test_changes_of_a_small_statement_are_these() -> None:
    statement = at_most(a - b**2, 3 * c)
    assert changes(statement, "sign", {}) == [at_most(-a - b**2, 3 * c), at_most(a + b**2, 3 * c)]
    assert changes(statement, "exponent", {}) == [at_most(a - b**3, 3 * c), at_most(a - b**4, 3 * c)]
    assert changes(statement, "index", {b: c}) == [at_most(a - c**2, 3 * c)]
    assert changes(statement, "relation", {}) == [sp.Ge(a - b**2, 3 * c, evaluate=False)]
    factors = changes(statement, "factor", {})
    assert at_most(a - b**2, 6 * c) in factors
    assert at_most(a - b**2, c) in factors
    assert changes(equal(a, b), "relation", {}) == []


def test_there_are_enough_of_every_kind() -> None:
    found = sample()
    assert len(found) >= 3_000
    for kind in KINDS:
        assert sum(m.kind == kind for m in found) >= 300


@pytest.fixture(scope="module")
def chosen() -> list[Mutant]:
    return sample(STRIDE)


def test_a_sample_is_killed(chosen: list[Mutant]) -> None:
    assert len(chosen) >= 300
    survived = [f.mutant for f in map(fate, chosen) if f.fate == "survived"]
    assert [m for m in survived if m not in EXPLAINED] == []


@pytest.mark.slow
def test_one_of_each_kind_and_step_is_killed_or_explained() -> None:
    survived = {f.mutant for f in run(sample()) if f.fate == "survived"}
    assert survived <= set(EXPLAINED)


def test_explanations_are_of_mutants_that_there_are() -> None:
    assert set(EXPLAINED) <= set(mutants({m.claim for m in EXPLAINED}) if EXPLAINED else ())


def test_the_table_speaks_of_as_many_mutants_as_there_are() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert f"| all | {len(sample(TABLE_STRIDE))} |" in text, "run `make figures` to write the table again"
