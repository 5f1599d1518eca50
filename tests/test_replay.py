"""replay of awkward but well-formed instances, and of a store that is not one: an answer or one line, no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proofs_checks import cli
from proofs_checks.registry import CHECKS

SPIRAL = {"V": [[0, 1], [-1, 0]], "dV": [[0, 0], [0, 0]], "X0": [[1, 0]], "T": 1}
PLAIN = {"V": [[1, 0], [0, 0.5]], "dV": [[0, 0.1], [0.1, 0]], "X0": [[0.6, 0.8]], "T": 2}


def replay(folder: Path, document: dict, claim: str) -> int:
    file = folder / "instance.json"
    file.write_text(json.dumps(document))
    return cli.main(["replay", str(file), "--claim", claim])


def test_a_bound_for_any_matrices_needs_no_leading_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, SPIRAL, "prop-3.1/sphere") == 0
    assert "the claim holds on it" in capsys.readouterr().out


@pytest.mark.parametrize("claim", sorted(set(CHECKS) - {"prop-3.1/sphere"}))
def test_a_complex_leading_pair_is_an_answer(claim: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, SPIRAL, claim) == 1
    assert "hypotheses of the claim do not hold" in capsys.readouterr().out


@pytest.mark.parametrize("claim", sorted(CHECKS))
def test_without_tokens_there_is_an_answer(claim: str, tmp_path: Path) -> None:
    document = {k: v for k, v in SPIRAL.items() if k in ("V", "dV")}
    assert replay(tmp_path, document, claim) == 1


def test_a_huge_time_whose_bound_underflows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, {**PLAIN, "T": 1e4}, "prop-3.3/convergence") == 0
    assert "the claim holds on it" in capsys.readouterr().out


def test_a_time_below_every_float_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, {**PLAIN, "T": "1e-400"}, "prop-3.3/convergence") == 2
    err = capsys.readouterr().err
    assert "check T" in err
    assert len(err.splitlines()) == 1


def test_a_claim_without_a_check_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, PLAIN, "exp-norm") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("text", ['{"claims": [', '{"claims": 3}', "[1]", '{"schema": "loraproofs/1", "claims": [{}]}'])
@pytest.mark.parametrize("command", [["claims"], ["show", "prop-3.3/drift"]])
def test_a_store_of_something_else_is_one_line(
    text: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "verify.json").write_text(text)
    assert cli.main([*command, "--store", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "run verify again" in err
    assert len(err.splitlines()) == 1
