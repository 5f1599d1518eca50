"""Tiny models and adapters as files, written out by hand: the names and layouts here are not those of the audit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

ARCHITECTURES = ("llama", "mistral", "qwen2", "phi", "phi3", "gpt2", "gpt_neox", "bert")
GROUPED = ("llama", "mistral", "qwen2", "phi", "phi3")
"""Those with fewer key-value heads than heads."""


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def orthogonal(d: int, seed: int) -> Tensor:
    return torch.linalg.qr(normal(d, d, seed=seed)).Q


@dataclass(frozen=True)
class Layer:
    """W_V ``(kv_heads · size, d)``, W_O ``(d, heads · size)``, and the gain of the normalisation ``(d,)``."""

    value: Tensor
    output: Tensor
    gain: Tensor


@dataclass(frozen=True)
class Sizes:
    heads: int
    kv_heads: int
    size: int
    d: int


Factors = dict[str, tuple[Tensor, Tensor]]
"""Module → B ``(out, r)`` and A ``(r, in)``."""


def four_heads(kind: str, d: int) -> Sizes:
    return Sizes(heads=4, kv_heads=2 if kind in GROUPED else 4, size=d // 4, d=d)


def random_layers(sizes: Sizes, count: int, seed: int = 0) -> list[Layer]:
    return [
        Layer(
            normal(sizes.kv_heads * sizes.size, sizes.d, seed=100 * seed + 3 * k),
            normal(sizes.d, sizes.heads * sizes.size, seed=100 * seed + 3 * k + 1),
            1 + 0.3 * normal(sizes.d, seed=100 * seed + 3 * k + 2),
        )
        for k in range(count)
    ]


def head_product(kind: str, sizes: Sizes, layer: Layer, head: int) -> Tensor:
    """The OV product as a dense loop over its entries' definition, with the gain where the model is Pre-LN."""
    group = head // (sizes.heads // sizes.kv_heads)
    found = torch.zeros(sizes.d, sizes.d, dtype=torch.float64)
    for k in range(sizes.size):
        found += torch.outer(layer.output[:, head * sizes.size + k], layer.value[group * sizes.size + k])
    return found if kind == "bert" else found * layer.gain[None, :]


def config(kind: str, sizes: Sizes, layers: int) -> dict[str, Any]:
    if kind == "gpt2":
        return {"model_type": "gpt2", "n_layer": layers, "n_head": sizes.heads, "n_embd": sizes.d}
    found: dict[str, Any] = {
        "model_type": kind, "num_hidden_layers": layers, "num_attention_heads": sizes.heads, "hidden_size": sizes.d,
    }  # fmt: skip
    if kind in GROUPED:
        found |= {"num_key_value_heads": sizes.kv_heads, "head_dim": sizes.size}
    return found


def tensors(kind: str, sizes: Sizes, layers: list[Layer]) -> dict[str, Tensor]:
    """Everything of attention; queries and keys are random, and one tensor beside attention stands for the rest."""
    found: dict[str, Tensor] = {}
    for k, layer in enumerate(layers):
        query = normal(sizes.heads * sizes.size, sizes.d, seed=7000 + k)
        key = normal(sizes.kv_heads * sizes.size, sizes.d, seed=8000 + k)
        found |= _layer(kind, sizes, k, query, key, layer)
    return {name: x.clone().contiguous() for name, x in found.items()}


def _layer(kind: str, sizes: Sizes, k: int, query: Tensor, key: Tensor, layer: Layer) -> dict[str, Tensor]:
    d, value, output = sizes.d, layer.value, layer.output
    if kind == "gpt2":
        place = f"transformer.h.{k}"
        return {
            f"{place}.attn.c_attn.weight": torch.cat([query, key, value]).mT,
            f"{place}.attn.c_proj.weight": output.mT,
            f"{place}.ln_1.weight": layer.gain,
            f"{place}.mlp.c_fc.weight": torch.zeros(d, 2 * d),
        }
    if kind == "gpt_neox":
        place, size = f"gpt_neox.layers.{k}", sizes.size
        blocks = [x[h * size : (h + 1) * size] for h in range(sizes.heads) for x in (query, key, value)]
        return {
            f"{place}.attention.query_key_value.weight": torch.cat(blocks),
            f"{place}.attention.dense.weight": output,
            f"{place}.input_layernorm.weight": layer.gain,
        }
    if kind == "bert":
        place = f"bert.encoder.layer.{k}"
        return {
            f"{place}.attention.self.query.weight": query,
            f"{place}.attention.self.key.weight": key,
            f"{place}.attention.self.value.weight": value,
            f"{place}.attention.output.dense.weight": output,
            f"{place}.attention.output.LayerNorm.weight": layer.gain,
        }
    place = f"model.layers.{k}"
    found = {f"{place}.input_layernorm.weight": layer.gain, f"{place}.mlp.up_proj.weight": torch.zeros(2 * d, d)}
    if kind == "phi3":
        return found | {
            f"{place}.self_attn.qkv_proj.weight": torch.cat([query, key, value]),
            f"{place}.self_attn.o_proj.weight": output,
        }
    return found | {
        f"{place}.self_attn.q_proj.weight": query,
        f"{place}.self_attn.k_proj.weight": key,
        f"{place}.self_attn.v_proj.weight": value,
        f"{place}.self_attn.{'dense' if kind == 'phi' else 'o_proj'}.weight": output,
    }


def write(folder: Path, kind: str, sizes: Sizes, layers: list[Layer], shards: int = 1) -> Path:
    """A model directory, in one file or in several with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(kind, sizes, len(layers))), encoding="utf-8")
    stored = tensors(kind, sizes, layers)
    if shards == 1:
        save_file(stored, folder / "model.safetensors")
        return folder
    where = {}
    for k in range(shards):
        part = {name: x for i, (name, x) in enumerate(stored.items()) if i % shards == k}
        file = f"model-{k + 1:05d}-of-{shards:05d}.safetensors"
        save_file(part, folder / file)
        where |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}), encoding="utf-8")
    return folder


VALUE_MODULES = {
    "gpt2": "transformer.h.{}.attn.c_attn",
    "gpt_neox": "gpt_neox.layers.{}.attention.query_key_value",
    "bert": "bert.encoder.layer.{}.attention.self.value",
    "phi3": "model.layers.{}.self_attn.qkv_proj",
}
OUTPUT_MODULES = {
    "gpt2": "transformer.h.{}.attn.c_proj",
    "gpt_neox": "gpt_neox.layers.{}.attention.dense",
    "bert": "bert.encoder.layer.{}.attention.output.dense",
    "phi": "model.layers.{}.self_attn.dense",
}


def value_module(kind: str, layer: int) -> str:
    return VALUE_MODULES.get(kind, "model.layers.{}.self_attn.v_proj").format(layer)


def output_module(kind: str, layer: int) -> str:
    return OUTPUT_MODULES.get(kind, "model.layers.{}.self_attn.o_proj").format(layer)


def random_factors(kind: str, sizes: Sizes, layers: int, rank: int, sides: str = "vo", size: float = 1.0) -> Factors:
    """For W_V (the whole fused projection where it is fused) and W_O of every layer; B has entries of that size."""
    stored = tensors(kind, sizes, random_layers(sizes, layers))
    found = {}
    for k in range(layers):
        for side, module in (("v", value_module(kind, k)), ("o", output_module(kind, k))):
            if side in sides:
                out, into = stored[f"{module}.weight"].shape[:: -1 if kind == "gpt2" else 1]
                seed = 10 * k + 5 * (side == "o")
                found[module] = (size * normal(out, rank, seed=seed), normal(rank, into, seed=seed + 1))
    return found


def value_part(kind: str, sizes: Sizes, full: Tensor) -> Tensor:
    """The value rows of an update of the whole projection, by a reading of the layout that is written out here."""
    size = sizes.size
    if kind == "phi3":
        return full[(sizes.heads + sizes.kv_heads) * size :]
    if kind == "gpt2":
        return full[2 * sizes.d :]
    if kind == "gpt_neox":
        return torch.cat([full[(3 * h + 2) * size : (3 * h + 3) * size] for h in range(sizes.heads)])
    return full


def write_adapter(folder: Path, factors: dict[str, tuple[Tensor, Tensor]], **settings: Any) -> Path:
    """A PEFT adapter: module → ``B (out, r)`` and ``A (r, in)``; ``settings`` go to its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = sorted({name.split(".")[-1] for name in factors})
    rank = next(iter(factors.values()))[1].shape[0]
    found = {"peft_type": "LORA", "r": rank, "lora_alpha": rank, "bias": "none", "target_modules": ends} | settings
    (folder / "adapter_config.json").write_text(json.dumps(found), encoding="utf-8")
    stored: dict[str, Tensor] = {}
    for name, (left, right) in factors.items():
        stored[f"base_model.model.{name}.lora_A.weight"] = right.contiguous()
        stored[f"base_model.model.{name}.lora_B.weight"] = left.contiguous()
    save_file(stored, folder / "adapter_model.safetensors")
    return folder
