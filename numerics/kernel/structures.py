"""The structures of ``kernel.cpp``, filled from tensors whose sizes have been checked."""

from __future__ import annotations

import ctypes
from functools import cache

import torch
from torch import Tensor

from numerics import dop853

STAGES = len(dop853.NODES)


class Table(ctypes.Structure):
    """The table of DOP853."""

    _fields_ = (
        ("stages", ctypes.c_double * STAGES * STAGES),
        ("error_5", ctypes.c_double * STAGES),
        ("error_3", ctypes.c_double * STAGES),
        ("interpolant", ctypes.c_double * STAGES * 4),
    )


def _numbers(*names: str) -> list[tuple[str, type]]:
    return [(name, ctypes.c_int64) for name in names]


def _pointers(*names: str) -> list[tuple[str, type]]:
    return [(name, ctypes.c_void_p) for name in names]


class Flow(ctypes.Structure):
    """One call of ``loraproofs_flow``; the entries are explained there."""

    _fields_ = (
        *_numbers("batch", "n", "d", "heads", "outputs"),
        *_numbers("attention_head", "attention_instance", "value_head", "value_instance"),
        *_numbers("shift", "causal", "sphere", "project", "dense", "max_steps", "threads"),
        ("rtol", ctypes.c_double),
        ("atol", ctypes.c_double),
        *_pointers("tokens", "attention", "value", "times", "states", "error", "status", "steps", "rejected"),
        *_pointers("records"),
    )


class Layer(ctypes.Structure):
    """One call of ``loraproofs_layer``."""

    _fields_ = (
        *_numbers("batch", "n", "d", "rank", "group", "shift", "causal", "attends", "threads"),
        *_numbers("attention_instance", "value_instance", "dense_instance", "factor_instance", "factor_token"),
        *_pointers("tokens", "attention", "value", "left", "right", "dense", "factors", "out"),
    )


@cache
def table() -> Table:
    """The table of :mod:`numerics.dop853`, with zeros where a row has no weight."""
    found = Table()
    rows = (*zip(found.stages, dop853.STAGE_WEIGHTS, strict=True), (found.error_5, dop853.ERROR_5),
            (found.error_3, dop853.ERROR_3), *zip(found.interpolant, dop853.INTERPOLANT, strict=True))  # fmt: skip
    for row, weights in rows:
        for stage, weight in weights.items():
            row[stage] = weight
    return found


def suits(*tensors: Tensor | None) -> bool:
    """Whether the kernel can read these: plain float64 tensors in the memory of the CPU, without gradients."""
    return all(
        x is None or (type(x) is Tensor and x.dtype == torch.float64 and x.device.type == "cpu" and not x.requires_grad)
        for x in tensors
    )


def pointer(x: Tensor) -> int:
    """Address of a tensor's first number; raises ValueError where the numbers do not lie side by side."""
    if not x.is_contiguous():
        raise ValueError(f"the kernel needs contiguous tensors, found strides {x.stride()}")
    return x.data_ptr()


def matrices(x: Tensor) -> tuple[Tensor, int]:
    """Matrices ``(..., d, d)`` that may share one along the first axis: with contiguous rows, and the stride of it."""
    if x.ndim == 3 and x.stride(0) == 0:
        x = x[:1]
    x = x.contiguous()
    return x, 0 if x.ndim == 2 or x.shape[0] == 1 else x.stride(0)
