"""Tensor names of the architectures that can be audited, one row each.

A template names a module with ``{}`` for the layer; what a checkpoint puts in front of it is in ``PREFIXES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fused = Literal["no", "stacked", "interleaved"]


@dataclass(frozen=True)
class Architecture:
    """Where the value side of attention lies in a checkpoint.

    Attributes
    ----------
    name: what the audit prints.
    model_types: values of ``model_type`` in ``config.json``.
    value, output: modules of W_V (or of the fused projection) and W_O.
    norm: module of the normalisation in front of attention whose gain is folded in, or None where the tokens
        themselves are normalised (Post-LN: there the gain is a part of the token).
    fused: ``stacked``: rows of all queries, then all keys, then all values; ``interleaved``: query, key and value
        rows of head 0, then of head 1, ...
    fan_in_fan_out: weights are stored (in, out), as GPT-2's ``Conv1D`` does.
    causal: every token sees only the tokens before it.
    layers, heads, width: keys of ``config.json``.
    """

    name: str
    model_types: tuple[str, ...]
    value: str
    output: str
    norm: str | None
    fused: Fused = "no"
    fan_in_fan_out: bool = False
    causal: bool = True
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    width: str = "hidden_size"

    @property
    def post_ln(self) -> bool:
        """Tokens are normalised after each step, as in the theorems."""
        return self.norm is None


PREFIXES = ("model.", "transformer.", "bert.", "roberta.", "electra.", "gpt_neox.")
"""What a checkpoint or an adapter may put in front of a module's name."""

ARCHITECTURES = (
    Architecture(
        "llama", ("llama", "mistral", "qwen2", "qwen3"),
        "layers.{}.self_attn.v_proj", "layers.{}.self_attn.o_proj", "layers.{}.input_layernorm",
    ),
    Architecture(
        "phi", ("phi",), "layers.{}.self_attn.v_proj", "layers.{}.self_attn.dense", "layers.{}.input_layernorm",
    ),
    Architecture(
        "phi3", ("phi3",),
        "layers.{}.self_attn.qkv_proj", "layers.{}.self_attn.o_proj", "layers.{}.input_layernorm", fused="stacked",
    ),
    Architecture(
        "gpt2", ("gpt2",), "h.{}.attn.c_attn", "h.{}.attn.c_proj", "h.{}.ln_1",
        fused="stacked", fan_in_fan_out=True, layers="n_layer", heads="n_head", width="n_embd",
    ),
    Architecture(
        "gpt_neox", ("gpt_neox",),
        "layers.{}.attention.query_key_value", "layers.{}.attention.dense", "layers.{}.input_layernorm",
        fused="interleaved",
    ),
    Architecture(
        "bert", ("bert", "roberta", "xlm-roberta", "electra"),
        "encoder.layer.{}.attention.self.value", "encoder.layer.{}.attention.output.dense", None, causal=False,
    ),
)  # fmt: skip


def architecture(model_type: str) -> Architecture | None:
    """The row of this ``model_type``, or None."""
    return next((row for row in ARCHITECTURES if model_type in row.model_types), None)


def known_types() -> str:
    """All known values of ``model_type``, for messages."""
    return ", ".join(name for row in ARCHITECTURES for name in row.model_types)


def canonical(name: str) -> str:
    """A module's name without what checkpoints put in front of it."""
    while True:
        prefix = next((p for p in PREFIXES if name.startswith(p)), None)
        if prefix is None:
            return name
        name = name[len(prefix) :]
