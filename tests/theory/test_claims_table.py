"""The table of the ledger in the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from proofs_checks.claims_table import assumptions_table, markdown_table
from theory.claims import CLAIMS

TABLES = Path(__file__).parents[2] / "docs" / "generated" / "tables"


def test_one_row_for_each_claim_with_the_same_number_of_cells() -> None:
    head, rule, *rows = markdown_table().splitlines()
    cells = [re.split(r"(?<!\\)\|", row) for row in (head, rule, *rows)]
    assert {len(row) for row in cells} == {7}
    assert [row[1].strip() for row in cells[2:]] == [f"`{name}`" for name in CLAIMS]
    drift = cells[2 + list(CLAIMS).index("prop-3.3/drift")]
    assert drift[3].strip() == "holds"
    assert drift[4].strip() == "`symmetric-base`, `symmetric-update`"
    assert drift[5].strip() == f"{CLAIMS['prop-3.3/drift'].required:,}"


def test_norms_in_titles_do_not_end_a_cell() -> None:
    assert r"\|\|E\|\|" in markdown_table()


def test_assumptions_and_how_many_claims_make_them() -> None:
    rows = [row.split(" | ") for row in assumptions_table().splitlines()[2:]]
    assert {len(row) for row in rows} == {3}
    made = sum(len(item.assumptions) for item in CLAIMS.values())
    assert sum(int(row[2].removesuffix(" |")) for row in rows) == made


@pytest.mark.parametrize(("name", "table"), [("claims.md", markdown_table), ("assumptions.md", assumptions_table)])
def test_committed_table_is_that_of_the_ledger(name: str, table: Callable[[], str]) -> None:
    assert (TABLES / name).read_text(encoding="utf-8") == table(), "run `make figures`"
