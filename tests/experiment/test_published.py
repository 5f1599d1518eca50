"""What is committed: tables, figures and evidence of the experiments say the same, and speak of today's claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs_checks.experiment import evidence, published
from proofs_checks.experiment.experiments import EXPERIMENTS
from proofs_checks.experiment.result import LEAST_SEEDS, Result, sentence
from theory.claims import CLAIMS

ROOT = Path(__file__).parents[2]
IDS = [i for i in CLAIMS if i.startswith("exp-")]


@pytest.mark.parametrize("claim", IDS)
def test_table_and_evidence_agree(claim: str, tmp_path: Path) -> None:
    found = evidence.read(claim, tmp_path)
    assert found is not None
    assert found["statement_hash"] == CLAIMS[claim].statement_hash
    table = (ROOT / "docs" / "generated" / "tables" / f"experiment_{claim.removeprefix('exp-')}.md").read_text("utf-8")
    word = found["experiment"] or "open"
    assert table.startswith(f"`{claim}`: **`{word}`**")
    for s in found["sentences"]:
        assert f"`{s['word'] or 'open'}` | {s['found'][0]} of {s['found'][1]}" in table
    if found["seeds"] < LEAST_SEEDS:
        assert found["experiment"] is None


def test_every_figure_of_the_page_is_there() -> None:
    page = (ROOT / "docs" / "real-models.md").read_text("utf-8")
    for file in (ROOT / "docs" / "generated" / "figures").glob("experiment_*.svg"):
        assert f"generated/figures/{file.name}" in page
    for name in EXPERIMENTS:
        assert f"generated/tables/experiment_{name}.md" in page


def test_markdown_of_a_result() -> None:
    one = sentence("a|b", "c", [True, True, False], 3, "w")
    text = published.markdown(Result("exp-norm", "m", 3, (one,), ({"k": "1"},)), "the command")
    assert "| a\\|b<br>*counted where: c* | `differs` | 2 of 3 | w |" in text
    assert "| k |" in text
    assert "`the command`" in text
