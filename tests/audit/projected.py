"""Models and adapters for the tests of ``project``, and what it writes as dense double-precision matrices."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tiny_models import (
    Factors,
    Layer,
    Sizes,
    four_heads,
    head_product,
    orthogonal,
    output_module,
    random_factors,
    random_layers,
    value_module,
    value_part,
    write,
    write_adapter,
)
from torch import Tensor

from proofs_checks.audit.run import audit
from proofs_checks.project.run import Options, ProjectReport, project

D, R, LAYERS = 32, 3, 2


def adapter_factors(kind: str, sides: str = "vo", rank: int = R) -> Factors:
    return random_factors(kind, four_heads(kind, D), LAYERS, rank, sides, size=0.2)


def model_folder(tmp_path: Path, kind: str) -> Path:
    return write(tmp_path / f"model-{kind}", kind, four_heads(kind, D), random_layers(four_heads(kind, D), LAYERS))


def stored_update(folder: Path, module: str) -> Tensor:
    """ΔW as PEFT reads a directory, rewritten here for names that are patterns of themselves alone."""
    config = json.loads((folder / "adapter_config.json").read_text())
    stored = load_file(folder / "adapter_model.safetensors")
    key = f"base_model.model.{module}"
    if f"{key}.lora_A.weight" not in stored:
        return torch.zeros((), dtype=torch.float64)
    left, right = (stored[f"{key}.lora_{x}.weight"].double() for x in "BA")
    escaped = module.replace(".", r"\.")
    rank = (config.get("rank_pattern") or {}).get(escaped, config["r"])
    alpha = (config.get("alpha_pattern") or {}).get(escaped, config["lora_alpha"])
    assert right.shape[0] == left.shape[1] == rank
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank) * (left @ right)


def dense_head(kind: str, folder: Path, layer: int, head: int) -> tuple[np.ndarray, np.ndarray]:
    """V and ΔV of a head, both d×d."""
    base = random_layers(four_heads(kind, D), LAYERS)[layer]
    value = stored_update(folder, value_module(kind, layer))
    if value.dim():  # adapted
        value = value_part(kind, four_heads(kind, D), value)
    moved = Layer(base.value + value, base.output + stored_update(folder, output_module(kind, layer)), base.gain)
    V, new = (head_product(kind, four_heads(kind, D), x, head).numpy() for x in (base, moved))
    return V, new - V


def dense_heads(kind: str, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    return [dense_head(kind, folder, k, h) for k in range(LAYERS) for h in range(4)]


def projected(tmp_path: Path, kind: str, source: Path, **options: Any) -> tuple[ProjectReport, Path]:
    out = tmp_path / "out"
    return project(source, model_folder(tmp_path, kind), out, Options(**options)), out


LEVELS = torch.tensor([2.0, 1.0, 0.5, 0.25, 0.1, 0.05], dtype=torch.float64)
GAIN = torch.linspace(0.7, 1.4, 6, dtype=torch.float64)


def planted(tmp_path: Path, dV: Tensor, levels: Tensor = LEVELS, gain: Tensor = GAIN) -> tuple[Path, Path]:
    """One head ``V = Q diag(levels) Qᵀ`` and the adapter of ``ΔV = Q dV Qᵀ``."""
    d = len(levels)
    Q = orthogonal(d, 3)
    layer = Layer(torch.diag(levels) @ Q.mT / gain, Q, gain)
    model = write(tmp_path / "model", "llama", Sizes(1, 1, d, d), [layer])
    left, singular, right = torch.linalg.svd(dV)
    return model, write_adapter(tmp_path / "a", {value_module("llama", 0): (left * singular, right @ Q.mT / gain)})


def blocks(a: float, b: float, c: float, E: float) -> Tensor:
    dV = torch.zeros(6, 6, dtype=torch.float64)
    dV[0, 0], dV[1, 0], dV[0, 1], dV[2, 2] = a, b, c, E
    return dV


def audited(model: Path, adapter: Path) -> Any:
    return next(row for row in audit(model, [adapter]).rows if row.matrix.head == 0).updates[0]
