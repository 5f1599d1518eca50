"""SmolLM2 from the installed package: converted, read by the audit, and a language model."""

from __future__ import annotations

import pytest
import torch

from proofs_checks.audit.model import Model
from proofs_checks.experiment.language_model import LanguageModel
from proofs_checks.experiment.smollm2 import default_model
from proofs_checks.experiment.text import base_text

pytestmark = pytest.mark.models


def test_the_audit_reads_what_was_converted() -> None:
    shape = Model(default_model()).shape
    assert (shape.layers, shape.heads, shape.kv_heads, shape.width) == (30, 9, 3, 576)


def test_it_knows_english() -> None:
    """The tokens in another order are far less likely; no model would do better than log 49,152 = 10.8 on noise."""
    model = LanguageModel(default_model())
    tokens = model.passages(base_text(), 0, 1)
    order = torch.randperm(tokens.shape[1], generator=torch.Generator().manual_seed(0))
    assert model.run(tokens).loss + 2 < model.run(tokens[:, order]).loss
