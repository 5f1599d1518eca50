"""Growth of many heads by factors: against dense matrices, and without a CPU tensor among those of a device."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
import torch
from fake_cuda import DEVICE_MISMATCH, fake_cuda
from torch import Tensor

from numerics.factored_growth import HeadConstants, LiveFactorsOfLayers, growth

K, H, KV, S, D, R, Q = 2, 4, 2, 3, 9, 2, 3


def _normal(*shape: int, seed: int, device: str = "cpu") -> Tensor:
    if device != "cpu":
        return torch.randn(*shape, dtype=torch.float64, device=device)
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _setting(device: str = "cpu") -> tuple[Tensor, Tensor, Tensor, HeadConstants, LiveFactorsOfLayers]:
    """W ``(K, KV, S, D)`` (gain 1), O ``(K, D, H, S)``, unit vectors u ``(K, H, D)``, constants, factors."""
    W, O = _normal(K, KV, S, D, seed=0, device=device), _normal(K, D, H, S, seed=1, device=device)  # noqa: E741
    u = torch.nn.functional.normalize(_normal(K, H, D, seed=2, device=device), dim=-1)
    group = torch.arange(H, device=device) // (H // KV)
    left, right = O.permute(0, 2, 1, 3), W[:, group]
    forward = torch.einsum("khdo,khoe,khe->khd", left, right, u)
    backward = torch.einsum("khoe,khdo,khd->khe", right, left, u)
    w = (u * forward).sum(-1)
    b0, c0 = forward - w.unsqueeze(-1) * u, backward - w.unsqueeze(-1) * u

    def inner(matrix: Tensor, x: Tensor) -> Tensor:
        return torch.einsum("khod,khd->kho", matrix, x)

    constants = HeadConstants(
        w=w, kappa=torch.zeros_like(w), b_norm=b0.norm(dim=-1), c_norm=c0.norm(dim=-1), group=group,
        gain_squared=torch.ones(K, D, dtype=torch.float64, device=device), left_gram=left.mT @ left,
        left_u=inner(left.mT, u), left_b=inner(left.mT, b0), right_u=u, right_c=c0, u=u, b0=b0,
        value=W.reshape(K, -1, D), output=O.reshape(K, D, -1).mT, inner_gram=right @ right.mT, inner_u=inner(right, u),
        inner_c=inner(right, c0),
    )  # fmt: skip
    factors = LiveFactorsOfLayers(
        _normal(K, KV, S, R, seed=3, device=device), _normal(K, R, D, seed=4, device=device),
        _normal(K, D, Q, seed=5, device=device), _normal(K, Q, H, S, seed=6, device=device),
    )  # fmt: skip
    return W, O, u, constants, factors


def test_growth_is_that_of_dense_matrices() -> None:
    W, O, u, constants, f = _setting()  # noqa: E741
    assert f.value_left is not None
    assert f.value_right is not None
    assert f.output_left is not None
    assert f.output_right is not None
    found = growth(constants, f)
    for k in range(K):
        for h in range(H):
            V = O[k, :, h] @ W[k, h // 2]
            value = W[k, h // 2] + f.value_left[k, h // 2] @ f.value_right[k]
            new = (O[k, :, h] + f.output_left[k] @ f.output_right[k, :, h]) @ value
            x, P = u[k, h], torch.eye(D).double() - torch.outer(u[k, h], u[k, h])
            wanted = {
                "norm": torch.linalg.matrix_norm(new - V, 2),
                "w": x @ new @ x,
                "b_norm": (P @ new @ x).norm(),
                "c_norm": (P @ new.mT @ x).norm(),
                "kappa_bound": torch.linalg.matrix_norm(P @ (new - V) @ P, 2),
            }
            for name, expected in wanted.items():
                assert float(getattr(found, name)[k, h]) == pytest.approx(float(expected), rel=1e-7), name


def test_an_update_along_u_alone_has_no_part_across() -> None:
    """ΔV = u uᵀ up to rounding: what is left across u is below the root of the rounding of its squares."""
    *_, constants, f = _setting()
    one = replace(
        constants, w=constants.w[:1, :1], kappa=constants.kappa[:1, :1], b_norm=constants.b_norm[:1, :1] * 0,
        c_norm=constants.c_norm[:1, :1] * 0, group=torch.zeros(1, dtype=torch.long), u=constants.u[:1, :1],
        b0=0 * constants.b0[:1, :1], right_u=constants.u[:1, :1], right_c=0 * constants.u[:1, :1],
        left_gram=torch.eye(D).double().expand(1, 1, D, D), left_u=constants.u[:1, :1],
        left_b=0 * constants.u[:1, :1], gain_squared=constants.gain_squared[:1],
    )  # fmt: skip
    u = constants.u[:1, :1]
    found = growth(one, LiveFactorsOfLayers(u.unsqueeze(-1), u, None, None))
    assert float(found.norm) == pytest.approx(1, rel=1e-6)
    assert float(found.w - one.w) == pytest.approx(1, rel=1e-12)
    assert max(float(found.b_norm), float(found.c_norm), float(found.kappa_bound)) < math.sqrt(1e-13)
    assert f.value_left is not None


def test_everything_stays_on_the_device() -> None:
    with fake_cuda():
        *_, constants, factors = _setting("cuda")
        found = growth(constants, factors)
        assert {getattr(found, f.name).device.type for f in fields(found)} == {"cuda"}
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            growth(replace(constants, left_gram=torch.zeros(K, H, S, S, dtype=torch.float64)), factors)
