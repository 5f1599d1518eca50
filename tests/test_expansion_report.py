"""``derive remark-3.4/expansion --instance FILE``: the series for a user's own V and ΔV."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from proofs_checks import cli
from proofs_checks.expansion_report import TEX_FILE, expansion_of
from proofs_checks.instance_file import Instance


def write(folder: Path, V: object, dV: object) -> str:
    path = folder / "mine.json"
    path.write_text(json.dumps({"V": V, "dV": dV}), encoding="utf-8")
    return str(path)


def derive(*arguments: str) -> int:
    return cli.main(["derive", "remark-3.4/expansion", *arguments])


def test_two_levels_by_hand() -> None:
    """λ̃ = ½(1 + √(1 + 4ε²)) of [[1, ε], [ε, 0]]: 1 + ε² - ε⁴ + 2ε⁶."""
    answer = expansion_of(Instance.from_arrays([[1, 0], [0, 0]], [[0, 1], [1, 0]]), 6)
    assert answer["values"] == ["1", "0", "1", "0", "-1", "0", "2"]
    assert answer["exact"]
    assert answer["bound"] is None
    assert "not below 1" in answer["notes"][0]


def test_error_is_within_the_bound_of_the_claim() -> None:
    mine = Instance.from_arrays([[2, 0, 0], [0, 1, 0], [0, 0, 0.5]], [[0.1, 0.05, 0], [0.05, 0, 0.1], [0, 0.1, 0]])
    for order in (1, 2, 4, 8):
        answer = expansion_of(mine, order)
        assert 0 < float(answer["error"]) <= float(answer["bound"])


def test_non_symmetric_and_irrational_against_numpy() -> None:
    V, dV = [[2, 1, 0], [1, 1, 3], [0.5, 0, -1]], [[0.01, 0, 0.02], [0, -0.01, 0], [0.01, 0.01, 0]]
    answer = expansion_of(Instance.from_arrays(V, dV), 6)
    assert not answer["exact"]
    measured = max(np.linalg.eigvals(np.array(V) + np.array(dV)).real)
    assert float(answer["sum"]) == pytest.approx(measured, abs=1e-9)


def test_files_and_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = write(tmp_path, [[1, 0], [0, 0]], {"B": [["1/3"], [0]], "A": [[0, 1]]})
    assert derive("--instance", mine, "--order", "2", "--out", str(tmp_path / "tex"), "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["command"] == "derive"
    assert found["claim"] == "remark-3.4/expansion"
    assert [Fraction(x) for x in found["values"]] == [1, 0, 0]
    text = (tmp_path / "tex" / TEX_FILE).read_text(encoding="utf-8")
    assert text.isascii()
    assert text.count(r"\item") == 3


def test_degenerate_input_is_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for V in ([[1, 0], [0, 1]], [[0, 1], [-1, 0]]):
        assert derive("--instance", write(tmp_path, V, [[0, 1], [1, 0]])) == 0
        assert "no expansion:" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("--order", "0"), ("--order", "41"), ("--pdf",)])
def test_bad_options_are_one_line(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = write(tmp_path, [[1, 0], [0, 0]], [[0, 1], [1, 0]])
    assert derive("--instance", mine, *arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_another_claim_with_an_instance_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = write(tmp_path, [[1, 0], [0, 0]], [[0, 1], [1, 0]])
    assert cli.main(["derive", "prop-3.3/drift", "--instance", mine]) == 2
    assert "goes with remark-3.4/expansion alone" in capsys.readouterr().err
