"""``project``: a new adapter, layer by layer, written, read back, and audited beside the old one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from numerics.factored import Factors
from numerics.projection import least_rank
from proofs_checks.audit.adapter import FACTOR_A, FACTOR_B, Adapter, read_adapter
from proofs_checks.audit.model import LayerWeights, Model
from proofs_checks.audit.run import layer_rows
from proofs_checks.errors import InputError
from proofs_checks.project.directions import leading, small_gap
from proofs_checks.project.factors import off_reading_of_heads, off_writing_of_heads, read_by
from proofs_checks.project.promises import ProjectedHead, projected_head
from proofs_checks.project.scaling import layer_scale
from proofs_checks.project.write import check_place, filled, write_adapter

KEEP_OFF = ("top-m", "small-gap")
_ROUNDING = 4.0
"""Units of rounding of the file, times ``||B|| ||A||``, up to which a singular value of the new update is 0."""


@dataclass(frozen=True)
class Options:
    """What is done: ``keep_off`` one of ``KEEP_OFF`` or None, ``m`` of ``top-m``, ``scale`` a criterion or None."""

    keep_off: str | None = None
    m: int = 1
    scale: str | None = None


@dataclass(frozen=True)
class Change:
    """What became of one adapted module of the value side.

    Attributes
    ----------
    module, layer, side: its canonical name, layer, and ``value`` or ``output``.
    rank_before, rank_after: ranks of the factors.
    scale: the factor on the update beside what was projected away, at most 1.
    kept: ``||B'A'||_F² / ||BA||_F²`` of the projection alone, over the whole module; None where BA = 0.
    """

    module: str
    layer: int
    side: str
    rank_before: int
    rank_after: int
    scale: float
    kept: float | None


@dataclass(frozen=True)
class ProjectReport:
    """What was done and what the audit finds: ``changes`` by module, ``heads`` of the layers that are adapted.

    ``fused``: value projections hold queries and keys too. ``written`` is False where a promise was not kept.
    ``elsewhere``: number of modules outside the value side, copied as they are.
    """

    model: str
    adapter: str
    options: Options
    changes: tuple[Change, ...]
    heads: tuple[ProjectedHead, ...]
    fused: bool
    elsewhere: int
    written: bool


class _NotKept(Exception):
    """Ends the writing without a trace."""


def project(
    source: Path,
    model_folder: Path,
    out: Path,
    options: Options,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ProjectReport:
    """Project or scale the adapter in ``source`` and write it to ``out``.

    The new adapter is read back and audited before it takes its place; where a promise is not kept nothing is written.
    ``progress(layers done, of)`` counts both passes. Raises :class:`InputError`, one line each.
    """
    check_place(out, overwrite, (source, model_folder))
    model = Model(model_folder)
    adapter = read_adapter(source, model)
    _check(source, adapter, model)
    steps = 2 * model.shape.layers
    changes: list[Change] = []
    tensors = {name: adapter.store.stored(name) for name in adapter.store.names()}
    config = dict(adapter.config)
    heads: list[ProjectedHead] = []

    def report(written: bool) -> ProjectReport:
        return ProjectReport(
            model.name, adapter.name, options, tuple(changes), tuple(heads), model.architecture.fused != "no",
            len(adapter.modules) - len(changes), written,
        )  # fmt: skip

    try:
        with filled(out, overwrite) as folder:
            for weights in model.layers():
                changes += _change_layer(model, weights, adapter, options, config, tensors)
                _tell(progress, weights.layer + 1, steps)
            write_adapter(folder, config, tensors)
            new = read_adapter(folder, model)
            for weights in model.layers():
                heads += _heads(model, weights, adapter, new, options)
                _tell(progress, model.shape.layers + weights.layer + 1, steps)
            if not all(promise.kept for head in heads for promise in head.promises):
                raise _NotKept
    except _NotKept:
        return report(False)
    return report(True)


def _tell(progress: Callable[[int, int], None] | None, done: int, of: int) -> None:
    if progress is not None:
        progress(done, of)


def _check(source: Path, adapter: Adapter, model: Model) -> None:
    if adapter.config.get("use_dora"):
        raise InputError(
            f"{source}: DoRA renormalises the rows of W + s·B·A, so its update is not s·B·A and no change of A or B "
            "keeps it off a direction: train without use_dora, or merge it"
        )
    if not any(name in adapter.modules for layer in range(model.shape.layers) for name in _modules(model, layer)):
        raise InputError(f"{source}: it changes no value or output projection of {model.folder}, nothing to project")


def _modules(model: Model, layer: int) -> tuple[str, str]:
    return model.value_module(layer), model.output_module(layer)


def _change_layer(
    model: Model, weights: LayerWeights, adapter: Adapter, options: Options, config: dict[str, Any],
    tensors: dict[str, Tensor],
) -> Iterator[Change]:  # fmt: skip
    names, shape = _modules(model, weights.layer), model.shape
    sizes = ((model.value_outputs(), shape.width), (shape.width, shape.heads * shape.head_dim))
    old = [adapter.factors(n, *size) if n in adapter.modules else None for n, size in zip(names, sizes, strict=True)]
    kept = [n for n in names if n in adapter.modules]
    unit = _unit(adapter, kept)
    new = _projected(model, weights, options, old, unit)
    scale = 1.0
    if options.scale is not None and any(x is not None for x in new):
        updates = [
            None if x is None else adapter.scale(name) * (x[0] @ x[1]) for name, x in zip(names, new, strict=True)
        ]
        value = None if updates[0] is None else updates[0][model.value_rows()]
        scale = layer_scale(weights, value, updates[1], options.scale)
    for name, side, before, after in zip(names, ("value", "output"), old, new, strict=True):
        if before is not None and after is not None:
            yield _store(adapter, name, weights.layer, side, (before, after), scale, config, tensors)


def _projected(
    model: Model, weights: LayerWeights, options: Options, old: list[Factors | None], unit: float
) -> list[Factors | None]:
    """The new factors; ``unit`` is the rounding of the file, below which nothing counts as rank."""
    if options.keep_off is None or all(x is None for x in old):
        return old
    heads = range(weights.shape.heads)
    if options.keep_off == "top-m":
        read = read_by(weights, [leading(weights, h, options.m) for h in heads])
        new = off_reading_of_heads(read, old[0], old[1])
    else:
        directions = [small_gap(weights, h) for h in heads]
        new = off_writing_of_heads(weights, model.value_rows(), old[0], old[1], directions)
    found: list[Factors | None] = []
    for before, after in zip(old, new, strict=True):
        if before is None or after is None or not float((before[0] @ before[1]).norm()):
            found.append(before)  # of a fresh adapter, with B = 0, there is nothing to take away
        else:
            size = float(torch.linalg.matrix_norm(before[0], 2) * torch.linalg.matrix_norm(before[1], 2))
            found.append(least_rank(*after, _ROUNDING * unit * size))
    return found


def _store(
    adapter: Adapter, name: str, layer: int, side: str, factors: tuple[Factors, Factors], scale: float,
    config: dict[str, Any], tensors: dict[str, Tensor],
) -> Change:  # fmt: skip
    """Put the new factors among the tensors, and their rank and alpha into the patterns."""
    (left, right), (new_left, new_right) = factors
    key, rank = adapter.modules[name], new_right.shape[0]
    for tail, was, now in ((FACTOR_B, left, new_left), (FACTOR_A, right, new_right)):
        if now is not was:
            tensors[key + tail] = now.to(_written(tensors[key + tail].dtype))
    if rank != adapter.rank(name):
        _set(config, "rank_pattern", adapter.peft_name(name), rank)
    if rank != adapter.rank(name) or scale != 1:
        alpha = scale * adapter.scale(name) * (math.sqrt(rank) if config.get("use_rslora") else rank)
        _set(config, "alpha_pattern", adapter.peft_name(name), alpha)
    before = float((left @ right).norm())
    kept = float((new_left @ new_right).norm()) ** 2 / before**2 if before else None
    return Change(name, layer, side, right.shape[0], rank, scale, kept)


def _written(stored: torch.dtype) -> torch.dtype:
    """The type of new factors: half precision would undo the projection."""
    return torch.float64 if stored == torch.float64 else torch.float32


def _unit(adapter: Adapter, modules: list[str]) -> float:
    """The largest rounding of a factor that is written anew; those that stay as they are have none."""
    keys = [adapter.modules[name] + tail for name in modules for tail in (FACTOR_A, FACTOR_B)]
    return max((torch.finfo(_written(adapter.store.stored(key).dtype)).eps for key in keys), default=0.0)


def _set(config: dict[str, Any], field: str, name: str, number: float) -> None:
    """One entry in front of the others, since the first that matches counts; PEFT reads it as a regular expression."""
    key = re.escape(name)
    others = {pattern: x for pattern, x in (config.get(field) or {}).items() if pattern != key}
    config[field] = {key: number, **others}


def _heads(
    model: Model, weights: LayerWeights, old: Adapter, new: Adapter, options: Options
) -> Iterator[ProjectedHead]:
    moved: list[tuple[str, LayerWeights]] = []
    for label, adapter in (("before", old), ("after", new)):
        value, output = _modules(model, weights.layer)
        v = adapter.update(value, weights.value, model.value_outputs(), model.value_rows())
        o = adapter.update(output, weights.output, model.shape.width)
        if v is None and o is None:
            return
        moved.append((label, weights.updated(v, o)))
    names = [n for n in _modules(model, weights.layer) if n in new.modules]
    unit = _unit(old, names)
    for row in layer_rows(weights, moved, model.shape.layers, heads_only=True):
        yield projected_head(weights, moved[1][1], row, options.keep_off, options.m, options.scale, unit)
