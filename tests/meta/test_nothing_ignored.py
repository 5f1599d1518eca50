"""No part of the project is hidden from git, from the linters or from a wheel by a pattern of .gitignore."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_no_source_or_test_is_ignored() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    parts = ("proofs_checks", "theory", "numerics", "tests", "docs")
    sources = [p for part in parts for p in (ROOT / part).rglob("*.py") if "_build" not in p.parts]
    names = "\n".join(str(p.relative_to(ROOT)) for p in sources)
    # --no-index: a file that was added by force counts as ignored too; ruff and hatchling skip it all the same.
    found = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"], input=names, text=True, capture_output=True, cwd=ROOT
    )
    assert len(sources) > 100
    assert found.stdout == ""
