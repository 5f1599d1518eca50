"""The value side of every attention layer of a local model, layer by layer, in the convention of columns.

A linear layer stores its weight as (out, in) and computes ``W x`` on columns; GPT-2's Conv1D stores (in, out) and is
transposed here. Head h of H owns the rows of key-value head ``h // (H / H_kv)`` of W_V and its own columns of W_O.
In a Pre-LN model attention reads ``gain ⊙ x̂ (+ bias)``, x̂ the normalised token, so that
``W_O[:, h] W_V[h, :] diag(gain)`` acts on the x̂ of the theorems, up to the centring of LayerNorm, the biases and one
factor √d.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from numerics.factored import Factors
from proofs_checks.audit.architectures import Architecture, architecture, canonical, known_types
from proofs_checks.audit.checkpoint import Checkpoint
from proofs_checks.errors import InputError
from proofs_checks.json_file import read_object


@dataclass(frozen=True)
class Shape:
    """Sizes of a model: layers, heads, key-value heads, width d, and rows per head."""

    layers: int
    heads: int
    kv_heads: int
    width: int
    head_dim: int


@dataclass(frozen=True)
class LayerWeights:
    """One attention layer, float64.

    Attributes
    ----------
    layer: number, from 0.
    shape: sizes of the model.
    value: W_V ``(kv_heads · head_dim, d)``, without the gain.
    output: W_O ``(d, heads · head_dim)``.
    gain: ``(d,)`` of the normalisation in front, or None.
    """

    layer: int
    shape: Shape
    value: Tensor
    output: Tensor
    gain: Tensor | None

    def updated(self, value: Tensor | None, output: Tensor | None) -> LayerWeights:
        """The same layer with updates added to W_V and W_O (None: none)."""
        return LayerWeights(
            self.layer,
            self.shape,
            self.value if value is None else self.value + value,
            self.output if output is None else self.output + output,
            self.gain,
        )

    def head_factors(self, head: int) -> Factors:
        """``W_O[:, head] (d, head_dim)`` and ``W_V[head, :] diag(gain) (head_dim, d)`` of its key-value head."""
        if not 0 <= head < self.shape.heads:
            raise IndexError(f"head {head} of a layer with {self.shape.heads} heads")
        size, group = self.shape.head_dim, head * self.shape.kv_heads // self.shape.heads
        return self.output[:, head * size : (head + 1) * size], self._folded(slice(group * size, (group + 1) * size))

    def value_factors(self) -> Factors | None:
        """The value matrix of the whole layer, key-value heads repeated; None where it is not square.

        ``repeat (d, kv_heads · head_dim)`` and ``W_V diag(gain)``: the product has the rows of each key-value head
        once for each of its heads.
        """
        shape = self.shape
        if shape.heads * shape.head_dim != shape.width:
            return None
        group = torch.arange(shape.heads) * shape.kv_heads // shape.heads
        rows = (group[:, None] * shape.head_dim + torch.arange(shape.head_dim)).flatten()
        return torch.eye(shape.kv_heads * shape.head_dim, dtype=self.value.dtype)[rows], self._folded(slice(None))

    def _folded(self, rows: slice) -> Tensor:
        return self.value[rows] if self.gain is None else self.value[rows] * self.gain


class Model:
    """A local model directory: ``config.json`` and safetensors. Raises :class:`InputError`, one line each.

    With ``loaded``, a configuration and its tensors, nothing is read and ``folder`` is what messages call the model.
    """

    def __init__(self, folder: Path, loaded: tuple[dict[str, Any], Checkpoint] | None = None) -> None:
        if loaded is None:
            if not folder.is_dir():
                raise InputError(f"{folder} is not a directory: the audit reads local directories")
            config = read_object(folder / "config.json", f"{folder} has no config.json: give the directory of a model")
        else:
            config = loaded[0]
        self.folder = folder
        self.architecture = _architecture(folder, config)
        self.shape = _shape(folder, config, self.architecture)
        self.checkpoint = Checkpoint(folder) if loaded is None else loaded[1]
        self._names = {canonical(name): name for name in self.checkpoint.names()}

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.folder.resolve().name

    def modules(self) -> set[str]:
        """Canonical names of all modules that have a matrix weight, attention or not."""
        return {name.removesuffix(".weight") for name in self._names if name.endswith(".weight")}

    def value_module(self, layer: int) -> str:
        """Canonical name of the module that holds W_V of this layer."""
        return self.architecture.value.format(layer)

    def output_module(self, layer: int) -> str:
        """Canonical name of the module that holds W_O of this layer."""
        return self.architecture.output.format(layer)

    def value_rows(self) -> Tensor:
        """Which rows (out) of the value module are W_V."""
        shape, arch = self.shape, self.architecture
        size = shape.kv_heads * shape.head_dim
        if arch.fused == "no":
            return torch.arange(size)
        if arch.fused == "stacked":
            return torch.arange(size) + shape.heads * shape.head_dim + size
        starts = torch.arange(shape.heads) * 3 * shape.head_dim + 2 * shape.head_dim
        return (starts[:, None] + torch.arange(shape.head_dim)).flatten()

    def value_outputs(self) -> int:
        """Number of rows (out) of the value module, fused or not."""
        shape = self.shape
        own = shape.kv_heads * shape.head_dim
        return own if self.architecture.fused == "no" else shape.heads * shape.head_dim + 2 * own

    def layers(self) -> Iterator[LayerWeights]:
        """The layers, each read when it is asked for."""
        for layer in range(self.shape.layers):
            yield self.layer(layer)

    def layer(self, layer: int) -> LayerWeights:
        """One layer."""
        shape, rows = self.shape, self.value_rows()
        value = self._weight(self.value_module(layer), (self.value_outputs(), shape.width), rows)
        output = self._weight(self.output_module(layer), (shape.width, shape.heads * shape.head_dim))
        gain = None
        if self.architecture.norm is not None:
            gain = self._gain(self.architecture.norm.format(layer))
        return LayerWeights(layer, shape, value, output, gain)

    def _weight(self, module: str, expected: tuple[int, int], rows: Tensor | None = None) -> Tensor:
        """A weight as (out, in), or the rows of it."""
        transposed = self.architecture.fan_in_fan_out
        name = self._name(module)
        found = self.checkpoint.shape(name)
        wanted = expected[::-1] if transposed else expected
        if found != wanted:
            raise InputError(f"{self.folder}: {name} has shape {found}, config.json says {wanted}")
        if rows is None:
            weight = self.checkpoint.read(name)
            return weight.mT.contiguous() if transposed else weight
        low, high = int(rows[0]), int(rows[-1]) + 1
        if transposed:
            part = self.checkpoint.read_part(name, lambda stored: stored[:, low:high]).mT
        else:
            part = self.checkpoint.read_part(name, lambda stored: stored[low:high])
        return part[rows - low].contiguous()

    def _gain(self, module: str) -> Tensor:
        name = self._name(module)
        if self.checkpoint.shape(name) != (self.shape.width,):
            found = self.checkpoint.shape(name)
            raise InputError(f"{self.folder}: {name} has shape {found}, config.json says {(self.shape.width,)}")
        return self.checkpoint.read(name)

    def _name(self, module: str) -> str:
        name = self._names.get(f"{module}.weight")
        if name is None:
            kind = self.architecture.name
            raise InputError(f"{self.folder} has no tensor {module}.weight: not a whole {kind} model")
        return name


def _architecture(folder: Path, config: dict[str, Any]) -> Architecture:
    kind = config.get("model_type")
    found = architecture(kind) if isinstance(kind, str) else None
    if found is None:
        raise InputError(f"{folder / 'config.json'}: unknown model_type {kind!r}; known are {known_types()}")
    if config.get("quantization_config"):
        raise InputError(f"{folder}: quantised weights are not audited, save the model in floating point first")
    return found


def _shape(folder: Path, config: dict[str, Any], arch: Architecture) -> Shape:
    path = folder / "config.json"
    layers, heads, width = (_count(path, config, key) for key in (arch.layers, arch.heads, arch.width))
    kv_heads = heads
    if config.get("num_key_value_heads") is not None:
        kv_heads = _count(path, config, "num_key_value_heads")
    if config.get("head_dim") is not None:
        head_dim = _count(path, config, "head_dim")
    elif width % heads:
        raise InputError(f"{path}: {heads} heads do not divide the width {width}")
    else:
        head_dim = width // heads
    if heads % kv_heads:
        raise InputError(f"{path}: {kv_heads} key-value heads do not divide {heads} heads")
    if width < 2 or head_dim > width:
        raise InputError(f"{path}: width {width} and {head_dim} rows a head are not audited")
    return Shape(layers, heads, kv_heads, width, head_dim)


def _count(path: Path, config: dict[str, Any], key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{path}: {key} must be a whole number from 1, not {value!r}")
    return value
