"""Claims made false on purpose: a search breaks every one of them."""

from __future__ import annotations

import pytest

from proofs_checks.falsify.mutants import TABLE, Mutant, markdown, mutants, seconds_to_refutation


def name(mutant: Mutant) -> str:
    return f"{mutant.claim} {mutant.how}"


def test_there_are_enough_of_every_kind_and_the_table_has_them_all() -> None:
    kinds = [m.arguments[0] for m in mutants()]
    assert len(kinds) >= 80
    assert {kinds.count(k) >= n for k, n in (("--tighten", 50), ("--replace", 10), ("--drop", 8))} == {True}
    rows = TABLE.read_text(encoding="utf-8").splitlines()
    assert [r.split(" | ")[:2] for r in rows[2:-1]] == [
        r.split(" | ")[:2] for r in markdown([(m, 1.0) for m in mutants()]).splitlines()[2:-1]
    ]
    assert rows[-1] == f"| all | {len(kinds)} | {len(kinds)} refuted |"


@pytest.mark.parametrize("mutant", mutants()[::12], ids=name)
def test_a_sample_is_refuted(mutant: Mutant) -> None:
    assert seconds_to_refutation(mutant) is not None


@pytest.mark.slow
@pytest.mark.parametrize("mutant", mutants(), ids=name)
def test_all_are_refuted(mutant: Mutant) -> None:
    assert seconds_to_refutation(mutant) is not None
