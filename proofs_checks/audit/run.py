"""The audit of one model with its adapters: one row a layer and one a head, each with the updates of every adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from numerics.factored import Factors, compress
from numerics.intruders import intruder_dimensions
from proofs_checks.audit.adapter import Adapter, read_adapter
from proofs_checks.audit.architectures import Architecture
from proofs_checks.audit.model import LayerWeights, Model, Shape
from proofs_checks.audit.updates import UpdateAudit, audit_update
from proofs_checks.errors import InputError
from proofs_checks.real_weights import MatrixAudit, audit_matrix, spectrum_of_product

SUM = "sum"


@dataclass(frozen=True)
class Row:
    """One value matrix: ``matrix``, its non-zero spectrum (complex, largest real part first), its exact zeros, and
    the ``updates`` of each adapter that changes it, last their sum where there are several.
    """

    matrix: MatrixAudit
    spectrum: tuple[complex, ...]
    zeros: int
    updates: tuple[UpdateAudit, ...]


@dataclass(frozen=True)
class AuditReport:
    """What the audit found.

    Attributes
    ----------
    model, architecture, shape: the model.
    rows: one a layer where its value matrix is square (``head`` None), then one a head.
    tied_layers: layers whose value side is that of the first, the first included.
    adapters: names of the adapters, in the order given; ``sum`` is added where there are several.
    elsewhere: adapter → number of its modules that are no part of the value side, which the audit does not see.
    """

    model: str
    architecture: Architecture
    shape: Shape
    rows: tuple[Row, ...]
    tied_layers: int
    adapters: tuple[str, ...]
    elsewhere: dict[str, int]

    def of_kind(self, kind: str) -> tuple[Row, ...]:
        """The rows of one kind, ``value`` or ``ov``."""
        return tuple(row for row in self.rows if row.matrix.kind == kind)


def audit(
    folder: Path,
    adapters: Sequence[Path] = (),
    progress: Callable[[int, int], None] | None = None,
    *,
    heads_only: bool = False,
) -> AuditReport:
    """Audit a local model directory, with the PEFT adapters in local directories; one layer is read at a time.

    ``progress(layers done, layers)`` is called after each layer. With ``heads_only`` the rows of whole layers are left
    out, which are the only dense d×d problems. Raises :class:`InputError`, one line each.
    """
    model = Model(folder)
    read = [read_adapter(path, model) for path in adapters]
    names = _distinct([x.name for x in read])
    rows: list[Row] = []
    first, tied = None, 0
    for weights in model.layers():
        moved = list(_updated(model, weights, read, names))
        rows += layer_rows(weights, moved, model.shape.layers, heads_only)
        own = (weights.value if weights.gain is None else weights.value * weights.gain, weights.output)
        first = own if first is None else first
        tied += all(bool(torch.equal(x, y)) for x, y in zip(first, own, strict=True))
        if progress is not None:
            progress(weights.layer + 1, model.shape.layers)
    seen = {f(k) for k in range(model.shape.layers) for f in (model.value_module, model.output_module)}
    return AuditReport(
        model=model.name,
        architecture=model.architecture,
        shape=model.shape,
        rows=tuple(rows),
        tied_layers=tied,
        adapters=tuple(names) if len(names) < 2 else (*names, SUM),
        elsewhere={name: len(set(x.modules) - seen) for name, x in zip(names, read, strict=True)},
    )


def _distinct(names: list[str]) -> list[str]:
    """Names told apart by a number where directories have the same; ``sum`` is kept for the sum."""
    found: list[str] = []
    for name in names:
        number, word = 2, name
        while word in found or word == SUM:
            word, number = f"{name}-{number}", number + 1
        found.append(word)
    return found


def _updated(
    model: Model, weights: LayerWeights, adapters: Sequence[Adapter], names: Sequence[str]
) -> Iterator[tuple[str, LayerWeights]]:
    """Every adapter's layer, where it changes it, then that of their sum."""
    value: list[Tensor] = []
    output: list[Tensor] = []
    for name, adapter in zip(names, adapters, strict=True):
        layer = weights.layer
        v = adapter.update(model.value_module(layer), weights.value, model.value_outputs(), model.value_rows())
        o = adapter.update(model.output_module(layer), weights.output, model.shape.width)
        value += [] if v is None else [v]
        output += [] if o is None else [o]
        if v is not None or o is not None:
            yield name, weights.updated(v, o)
    if len(adapters) > 1 and (value or output):
        total = [torch.stack(x).sum(0) if x else None for x in (value, output)]
        yield SUM, weights.updated(*total)


def layer_rows(
    weights: LayerWeights, moved: Sequence[tuple[str, LayerWeights]], depth: int, heads_only: bool = False
) -> Iterator[Row]:
    """The rows of one layer: the whole value matrix where it is square (and asked for), then the heads."""
    whole = None if heads_only else weights.value_factors()
    if whole is not None:
        row = _row(whole, weights.layer, None, "value", [(name, _whole(x)) for name, x in moved], depth)
        updates = [replace(u, intruders=_intruders(weights, x)) for u, (_, x) in zip(row.updates, moved, strict=True)]
        yield replace(row, updates=tuple(updates))
    for head in range(weights.shape.heads):
        factors = [(name, x.head_factors(head)) for name, x in moved]
        yield _row(weights.head_factors(head), weights.layer, head, "ov", factors, depth)


def _whole(weights: LayerWeights) -> Factors:
    factors = weights.value_factors()
    if factors is None:
        raise InputError("the value matrix is not square")
    return factors


def _row(
    base: Factors, layer: int, head: int | None, kind: str, moved: Sequence[tuple[str, Factors]], depth: int
) -> Row:
    spectrum, vector = spectrum_of_product(*base)
    small = compress(base)
    inside = None if vector is None else vector @ small.basis
    matrix = audit_matrix(small.matrices[0], spectrum, inside, layer=layer, head=head, kind=kind)
    rank = base[0].shape[1]
    leading = sorted(spectrum[:rank].tolist(), key=lambda z: (-z.real, -z.imag))
    updates = tuple(audit_update(name, base, factors, matrix, vector, depth) for name, factors in moved)
    return Row(matrix, tuple(leading), base[0].shape[0] - rank, updates)


def _intruders(weights: LayerWeights, moved: LayerWeights) -> dict[str, int]:
    pairs = {"value": (weights.value, moved.value), "output": (weights.output, moved.output)}
    return {name: 0 if torch.equal(x, y) else intruder_dimensions(x, y) for name, (x, y) in pairs.items()}
