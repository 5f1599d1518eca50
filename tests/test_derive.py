"""``loraproofs derive``: what it prints and writes, how it fails, stops and resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from proofs_checks import cli, derivations, paper
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.tex import BOOK_FILE, MACROS_FILE, files

ROOT = Path(__file__).resolve().parents[1]
CLAIM = "prop-3.3/convergence"
LEMMAS = ("lemma/cauchy-schwarz", "lemma/lowest-token-is-pulled-up", "lemma/lowest-token-rises",
          "lemma/lowest-token-does-not-fall")  # fmt: skip


def derive(*arguments: str, store: Path) -> int:
    return cli.main(["derive", *arguments, "--store", str(store)])


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("derive")
    assert derive(CLAIM, "--json", str(folder / "out.json"), "--out", str(folder / "tex"), store=folder / "store") == 0
    found = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    found["folder"] = folder / "tex"
    return found


def test_document_has_the_fields_of_the_contract(document: dict) -> None:
    assert {"schema", "command", "versions", "seed", "claims"} <= set(document)
    rows = {r["id"]: r for r in document["claims"]}
    assert set(rows) == {CLAIM, *LEMMAS}
    steps = rows[CLAIM]["steps"]
    assert [s["id"] for s in steps] == [s.id for s in DERIVATIONS[CLAIM].steps]
    for step in steps:
        assert {"id", "premises", "kind", "checked_by", "cited", "seconds", "ok"} <= set(step)
        assert step["ok"]
        assert step["checked_by"]
    assert rows[CLAIM]["modulo"] == list(dict.fromkeys(s["cited"] for s in steps if s["cited"]))
    assert rows[CLAIM]["scope"] == ""


def test_files_are_a_fragment_for_each_claim_the_macros_and_the_book(document: dict) -> None:
    names = {p.name for p in document["folder"].iterdir()}
    fragments = {f"{name.replace('/', '_')}.tex" for name in (CLAIM, *LEMMAS)}
    assert names == {*fragments, MACROS_FILE, BOOK_FILE}
    fragment = (document["folder"] / "prop-3.3_convergence.tex").read_text(encoding="utf-8")
    assert fragment.count(r"\item") >= len(DERIVATIONS[CLAIM].steps)
    assert r"\begin{lpclaim}" in fragment
    assert "Walter" in fragment


def test_all_tex_is_plain_ascii_and_the_committed_files_are_up_to_date() -> None:
    texts = files(DERIVATIONS, CLAIMS)
    folder = ROOT / "docs" / "generated" / "tex"
    for name, text in texts.items():
        assert text.isascii(), (name, sorted({c for c in text if not c.isascii()}))
        assert (folder / name).read_text(encoding="utf-8") == text, f"{name} is not up to date: run `make derive`"
    assert {p.name for p in folder.iterdir()} == set(texts)


def test_stdout_is_json_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert derive("lemma/cauchy-schwarz", "--json", "-", store=tmp_path) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["command"] == "derive"
    assert "every step follows" in captured.err


def test_a_step_that_does_not_follow_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = DERIVATIONS[CLAIM].with_statement("width", sp.Eq(sp.Symbol("p"), sp.Symbol("q"), evaluate=False))
    monkeypatch.setitem(DERIVATIONS, CLAIM, wrong)
    monkeypatch.setattr(derivations.os, "cpu_count", lambda: 1)  # other processes would not see the change
    assert derive(CLAIM, "--out", str(tmp_path / "tex"), store=tmp_path / "store") == 1
    out = capsys.readouterr().out
    assert "prop-3.3/convergence: step width:" in out
    assert not (tmp_path / "tex").exists()


def test_a_claim_is_not_ok_where_a_lemma_that_it_applies_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lemma = DERIVATIONS["lemma/cauchy-schwarz"]
    wrong = lemma.with_statement("squares", sp.Le(sp.Symbol("p"), sp.Symbol("q"), evaluate=False))
    monkeypatch.setitem(DERIVATIONS, lemma.claim, wrong)
    monkeypatch.setattr(derivations.os, "cpu_count", lambda: 1)  # other processes would not see the change
    assert derive(CLAIM, "--json", str(tmp_path / "out.json"), store=tmp_path / "store") == 1
    rows = {r["id"]: r for r in json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["claims"]}
    assert all(s["ok"] for s in rows[CLAIM]["steps"])
    assert not rows[CLAIM]["ok"]
    assert rows[CLAIM]["first_failure"].startswith("it rests on lemma/cauchy-schwarz, which fails: step squares")
    assert "chain broken" in capsys.readouterr().out


def test_a_changed_formula_is_named_at_its_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    step = DERIVATIONS[CLAIM].steps[-1]
    faster = step.says.xreplace({sp.Symbol("dominant_gap", real=True): 2 * sp.Symbol("dominant_gap", real=True)})
    monkeypatch.setitem(DERIVATIONS, CLAIM, DERIVATIONS[CLAIM].with_statement(step.id, faster))
    found = derivations.check_one(CLAIM)
    assert not found["ok"]
    assert found["first_failure"].startswith(f"step {step.id}: the bound does not solve")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-claim"], "no claim 'no-such-claim'"),
        (["exp-norm"], "there is no derivation"),
        ([CLAIM, "--pdf"], "--pdf needs a place"),
        ([CLAIM, "--out", "a-file"], "--out a-file is a file"),
        ([CLAIM, "--out", "a-file/below"], "cannot write a-file/below"),
        (["--instance", "missing.json"], "missing.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(derivations.os, "cpu_count", lambda: 1)  # to start others takes longer than to derive this
    Path("a-file").write_text("kept", encoding="utf-8")
    assert derive(*arguments, store=tmp_path / "store") == 2
    error = capsys.readouterr().err
    assert error.startswith("loraproofs: ")
    assert error.count("\n") == 1
    assert words in error
    assert Path("a-file").read_text(encoding="utf-8") == "kept"
    assert {p.name for p in tmp_path.iterdir()} <= {"a-file", "store"}


def test_a_missing_checker_prints_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(derivations, "_CHECKERS", {"no_such_module": "z3-solver"})
    assert derive(CLAIM, store=tmp_path) == 2
    assert "pip install 'loraproofs[certify]'" in capsys.readouterr().err


def test_a_missing_latexmk_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paper.shutil, "which", lambda _: None)
    assert derive(CLAIM, "--out", str(tmp_path / "tex"), "--pdf", store=tmp_path / "store") == 2
    assert "apt-get install latexmk" in capsys.readouterr().err
    assert not (tmp_path / "tex").exists()


def test_a_full_disk_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tex"
    paper.write_files(folder, {"one.tex": "old", "two.tex": "old"})
    original = Path.write_text

    def full(self: Path, text: str, **options: str) -> int:
        if self.name == "two.tex":
            raise OSError(28, "No space left on device")
        return original(self, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(paper.InputError, match="No space left on device"):
        paper.write_files(folder, {"one.tex": "new", "two.tex": "new"})
    assert sorted((p.name, p.read_text()) for p in folder.iterdir()) == [("one.tex", "old"), ("two.tex", "old")]


def test_resume_takes_up_what_is_checked_and_only_of_the_same_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    count = 1 + len(LEMMAS)
    right = derivations.check_one

    def counted(name: str) -> dict:
        asked.append(name)
        return right(name)

    monkeypatch.setattr(derivations, "check_one", counted)
    monkeypatch.setattr(derivations.os, "cpu_count", lambda: 1)
    derive(CLAIM, store=tmp_path)
    assert len(asked) == count
    derive(CLAIM, "--resume", store=tmp_path)
    assert len(asked) == count
    derive(CLAIM, store=tmp_path)
    assert len(asked) == 2 * count
    monkeypatch.setattr("proofs_checks.store.fingerprint", lambda: "other code")
    derive(CLAIM, "--resume", store=tmp_path)
    assert len(asked) == 3 * count


def test_interrupted_it_exits_with_130_and_keeps_what_is_done(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "proofs_checks.cli", "derive", "--store", str(tmp_path)]
    # a job in the background of a shell ignores Ctrl-C, and so would what it starts
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(tmp_path.glob("blocks/*.json")):
        time.sleep(0.1)
    os.kill(running.pid, signal.SIGINT)
    try:
        _, error = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130, error
    assert error.decode().strip().splitlines()[-1].startswith("loraproofs: interrupted")
    kept = list(tmp_path.glob("blocks/*.json"))
    assert kept
    assert all(json.loads(p.read_text(encoding="utf-8"))["id"] in DERIVATIONS for p in kept)


@pytest.mark.skipif(not paper.shutil.which("latexmk"), reason="latexmk is not installed")
@pytest.mark.slow
def test_the_book_is_built_without_overfull_boxes(tmp_path: Path) -> None:
    paper.write_files(tmp_path, files(DERIVATIONS, CLAIMS))
    built = paper.build_pdf(tmp_path)
    assert built.stat().st_size > 100_000
    log = built.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    wide = [
        line
        for line in log.splitlines()
        if line.startswith("Overfull \\hbox") and float(line.split("(")[1].split("pt")[0]) > 5
    ]
    assert wide == []


def test_verdict_of_a_claim_without_derivation_is_not_derived() -> None:
    rows = [{"id": CLAIM, "verdict": "supported", "reasons": [], "met": True}]
    outcomes = {
        name: {"ok": True, "modulo": [], "scope": "", "steps": [], "remark": "", "conditional": ""}
        for name in derivations.needed([CLAIM])
    }
    derivations.add_to_rows(rows, outcomes)
    assert rows[0]["verdict"] == rows[0]["effective"] == "derived"
    broken = [{"id": CLAIM, "verdict": "supported", "reasons": [], "met": True}]
    outcomes["lemma/cauchy-schwarz"] = {**outcomes["lemma/cauchy-schwarz"], "ok": False, "first_failure": "step x: y"}
    derivations.add_to_rows(broken, outcomes)
    assert (broken[0]["verdict"], broken[0]["met"]) == ("inconclusive", False)
    assert broken[0]["reasons"] == ["derivation: lemma/cauchy-schwarz: step x: y"]
    refuted = [{"id": CLAIM, "verdict": "refuted", "reasons": [], "met": False}]
    derivations.add_to_rows(refuted, {k: {**v, "ok": True} for k, v in outcomes.items()})
    assert refuted[0]["verdict"] == "refuted"
    assert replace(CLAIMS[CLAIM]).expected == "holds"
