"""A causal language model of the Llama family: its loss, and its hidden states after every layer.

Attention of layer l adds ``Σ_h W_O[:, h] W_V[g(h)] m_h`` to the residual stream, m_h the tokens (normalised, with
their gain) weighted by head h; where the heads attend alike this is ``V m`` with ``V = W_O R W_V``, R the repetition of
the key-value heads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from proofs_checks.errors import InputError
from proofs_checks.experiment.packages import quiet, require
from proofs_checks.json_file import read_object

FAMILY = ("llama", "mistral", "qwen2")
"""Values of ``model_type`` whose layers have the modules used here: self_attn.v_proj and self_attn.o_proj."""
LENGTH = 128
"""Tokens of a passage."""


@dataclass(frozen=True)
class Outcome:
    """One forward pass over tokens ``(B, n)``.

    Attributes
    ----------
    loss: mean cross-entropy of the next token, nats.
    accuracy: share of next tokens that are the most likely one.
    states: after each layer, ``(L, B, n, d)`` float32, normalised to length 1.
    """

    loss: float
    accuracy: float
    states: Tensor


@dataclass(frozen=True)
class ValueSide:
    """W_V ``(kv, d)`` and ``M = W_O R`` ``(d, kv)`` of one layer, float64; the value matrix is ``M W_V``."""

    value: Tensor
    output: Tensor

    @cached_property
    def norms(self) -> tuple[float, float]:
        """``||W_V||`` and ``||M W_V||``."""
        whole = torch.linalg.matrix_norm(self.output @ self.value, ord=2)
        return float(torch.linalg.matrix_norm(self.value, ord=2)), float(whole)

    @cached_property
    def directions(self) -> Tensor:
        """Eigenvectors ``(d, d)`` of the symmetric part of ``M W_V``, largest eigenvalue first."""
        V = self.output @ self.value
        return torch.linalg.eigh((V + V.mT) / 2).eigenvectors.flip(-1)

    @cached_property
    def rows(self) -> Tensor:
        """Orthonormal basis ``(d, kv)`` of the row space of W_V."""
        return torch.linalg.qr(self.value.mT).Q


class LanguageModel:
    """A model directory with its tokenizer. Raises :class:`InputError`, one line, where it is not one of the family."""

    def __init__(self, folder: Path) -> None:
        require("transformers", "accelerate")
        config = read_object(folder / "config.json", f"{folder} has no config.json: give the directory of a model")
        kind = config.get("model_type")
        if kind not in FAMILY:
            raise InputError(f"{folder}: the experiments run on model_type {', '.join(FAMILY)}, this one is {kind!r}")
        if not (folder / "model.safetensors").is_file() and not (folder / "model.safetensors.index.json").is_file():
            raise InputError(f"{folder} has no model.safetensors: save the model in safetensors")
        from transformers import AutoModelForCausalLM, AutoTokenizer  # pyright: ignore[reportMissingImports]

        try:
            with quiet():
                self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                self.module: Any = AutoModelForCausalLM.from_pretrained(
                    folder,
                    dtype=torch.float32,
                    attn_implementation="eager",  # the hooks read the attention weights
                    local_files_only=True,
                    use_safetensors=True,
                )
        except Exception as error:  # transformers raises whatever its parts raise
            line = next((x for x in str(error).splitlines() if x.strip()), type(error).__name__)
            raise InputError(f"{folder} cannot be loaded as a language model: {line}") from error
        self.module.eval()
        self.module.requires_grad_(False)
        self.folder = folder
        self._config = config

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.folder.resolve().name

    @property
    def layers(self) -> list[Any]:
        """The modules of the layers."""
        return list(self.module.model.layers)

    @property
    def depth(self) -> int:
        """L."""
        return len(self.module.model.layers)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of configuration and weights as they are in memory."""
        found = hashlib.sha256(repr(sorted(self._config.items(), key=str)).encode())
        for name, weight in self.module.state_dict().items():
            found.update(name.encode())
            found.update(weight.contiguous().numpy().tobytes())
        return found.hexdigest()

    @cached_property
    def sides(self) -> list[ValueSide]:
        """The value side of every layer."""
        config = self.module.config
        heads, kv = config.num_attention_heads, config.num_key_value_heads
        found = []
        for layer in self.layers:
            value = layer.self_attn.v_proj.weight.detach().double()
            output = layer.self_attn.o_proj.weight.detach().double()
            size = output.shape[1] // heads
            grouped = output.view(output.shape[0], kv, heads // kv, size).sum(2)
            found.append(ValueSide(value, grouped.reshape(output.shape[0], kv * size)))
        return found

    def passages(self, text: str, seed: int, count: int, length: int = LENGTH) -> Tensor:
        """``(count, length)`` tokens: the seed's own passages, one after another, from the start again at the end."""
        ids = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        whole = len(ids) // length
        if whole < count:
            raise InputError(f"the text has {len(ids)} tokens, {count} passages of {length} are needed")
        rows = torch.tensor(ids[: whole * length]).view(whole, length)
        return rows[(torch.arange(count) + seed * count) % whole]

    def run(self, tokens: Tensor) -> Outcome:
        """One forward pass."""
        states: list[Tensor] = []
        handles = [layer.register_forward_hook(_keep(states)) for layer in self.layers]
        try:
            with torch.no_grad():
                logits = self.module(input_ids=tokens, use_cache=False).logits
        finally:
            for handle in handles:
                handle.remove()
        targets = tokens[:, 1:].flatten()
        predicted = logits[:, :-1].flatten(0, 1).float()
        loss = float(torch.nn.functional.cross_entropy(predicted, targets))
        accuracy = float((predicted.argmax(-1) == targets).float().mean())
        return Outcome(loss, accuracy, torch.nn.functional.normalize(torch.stack(states), dim=-1))


def _keep(states: list[Tensor]) -> Callable[..., None]:
    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        states.append((output if isinstance(output, Tensor) else output[0]).float())

    return hook
