"""The tutorial, run as a reader would: a project of its own, with the plugin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proofs_checks import cli

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    blocks = re.findall(r"^`(\w+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.S | re.M)
    assert [name for name, _ in blocks] == ["my_claims.py", "test_my_claims.py"]
    for name, text in blocks:
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def collected(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, "pytest", "-q", "--claims", "my_claims.py", "-p", "no:cacheprovider")


def test_it_passes(project: Path) -> None:
    done = collected(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_changed_formula_fails_with_the_numbers(project: Path) -> None:
    file = project / "my_claims.py"
    file.write_text(file.read_text().replace("s.lambda_1 + s.a", "s.lambda_1 + 2 * s.a"))
    done = collected(project)
    assert done.returncode == 1
    assert "test_holds" in done.stdout
    assert re.search(r"observed \S+ >= \S+ fails by", done.stdout)


def test_a_misspelt_marker_stops_the_run(project: Path) -> None:
    file = project / "test_my_claims.py"
    file.write_text(file.read_text().replace('claim("mine/rayleigh")', 'claim("mine/raleigh")', 1))
    done = collected(project)
    assert done.returncode == 4
    assert "did you mean mine/rayleigh" in done.stdout + done.stderr


def test_the_ledger_knows_it(project: Path) -> None:
    done = run(project, "proofs_checks.cli", "--claims", "my_claims.py", "show", "mine/rayleigh")
    assert done.returncode == 0, done.stderr
    assert "perturbed_lambda_1" in done.stdout
    assert cli.main(["show", "mine/rayleigh"]) == 2


TAKEN = """from dataclasses import replace
from theory.claims import CLAIMS as known
CLAIMS = [replace(known['prop-3.3/drift'], note='x')]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [("CLAIMS = 3", "must give a list CLAIMS"), ("1 / 0", "ZeroDivisionError"), (TAKEN, "two claims")],
)
def test_a_file_without_claims_is_one_line(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.py"
    file.write_text(text)
    assert cli.main(["--claims", str(file), "claims"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = ("sympy", "torch", "numpy", "scipy")
    code = f"import sys, proofs_checks.pytest_plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
