"""The Python of the README and of the docs runs as it stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """(file and number, source) of every Python block."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        (f"{path.relative_to(ROOT)} {number}", source)
        for path in files
        for number, source in enumerate(_BLOCK.findall(path.read_text(encoding="utf-8")), 1)
    ]


def test_there_are_examples() -> None:
    assert len(blocks()) >= 2


@pytest.mark.parametrize(("where", "source"), blocks(), ids=[where for where, _ in blocks()])
def test_example_runs(where: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a namespace and a folder of its own; what it imports is loaded once for all."""
    monkeypatch.chdir(tmp_path)
    exec(compile(source, where, "exec"), {"__name__": "__main__"})
