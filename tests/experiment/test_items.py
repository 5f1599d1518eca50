"""Items are kept one by one, and taken up again only where all that they depend on is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proofs_checks.errors import InputError
from proofs_checks.experiment import items as module
from proofs_checks.experiment.items import Items

NAME = {"what": "point", "seed": 0}


@pytest.fixture(autouse=True)
def _no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fingerprint", lambda _kind: "code")


class Counted:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"norm": float("nan"), "calls": self.calls}


def test_an_item_is_computed_once(tmp_path: Path) -> None:
    compute = Counted()
    first = Items(tmp_path, "model", resume=False)
    assert first.once(NAME, compute) == {"norm": None, "calls": 1}
    assert first.once(NAME, compute)["calls"] == 1
    assert Items(tmp_path, "model", resume=True).once(NAME, compute)["calls"] == 1
    assert Items(tmp_path, "model", resume=False).once(NAME, compute)["calls"] == 2


@pytest.mark.parametrize("change", ["model", "name", "code", "damaged"])
def test_what_differs_is_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    compute = Counted()
    Items(tmp_path, "model", resume=True).once(NAME, compute)
    if change == "code":
        monkeypatch.setattr(module, "fingerprint", lambda _kind: "other code")
    if change == "damaged":
        next((tmp_path / "items").iterdir()).write_text('{"name"')
    items = Items(tmp_path, "other" if change == "model" else "model", resume=True)
    assert items.once(NAME | ({"seed": 1} if change == "name" else {}), compute)["calls"] == 2


def test_an_interrupted_item_is_not_there(tmp_path: Path) -> None:
    def interrupted() -> dict[str, Any]:
        raise KeyboardInterrupt

    items = Items(tmp_path, "model", resume=True)
    items.once(NAME, Counted())
    with pytest.raises(KeyboardInterrupt):
        items.once(NAME | {"seed": 1}, interrupted)
    assert items.known(NAME) is not None
    assert items.known(NAME | {"seed": 1}) is None


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out"):
        Items(tmp_path / "file", "model", resume=False)
