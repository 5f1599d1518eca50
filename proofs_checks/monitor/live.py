"""A model in memory with LoRA layers, as the audit reads one from files; needs torch alone.

A LoRA layer is a module with ``base_layer``, and ``lora_A``, ``lora_B``, ``scaling`` by adapter, as PEFT's are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from proofs_checks.audit.architectures import canonical
from proofs_checks.audit.checkpoint import Checkpoint
from proofs_checks.audit.model import Model
from proofs_checks.errors import InputError

_NAME = Path("the model")
_ROOT = "base_model.model."


class LiveTensors(Checkpoint):
    """The weights of a model in memory under the names that its checkpoint has; read on the CPU."""

    def __init__(self, model: nn.Module) -> None:
        found = {
            name.removeprefix(_ROOT).replace(".base_layer.", "."): x
            for name, x in model.named_parameters()
            if ".lora_" not in name
        }
        self.folder = _NAME
        self._tensors = found
        self._files = dict.fromkeys(found, _NAME)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one tensor."""
        return tuple(self._tensors[name].shape)

    def _with(self, name: str, read: Callable[[Any], Any]) -> Any:
        return read(self._tensors[name].detach().cpu())


@dataclass(frozen=True)
class LiveFactors:
    """``B (out, r)``, ``A (r, in)`` (the parameters themselves) and the scale of one LoRA layer."""

    left: Tensor
    right: Tensor
    scale: float


def live_model(model: nn.Module) -> Model:
    """The base model behind the LoRA layers. Raises :class:`InputError` where it is none that the audit reads."""
    config = getattr(model, "config", None)
    settings = config if isinstance(config, dict) or config is None else config.to_dict()
    if not isinstance(settings, dict):
        raise InputError("the model has no config: give a transformers model with PEFT's LoRA layers")
    return Model(_NAME, (settings, LiveTensors(model)))


def lora_layers(model: nn.Module) -> dict[str, str]:
    """Canonical name → own name of every LoRA layer."""
    return {
        canonical(name.removeprefix(_ROOT)): name
        for name, x in model.named_modules()
        if hasattr(x, "lora_A") and hasattr(x, "lora_B") and hasattr(x, "base_layer")
    }


def chosen_adapter(model: nn.Module, names: list[str], adapter: str | None) -> str:
    """The adapter to watch: the one named, or the active one. Raises :class:`InputError` where that is not one."""
    layers = [model.get_submodule(name) for name in names]
    known = sorted({x for layer in layers for x in _keys(layer)})
    if adapter is not None:
        if adapter not in known:
            raise InputError(f"no adapter {adapter!r} in the value or output projections; there are {known}")
        return adapter
    active = getattr(layers[0], "active_adapters", known)
    active = [x for x in ([active] if isinstance(active, str) else active) if x in known]
    if len(active) != 1:
        raise InputError(f"one adapter is watched and {active} are active: name one of {known}")
    return active[0]


def live_factors(model: nn.Module, name: str, adapter: str) -> LiveFactors | None:
    """The factors of one LoRA layer, or None where it has not this adapter.

    Raises :class:`InputError` where the update is not s·B·A.
    """
    layer: Any = model.get_submodule(name)
    if adapter not in _keys(layer):
        return None
    if adapter in getattr(layer, "lora_variant", {}) or getattr(layer, "use_dora", {}).get(adapter):
        raise InputError(f"{name}: DoRA and other variants are not s·B·A, the monitor needs plain LoRA")
    if getattr(layer, "lora_bias", {}).get(adapter):
        raise InputError(f"{name}: lora_bias adds a bias beside s·B·A, the monitor needs plain LoRA")
    if getattr(layer, "merged", False):
        raise InputError(f"{name}: the adapter is merged into the weight, unmerge it first")
    return LiveFactors(layer.lora_B[adapter].weight, layer.lora_A[adapter].weight, float(layer.scaling[adapter]))


def _keys(layer: Any) -> list[str]:
    return list(layer.lora_A.keys())
