"""The attention flow by the compiled kernel: what :func:`numerics.integrator.integrate` does, instance by instance."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.kernel import structures
from numerics.kernel.library import library

LARGEST = 512
"""Up to this number of tokens the kernel is used: beyond it torch's matrix products are as fast."""
_AT_ONCE = 4_096
"""Instances of one call: between calls Ctrl-C is heard."""


@dataclass(frozen=True)
class Heads:
    """A field that the kernel knows, ``Σ_h V_h m_i^h``, as the kernel reads it.

    Attributes
    ----------
    attention, value: H matrices ``(B, d, d)`` each; the batch may be expanded (stride 0).
    shift, causal: as in :class:`numerics.field.AttentionField`. sphere: whether it is projected to the tangent space.
    """

    attention: tuple[Tensor, ...]
    value: tuple[Tensor, ...]
    shift: bool
    causal: bool
    sphere: bool


@dataclass(frozen=True)
class Found:
    """Results of the kernel as in :class:`numerics.integrator.Solution`; with dense output the records of the steps.

    Records: ``t``, ``t_new`` (N,), states (N, n, d) and coefficients (N, 7, n, d) of all steps, instance by instance.
    """

    states: Tensor
    error: Tensor
    status: Tensor
    steps: Tensor
    rejected: Tensor
    records: tuple[Tensor, Tensor, Tensor, Tensor] | None


def applies(heads: Heads, y0: Tensor, times: Tensor) -> bool:
    """Whether the kernel is there and made for such an integration."""
    small = 0 < y0.shape[1] <= LARGEST and y0.shape[2] > 0 and y0.shape[0] > 0
    return small and structures.suits(y0, times, *heads.attention, *heads.value) and library() is not None


def integrate(
    heads: Heads, y0: Tensor, times: Tensor, *, rtol: float, atol: float, max_steps: int, project: bool, dense: bool
) -> Found:
    """Integrate from ``y0 (B, n, d)`` to ``times (B, K)``; the arguments are checked by the caller."""
    chunks = []
    for start in range(0, len(y0), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        own = Heads(
            tuple(x[rows] for x in heads.attention), tuple(x[rows] for x in heads.value),
            heads.shift, heads.causal, heads.sphere,
        )  # fmt: skip
        chunks.append(_call(own, y0[rows], times[rows], rtol, atol, max_steps, project, dense))
    return chunks[0] if len(chunks) == 1 else _joined(chunks)


def _joined(chunks: list[Found]) -> Found:
    records = [c.records for c in chunks if c.records is not None]
    joined = tuple(torch.cat(x) for x in zip(*records, strict=True)) if records else None
    names = ("states", "error", "status", "steps", "rejected")
    return Found(*(torch.cat([getattr(c, x) for c in chunks]) for x in names), records=joined)  # type: ignore[arg-type]


def _stacked(maps: tuple[Tensor, ...], shape: tuple[int, int, int]) -> tuple[Tensor, int, int]:
    """The matrices of all heads, and the strides from head to head and from instance to instance."""
    if any(x.shape != shape for x in maps):
        raise ValueError(f"matrices must be {shape}, found {[tuple(x.shape) for x in maps]}")
    if len(maps) == 1:
        found, step = structures.matrices(maps[0])
        return found, 0, step
    found = torch.stack(maps)
    return found, found.stride(0), found.stride(1)


def _call(
    heads: Heads, y0: Tensor, times: Tensor, rtol: float, atol: float, max_steps: int, project: bool, dense: bool
) -> Found:
    loaded = library()
    assert loaded is not None
    batch, n, d = y0.shape
    outputs = times.shape[1]
    if times.shape[0] != batch or len(heads.attention) != len(heads.value):
        raise ValueError(f"{len(heads.attention)} A, {len(heads.value)} V, {batch} states, times {tuple(times.shape)}")
    attention, attention_head, attention_instance = _stacked(heads.attention, (batch, d, d))
    value, value_head, value_instance = _stacked(heads.value, (batch, d, d))
    y0, times = y0.contiguous(), times.contiguous()
    states, error = y0.new_full((batch, outputs, n, d), torch.nan), y0.new_full((batch, outputs), torch.nan)
    status, steps, rejected = (torch.zeros(batch, dtype=torch.int64) for _ in range(3))
    records = (ctypes.POINTER(ctypes.c_double) * batch)()
    at = structures.pointer
    flow = structures.Flow(
        batch=batch, n=n, d=d, heads=len(heads.value), outputs=outputs, attention_head=attention_head,
        attention_instance=attention_instance, value_head=value_head, value_instance=value_instance,
        shift=heads.shift, causal=heads.causal, sphere=heads.sphere, project=project, dense=dense,
        max_steps=max_steps, threads=torch.get_num_threads(), rtol=rtol, atol=atol, tokens=at(y0),
        attention=at(attention), value=at(value), times=at(times), states=at(states), error=at(error),
        status=at(status), steps=at(steps), rejected=at(rejected), records=ctypes.addressof(records),
    )  # fmt: skip
    take = loaded.functions.loraproofs_take_records
    kept = None
    try:
        failed = loaded.functions.loraproofs_flow(ctypes.byref(flow), ctypes.byref(structures.table()))
        if failed:
            raise MemoryError(f"not enough memory for {batch} trajectories with dense output")
        if dense:
            total = int(steps.sum())
            kept = y0.new_empty(total), y0.new_empty(total), y0.new_empty(total, n, d), y0.new_empty(total, 7, n, d)
            if total:
                take(batch, n * d, at(steps), ctypes.addressof(records), *(at(x) for x in kept))
    finally:
        take(batch, n * d, at(steps), ctypes.addressof(records), None, None, None, None)  # frees what is left
    return Found(states, error, status, steps, rejected, kept)
