"""One LoRA fine-tuning run with peft on the narrow text: the update and the forgetting on its way, and what is left of
both when the finished update is scaled, projected, or treated by peft's ``reduce_intruder_dimension``.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from proofs_checks.audit.updates import cone_margin
from proofs_checks.errors import InputError
from proofs_checks.experiment.adapters import RANK, TOP, Adapters, draw
from proofs_checks.experiment.language_model import LENGTH, LanguageModel
from proofs_checks.experiment.packages import quiet, require
from proofs_checks.experiment.points import Bench
from proofs_checks.experiment.text import narrow_text

CHECKPOINTS = (0, 1, 2, 5, 10, 20, 40, 80, 150)
"""Steps after which the run is measured (those up to its number of steps)."""
SCALES = (0.25, 0.5, 0.75, 1.0)
"""Scales at which the plain update is measured; the treated ones are at full scale."""
HELD_OUT = 2
"""Passages at the end of the narrow text that are not trained on: the task loss is theirs."""
Update = dict[tuple[int, str], Tensor]
"""(layer, ``v_proj`` or ``q_proj``) → ΔW ``(out, in)``, float32."""


@dataclass(frozen=True)
class Training:
    """A run of LoRA with AdamW, one passage a step.

    Attributes
    ----------
    targets: which modules are adapted. start: how peft initialises the factors. rate: learning rate, constant.
    """

    seed: int
    targets: tuple[str, ...]
    start: str
    rate: float
    steps: int

    @property
    def name(self) -> dict[str, Any]:
        """What the result depends on, beside the model and the code."""
        return {"what": "training", **asdict(self)}

    def measure(self, bench: Bench) -> dict[str, Any]:
        """``path`` (one row a checkpoint), ``treated`` (one row a treatment and scale), ``shape`` of the update."""
        require("peft")
        model = bench.model
        tokens, held = _texts(model, self.seed)
        bench.bare(self.seed)  # before peft wraps the modules
        assert len(model.sides) == model.depth
        path: list[dict[str, float]] = []
        update: Update = {}
        reduced: Update = {}
        for step, *updates in _trained(model, self, tokens):
            update, reduced = updates
            row = _losses(bench, self.seed, held, update) | _indicators(model, update) | {"step": step}
            path.append(row)
        treated = [{"treatment": name, "scale": s, **_losses(bench, self.seed, held, _times(found, s))}
                   for name, found in _treatments(model, update, reduced, self.seed).items()
                   for s in (SCALES if name == "plain" else SCALES[-1:])]  # fmt: skip
        return {"path": path, "treated": treated, "shape": shape(model, update, self.seed)}


def _texts(model: LanguageModel, seed: int) -> tuple[Tensor, Tensor]:
    """Passages to train on, in the seed's order, and the held-out ones."""
    text = narrow_text()
    count = len(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) // LENGTH
    if count <= HELD_OUT:
        raise InputError(f"the narrow text has {count} passages, more than {HELD_OUT} are needed")
    rows = model.passages(text, 0, count)
    order = torch.randperm(len(rows) - HELD_OUT, generator=torch.Generator().manual_seed(seed))
    return rows[order], rows[-HELD_OUT:]


def _trained(model: LanguageModel, run: Training, tokens: Tensor) -> Iterator[tuple[int, Update, Update]]:
    """(step, update so far, the last one treated by ``reduce_intruder_dimension``) at each checkpoint."""
    from peft import LoraConfig, get_peft_model  # pyright: ignore[reportMissingImports]
    from peft.tuners.lora.intruders import reduce_intruder_dimension  # pyright: ignore[reportMissingImports]

    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=list(run.targets), lora_dropout=0.0,
                        init_lora_weights=True if run.start == "plain" else run.start)  # type: ignore[arg-type]  # fmt: skip
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(run.seed)
        wrapped: Any = get_peft_model(model.module, config)
        try:
            weights = [p for p in wrapped.parameters() if p.requires_grad]
            optimizer = torch.optim.AdamW(weights, lr=run.rate, weight_decay=0.0)
            reduced: Update = {}
            for step in range(run.steps + 1):
                if step == run.steps:
                    reduce_intruder_dimension(wrapped, logging_sink=None)
                    reduced = _update(model, run.targets, "intruder_reduced")
                    wrapped.set_adapter("default")
                if step in CHECKPOINTS or step == run.steps:
                    yield step, _update(model, run.targets, "default"), reduced
                if step < run.steps:
                    row = tokens[step % len(tokens)].unsqueeze(0)
                    optimizer.zero_grad()
                    wrapped(input_ids=row, labels=row, use_cache=False).loss.backward()
                    optimizer.step()
        finally:
            wrapped.unload()
            model.module.requires_grad_(False)


def _update(model: LanguageModel, targets: tuple[str, ...], adapter: str) -> Update:
    found: Update = {}
    for layer, module in enumerate(model.layers):
        for target in targets:
            found[layer, target] = getattr(module.self_attn, target).get_delta_weight(adapter).detach().clone()
    return found


def _losses(bench: Bench, seed: int, held: Tensor, update: Update) -> dict[str, float]:
    """Forgetting on the base text and loss on the held-out narrow text, with this update on the bare weights."""
    tokens, base = bench.bare(seed)
    with applied(bench.model, update):
        return {"forgetting": bench.model.run(tokens).loss - base.loss, "task": bench.model.run(held).loss}


@contextlib.contextmanager
def applied(model: LanguageModel, update: Mapping[tuple[int, str], Tensor]) -> Iterator[None]:
    """The bare weights plus the update inside the block, whatever adapters peft has put around them."""
    changed: list[tuple[Any, Tensor]] = []
    adapted: list[Any] = []
    try:
        for (layer, target), delta in update.items():
            module = getattr(model.layers[layer].self_attn, target)
            inner = getattr(module, "base_layer", module)
            if inner is not module:
                module.enable_adapters(False)
                adapted.append(module)
            changed.append((inner, inner.weight.data))
            inner.weight.data = inner.weight.data + delta
        yield
    finally:
        for inner, weight in changed:
            inner.weight.data = weight
        for module in adapted:
            module.enable_adapters(True)


def _indicators(model: LanguageModel, update: Update) -> dict[str, float]:
    """Means over the layers of ``||ΔW_V||/√L``, ``||ΔW_V||/||W_V||``, and the cone margin of V + ΔV over ``||V||``."""
    absolute, relative, margins = [], [], []
    for layer, side in enumerate(model.sides):
        delta = update[layer, "v_proj"].double()
        size = float(torch.linalg.matrix_norm(delta, ord=2))
        absolute.append(size / math.sqrt(model.depth))
        relative.append(size / side.norms[0])
        moved = side.output @ (side.value + delta)
        margins.append(cone_margin(moved, side.directions[:, :1].mT) / side.norms[1])
    return {name: sum(x) / len(x) for name, x in (("norm_over_sqrt_layers", absolute), ("relative_norm", relative),
                                                  ("cone_margin", margins))}  # fmt: skip


def _treatments(model: LanguageModel, update: Update, reduced: Update, seed: int) -> dict[str, Update]:
    """The finished update plain; off the leading eigenvector, off the leading 16; by peft; a Gaussian one of its norms.

    Projections and the Gaussian change ``v_proj`` only.
    """
    found = {"plain": update, "intruders": reduced}
    for name, count in (("off-u1", 1), ("off-top", TOP)):
        found[name] = {key: off(model, key[0], delta, count) if key[1] == "v_proj" else delta
                       for key, delta in update.items()}  # fmt: skip
    gaussian = draw(model, Adapters("random", "v", 1.0, seed=seed))
    found["gaussian"] = dict(update)
    for layer, side in enumerate(model.sides):
        size = float(torch.linalg.matrix_norm(update[layer, "v_proj"].double(), ord=2)) / side.norms[0]
        found["gaussian"][layer, "v_proj"] = size * gaussian[layer].B @ gaussian[layer].A
    return found


def off(model: LanguageModel, layer: int, delta: Tensor, count: int) -> Tensor:
    """ΔW_V with both factors off the leading ``count`` eigenvectors of the symmetric part of this layer's V."""
    side = model.sides[layer]
    U = side.directions[:, :count]
    left = torch.linalg.qr(side.output.mT @ U).Q
    kept = delta.double()
    kept = kept - left @ (left.mT @ kept)
    return (kept - (kept @ U) @ U.mT).float()


def _times(update: Update, scale: float) -> Update:
    return {key: scale * delta for key, delta in update.items()}


def shape(model: LanguageModel, update: Update, seed: int) -> dict[str, dict[str, float]]:
    """How far the update of W_V is from independent Gaussian factors of its rank: each number for both.

    ``stable_rank``: ``||ΔW||_F²/||ΔW||²``. ``between_layers``: mean of ``|<ΔW_l, ΔW_k>|/(||ΔW_l||_F ||ΔW_k||_F)``.
    ``along_top``: share of ``||ΔW||_F²`` that reads the leading 16 eigenvectors of V's symmetric part.
    """
    gaussian = draw(model, Adapters("random", "v", 1.0, seed=seed))
    ours = [update[layer, "v_proj"].double() for layer in range(model.depth)]
    theirs = [(gaussian[layer].B @ gaussian[layer].A).double() for layer in range(model.depth)]
    return {name: _shape(model, matrices) for name, matrices in (("trained", ours), ("gaussian", theirs))}


def _shape(model: LanguageModel, matrices: list[Tensor]) -> dict[str, float]:
    stable = [float(x.square().sum()) / float(torch.linalg.matrix_norm(x, ord=2)) ** 2 for x in matrices]
    flat = torch.nn.functional.normalize(torch.stack([x.flatten() for x in matrices]), dim=-1)
    L = len(matrices)
    between = float(((flat @ flat.mT).abs().sum() - L) / (L * (L - 1))) if L > 1 else 0.0
    top = [float((x @ side.directions[:, :TOP]).square().sum() / x.square().sum())
           for x, side in zip(matrices, model.sides, strict=True)]  # fmt: skip
    return {"stable_rank": sum(stable) / L, "between_layers": between, "along_top": sum(top) / L}
