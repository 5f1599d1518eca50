"""Every way in which a model directory can be wrong: one line, exit code 2."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import Sizes, random_layers, write

from proofs_checks.cli import main

SIZES = Sizes(heads=2, kv_heads=1, size=4, d=8)
VALUE = "model.layers.1.self_attn.v_proj.weight"
Change = Callable[[Path], object]


def _config(**changes: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def _tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    def apply(folder: Path) -> None:
        stored = load_file(folder / "model.safetensors")
        change(stored)
        save_file(stored, folder / "model.safetensors")

    return apply


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-40])


def _pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


WRONG: dict[str, tuple[Change, str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "has no config.json"),
    "config no JSON": (lambda f: (f / "config.json").write_text("{"), "cannot read"),
    "config a list": (lambda f: (f / "config.json").write_text("[]"), "holds no JSON object"),
    "unknown type": (_config(model_type="mamba"), "unknown model_type 'mamba'; known are llama, mistral"),
    "no type": (_config(model_type=None), "unknown model_type None"),
    "quantised": (_config(quantization_config={"bits": 4}), "quantised weights are not audited"),
    "no heads": (_config(num_attention_heads=0), "num_attention_heads must be a whole number from 1"),
    "heads a word": (_config(num_attention_heads="two"), "num_attention_heads must be a whole number"),
    "odd width": (_config(num_attention_heads=3, head_dim=None), "3 heads do not divide the width 8"),
    "odd groups": (_config(num_key_value_heads=3), "3 key-value heads do not divide 2 heads"),
    "more layers": (_config(num_hidden_layers=3), "has no tensor layers.2.self_attn.v_proj.weight"),
    "missing": (_tensors(lambda t: t.pop(VALUE)), "has no tensor layers.1.self_attn.v_proj.weight"),
    "shape": (_tensors(lambda t: t.update({VALUE: torch.zeros(3, 8)})), r"has shape (3, 8), config.json says (4, 8)"),
    "NaN": (_tensors(lambda t: t.update({VALUE: torch.full((4, 8), float("nan"))})), "NaN or infinite"),
    "infinite": (_tensors(lambda t: t.update({VALUE: torch.full((4, 8), float("inf"))})), "NaN or infinite"),
    "integers": (_tensors(lambda t: t.update({VALUE: torch.zeros(4, 8, dtype=torch.int8)})), "is stored as int8"),
    "truncated": (_truncate, "truncated or malformed"),
    "no file": (lambda f: (f / "model.safetensors").unlink(), "has neither model.safetensors nor"),
    "pickle": (_pickle, "pickle files can run code and are refused"),
}


def _run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(words)
    return code, capsys.readouterr().err


@pytest.mark.parametrize("name", WRONG)
def test_message_and_exit_code(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, message = WRONG[name]
    folder = write(tmp_path / "m", "llama", SIZES, random_layers(SIZES, 2))
    change(folder)
    code, err = _run(["audit", str(folder)], capsys)
    assert code == 2
    assert err.startswith("loraproofs: ")
    assert message in err
    assert err.count("\n") == 1


def test_the_unchanged_directory_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Negative control of the errors."""
    assert main(["audit", str(write(tmp_path / "m", "llama", SIZES, random_layers(SIZES, 2)))]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_not_a_directory(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    code, err = _run(["audit", str(tmp_path / place)], capsys)
    assert code == 2
    assert "is not a directory" in err


def test_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "m", "llama", SIZES, random_layers(SIZES, 2), shards=3)
    index = folder / "model.safetensors.index.json"
    whole = json.loads(index.read_text())
    more = whole["weight_map"] | {"x": "model-00001-of-00003.safetensors"}
    index.write_text(json.dumps({"weight_map": more}))
    assert "has no tensor x, which model.safetensors.index.json says" in _run(["audit", str(folder)], capsys)[1]
    index.write_text(json.dumps({"weight_map": None}))
    assert "has no weight_map" in _run(["audit", str(folder)], capsys)[1]
    index.write_text(json.dumps(whole))
    (folder / "model-00002-of-00003.safetensors").unlink()
    code, err = _run(["audit", str(folder)], capsys)
    assert code == 2
    assert "lacks the shard model-00002-of-00003.safetensors" in err


def test_missing_extra_prints_the_install_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "m", "llama", SIZES, random_layers(SIZES, 1))
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "safetensors":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    code, err = _run(["audit", str(folder)], capsys)
    assert code == 2
    assert "pip install 'loraproofs[models]'" in err


def test_adapter_errors_end_in_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "m", "llama", SIZES, random_layers(SIZES, 1))
    code, err = _run(["audit", str(folder), "--adapter", str(tmp_path / "none")], capsys)
    assert code == 2
    assert err.count("\n") == 1
