"""A CUDA device that is only pretended, so that a stray CPU tensor fails on a machine without a GPU.

Under torch's ``FakeTensorMode`` tensors carry a device and a shape but no data. A torch built without CUDA still
refuses ``x[..., 0]`` and ``~x`` on such tensors, because these Python operators alone ask the real device for a guard;
here they are rewritten into the torch operators that they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode


class _WithoutDeviceGuards(TorchFunctionMode):
    """Rewrites ``x[index]``, ``x[index] = value`` and ``~x``."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is Tensor.__getitem__:
            return _read(args[0], args[1])
        if func is Tensor.__setitem__:
            return _write(args[0], args[1], args[2])
        if func is Tensor.__invert__:
            return torch.bitwise_not(args[0])
        return func(*args, **(kwargs or {}))


def _basic(x: Tensor, index: Any) -> tuple[Tensor, list[Tensor | None]]:
    """Apply integers, slices, None and the ellipsis; return what is left to gather, one entry per dimension."""
    items = list(index) if isinstance(index, tuple) else [index]
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    dim, gathers = 0, []
    for item in items:
        if item is Ellipsis:
            skipped = x.dim() - dim - _remaining(items, item)
            dim += skipped
            gathers += [None] * skipped
        elif item is None:
            x = x.unsqueeze(dim)
            dim += 1
            gathers.append(None)
        elif isinstance(item, slice):
            x = torch.ops.aten.slice.Tensor(x, dim, item.start, item.stop, item.step or 1)
            dim += 1
            gathers.append(None)
        elif isinstance(item, Tensor):
            dim += item.dim() if item.dtype == torch.bool else 1
            gathers.append(item)
        else:
            x = x.select(dim, int(item))
    return x, gathers


def _remaining(items: list[Any], here: Any) -> int:
    after = items[next(k for k, i in enumerate(items) if i is here) + 1 :]
    return sum(i.dim() if isinstance(i, Tensor) and i.dtype == torch.bool else 1 for i in after if i is not None)


def _read(x: Tensor, index: Any) -> Tensor:
    view, gathers = _basic(x, index)
    return torch.ops.aten.index.Tensor(view, gathers) if any(g is not None for g in gathers) else view


def _write(x: Tensor, index: Any, value: Any) -> None:
    view, gathers = _basic(x, index)
    filled = value if isinstance(value, Tensor) else torch.full((), value, dtype=x.dtype, device=x.device)
    if any(g is not None for g in gathers):
        torch.ops.aten.index_put_(view, gathers, filled)
    else:
        torch.ops.aten.copy_(view, filled)


@contextmanager
def fake_cuda() -> Iterator[None]:
    """Inside, ``torch.randn(..., device="cuda")`` makes tensors without data; nothing may read a value."""
    with FakeTensorMode(), _WithoutDeviceGuards():
        yield


DEVICE_MISMATCH = r"same device|two devices"
"""What torch says of a CPU tensor among CUDA tensors; ``match`` for the negative control."""
