"""The pretended device indexes as torch does, and refuses CPU tensors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from fake_cuda import DEVICE_MISMATCH, _WithoutDeviceGuards, fake_cuda
from torch import Tensor

X = torch.arange(60, dtype=torch.float64).reshape(3, 4, 5)
PICK = torch.tensor([0, 2])
MASK = X.sum(-1) > 100


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x[0],
        lambda x: x[..., -1],
        lambda x: x[:, 1:],
        lambda x: x[1:3, ..., 2],
        lambda x: x[..., None, :],
        lambda x: x[None],
        lambda x: x[PICK],
        lambda x: x[:, PICK, 0],
        lambda x: x[PICK, PICK],
        lambda x: x[..., PICK],
        lambda x: x[MASK],
        lambda x: ~(x > 5),
    ],
)
def test_reading(read: Callable[[Tensor], Tensor]) -> None:
    with _WithoutDeviceGuards():
        rewritten = read(X)
    assert torch.equal(rewritten, read(X))


def _write(x: Tensor) -> Tensor:
    x = x.clone()
    x[..., 0] += 1
    x[PICK] = 0
    x[:, 1:2] = X[:, 0:1]
    x[MASK] = 3.0
    return x


def test_writing() -> None:
    with _WithoutDeviceGuards():
        rewritten = _write(X)
    assert torch.equal(rewritten, _write(X))
    assert not torch.equal(rewritten, X)


def test_cpu_tensor_is_refused() -> None:
    with fake_cuda():
        there, here = torch.ones(3, 4, device="cuda"), torch.ones(3, 4)
        assert there[..., 0].device.type == "cuda"
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            _ = there[..., 0] + here[..., 0]
