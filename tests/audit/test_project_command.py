"""``loraproofs project``: its document, its errors, and what an interrupted run or a second one leaves."""

from __future__ import annotations

import errno
import json
import math
import os
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from projected import (
    LAYERS,
    D,
    R,
    adapter_factors,
    model_folder,
)
from safetensors.torch import load_file, save_file
from tiny_models import (
    four_heads,
    normal,
    random_layers,
    write,
    write_adapter,
)

from proofs_checks.cli import main
from proofs_checks.project import run as project_run
from proofs_checks.project import write as write_module


def test_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", adapter_factors("gpt2")), model_folder(tmp_path, "gpt2")
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out"), "--json", "-"]
    assert main([*words, "--keep-off", "top-m", "--m", "2", "--scale", "cone"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["command"], found["keep_off"], found["m"], found["scale"]) == ("project", "top-m", 2, "cone")
    assert len(found["heads"]) == 8
    assert [c["side"] for c in found["modules"]] == ["value", "output"] * 2
    assert any("Queries and keys share A" in line for line in found["summary"])
    (line,) = [line for line in found["summary"] if "no scale helps" in line]
    assert "heads are left out of a promise" in line  # b = 0 is promised of them all the same
    assert all("b_norm" in [p["quantity"] for p in head["promises"]] for head in found["heads"])
    assert "not promised" in captured.err  # what is not guaranteed is said
    assert not {"safe", "proved"} & set(captured.err.lower().split())
    assert main(words) == 2  # not overwritten
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["keep_off"], found["scale"]) == (None, "quoted")  # what is done where nothing is asked for


def _change(name: str, folder: Path, model: Path) -> None:
    path = folder / "adapter_model.safetensors"
    stored = load_file(path)
    key = "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight"
    if name == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    elif name == "pickle":
        path.rename(folder / "adapter_model.bin")
    elif name == "NaN":
        save_file(stored | {key: stored[key] * math.nan}, path)
    elif name == "shape":
        save_file(stored | {key: torch.zeros(R, 5)}, path)
    elif name == "model NaN":
        weights = load_file(model / "model.safetensors")
        weights["model.layers.0.self_attn.v_proj.weight"][0] = math.nan
        save_file(weights, model / "model.safetensors")
    elif name == "model type":
        (model / "config.json").write_text(json.dumps({"model_type": "mamba"}))
    elif name == "missing shard":
        write(model, "llama", four_heads("llama", D), random_layers(four_heads("llama", D), LAYERS), shards=2)
        (model / "model.safetensors").unlink()
        (model / "model-00001-of-00002.safetensors").unlink()
    else:
        config = json.loads((folder / "adapter_config.json").read_text()) | json.loads(name)
        (folder / "adapter_config.json").write_text(json.dumps(config))


WRONG = {
    "truncated": "truncated or malformed",
    "pickle": "pickle files can run code and are refused",
    "NaN": "NaN or infinite",
    "shape": "model and configuration need",
    "model NaN": "NaN or infinite",
    "model type": "unknown model_type 'mamba'",
    "missing shard": "lacks the shard",
    '{"lora_alpha": NaN}': "must be a positive number",
    '{"lora_alpha": 1e400}': "must be a positive number",
    f'{{"lora_alpha": {10**400}}}': "must be a positive number",
    '{"lora_alpha": 9e59}': "too large to measure",
    '{"r": 0}': "must be a positive number",
    '{"use_dora": true}': "DoRA renormalises",
    '{"init_lora_weights": "pissa"}': "changes the base weights",
    '{"peft_type": "LOHA"}': "ΔW is not scale·B·A",
    '{"kasa_config": {"beta": 1}}': "KaSA",
    '{"bias": "all"}': "bias = 'all'",
    '{"modules_to_save": ["lm_head"]}': "modules_to_save",
    '{"lora_bias": true}': "lora_bias",
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_one_line_and_leave_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    _change(name, source, model)
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out"), "--keep-off", "top-m"]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert WRONG[name] in err
    assert err.count("\n") == 1
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama"]


def test_adapter_of_another_model_and_of_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", adapter_factors("gpt2")), model_folder(tmp_path, "llama")
    words = ["--model", str(model), "--out", str(tmp_path / "out")]
    assert main(["project", str(source), *words]) == 2
    assert "of another model" in capsys.readouterr().err
    query = {"model.layers.0.self_attn.q_proj": (normal(32, R, seed=1), normal(R, 32, seed=2))}
    assert main(["project", str(write_adapter(tmp_path / "q", query)), *words]) == 2
    assert "nothing to project" in capsys.readouterr().err


def test_places_that_would_lose_something(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "in" / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    (tmp_path / "file").write_text("mine")
    other = write_adapter(tmp_path / "other", adapter_factors("llama"))
    (other / "notes.txt").write_text("mine")
    for out, message in (
        (source, "is or contains what is read"),
        (tmp_path / "in", "is or contains what is read"),
        (tmp_path / "file", "is a file or a link"),
        (other, "holds notes.txt beside an adapter"),
    ):
        assert main(["project", str(source), "--model", str(model), "--out", str(out), "--overwrite"]) == 2
        assert message in capsys.readouterr().err
    assert (other / "notes.txt").read_text() == "mine"


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the middle of the writing, and between the two renames; the message names no option that is not there."""
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    out = write_adapter(tmp_path / "out", adapter_factors("llama", "v"))
    before = (out / "adapter_model.safetensors").read_bytes()
    words = ["project", str(source), "--model", str(model), "--out", str(out), "--overwrite"]
    rename = os.rename

    def second(old: Path, new: Path) -> None:
        if old.parent != out.parent and new == out and old.name != ".replaced":
            raise KeyboardInterrupt
        rename(old, new)

    for place, name, stop in ((project_run, "write_adapter", _stop), (write_module.os, "rename", second)):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, stop)
            assert main(words) == 130
        assert capsys.readouterr().err.endswith("loraproofs: interrupted\n")
        assert (out / "adapter_model.safetensors").read_bytes() == before
        assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama", "out"]
    assert main(words) == 0
    assert (out / "adapter_model.safetensors").read_bytes() != before


@pytest.mark.parametrize("late", [False, True])
def test_of_two_runs_at_once_the_second_takes_nothing_away(
    late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    real = write_module.os.rename if late else project_run.write_adapter

    def other_first(*arguments: Any) -> None:
        write_adapter(tmp_path / "out", adapter_factors("llama", "v"))
        real(*arguments)

    place, name = (write_module.os, "rename") if late else (project_run, "write_adapter")
    monkeypatch.setattr(place, name, other_first)
    assert main(["project", str(source), "--model", str(model), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot write" in err if late else "is not empty" in err
    assert len(load_file(tmp_path / "out" / "adapter_model.safetensors")) == 2 * LAYERS
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama", "out"]


@pytest.mark.parametrize("what", ["weights", "config"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the limit of a process on the size of its files; the configuration by a refusal in its place."""
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out")]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with monkeypatch.context() as patch:
        if what == "config":

            def full(*_: Any, **__: Any) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patch.setattr(Path, "write_text", full)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
        try:
            assert main(words) == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot write adapter_" in err
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama"]


def test_a_link_as_out_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert main(["project", str(source), "--model", str(model), "--out", str(tmp_path / "link")]) == 2
    assert "is a file or a link" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--m", "0"], ["--m", "x"], ["--keep-off", "u1"], ["--scale", "big"]])
def test_usage(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["project", str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path / "o"), *words])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("words", [["--scale", "cone"], ["--keep-off", "small-gap"], []])
def test_m_without_top_m_is_refused(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path / "o")]
    assert main(["project", *places, "--m", "2", *words]) == 2
    assert "add that, or leave --m out" in capsys.readouterr().err
