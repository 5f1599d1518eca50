"""What each PEFT option adds to a weight, against a dense reference, and what is refused."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import (
    ARCHITECTURES,
    Factors,
    four_heads,
    normal,
    output_module,
    random_factors,
    random_layers,
    tensors,
    value_module,
    value_part,
    write,
    write_adapter,
)
from torch import Tensor

from proofs_checks.audit.adapter import Adapter, read_adapter, targets
from proofs_checks.audit.model import Model
from proofs_checks.errors import InputError

D, R = 16, 3


def _factors(kind: str, layers: int = 2, rank: int = R) -> Factors:
    return random_factors(kind, four_heads(kind, D), layers, rank)


def _model(tmp_path: Path, kind: str, layers: int = 2) -> Model:
    return Model(
        write(tmp_path / f"model-{kind}", kind, four_heads(kind, D), random_layers(four_heads(kind, D), layers))
    )


def _value_update(model: Model, adapter: Adapter, layer: int) -> Tensor | None:
    weight = model.layer(layer).value
    return adapter.update(model.value_module(layer), weight, model.value_outputs(), model.value_rows())


def _output_update(model: Model, adapter: Adapter, layer: int) -> Tensor | None:
    return adapter.update(model.output_module(layer), model.layer(layer).output, D)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_plain_update_of_every_architecture(kind: str, tmp_path: Path) -> None:
    factors = _factors(kind)
    model = _model(tmp_path, kind)
    adapter = read_adapter(write_adapter(tmp_path / "a", factors, lora_alpha=6), model)
    for k in range(2):
        left, right = factors[value_module(kind, k)]
        found = _value_update(model, adapter, k)
        assert found is not None
        torch.testing.assert_close(found, value_part(kind, four_heads(kind, D), 2 * left @ right), rtol=0, atol=1e-12)
        left, right = factors[output_module(kind, k)]
        found = _output_update(model, adapter, k)
        assert found is not None
        torch.testing.assert_close(found, 2 * left @ right, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "value_scale", "output_scale"),
    [
        ({"lora_alpha": 6}, 2.0, 2.0),
        ({"lora_alpha": 6, "use_rslora": True}, 6 / math.sqrt(3), 6 / math.sqrt(3)),
        ({"lora_alpha": 6, "alpha_pattern": {"v_proj": 9}}, 3.0, 2.0),
        ({"lora_alpha": 6, "alpha_pattern": {"model.layers.0.self_attn.o_proj": 1.5}}, 2.0, 0.5),
        ({"lora_alpha": 6, "alpha_pattern": {r".*\.[0-9]+\.self_attn\.v.*": 3, "v_proj": 9}}, 1.0, 2.0),
        ({"lora_alpha": 6, "alpha_pattern": {"proj": 9}}, 2.0, 2.0),  # not a whole last part of the name
        ({"lora_alpha": 6, "r": 8, "rank_pattern": {"v_proj": 3, "o_proj": 3}}, 2.0, 2.0),
        ({"lora_alpha": 6, "r": 8, "rank_pattern": {"v_proj|o_proj": 3}, "use_rslora": True},
         6 / math.sqrt(3), 6 / math.sqrt(3)),
        ({"lora_alpha": 6, "init_lora_weights": "gaussian"}, 2.0, 2.0),
        ({"lora_alpha": 6, "target_modules": r".*\.(v|o)_proj"}, 2.0, 2.0),
        ({"lora_alpha": 6, "target_modules": "all-linear"}, 2.0, 2.0),
    ],
)  # fmt: skip
def test_scale_of_each_option(
    settings: dict[str, Any], value_scale: float, output_scale: float, tmp_path: Path
) -> None:
    factors, model = _factors("llama"), _model(tmp_path, "llama")
    adapter = read_adapter(write_adapter(tmp_path / "a", factors, **settings), model)
    left, right = factors[value_module("llama", 0)]
    found = _value_update(model, adapter, 0)
    assert found is not None
    torch.testing.assert_close(found, value_scale * left @ right, rtol=0, atol=1e-12)
    assert float((found - 1.01 * value_scale * left @ right).abs().max()) > 1e-3  # a scale 1 % off is seen
    left, right = factors[output_module("llama", 0)]
    found = _output_update(model, adapter, 0)
    assert found is not None
    torch.testing.assert_close(found, output_scale * left @ right, rtol=0, atol=1e-12)


@pytest.mark.parametrize("suffix", ["lora_magnitude_vector", "lora_magnitude_vector.weight"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox"])
def test_dora_rescales_rows(kind: str, suffix: str, tmp_path: Path) -> None:
    factors, model = _factors(kind), _model(tmp_path, kind)
    folder = write_adapter(tmp_path / "a", factors, lora_alpha=6, use_dora=True)
    stored = load_file(folder / "adapter_model.safetensors")
    magnitudes = {name: 2 + normal(left.shape[0], seed=9).abs() for name, (left, _) in factors.items()}
    stored |= {f"base_model.model.{name}.{suffix}": m for name, m in magnitudes.items()}
    save_file(stored, folder / "adapter_model.safetensors")
    adapter = read_adapter(folder, model)
    weights = tensors(kind, four_heads(kind, D), random_layers(four_heads(kind, D), 2))
    for k in range(2):
        name = value_module(kind, k)
        weight = weights[f"{name}.weight"]
        weight = weight.mT if kind == "gpt2" else weight
        left, right = factors[name]
        dense = torch.stack([
            m * row / math.sqrt(float((row * row).sum()))
            for m, row in zip(magnitudes[name], weight + 2 * left @ right, strict=True)
        ])  # fmt: skip
        found = _value_update(model, adapter, k)
        assert found is not None
        torch.testing.assert_close(found, value_part(kind, four_heads(kind, D), dense - weight), rtol=0, atol=1e-12)
        assert (
            float((found - value_part(kind, four_heads(kind, D), 2 * left @ right)).abs().max()) > 0.1
        )  # not the plain update


def test_layers_to_transform_leaves_the_others(tmp_path: Path) -> None:
    model = _model(tmp_path, "llama")
    factors = {name: x for name, x in _factors("llama").items() if ".1." in name}
    adapter = read_adapter(write_adapter(tmp_path / "a", factors, layers_to_transform=[1]), model)
    assert _value_update(model, adapter, 0) is None
    assert _value_update(model, adapter, 1) is not None


@pytest.mark.parametrize(
    ("config", "name", "expected"),
    [
        ({"target_modules": ["v_proj"]}, "model.layers.0.self_attn.v_proj", True),
        ({"target_modules": ["proj"]}, "model.layers.0.self_attn.v_proj", False),
        ({"target_modules": ["self_attn.v_proj"]}, "model.layers.0.self_attn.v_proj", True),
        ({"target_modules": ".*v_proj"}, "model.layers.0.self_attn.v_proj", True),
        ({"target_modules": "v_proj"}, "model.layers.0.self_attn.v_proj", False),
        ({"target_modules": ["v_proj"], "exclude_modules": ["attn.v_proj"]}, "m.layers.0.self_attn.v_proj", True),
        ({"target_modules": ["v_proj"], "exclude_modules": ["self_attn.v_proj"]}, "m.layers.0.self_attn.v_proj", False),
        ({"target_modules": ["v_proj"], "layers_to_transform": 1}, "model.layers.0.self_attn.v_proj", False),
        ({"target_modules": ["v_proj"], "layers_to_transform": [0], "layers_pattern": "x"}, "m.x.0.v_proj", True),
        ({"target_modules": ["v_proj"], "layers_to_transform": [0], "layers_pattern": "h"}, "m.layers.0.v_proj", False),
    ],
)  # fmt: skip
def test_target_names(config: dict[str, Any], name: str, expected: bool) -> None:
    assert targets(config, name) is expected


# --- refusals -------------------------------------------------------------------------------------------

REFUSED = [
    ({"peft_type": "LOHA"}, "peft_type 'LOHA' is not audited"),
    ({"peft_type": None}, "peft_type None is not audited"),
    ({"bias": "all"}, "bias = 'all'"),
    ({"bias": "lora_only"}, "bias = 'lora_only'"),
    ({"init_lora_weights": "pissa"}, "changes the base weights"),
    ({"init_lora_weights": "pissa_niter_4"}, "changes the base weights"),
    ({"init_lora_weights": "olora"}, "changes the base weights"),
    ({"init_lora_weights": "corda"}, "changes the base weights"),
    ({"init_lora_weights": "loftq"}, "changes the base weights"),
    ({"kasa_config": {"beta": 1}}, "KaSA"),
    ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
    ({"lora_bias": True}, "lora_bias"),
    ({"use_qalora": True}, "QALoRA"),
    ({"layer_replication": [[0, 2]]}, "layer_replication"),
    ({"trainable_token_indices": [1]}, "trainable_token_indices"),
    ({"target_parameters": ["experts.down"]}, "target_parameters"),
    ({"alora_invocation_tokens": [1]}, "aLoRA"),
    ({"r": 0}, "r must be a positive number"),
    ({"lora_alpha": "big"}, "lora_alpha must be a positive number"),
    ({"rank_pattern": {"v_proj": "x"}}, "rank_pattern must map"),
    ({"r": 5}, "its rank is not what the configuration says"),
    ({"target_modules": ["q_proj"]}, "target_modules does not name"),
    ({"target_modules": "*"}, "target_modules '*' is no regular expression"),
    ({"alpha_pattern": {"(": 3}}, "alpha_pattern '(' is no regular expression"),
    ({"target_modules": 3}, "target_modules must be a name"),
    ({"layers_to_transform": "all"}, "layers_to_transform must be a number"),
    ({"target_modules": ["v_proj", "o_proj"]}, "there are no factors for it"),
    ({"use_dora": True}, "no lora_magnitude_vector"),
]


def _value_only(kind: str = "llama") -> dict[str, tuple[Tensor, Tensor]]:
    return {value_module(kind, k): _factors(kind)[value_module(kind, k)] for k in range(2)}


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_refusals_say_why(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    model = _model(tmp_path, "llama")
    folder = write_adapter(tmp_path / "a", _value_only(), **settings)
    with pytest.raises(InputError, match=re.escape(message)) as error:
        _value_update(model, read_adapter(folder, model), 0)
    assert "\n" not in str(error.value)


def test_what_is_refused_is_accepted_without_the_setting(tmp_path: Path) -> None:
    """Negative control of the refusals: the same files are read where nothing is set."""
    model = _model(tmp_path, "llama")
    assert _value_update(model, read_adapter(write_adapter(tmp_path / "a", _value_only()), model), 0) is not None


def test_a_tied_language_head_may_be_adapted_too(tmp_path: Path) -> None:
    """Its weight is the embedding's, so a checkpoint need not name it; it is no part of the value side."""
    factors = _value_only() | {"lm_head": (normal(40, R, seed=1), normal(R, D, seed=2))}
    adapter = read_adapter(write_adapter(tmp_path / "a", factors), _model(tmp_path, "llama"))
    assert "lm_head" in adapter.modules


def test_adapter_of_another_architecture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="of another model"):
        read_adapter(write_adapter(tmp_path / "a", _value_only("gpt2")), _model(tmp_path, "llama"))


def test_adapter_of_another_width(tmp_path: Path) -> None:
    model = _model(tmp_path, "llama")
    factors = {name: (left, torch.cat([right, right], dim=1)) for name, (left, right) in _value_only().items()}
    adapter = read_adapter(write_adapter(tmp_path / "a", factors), model)
    with pytest.raises(InputError, match=r"shape \(3, 32\), model and configuration need \(3, 16\)"):
        _value_update(model, adapter, 0)


def test_adapter_files(tmp_path: Path) -> None:
    model = _model(tmp_path, "llama")
    with pytest.raises(InputError, match="is not a directory"):
        read_adapter(tmp_path / "nowhere", model)
    folder = write_adapter(tmp_path / "a", _value_only())
    stored = load_file(folder / "adapter_model.safetensors")
    one = "base_model.model.model.layers.0.self_attn.v_proj"
    for change, message in (
        ({f"{one}.lora_B.bias": torch.zeros(8)}, "is no part of scale·B·A"),
        ({f"{one}.lora_magnitude_vector": torch.ones(8)}, "use_dora is not set"),
        ({f"{one}.lora_A.weight": stored[f"{one}.lora_A.weight"] * float("nan")}, "holds NaN"),
    ):
        save_file(stored | change, folder / "adapter_model.safetensors")
        with pytest.raises(InputError, match=message):
            _value_update(model, read_adapter(folder, model), 0)
    save_file({k: x for k, x in stored.items() if k != f"{one}.lora_B.weight"}, folder / "adapter_model.safetensors")
    with pytest.raises(InputError, match="but no"):
        read_adapter(folder, model)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(InputError, match="pickle files can run code"):
        read_adapter(folder, model)
    (folder / "adapter_config.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match="holds no JSON object"):
        read_adapter(folder, model)
    (folder / "adapter_config.json").unlink()
    with pytest.raises(InputError, match=r"has no adapter_config\.json"):
        read_adapter(folder, model)
