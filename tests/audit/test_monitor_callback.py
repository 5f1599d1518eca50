"""The callback in transformers' ``Trainer``, on a tiny random Llama with PEFT's LoRA."""

from __future__ import annotations

import builtins
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from proofs_checks.errors import InputError
from proofs_checks.monitor.thresholds import Threshold

whole = pytest.mark.filterwarnings("ignore")  # of other packages


def _trainer(tmp_path: Path, steps: int = 6, targets: tuple[str, ...] = ("v_proj", "o_proj")) -> Any:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    transformers.set_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=32, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, intermediate_size=48,
        vocab_size=50,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    lora = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.1, target_modules=list(targets), task_type="CAUSAL_LM")
    generator = torch.Generator().manual_seed(1)
    rows = [torch.randint(0, 50, (12,), generator=generator) for _ in range(16)]
    settings = transformers.TrainingArguments(
        output_dir=str(tmp_path / "run"), max_steps=steps, per_device_train_batch_size=2, logging_steps=1, seed=3,
        learning_rate=1e-2, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    data = [{"input_ids": x, "labels": x} for x in rows]
    return transformers.Trainer(peft.get_peft_model(model, lora), settings, train_dataset=data)


def _losses(trainer: Any) -> list[float]:
    return [row["loss"] for row in trainer.state.log_history if "loss" in row]


def _factors(trainer: Any) -> dict[str, Tensor]:
    return {name: x.detach().clone() for name, x in trainer.model.named_parameters() if "lora_" in name}


@whole
@pytest.mark.models
def test_losses_are_the_same_bit_for_bit_with_the_monitor(tmp_path: Path) -> None:
    from proofs_checks.monitor.callback import MonitorCallback

    plain = _trainer(tmp_path / "off")
    plain.train()
    watched = _trainer(tmp_path / "on")
    path = tmp_path / "on" / "monitor.jsonl"
    MonitorCallback.attach(watched, every=2, path=path)
    watched.train()
    assert len(_losses(plain)) == 6
    assert _losses(plain) == _losses(watched)
    on, off = _factors(watched), _factors(plain)
    assert all(torch.equal(on[name], off[name]) for name in off)
    head, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert (head["command"], head["every"], head["adapter"]) == ("monitor", 2, "default")
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert [len(row["heads"]) for row in rows] == [8, 8, 8]
    norms = [row["largest_norm_over_sqrt_layers"] for row in rows]
    assert norms == sorted(norms)  # training from B = 0 moves away from there
    assert norms[0] > 0
    logged = [row for row in watched.state.log_history if "loraproofs/largest_norm_over_sqrt_layers" in row]
    assert [row["step"] for row in logged] == [2, 4, 6]
    assert [row["loraproofs/largest_norm_over_sqrt_layers"] for row in logged] == norms


@whole
@pytest.mark.models
def test_another_seed_gives_other_losses(tmp_path: Path) -> None:
    """Negative control of the comparison bit for bit: it does tell runs apart."""
    one, two = _trainer(tmp_path / "1"), _trainer(tmp_path / "2")
    two.args.learning_rate = 1.0001e-2
    one.train()
    two.train()
    assert _losses(one) != _losses(two)


@whole
@pytest.mark.models
def test_thresholds_act(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from proofs_checks.monitor.callback import MonitorCallback

    trainer = _trainer(tmp_path)
    limits = [
        Threshold("norm_over_sqrt_layers", 0.0),
        Threshold("cone_margin", 1e9, "save"),
        Threshold("norm_over_sqrt_layers", 0.0, "stop"),
        Threshold("norm_over_sqrt_layers", 1e9, "stop"),  # is not crossed
    ]
    MonitorCallback.attach(trainer, every=3, path=tmp_path / "monitor.jsonl", thresholds=limits)
    with caplog.at_level(logging.WARNING, "loraproofs.monitor"):
        trainer.train()
    assert trainer.state.global_step == 3  # of 6
    assert (tmp_path / "run" / "checkpoint-3" / "adapter_model.safetensors").is_file()
    assert len([r for r in caplog.records if r.name == "loraproofs.monitor"]) == 3
    row = json.loads((tmp_path / "monitor.jsonl").read_text().splitlines()[1])
    assert [x[2] for x in row["crossed"]] == ["warn", "save", "stop"]


@whole
@pytest.mark.models
def test_a_threshold_that_projects(tmp_path: Path) -> None:
    """After the last step nothing is read from the leading direction of any head: dense, in float32."""
    from proofs_checks.monitor.callback import MonitorCallback

    trainer, plain = _trainer(tmp_path / "on"), _trainer(tmp_path / "off")
    MonitorCallback.attach(trainer, every=1, thresholds=[Threshold("norm_over_sqrt_layers", 0.0, "project")])
    trainer.train()
    plain.train()
    assert max(_moved(trainer)) < 1e-6 < 1e-4 < min(_moved(plain))


@whole
@pytest.mark.models
def test_what_stays_crossed_acts_once_and_projects_every_time(tmp_path: Path) -> None:
    from proofs_checks.monitor.callback import MonitorCallback

    trainer = _trainer(tmp_path, steps=3)
    limits = [Threshold("norm_over_sqrt_layers", 0.0, action) for action in ("warn", "project")]
    MonitorCallback.attach(trainer, every=1, path=tmp_path / "monitor.jsonl", thresholds=limits)
    trainer.train()
    rows = [json.loads(line) for line in (tmp_path / "monitor.jsonl").read_text().splitlines()[1:]]
    assert [[x[2] for x in row["crossed"]] for row in rows] == [["warn", "project"], ["project"], ["project"]]


def _moved(trainer: Any) -> list[float]:
    """``|ΔV u1|/||ΔV||`` of every head; gains of a fresh model are 1."""
    found = []
    for layer in trainer.model.get_base_model().model.layers:
        sides = []
        for side in (layer.self_attn.v_proj, layer.self_attn.o_proj):
            base = side.base_layer.weight.detach().double()
            sides.append((base, base + side.get_delta_weight("default").detach().double()))
        (value, new_value), (output, new_output) = sides
        for head in range(4):
            rows, columns = slice(8 * (head // 2), 8 * (head // 2) + 8), slice(8 * head, 8 * head + 8)
            V, new = output[:, columns] @ value[rows], new_output[:, columns] @ new_value[rows]
            u1 = torch.linalg.eigh((V + V.mT) / 2).eigenvectors[:, -1]
            found.append(float(((new - V) @ u1).norm() / (new - V).norm()))
    return found


@whole
@pytest.mark.models
def test_only_process_zero_writes(tmp_path: Path) -> None:
    from proofs_checks.monitor.callback import MonitorCallback

    trainer = _trainer(tmp_path)
    state, path = trainer.state, tmp_path / "monitor.jsonl"
    for zero, thresholds, measures in (
        (False, [], False),
        (False, [Threshold("cone_margin", 0.0)], False),
        (False, [Threshold("cone_margin", 0.0, "stop")], True),  # decides as process zero does
        (True, [], True),
    ):
        state.is_world_process_zero, state.global_step = zero, 1
        callback = MonitorCallback(every=1, path=path, thresholds=thresholds)
        callback.on_train_begin(trainer.args, state, trainer.control, model=trainer.model)
        assert (callback.monitor is not None) == measures
        callback.on_step_end(trainer.args, state, trainer.control, model=trainer.model)
        assert path.exists() == zero


def test_missing_transformers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "transformers":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    monkeypatch.delitem(sys.modules, "proofs_checks.monitor.callback", raising=False)
    with pytest.raises(InputError, match="pip install transformers peft"):
        __import__("proofs_checks.monitor.callback")


@whole
@pytest.mark.models
def test_every_is_a_positive_number() -> None:
    pytest.importorskip("transformers")
    from proofs_checks.monitor.callback import MonitorCallback

    with pytest.raises(InputError, match="every must be 1 or more"):
        MonitorCallback(every=0)


def test_the_pure_monitor_does_not_import_transformers() -> None:
    import subprocess

    line = "import proofs_checks.monitor.monitor, sys; print(sorted({'transformers', 'peft'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
