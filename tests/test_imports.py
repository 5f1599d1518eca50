"""One-way imports: predictions (``theory``) and measurements (``numerics``) know nothing of each other.

Checked in the source of every file, and at run time: importing all of ``numerics`` loads neither ``theory`` nor
sympy (``import torch`` alone does not load sympy either).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "theory": {"numerics", "proofs_checks"},
    "numerics": {"theory", "proofs_checks", "sympy"},
}
_LOADERS = {"import_module", "__import__"}


def imported(source: str) -> Iterator[str]:
    """Top-level names of all modules that a source imports, at any depth of nesting, also by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in _LOADERS:
                yield str(node.args[0].value).partition(".")[0]


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", FORBIDDEN)
def test_source_imports_nothing_forbidden(package: str) -> None:
    files = sources(package)
    assert len(files) > 5
    found = {str(f.relative_to(ROOT)): set(imported(f.read_text("utf-8"))) & FORBIDDEN[package] for f in files}
    assert not {name: bad for name, bad in found.items() if bad}


def test_comparison_imports_both() -> None:
    found = {name for f in sources("proofs_checks") for name in imported(f.read_text("utf-8"))}
    assert {"theory", "numerics"} <= found


@pytest.mark.parametrize(
    "line",
    [
        "import theory.claims",
        "import os, theory as t",
        "from theory import symbols",
        "def f():\n    from theory.claims import CLAIMS",
        "import importlib\nimportlib.import_module('theory.claims')",
        "__import__('theory')",
    ],
)
def test_every_way_to_import_is_seen(line: str) -> None:
    assert "theory" in set(imported(line))


@pytest.mark.parametrize("line", ["from .theory import x", "import theory_of_numbers", "'import theory'"])
def test_what_is_no_import_is_not_seen(line: str) -> None:
    assert "theory" not in set(imported(line))


@pytest.mark.parametrize("package", FORBIDDEN)
def test_importing_every_module_loads_nothing_forbidden(package: str) -> None:
    parts = (f.relative_to(ROOT).with_suffix("").parts for f in sources(package))
    modules = [".".join(p for p in names if p != "__init__") for names in parts]
    lines = [f"import {name}" for name in modules]
    lines += ["import sys", f"print(sorted({FORBIDDEN[package]!r} & set(sys.modules)))"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
