"""``loraproofs experiment``: every experiment on the tiny Llama, resumed, in the ledger, and refused in one line."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from proofs_checks import cli
from proofs_checks.experiment import evidence, plan
from proofs_checks.experiment.experiments import EXPERIMENTS
from proofs_checks.experiment.points import Bench
from proofs_checks.special import experiment_row
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS

pytestmark = [
    pytest.mark.claim("exp-norm"),
    pytest.mark.claim("exp-depth"),
    pytest.mark.claim("exp-ablation"),
    pytest.mark.claim("exp-rank"),
    pytest.mark.claim("exp-correlation"),
    pytest.mark.claim("exp-collapse"),
    pytest.mark.claim("exp-indicator"),
]
CLAIMS_OF = {
    **{name: [f"exp-{name}"] for name in EXPERIMENTS},
    "ablation": ["exp-ablation", "exp-rank"],
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer points."""
    norms = (0.25, 1.0, 4.0)
    monkeypatch.setattr(plan, "COUNTS", (1, 2))
    monkeypatch.setattr(plan, "NORMS", {"v": norms, "ov": norms})
    monkeypatch.setattr(plan, "RANK_NORMS", {"v": norms, "ov": norms})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all experiments of the module: they share their points."""
    return tmp_path_factory.mktemp("experiments")


def run(tiny: Path, out: Path, name: str, *more: str) -> dict[str, Any]:
    file = out / "result.json"
    words = ["experiment", name, "--model", str(tiny), "--out", str(out / "out"), "--store", str(out / "store")]
    assert cli.main([*words, "--resume", "--json", str(file), *more]) == 0
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs(tiny: Path, shared: Path, name: str) -> None:
    found = run(tiny, shared, name)
    assert [e["claim"] for e in found["experiments"]] == CLAIMS_OF[name]
    for e in found["experiments"]:
        if name == "spectrum":
            assert e["experiment"] in ("confirmed", "not_confirmed", "differs")
        else:
            assert e["experiment"] is None  # one seed carries no word
            assert "fixed step" in e["regime"]
        assert e["table"]
    for file in found["files"]:
        assert Path(file).stat().st_size > 100
    assert any(file.endswith(".png") for file in found["files"])


def test_three_seeds_carry_a_word_and_a_rerun_measures_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tiny, tmp_path, "collapse", "--seeds", "3")
    assert first["experiments"][0]["experiment"] in ("confirmed", "not_confirmed", "differs")

    def again(*_: object) -> None:
        raise AssertionError("measured twice")

    monkeypatch.setattr(Bench, "measure", again)
    second = run(tiny, tmp_path, "collapse", "--seeds", "3")
    assert second["experiments"] == first["experiments"]
    # the same points serve another experiment
    assert run(tiny, tmp_path, "correlation", "--seeds", "3")["experiments"][0]["seeds"] == 3


def test_an_interrupted_run_goes_on(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure, calls = Bench.measure, 0

    def interrupted(self: Bench, point: Any) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls == 10:
            raise KeyboardInterrupt
        return measure(self, point)

    monkeypatch.setattr(Bench, "measure", interrupted)
    words = ["experiment", "norm", "--model", str(tiny), "--store", str(tmp_path)]
    assert cli.main(words) == 130
    assert "--resume" in capsys.readouterr().err
    assert len(list((tmp_path / "experiments" / "items").iterdir())) == 9
    calls = 10
    assert cli.main([*words, "--resume"]) == 0
    points = 1 + len(plan.curves(0))
    assert calls - 10 == points - 9


def test_the_ledger_shows_the_evidence(tiny: Path, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tiny, shared, "correlation")
    store = shared / "store"
    assert cli.main(["verify", "exp-correlation", "--store", str(store)]) == 0
    assert "tiny-llama, 1 seed" in capsys.readouterr().out
    assert cli.main(["show", "exp-correlation", "--store", str(store)]) == 0
    assert "drift correlates with perplexity" in capsys.readouterr().out


@pytest.mark.claim("exp-norm")
def test_evidence_of_another_statement_is_stale(tmp_path: Path) -> None:
    path = tmp_path / evidence.FOLDER / "exp-norm.json"
    path.parent.mkdir()
    found = {"schema": "loraproofs/1", "statement_hash": "another", "finding": "f", "experiment": "confirmed",
             "seeds": 3, "model": "m",
             "sentences": [{"says": "s", "word": "confirmed", "found": [3, 3]}]}  # fmt: skip
    path.write_text(json.dumps(found))
    row = experiment_row(CLAIMS["exp-norm"], Run(Store(tmp_path)))
    assert row["verdict"] == "stale"
    assert not row["met"]
    path.write_text(json.dumps(found | {"statement_hash": CLAIMS["exp-norm"].statement_hash}))
    row = experiment_row(CLAIMS["exp-norm"], Run(Store(tmp_path)))
    assert (row["verdict"], row["experiment"], row["instances"]) == ("open", "confirmed", 3)


def test_damaged_evidence_is_inconclusive_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / evidence.FOLDER / "exp-norm.json"
    path.parent.mkdir()
    path.write_text("{}")
    row = experiment_row(CLAIMS["exp-norm"], Run(Store(tmp_path)))
    assert row["verdict"] == "inconclusive"
    assert "run `loraproofs experiment` again" in row["reasons"][0]


def test_without_the_packages_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = importlib.util.find_spec("json")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "peft" else there)
    assert cli.main(["experiment", "norm"]) == 2
    error = capsys.readouterr().err
    assert "the experiments need peft: run `make models`" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--seeds", "0"], "whole number"),
        (["--model", "nowhere"], "no config.json"),
        (["--out", "{file}"], "is a file"),
    ],
)
def test_bad_input_is_one_line(
    tiny: Path, tmp_path: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    given = ["experiment", "norm", "--model", str(tiny), *(x.format(file=file) for x in more)]
    with contextlib.suppress(SystemExit):  # usage errors leave at once
        assert cli.main(given) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
