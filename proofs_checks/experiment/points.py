"""One measured point: a language model with one family of random adapters, on the passages of one seed.

The same points serve the experiments norm, ablation, correlation, collapse and the hidden states of depth.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from proofs_checks.experiment.adapters import Adapters, added
from proofs_checks.experiment.language_model import LanguageModel, Outcome
from proofs_checks.experiment.text import base_text

PASSAGES = 2


@dataclass(frozen=True)
class Point:
    """Adapters None: the bare model."""

    seed: int
    adapters: Adapters | None = None

    @property
    def name(self) -> dict[str, Any]:
        """What the result depends on, beside the model and the code."""
        return {"what": "point", **asdict(self)}


class Bench:
    """A model, and what its bare self does on the passages of each seed (computed once)."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self._bare: dict[int, tuple[Tensor, Outcome]] = {}

    def bare(self, seed: int) -> tuple[Tensor, Outcome]:
        """Tokens and outcome of the bare model."""
        if seed not in self._bare:
            tokens = self.model.passages(base_text(), seed, PASSAGES)
            self._bare[seed] = (tokens, self.model.run(tokens))
        return self._bare[seed]

    def forgetting(self, seed: int, adapters: Adapters) -> float:
        """Loss on the base text with the adapters, less that of the bare model (PEFT's forgetting), nats."""
        tokens, base = self.bare(seed)
        with added(self.model, adapters):
            return self.model.run(tokens).loss - base.loss

    def measure(self, point: Point) -> dict[str, Any]:
        """The point's numbers.

        ``forgetting`` (nats), ``accuracy``, ``deviation``: after each layer, mean of ``½|x - x̃|²`` over tokens on the
        unit sphere, the same token with and without adapters; ``cosine``: mean cosine of two tokens of a passage, after
        each layer; ``frobenius``: mean of ``||ΔV||_F/||V||``. The first token, which attention uses as a sink, is left
        out of both.
        """
        tokens, base = self.bare(point.seed)
        if point.adapters is None:
            return {"loss": base.loss, "accuracy": base.accuracy, "forgetting": 0.0, "frobenius": 0.0,
                    "deviation": [0.0] * self.model.depth, "cosine": mean_cosine(base.states)}  # fmt: skip
        with added(self.model, point.adapters) as factors:
            found = self.model.run(tokens)
        return {
            "loss": found.loss,
            "accuracy": found.accuracy,
            "forgetting": found.loss - base.loss,
            "frobenius": sum(x.frobenius for x in factors.values()) / len(factors),
            "deviation": deviation(base.states, found.states),
            "cosine": mean_cosine(found.states),
        }


def deviation(base: Tensor, moved: Tensor) -> list[float]:
    """Mean of ``½|x - x̃|² = 1 - <x, x̃>`` by layer; states ``(L, B, n, d)`` of length 1."""
    return (1 - (base * moved).sum(-1))[..., 1:].mean((1, 2)).tolist()


def mean_cosine(states: Tensor) -> list[float]:
    """Mean of ``<x_i, x_j>`` over pairs of different tokens of a passage, by layer; states ``(L, B, n, d)``."""
    tokens = states[:, :, 1:]
    n = tokens.shape[2]
    total = tokens.sum(2).square().sum(-1) - tokens.square().sum((2, 3))
    return (total / (n * (n - 1))).mean(1).to(torch.float64).tolist()
