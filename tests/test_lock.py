"""The lock: what differs from what was accepted, what is stale, and a regression drill on a copy of the project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proofs_checks import cli, derivations, lock, verification
from proofs_checks.errors import InputError
from theory import claims
from theory.claims import CLAIMS, descendants

ROOT = Path(lock.__file__).resolve().parents[1]


def row(claim_id: str, verdict: str | None = None, **more: object) -> dict:
    known = lock.read()["claims"][claim_id]
    return {"id": claim_id, "verdict": verdict or known["verdict"], "reasons": [], **more}


@pytest.fixture
def rows() -> list[dict]:
    return [row(i) for i in CLAIMS]


def test_the_shipped_lock_is_of_the_present_claims(rows: list[dict]) -> None:
    assert not lock.compare(lock.read(), rows)
    assert lock.changed_claims(lock.read()) == []
    text = lock.PATH.read_text(encoding="utf-8")
    assert list(lock.read()["claims"]) == list(CLAIMS)
    assert lock.read()["claims"] == {i: lock.entry(i, known) for i, known in lock.read()["claims"].items()}
    assert all(isinstance(x, (str, int, list, dict)) for c in json.loads(text)["claims"].values() for x in c.values())


def test_a_changed_formula_is_named_and_makes_what_rests_on_it_stale(
    rows: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = CLAIMS["prop-3.3/drift"]
    first = claim.formulas[0]
    changed = replace(claim, formulas=(replace(first, expr=first.expr * 3 / 2), *claim.formulas[1:]))
    monkeypatch.setitem(claims.CLAIMS, claim.id, changed)
    touched = {claim.id, *descendants(claim.id)}
    assert set(lock.changed_claims(lock.read())) == touched
    difference = lock.compare(lock.read(), [row(claim.id, "inconclusive")])
    assert list(difference.changed) == [claim.id]
    assert set(difference.stale) == touched - {claim.id}
    lines = lock.report(difference, [row(claim.id, "inconclusive", reasons=["derivation: step bound: no"])])
    assert any("drift_bound_sharp: 2*sin" in x and "→ 3*sin" in x for x in lines)
    assert any("derived → inconclusive (derivation: step bound: no)" in x for x in lines)


def test_an_assumption_less_is_named(monkeypatch: pytest.MonkeyPatch, rows: list[dict]) -> None:
    claim = CLAIMS["prop-3.3/convergence"]
    fewer = tuple(a for a in claim.assumptions if a != "hemisphere")
    monkeypatch.setitem(claims.CLAIMS, claim.id, replace(claim, assumptions=fewer))
    assert lock.compare(lock.read(), rows).changed == {claim.id: ["no longer assumes hemisphere"]}


def test_a_refuted_claim_names_its_counterexample(rows: list[dict]) -> None:
    found = [
        r if r["id"] != "prop-3.1/sphere" else r | {"verdict": "refuted", "counterexample": {"file": "x.json"}}
        for r in rows
    ]
    difference = lock.compare(lock.read(), found)
    assert difference.verdicts == {"prop-3.1/sphere": ("derived", "refuted")}
    assert any("counterexample x.json" in line for line in lock.report(difference, found))


def test_a_missing_checker_is_no_difference(rows: list[dict]) -> None:
    weaker = [r | {"verdict": "supported"} if r["verdict"] == "derived" else r for r in rows]
    assert lock.compare(lock.read(), weaker)
    assert not lock.compare(lock.read(), weaker, derivations=False)


def test_a_missing_model_is_no_difference(rows: list[dict]) -> None:
    without = [r | {"verdict": "inconclusive"} if r["id"] == "exp-spectrum" else r for r in rows]
    assert not lock.compare(lock.read(), without)
    others = [r | {"verdict": "inconclusive"} if r["id"] == "prop-3.3/drift" else r for r in rows]
    assert lock.compare(lock.read(), others).verdicts == {"prop-3.3/drift": ("derived", "inconclusive")}


def test_claims_that_come_and_go_are_named(rows: list[dict]) -> None:
    old = lock.read()
    new, gone = "prop-3.3/drift", "prop-3.3/no-more"
    old["claims"][gone] = old["claims"].pop(new)
    difference = lock.compare(old, rows)
    assert (difference.added, difference.removed) == ([new], [gone])
    assert not difference.changed
    assert set(lock.changed_claims(old)) == {new, *descendants(new)}
    lines = lock.report(difference, rows)
    assert f"new      {new}" in lines
    assert f"removed  {gone}" in lines
    del rows[list(CLAIMS).index(new)]
    assert new in lock.compare(old, rows).stale


def test_a_new_lock_keeps_the_claims_that_were_not_verified() -> None:
    old = lock.read()
    built = lock.build([row("prop-3.3/drift", "supported")], old)["claims"]
    assert built.pop("prop-3.3/drift")["verdict"] == "supported"
    assert list(built) == [i for i in CLAIMS if i != "prop-3.3/drift"]
    assert all(built[i] == old["claims"][i] for i in built)


def test_without_checkers_a_refuted_claim_is_a_difference_still(rows: list[dict]) -> None:
    broken = [r | {"verdict": "refuted"} if r["id"] == "prop-3.3/drift" else r for r in rows]
    found = lock.compare(lock.read(), broken, derivations=False)
    assert found.verdicts == {"prop-3.3/drift": ("derived", "refuted")}


def test_accept_shows_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: replace(source, quick=8) for name, source in verification.SOURCES.items()}
    monkeypatch.setattr(verification, "SOURCES", few)  # the stored counterexample refutes by itself
    monkeypatch.setattr(derivations.os, "cpu_count", lambda: 1)  # to start processes takes longer than to derive this
    store, file = tmp_path / "store", tmp_path / "lock.json"
    shutil.copy(lock.PATH, file)
    assert cli.main(["verify", "remark-3.4/drift-quoted", "--store", str(store)]) == 0
    assert cli.main(["accept", "--store", str(store), "--lock", str(file)]) == 0
    assert "nothing differs" in capsys.readouterr().out
    assert lock.read(file) == lock.read()
    old = json.loads(file.read_text())
    old["claims"]["remark-3.4/drift-quoted"]["verdict"] = "open"
    file.write_text(json.dumps(old))
    assert cli.main(["verify", "remark-3.4/drift-quoted", "--store", str(store), "--against", str(file)]) == 1
    assert "open → refuted" in capsys.readouterr().out
    assert cli.main(["accept", "--store", str(store), "--lock", str(file), "--dry-run"]) == 1
    assert json.loads(file.read_text()) == old
    assert cli.main(["accept", "--store", str(store), "--lock", str(file)]) == 0
    assert lock.read(file) == lock.read()


def test_nothing_changed_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "--changed", "--store", str(tmp_path)]) == 0
    assert "nothing has changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["", "{}", '{"schema": "loraproofs/1"}', '{"schema": "loraproofs/1", "claims": {"a": 1}}']
)
def test_a_file_that_is_no_lock_is_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lock.json"
    file.write_text(text)
    with pytest.raises(InputError):
        lock.read(file)
    assert cli.main(["verify", "--against", str(file), "--store", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert cli.main(["accept", "--store", str(tmp_path / "none")]) == 2


def drill(tmp_path: Path, before: str, after: str, file: str = "theory/remark_3_4.py") -> tuple[str, dict]:
    """The project copied, one line of it edited; what ``verify --changed`` prints and finds there, which fails."""
    for name in ("theory", "numerics", "proofs_checks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    source = tmp_path / file
    text = source.read_text(encoding="utf-8")
    assert text.count(before) == 1
    source.write_text(text.replace(before, after), encoding="utf-8")
    out = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "proofs_checks.cli", "verify", "--changed", "--json", str(out)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return done.stdout + done.stderr, json.loads(out.read_text(encoding="utf-8"))


def test_drill_a_formula(tmp_path: Path) -> None:
    """The error bound of the expansion, one order better than it is: nothing rests on it."""
    said, found = drill(
        tmp_path,
        "s.gap / 2 * s.radius_share ** (s.order + 1)",
        "s.gap / 2 * s.radius_share ** (s.order + 2)",
    )
    assert [c["id"] for c in found["claims"]] == ["remark-3.4/expansion"]
    assert list(found["lock"]["changed"]) == ["remark-3.4/expansion"]
    assert found["lock"]["verdicts"] == {"remark-3.4/expansion": {"before": "derived", "now": "refuted"}}
    assert "counterexample" in said
    assert "derivation: " in said  # the first step that no longer follows


@pytest.mark.slow
def test_drill_a_formula_that_others_rest_on(tmp_path: Path) -> None:
    said, found = drill(
        tmp_path,
        "(_alpha / (s.lambda_1 + s.a - _mu)) ** 2",
        "(_alpha / (s.lambda_1 + 2 * s.a - _mu)) ** 2",
    )
    below = {"remark-3.4/drift", *descendants("remark-3.4/drift")}
    assert {c["id"] for c in found["claims"]} == below
    assert list(found["lock"]["changed"]) == ["remark-3.4/drift"]
    assert found["lock"]["verdicts"]["remark-3.4/drift"] == {"before": "derived", "now": "refuted"}
    assert found["lock"]["stale"] == []
    assert "remark-3.4/drift" in said


@pytest.mark.slow
def test_drill_an_assumption(tmp_path: Path) -> None:
    """prop-3.3/drift without its symmetric update: its derivation uses what is no longer declared."""
    said, found = drill(
        tmp_path,
        '("symmetric-base", "symmetric-update", "spectral-gap")',
        '("symmetric-base", "spectral-gap")',
    )
    assert next(iter(found["lock"]["changed"].values())) == ["no longer assumes symmetric-update"]
    assert "used and not declared" in said
