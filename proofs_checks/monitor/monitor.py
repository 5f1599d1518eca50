"""The monitor: per head ``||ΔV||/√L``, the cone margin and the drift bound of the live update, by its factors alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from numerics.factored_growth import HeadConstants, LiveFactorsOfLayers, growth
from proofs_checks.audit.model import Model, Shape
from proofs_checks.errors import InputError
from proofs_checks.monitor.constants import constants
from proofs_checks.monitor.live import LiveFactors, chosen_adapter, live_factors, live_model, lora_layers
from proofs_checks.project.directions import leading
from proofs_checks.project.factors import Read, off_reading_of_heads, read_by
from theory import prop_3_3
from theory.lowering import to_torch

HEAD_QUANTITIES = ("norm", "norm_over_sqrt_layers", "cone_margin", "drift_bound")


@dataclass(frozen=True)
class _Group:
    """Layers whose factors have the same shapes: measured as one batch."""

    layers: tuple[int, ...]
    constants: HeadConstants


class Monitor:
    """Watches one adapter of a model in memory.

    Precomputed once, on the CPU in float64, from the base weights, which training leaves alone: for every head the
    unit vector u, the leading eigenvector of the symmetric part of V or its leading right one, about which the cone
    margin of V is larger; V's own blocks about u; ``OᵀO`` and the images of u under the head's factors; where the
    output projection is adapted also copies of W_V and W_O. A measurement multiplies the factors with these and solves
    eigenproblems of the adapter's rank. It reads parameters, draws nothing and changes nothing.

    The norm is exact to rounding, never below. The cone margin is a lower bound of the true one about the same u, since
    ``||P⊥ṼP⊥||`` is bounded by the sum of the norms and rounding is taken outwards; the drift bound ``arctan t-``
    follows from it and exists where the margin is above 0.

    Parameters
    ----------
    model: a transformers model of an architecture of the audit, with PEFT's LoRA layers.
    adapter: its name; the active one by default.

    Raises :class:`InputError` where the model is unknown, has no LoRA on the value side, or its update is not s·B·A.
    """

    def __init__(self, model: nn.Module, adapter: str | None = None) -> None:
        base = live_model(model)
        known = lora_layers(model)
        depth = range(base.shape.layers)
        self.shape: Shape = base.shape
        self._names = {
            (layer, side): known[module]
            for layer in depth
            for side, module in (("value", base.value_module(layer)), ("output", base.output_module(layer)))
            if module in known
        }
        if not self._names:
            raise InputError("no LoRA layer on a value or output projection: there is nothing to watch")
        self.adapter = chosen_adapter(model, list(self._names.values()), adapter)
        self._rows = base.value_rows()
        self._device = next(iter(self._live(model).values())).right.device
        self._groups = self._grouped(base, model)
        self._read: dict[int, Read] = {}

    def step(self, model: nn.Module, step: int) -> dict[str, Any]:
        """Measure once.

        Returns ``step``; ``finite``; ``largest_norm_over_sqrt_layers``, ``smallest_cone_margin``,
        ``largest_drift_bound`` (None where no head has one), ``heads_with_margin``; ``layers`` and ``heads``: ``layer``
        (and ``head``) with ``norm``, ``norm_over_sqrt_layers``, ``cone_margin`` and ``drift_bound`` (radians, None
        where the margin is not above 0; of a layer the worst of its heads). Where a factor is not finite, all of them
        are None and both lists are empty.
        """
        live = self._live(model)
        factors = [self._factors(group, live) for group in self._groups]
        if not all(_finite(x) for x in factors):
            return {"step": step, "finite": False, **dict.fromkeys(_TOTALS), "layers": [], "heads": []}
        rows: dict[int, list[dict[str, Any]]] = {}
        for group, own in zip(self._groups, factors, strict=True):
            numbers = self._measure(group, own).cpu()
            for layer, heads_of_layer in zip(group.layers, numbers.tolist(), strict=True):
                for head, values in enumerate(heads_of_layer):
                    found: dict[str, Any] = dict(zip(HEAD_QUANTITIES, values, strict=True))
                    if math.isnan(found["drift_bound"]):
                        found["drift_bound"] = None
                    rows.setdefault(layer, []).append({"layer": layer, "head": head, **found})
        heads = [x for layer in sorted(rows) for x in rows[layer]]
        layers = [{"layer": layer, **_worst(rows[layer])} for layer in sorted(rows)]
        worst = _worst(heads)
        totals = (worst["norm_over_sqrt_layers"], worst["cone_margin"], worst["drift_bound"])
        count = sum(h["cone_margin"] > 0 for h in heads)
        return {
            "step": step, "finite": True, **dict(zip(_TOTALS, (*totals, count), strict=True)), "layers": layers,
            "heads": heads,
        }  # fmt: skip

    @torch.no_grad()
    def project(self, model: nn.Module) -> None:
        """Take the live A factors off the leading directions of every head, in place: b = 0, as ``project`` does it.

        What is taken off is computed at the first call (an eigenproblem for every head). The optimiser is not told.
        """
        base = live_model(model) if not self._read else None
        live = self._live(model)
        for layer in sorted({layer for layer, _ in live}):
            if base is not None:
                weights = base.layer(layer)
                self._read[layer] = read_by(weights, [leading(weights, h, 1) for h in range(self.shape.heads)])
            value, output = live.get((layer, "value")), live.get((layer, "output"))
            new = off_reading_of_heads(self._read[layer], _wide(value), _wide(output))
            for factors, changed in zip((value, output), new, strict=True):
                if factors is not None and changed is not None:
                    factors.right.copy_(changed[1])

    def _live(self, model: nn.Module) -> dict[tuple[int, str], LiveFactors]:
        found = {place: live_factors(model, name, self.adapter) for place, name in self._names.items()}
        return {place: x for place, x in found.items() if x is not None}

    def _grouped(self, base: Model, model: nn.Module) -> tuple[_Group, ...]:
        shape = self.shape
        sizes = {"value": (base.value_outputs(), shape.width), "output": (shape.width, shape.heads * shape.head_dim)}
        live = self._live(model)
        kinds: dict[tuple[int, int], list[int]] = {}
        for layer in sorted({layer for layer, _ in live}):
            pair = [live.get((layer, side)) for side in sizes]
            for (side, size), x in zip(sizes.items(), pair, strict=True):
                if x is not None and (x.left.shape[0], x.right.shape[1]) != size:
                    raise InputError(
                        f"layer {layer}: the {side} factors are {tuple(x.left.shape)} and {tuple(x.right.shape)}, the "
                        "model needs other sizes: sharded or empty parameters are not measured"
                    )
            ranks = [0 if x is None else x.right.shape[0] for x in pair]
            kinds.setdefault((ranks[0], ranks[1]), []).append(layer)
        found = []
        for (_, output_rank), layers in kinds.items():
            own = constants(shape, (base.layer(k) for k in layers), bool(output_rank))
            found.append(_Group(tuple(layers), _moved(own, self._device)))
        return tuple(found)

    @torch.no_grad()
    def _factors(self, group: _Group, live: dict[tuple[int, str], LiveFactors]) -> LiveFactorsOfLayers:
        """The factors of the group's layers, stacked before they are widened: few large operations."""
        shape, count = self.shape, len(group.layers)

        def stacked(side: str) -> tuple[Tensor, Tensor] | None:
            own = [live[layer, side] for layer in group.layers if (layer, side) in live]
            if not own:
                return None
            left = torch.stack([x.left for x in own]).double()
            scales = torch.tensor([x.scale for x in own], dtype=left.dtype, device=left.device)
            return left * scales[:, None, None], torch.stack([x.right for x in own]).double()

        value, output = stacked("value"), stacked("output")
        rows = self._rows.to(self._device)
        return LiveFactorsOfLayers(
            None if value is None else value[0][:, rows].reshape(count, shape.kv_heads, shape.head_dim, -1),
            None if value is None else value[1],
            None if output is None else output[0],
            None if output is None else output[1].reshape(count, -1, shape.heads, shape.head_dim),
        )

    @torch.no_grad()
    def _measure(self, group: _Group, factors: LiveFactorsOfLayers) -> Tensor:
        """``(K, H, 4)``: the quantities of :data:`HEAD_QUANTITIES`; NaN where there is no drift bound."""
        grown = growth(group.constants, factors)
        separation = grown.w - grown.kappa_bound
        blocks = {"cone_separation": separation, "b_norm": grown.b_norm, "c_norm": grown.c_norm}
        margin = to_torch(prop_3_3.CONE_MARGIN, **blocks)
        inner = to_torch(prop_3_3.CONE_INNER, **blocks)
        bound = torch.where(margin > 0, torch.atan(inner), torch.nan)
        return torch.stack([grown.norm, grown.norm / math.sqrt(self.shape.layers), margin, bound], dim=-1)


_TOTALS = ("largest_norm_over_sqrt_layers", "smallest_cone_margin", "largest_drift_bound", "heads_with_margin")


def _worst(heads: list[dict[str, Any]]) -> dict[str, Any]:
    bounds = [h["drift_bound"] for h in heads if h["drift_bound"] is not None]
    return {
        "norm": max(h["norm"] for h in heads),
        "norm_over_sqrt_layers": max(h["norm_over_sqrt_layers"] for h in heads),
        "cone_margin": min(h["cone_margin"] for h in heads),
        "drift_bound": max(bounds) if bounds else None,
    }


def _finite(factors: LiveFactorsOfLayers) -> bool:
    found = [getattr(factors, f.name) for f in fields(factors)]
    return all(bool(x.isfinite().all()) for x in found if x is not None)


def _wide(factors: LiveFactors | None) -> tuple[Tensor, Tensor] | None:
    return None if factors is None else (factors.left.double().cpu(), factors.right.double().cpu())


def _moved(found: HeadConstants, device: torch.device) -> HeadConstants:
    tensors = {f.name: getattr(found, f.name) for f in fields(found)}
    return replace(found, **{name: x.to(device) for name, x in tensors.items() if x is not None})
