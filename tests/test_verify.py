"""The main job from the command line: what it prints and writes, how it fails, stops and resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from proofs_checks import cli, derivations, verification
from proofs_checks.commands import verify
from proofs_checks.derivations import needed
from proofs_checks.statistics import COMPARISONS, Z
from proofs_checks.store import Run, Store
from proofs_checks.verification import Block, compute, plan
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS

SMALL = {
    "criterion": 50,
    "cone": 50,
    "converged": 25,
    "spectral": 50,
    "quoted": 9,
    "quoted-nonsymmetric": 9,
    "gap-only": 8,
}
CONDITIONAL = {i for i, d in DERIVATIONS.items() if d.conditional}
REQUIRED = {
    "prop-3.3/convergence", "prop-3.3/drift", "prop-3.3/criterion", "prop-3.3/nonsymmetric",
    "remark-3.4/secular", "remark-3.4/drift",
}  # fmt: skip


check_once = cache(derivations.check_one)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few instances, and each derivation checked once for all tests, in this process."""
    few = {name: replace(source, quick=SMALL.get(name, 8)) for name, source in verification.SOURCES.items()}
    monkeypatch.setattr(verification, "SOURCES", few)
    monkeypatch.setattr(derivations.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(derivations, "check_one", check_once)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quick")


@pytest.fixture(scope="module")
def quick(store: Path) -> dict:
    """The real quick profile, run once as a user would run it."""
    folder, out = store, store / "verify.json"
    command = [sys.executable, "-m", "proofs_checks.cli", "verify", "--store", str(folder), "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text())


def test_quick_profile_has_every_verdict_as_expected(quick: dict) -> None:
    assert [c["id"] for c in quick["claims"]] == list(CLAIMS)
    assert quick["met"]
    for claim in quick["claims"]:
        held = "supported" if claim["id"] in CONDITIONAL else "derived"
        expected = {"holds": held, "refuted": "refuted"}.get(claim["expected"])
        assert expected is None or claim["verdict"] == expected, claim


def test_every_step_of_every_derivation_follows(quick: dict, store: Path) -> None:
    """Those that the run has checked, and the lemmas that no claim applies."""
    kept = derivations.run_derivations(DERIVATIONS, Run(Store(store), 0, "derive", True))
    assert set(kept) == set(DERIVATIONS)
    assert {i: found["first_failure"] for i, found in kept.items() if not found["ok"]} == {}


def test_quick_profile_has_the_instances_and_coverage_it_promises(quick: dict) -> None:
    rows = {c["id"]: c for c in quick["claims"]}
    for claim_id in REQUIRED:
        row = rows[claim_id]
        assert row["nonvacuous"] >= 10_000
        assert row["violations"] == 0
        assert set(row["coverage"]["n"]) == {"1", "2", "4", "8", "16"}
        assert set(row["coverage"]["d"]) == {"2", "3", "4", "8", "16"}
        assert row["coverage"]["n"]["1"] <= 0.2 * row["nonvacuous"]
        assert row["coverage"]["d"]["2"] <= 0.2 * row["nonvacuous"]
        assert row["coverage"]["a_differs"] >= 0.5 * row["nonvacuous"]
        assert row["controls"]
        assert all(row["controls"].values())
    assert (
        rows["prop-3.3/nonsymmetric"]["coverage"]["nonsymmetric"] >= 0.3 * rows["prop-3.3/nonsymmetric"]["nonvacuous"]
    )
    assert rows["prop-3.3/drift"]["readings"]["tokens"] >= 2_000
    assert rows["prop-3.3/drift"]["readings"]["w2"] >= 2_000


def test_quick_profile_is_tight_where_the_theorems_are(quick: dict) -> None:
    rows = {c["id"]: c for c in quick["claims"]}
    for claim_id in ("prop-3.3/convergence", "prop-3.3/drift", "remark-3.4/drift"):
        assert 0.999 <= rows[claim_id]["max_ratio"] <= 1 + 1e-6


def test_quick_profile_of_finite_time_stability_and_passage_times(quick: dict) -> None:
    rows = {c["id"]: c for c in quick["claims"]}
    for claim_id in ("prop-3.1/sphere", "prop-3.1/euclidean", "prop-3.1/initial", "prop-3.1/discrete"):
        counted = rows[claim_id]["nonvacuous"]
        assert counted >= 10_000
        assert rows[claim_id]["coverage"]["a_differs"] >= 0.5 * counted
        assert rows[claim_id]["coverage"]["nonsymmetric"] >= 0.3 * counted
        assert max(rows[claim_id]["coverage"][k][v] for k, v in (("n", "1"), ("d", "2"))) <= 0.2 * counted
        assert 0.99 <= rows[claim_id]["max_ratio"] <= 1 + 1e-6
    for claim_id in ("thm-4.6/lower", "thm-4.6/upper"):
        assert rows[claim_id]["nonvacuous"] >= 10_000
        assert 0.99 <= rows[claim_id]["max_ratio"] <= 1 + 1e-6


def test_quick_profile_of_statistical_claims(quick: dict) -> None:
    statistical = [c for c in quick["claims"] if "comparisons" in c]
    assert len(statistical) >= 9
    assert sum(len(c["comparisons"]) for c in statistical) < COMPARISONS
    for claim in statistical:
        assert claim["z"] >= Z
        if claim["id"].startswith("thm-4.2"):
            assert claim["seeds"] >= 400
    names = [e["name"] for c in statistical for e in c["comparisons"] if "name" in e]
    depths = {n for n in (16, 64, 256, 1024) if any(f"L = {n}" in name for name in names)}
    assert depths == {16, 64, 256, 1024}


def test_too_few_instances_is_not_as_expected(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "prop-3.3/drift", "--store", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "inconclusive" in out
    assert "non-vacuous instances, 10000 required" in out


def test_json_on_stdout_is_alone(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["verify", "remark-3.4/drift-quoted", "--store", str(tmp_path), "--json", "-"])
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert list(document)[:4] == ["schema", "command", "versions", "seed"]
    assert document["command"] == "verify"
    assert document["claims"][0]["verdict"] == "refuted"
    assert "remark-3.4/drift-quoted" in captured.err


def test_counterexample_replays(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "remark-3.4/drift-quoted", "--store", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "verify.json").read_text())["claims"][0]
    for kept in ("counterexample", "extreme"):
        capsys.readouterr()
        code = cli.main(["replay", found[kept]["file"]])
        assert code == (0 if kept == "counterexample" else 1)
    changed = json.loads(Path(found["counterexample"]["file"]).read_text())
    changed["dV"][0][0] = "0.9"
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(changed))
    assert cli.main(["replay", str(file)]) == 1
    assert "no longer refutes the claim" in capsys.readouterr().out


def test_resume_keeps_blocks_and_seeds_differ(small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["verify", "prop-3.3/drift", "--store", str(tmp_path)]
    cli.main(arguments)
    first = {p.name: p.read_bytes() for p in (tmp_path / "blocks").iterdir()}

    def refuse(*_: object) -> None:
        raise AssertionError("a block that is in the store is computed again")

    with monkeypatch.context() as patch:
        patch.setattr(verification, "compute", refuse)
        cli.main([*arguments, "--resume"])
        with pytest.raises(AssertionError, match="computed again"):
            cli.main([*arguments, "--resume", "--seed", "1"])
    assert {p.name: p.read_bytes() for p in (tmp_path / "blocks").iterdir()} == first


def test_a_damaged_block_is_computed_again(small: None, tmp_path: Path) -> None:
    arguments = ["verify", "remark-3.4/drift", "--store", str(tmp_path), "--resume"]
    cli.main(arguments)
    victim = next(f for f in (tmp_path / "blocks").iterdir() if "claims" in json.loads(f.read_text()))
    victim.write_text('{"block": ')
    cli.main(arguments)
    assert json.loads(victim.read_text())["claims"]


def test_interrupt_keeps_what_is_computed(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def interrupted(block: Block, wanted: list[str]) -> dict:
        calls.append(block)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return compute(block, wanted)

    with monkeypatch.context() as patch:
        patch.setattr(verification, "compute", interrupted)
        assert cli.main(["verify", "prop-3.3/drift", "--store", str(tmp_path)]) == 130
    assert "--resume" in capsys.readouterr().err
    assert len(list((tmp_path / "blocks").iterdir())) == 3
    cli.main(["verify", "prop-3.3/drift", "--store", str(tmp_path), "--resume"])
    kept = len(plan(["prop-3.3/drift"], "quick", 0)) + len(needed(["prop-3.3/drift"]))
    assert len(list((tmp_path / "blocks").iterdir())) == kept


def test_sigint_of_the_real_process_is_130_and_nothing_half_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "proofs_checks.cli", "verify", "prop-3.3", "--store", str(tmp_path)]
    # a job in the background of a shell ignores Ctrl-C, and so would what it starts
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("blocks/*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert len(err.splitlines()) == 1
    blocks = list(tmp_path.glob("blocks/*.json"))
    assert len(blocks) >= 2
    assert all(json.loads(b.read_text())["claims"] for b in blocks)
    assert not list(tmp_path.glob("blocks/.*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "prop-3.3/drfit"], "prop-3.3/drift"),
        (["verify", "--seed", "-1"], "0 or more"),
        (["verify", "--seed", "x"], "--seed"),
        (["verify", "--profile", "slow"], "--profile"),
        (["show", "nothing"], "claims"),
        (["replay", "no-such-file.json"], "no-such-file.json"),
        (["frobnicate"], "frobnicate"),
        ([], "COMMAND"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = stop.code
    err = capsys.readouterr().err
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_store_that_cannot_be_written_is_one_line_and_exit_2(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert cli.main(["verify", "prop-3.3/drift", "--store", str(file)]) == 2
    assert cli.main(["verify", "prop-3.3/drift", "--store", str(file / "below")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_one_line_and_exit_2(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from proofs_checks import output

    original = os.fdopen

    def full(handle: int, *_: object, **__: object) -> object:
        os.close(handle)
        return open("/dev/full", "wb")

    monkeypatch.setattr(output.os, "fdopen", full)
    assert cli.main(["verify", "prop-3.3/drift", "--store", str(tmp_path)]) == 2
    monkeypatch.setattr(output.os, "fdopen", original)
    err = capsys.readouterr().err
    assert "No space left" in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("*.json"))


def test_claims_and_show_before_and_after(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--store", str(tmp_path)]
    assert cli.main(["claims", *place]) == 0
    assert "not run" in capsys.readouterr().out
    cli.main(["verify", "remark-3.4/drift-quoted", *place])
    assert cli.main(["claims", "remark-3.4", *place, "--json", str(tmp_path / "c.json")]) == 0
    listed = {c["id"]: c["verdict"] for c in json.loads((tmp_path / "c.json").read_text())["claims"]}
    assert listed["remark-3.4/drift-quoted"] == "refuted"
    assert listed["remark-3.4/drift"] is None
    capsys.readouterr()
    assert cli.main(["show", "remark-3.4/drift-quoted", *place]) == 0
    out = capsys.readouterr().out
    assert "alpha_j" in out
    assert "refuted" in out


def test_changed_claim_is_stale(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--store", str(tmp_path)]
    cli.main(["verify", "prop-3.3/drift", *place])
    document = json.loads((tmp_path / "verify.json").read_text())
    document["claims"][0]["statement_hash"] = "before"
    (tmp_path / "verify.json").write_text(json.dumps(document))
    capsys.readouterr()
    cli.main(["claims", "prop-3.3/drift", *place])
    assert "stale" in capsys.readouterr().out


def test_table_has_a_row_for_every_claim() -> None:
    rows = [
        {
            "id": i, "expected": "open", "verdict": "open", "met": True, "max_ratio": None, "controls": {},
            "instances": 0, "nonvacuous": 0, "violations": 0,
        }
        for i in CLAIMS
    ]  # fmt: skip
    assert verify.table(rows).row_count == len(CLAIMS)
