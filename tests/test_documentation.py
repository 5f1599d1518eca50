"""The Python of the README and of the docs runs as it stands, and prints what stands behind its arrows.

``print(x)  # → words`` promises a line of output with these words in it. The tutorial's files are run, as a project of
their own, by ``test_tutorial.py``.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMISE = re.compile(r"# → (.+)$", re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """(file and number, source) of every Python block."""
    pages = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.stem != "tutorial"]
    return [
        (f"{path.relative_to(ROOT)} {number}", source)
        for path in [ROOT / "README.md", *pages]
        for number, source in enumerate(_BLOCK.findall(path.read_text(encoding="utf-8")), 1)
    ]


def run(where: str, source: str) -> dict[str, Any]:
    """The names that the block defines, after its tests have run as well."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, where, "exec"), space)
    tests: list[Callable[[], None]] = [x for name, x in space.items() if name.startswith("test_")]
    for test in tests:
        test()
    return space


def kept(promises: list[str], printed: str) -> bool:
    """Whether the promises are found in lines of the output, in their order."""
    rest = iter(printed.splitlines())
    return all(any(promise in line for line in rest) for promise in promises)


def test_there_are_examples() -> None:
    assert len(blocks()) >= 9


@pytest.mark.parametrize(("where", "source"), blocks(), ids=[where for where, _ in blocks()])
def test_example_prints_what_it_says(
    where: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a namespace and a folder of its own; what it imports is loaded once for all."""
    monkeypatch.chdir(tmp_path)
    run(where, source)
    promises = _PROMISE.findall(source)
    printed = capsys.readouterr().out
    assert promises, f"{where} promises nothing: say behind a print what it prints (# → ...)"
    assert kept(promises, printed), (promises, printed)


def test_a_promise_that_is_not_kept_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    source = "print(2 + 2)  # → 4\nprint('done')  # → done\n"
    run("page 1", source)
    printed = capsys.readouterr().out
    assert kept(_PROMISE.findall(source), printed)
    assert not kept(_PROMISE.findall(source.replace("→ 4", "→ 5")), printed)
    assert not kept(["done", "4"], printed)
    with pytest.raises(ZeroDivisionError):
        run("page 2", "def test_mine():\n    1 / 0\n")
