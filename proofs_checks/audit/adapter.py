"""LoRA adapters in PEFT's format: what ``adapter_config.json`` and ``adapter_model.safetensors`` add to a weight.

``ΔW = scale · B A`` with A ``(r, in)``, B ``(out, r)``, ``scale = lora_alpha / r`` (``/ √r`` with ``use_rslora``); r
and alpha come from the first key of ``rank_pattern`` and ``alpha_pattern`` that the module's name ends with, if there
is one. With DoRA and its magnitudes m, one per row (out): ``ΔW = m/||W + scale·BA||_row · (W + scale·BA) - W``; several
adapters add up, as they do in PEFT's forward pass. Source: PEFT 0.21, ``tuners/lora/{model,layer,dora}.py`` and
``tuners/tuners_utils.py``. Whatever makes an update something else is refused, with the reason.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from numerics.factored import Factors
from proofs_checks.audit.architectures import canonical
from proofs_checks.audit.checkpoint import Checkpoint
from proofs_checks.audit.model import Model
from proofs_checks.errors import InputError
from proofs_checks.json_file import read_object

_ROOT = "base_model.model."
FACTOR_A, FACTOR_B = ".lora_A.weight", ".lora_B.weight"
_MAGNITUDE = (".lora_magnitude_vector", ".lora_magnitude_vector.weight")
_PLAIN_INITS = (True, False, None, "gaussian", "eva", "orthogonal", "mica")
"""Initialisations that leave the base weight as it is."""
_REFUSED = {
    "kasa_config": "KaSA replaces the base weight by a truncated SVD and scales the update by singular values",
    "modules_to_save": "modules_to_save replaces whole modules, so the change is not scale·B·A",
    "trainable_token_indices": "trainable_token_indices changes embeddings beside the adapter",
    "layer_replication": "layer_replication changes the number of layers",
    "alora_invocation_tokens": "aLoRA acts on the tokens after its invocation alone",
    "lora_bias": "lora_bias adds a bias beside scale·B·A",
    "use_qalora": "QALoRA pools the inputs, so the update is not scale·B·A",
    "use_bdlora": "BD-LoRA stores block-diagonal factors",
    "arrow_config": "Arrow mixes several adapters token by token",
    "target_parameters": "target_parameters adapts parameters that are no linear layers",
    "monteclora_config": "MonteCLoRA samples its factors",
    "velora_config": "VeLoRA adapters are not known to be scale·B·A",
    "megatron_config": "Megatron adapters are sharded",
}
"""Field of the configuration → why an adapter that sets it is not audited."""
_NAMES = ("target_modules", "exclude_modules", "layers_pattern")
OTHER_UPDATES = ("lora_embedding_A", "lora_embedding_B")
_LARGEST = 1e60
"""What no number of an adapter reaches: sums of squares of products stay far from overflow below it."""
TIED_HEADS = ("lm_head", "embed_out", "cls.predictions.decoder")
"""Modules that a checkpoint may lack, since their weight is that of the embedding."""


@dataclass(frozen=True)
class Adapter:
    """One adapter: its settings, its tensors, and which modules (by canonical name) it changes.

    Attributes
    ----------
    name: the directory's own name.
    config: ``adapter_config.json``.
    store: the tensors, read one at a time.
    modules: canonical module name → name in the file, without ``.lora_A.weight``.
    """

    name: str
    config: dict[str, Any]
    store: Checkpoint
    modules: dict[str, str]

    def rank(self, module: str) -> int:
        """r of a module, by the configuration."""
        return int(_by_pattern(self.config, "rank_pattern", self.peft_name(module), "r"))

    def scale(self, module: str) -> float:
        """``lora_alpha / r`` or ``lora_alpha / √r``."""
        rank = self.rank(module)
        alpha = float(_by_pattern(self.config, "alpha_pattern", self.peft_name(module), "lora_alpha"))
        return alpha / (math.sqrt(rank) if self.config.get("use_rslora") else rank)

    def update(self, module: str, weight: Tensor, outputs: int, rows: Tensor | None = None) -> Tensor | None:
        """ΔW of the shape of ``weight (out, in)``, the rows ``rows`` of the module's ``outputs`` (None: all of them).

        None where the adapter does not change the module. Raises :class:`InputError` where shapes do not match.
        """
        if module not in self.modules:
            return None
        key = self.modules[module]
        left, right = self.factors(module, outputs, weight.shape[1])
        if rows is not None:
            left = left[rows]
        change = self.scale(module) * (left @ right)
        if not self.config.get("use_dora"):
            return change
        magnitude = self._magnitude(key, outputs)
        if rows is not None:
            magnitude = magnitude[rows]
        moved = weight + change
        norms = moved.norm(dim=1)
        if not bool((norms > 0).all()):
            raise InputError(f"{self.store.folder}: DoRA divides by a zero row of {module}")
        return (magnitude / norms).unsqueeze(1) * moved - weight

    def factors(self, module: str, outputs: int, inputs: int) -> Factors:
        """``B (outputs, r)`` and ``A (r, inputs)`` of a module that the adapter changes, float64.

        Raises :class:`InputError` where shapes do not match, or values are not finite or overflow in what is measured.
        """
        key, rank = self.modules[module], self.rank(module)
        self._expect(key + FACTOR_A, (rank, inputs))
        self._expect(key + FACTOR_B, (outputs, rank))
        left, right = self.store.read(key + FACTOR_B), self.store.read(key + FACTOR_A)
        if not self.scale(module) * float(left.norm() * right.norm()) < _LARGEST:
            raise InputError(
                f"{self.store.folder}: the update of {module} is above {_LARGEST:g}, too large to measure: a diverged "
                "training, or a wrong lora_alpha?"
            )
        return left, right

    def peft_name(self, module: str) -> str:
        """The module's name as PEFT matches it against ``rank_pattern`` and ``alpha_pattern``."""
        return self.modules[module].removeprefix(_ROOT)

    def _magnitude(self, key: str, outputs: int) -> Tensor:
        name = next((key + tail for tail in _MAGNITUDE if key + tail in self.store.names()), None)
        if name is None:
            raise InputError(f"{self.store.folder}: use_dora is set, but {key} has no lora_magnitude_vector")
        found = self.store.read(name)
        if found.numel() != outputs:
            raise InputError(f"{self.store.folder}: {name} has {found.numel()} entries, the model {outputs} rows")
        return found.flatten()

    def _expect(self, name: str, wanted: tuple[int, int]) -> None:
        found = self.store.shape(name)
        if found != wanted:
            raise InputError(
                f"{self.store.folder}: {name} has shape {found}, model and configuration need {wanted}: "
                "the adapter is of another model, or its rank is not what the configuration says"
            )


def read_adapter(folder: Path, model: Model) -> Adapter:
    """An adapter of this model. Raises :class:`InputError` for whatever is not ``ΔW = scale·B·A`` or DoRA."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a directory: the audit reads local directories")
    absent = f"{folder} has no adapter_config.json: give the directory of a PEFT adapter"
    config = read_object(folder / "adapter_config.json", absent)
    _check_config(folder, config)
    store = Checkpoint(folder, stem="adapter_model")
    modules = _modules(folder, config, store)
    adapter = Adapter(folder.resolve().name, config, store, modules)
    _check_targets(folder, adapter, model)
    return adapter


def _check_config(folder: Path, config: dict[str, Any]) -> None:
    def refuse(reason: str) -> InputError:
        return InputError(f"{folder}: {reason}")

    if config.get("peft_type") != "LORA":
        raise refuse(f"peft_type {config.get('peft_type')!r} is not audited, only LORA: ΔW is not scale·B·A")
    if config.get("bias", "none") != "none":
        raise refuse(f"bias = {config['bias']!r} trains biases beside the adapter; only 'none' is audited")
    init = config.get("init_lora_weights", True)
    if init not in _PLAIN_INITS:
        raise refuse(
            f"init_lora_weights = {init!r} changes the base weights, so ΔW is not scale·B·A without the initial "
            "adapter: save it with path_initial_model_for_weight_conversion"
        )
    for field, reason in _REFUSED.items():
        if config.get(field):
            raise refuse(reason)
    for field in ("r", "lora_alpha"):
        if not _is_number(config.get(field)) or config[field] <= 0:
            raise refuse(f"{field} must be a positive number, not {config.get(field)!r}")
    for field in ("rank_pattern", "alpha_pattern"):
        pattern = config.get(field) or {}
        if not isinstance(pattern, dict) or not all(_is_number(x) and x > 0 for x in pattern.values()):
            raise refuse(f"{field} must map names to positive numbers")
        for name in pattern:
            _compiled(folder, field, name)
    for field in _NAMES:
        names = config.get(field)
        if names is not None and not isinstance(names, (str, list)):
            raise refuse(f"{field} must be a name, a regular expression or a list of names, not {names!r}")
        if isinstance(names, str):
            _compiled(folder, field, names)
    layers = config.get("layers_to_transform")
    if layers is not None and not isinstance(layers, (int, list)):
        raise refuse(f"layers_to_transform must be a number or a list of numbers, not {layers!r}")


def _compiled(folder: Path, field: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise InputError(f"{folder}: {field} {pattern!r} is no regular expression: {error}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST


def _modules(folder: Path, config: dict[str, Any], store: Checkpoint) -> dict[str, str]:
    """Canonical module name → its key, checked for factors that stand alone or that are not known."""
    names = store.names()
    keys = {name.removesuffix(FACTOR_A) for name in names if name.endswith(FACTOR_A)}
    for name in names:
        key = next((name.removesuffix(t) for t in (FACTOR_A, FACTOR_B, *_MAGNITUDE) if name.endswith(t)), None)
        if key is None and any(other in name for other in OTHER_UPDATES):
            continue  # embeddings: named in the target check, and no part of attention
        if key is None or key not in keys:
            raise InputError(f"{folder}: {name} is no part of scale·B·A")
        if name.endswith(_MAGNITUDE) and not config.get("use_dora"):
            raise InputError(f"{folder}: {name} is there, but use_dora is not set")
    for key in keys:
        if key + FACTOR_B not in names:
            raise InputError(f"{folder} has {key}{FACTOR_A} but no {key}{FACTOR_B}")
    if not keys:
        raise InputError(f"{folder} holds no lora_A and lora_B")
    return {canonical(key.removeprefix(_ROOT)): key for key in sorted(keys)}


def _check_targets(folder: Path, adapter: Adapter, model: Model) -> None:
    known = model.modules() | set(TIED_HEADS)
    for module, key in adapter.modules.items():
        if module not in known:
            raise InputError(f"{folder}: it adapts {module}, which {model.folder} does not have: of another model?")
        if not targets(adapter.config, key.removeprefix(_ROOT)):
            raise InputError(f"{folder}: it has factors for {module}, which target_modules does not name")
    wanted = {
        module
        for layer in range(model.shape.layers)
        for module in (model.value_module(layer), model.output_module(layer))
    }
    prefix = _prefix(adapter)
    for module in sorted(wanted - set(adapter.modules)):
        if targets(adapter.config, prefix + module):
            raise InputError(f"{folder}: target_modules names {module}, but there are no factors for it")


def _prefix(adapter: Adapter) -> str:
    """What this adapter puts in front of canonical names, ``model.`` or so; regular expressions may need it."""
    module, key = next(iter(adapter.modules.items()))
    return key.removeprefix(_ROOT).removesuffix(module)


def targets(config: dict[str, Any], name: str) -> bool:
    """Whether PEFT adapts the module ``name`` under this configuration (its ``check_target_module_exists``)."""
    excluded, wanted = config.get("exclude_modules"), config.get("target_modules")
    if excluded and _matches(excluded, name):
        return False
    if wanted is None:
        return True  # PEFT chose by its own table of architectures: the file says what it chose
    if wanted == "all-linear":
        return True
    if not _matches(wanted, name):
        return False
    layers = config.get("layers_to_transform")
    if isinstance(wanted, str) or layers is None or layers == []:
        return True
    patterns = config.get("layers_pattern") or [r"[^.]*"]
    patterns = [patterns] if isinstance(patterns, str) else patterns
    found = next((m for p in patterns if (m := re.match(rf"(?:^|.*?\.){p}\.(?P<idx>\d+)\.", name))), None)
    if found is None:
        return False
    return int(found["idx"]) in ([layers] if isinstance(layers, int) else layers)


def _matches(wanted: str | list[str], name: str) -> bool:
    """A regular expression for the whole name, or names of which one is its end."""
    if isinstance(wanted, str):
        return re.fullmatch(wanted, name) is not None
    return any(name == end or name.endswith(f".{end}") for end in wanted)


def _by_pattern(config: dict[str, Any], field: str, name: str, default: str) -> Any:
    """The value of the first pattern that matches the end of the name, else the default field."""
    for pattern, value in (config.get(field) or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", name):
            return value
    return config[default]
