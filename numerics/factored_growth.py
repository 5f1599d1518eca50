"""An update of many heads about fixed unit vectors, by its factors alone: Gram matrices of size r, never one of size d.

Head h of a layer has ``V = O W D`` (O ``(d, s)``, W ``(s, d)``, D = diag(gain)) and, with both projections adapted,

    ``ΔV = O δW D + δO (W + δW) D = L R``,  ``L = [s_v O B_v, s_o B_o]``,  ``R = [A_v D; C W D + T A_v D]``

with C the head's columns of A_o and ``T = s_v C B_v``. So ``LᵀL`` and ``R Rᵀ`` of size ``r_v + r_o`` give every norm,
and ``Lᵀu``, ``R u`` the blocks about u: ``||ΔV||² = λ_max(LᵀL R Rᵀ)``, ``|ΔVu|² = (Ru)ᵀ LᵀL (Ru)``. Everything that
involves only the base weights is in :class:`HeadConstants`, computed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HeadConstants:
    """Of all heads of K layers, ``(K, H, ...)``, about unit vectors u; ``b0 = P⊥Vu``, ``c0 = P⊥Vᵀu``.

    Attributes
    ----------
    w, kappa, b_norm, c_norm: ``uᵀVu``, ``||P⊥VP⊥||``, ``|b0|``, ``|c0|`` of V, ``(K, H)``.
    group: ``(H,)``, key-value head of each head.
    gain_squared: ``(K, d)``.
    left_gram: ``OᵀO (K, H, s, s)``.
    left_u, left_b: ``Oᵀu``, ``Oᵀb0``, ``(K, H, s)``.
    right_u, right_c: ``Du``, ``Dc0``, ``(K, H, d)``.
    u, b0: ``(K, H, d)``.
    value, output: W_V ``(K, kv·s, d)`` and W_Oᵀ ``(K, H·s, d)``, or None where W_O is not adapted.
    inner_gram: ``W D² Wᵀ (K, H, s, s)``, inner_u, inner_c: ``W D u``, ``W D c0``, ``(K, H, s)``; None likewise.
    """

    w: Tensor
    kappa: Tensor
    b_norm: Tensor
    c_norm: Tensor
    group: Tensor
    gain_squared: Tensor
    left_gram: Tensor
    left_u: Tensor
    left_b: Tensor
    right_u: Tensor
    right_c: Tensor
    u: Tensor
    b0: Tensor
    value: Tensor | None
    output: Tensor | None
    inner_gram: Tensor | None
    inner_u: Tensor | None
    inner_c: Tensor | None


@dataclass(frozen=True)
class LiveFactorsOfLayers:
    """Factors of K layers of equal shapes, float64, their scales included in the left ones; None: not adapted.

    ``value_left (K, kv, s, r)``, ``value_right (K, r, d)``, ``output_left (K, d, q)``, ``output_right (K, q, H, s)``.
    """

    value_left: Tensor | None
    value_right: Tensor | None
    output_left: Tensor | None
    output_right: Tensor | None


@dataclass(frozen=True)
class Growth:
    """Of V + ΔV about u, each ``(K, H)``.

    Attributes
    ----------
    norm: ``||ΔV||``.
    w, b_norm, c_norm: ``uᵀṼu``, ``|P⊥Ṽu|``, ``|P⊥Ṽᵀu|``.
    kappa_bound: ``||P⊥VP⊥|| + ||P⊥ΔVP⊥||``, at least ``||P⊥ṼP⊥||``.
    """

    norm: Tensor
    w: Tensor
    b_norm: Tensor
    c_norm: Tensor
    kappa_bound: Tensor


def growth(constants: HeadConstants, factors: LiveFactorsOfLayers) -> Growth:
    """Measure ΔV; nothing is read back from the device. One of the two projections at least is adapted.

    Norms come from squares, so they are exact to about 1e-8 of ``||L|| ||R||``, and never below the true ones by more.
    """
    left_gram, left_u, left_b = _left(constants, factors)
    right_gram, right_u, right_c = _right(constants, factors)
    a = (left_u * right_u).sum(-1)
    forward = _form(left_gram, right_u, right_u) - a.square()
    backward = _form(right_gram, left_u, left_u) - a.square()
    b_squared = constants.b_norm.square() + 2 * (left_b * right_u).sum(-1) + forward
    c_squared = constants.c_norm.square() + 2 * (right_c * left_u).sum(-1) + backward
    size = left_gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    across = _product_norm(left_gram - _outer(left_u), right_gram - _outer(right_u), size)
    return Growth(
        norm=_product_norm(left_gram, right_gram, size),
        w=constants.w + a,
        b_norm=b_squared.clamp(min=0).sqrt(),
        c_norm=c_squared.clamp(min=0).sqrt(),
        kappa_bound=constants.kappa + across,
    )


def _left(k: HeadConstants, f: LiveFactorsOfLayers) -> tuple[Tensor, Tensor, Tensor]:
    """``LᵀL (K, H, r, r)``, ``Lᵀu`` and ``Lᵀb0 (K, H, r)``."""
    blocks: dict[str, Tensor] = {}
    vectors: list[list[Tensor]] = [[], []]
    if f.value_left is not None:
        B = f.value_left[:, k.group]
        blocks["vv"] = B.mT @ k.left_gram @ B
        for found, x in zip(vectors, (k.left_u, k.left_b), strict=True):
            found.append(torch.einsum("khsr,khs->khr", B, x))
        if f.output_left is not None and k.output is not None:
            met = (k.output @ f.output_left.to(k.output.dtype)).to(B.dtype)
            blocks["vo"] = B.mT @ met.reshape(*B.shape[:-1], -1)
    if f.output_left is not None:
        heads = k.left_gram.shape[1]
        blocks["oo"] = (f.output_left.mT @ f.output_left).unsqueeze(1).expand(-1, heads, -1, -1)
        for found, x in zip(vectors, (k.u, k.b0), strict=True):
            found.append(torch.einsum("kdq,khd->khq", f.output_left, x))
    return _blocks(blocks), torch.cat(vectors[0], dim=-1), torch.cat(vectors[1], dim=-1)


def _right(k: HeadConstants, f: LiveFactorsOfLayers) -> tuple[Tensor, Tensor, Tensor]:
    """``R Rᵀ (K, H, r, r)``, ``Ru`` and ``Rc0 (K, H, r)``."""
    blocks: dict[str, Tensor] = {}
    vectors: list[list[Tensor]] = [[], []]
    heads = k.left_gram.shape[1]
    if f.value_right is not None:
        A = f.value_right
        N = ((A * k.gain_squared.unsqueeze(1)) @ A.mT).unsqueeze(1).expand(-1, heads, -1, -1)
        blocks["vv"] = N
        for found, x in zip(vectors, (k.right_u, k.right_c), strict=True):
            found.append(torch.einsum("krd,khd->khr", A, x))
    if f.output_right is None:
        return _blocks(blocks), vectors[0][0], vectors[1][0]
    if k.inner_gram is None or k.inner_u is None or k.inner_c is None:
        raise ValueError("constants without the inner matrices measure no update of the output projection")
    C = f.output_right.transpose(1, 2)
    blocks["oo"] = C @ k.inner_gram @ C.mT
    own = [torch.einsum("khqs,khs->khq", C, x) for x in (k.inner_u, k.inner_c)]
    if f.value_right is not None and f.value_left is not None and k.value is not None:
        A, N = f.value_right, blocks["vv"]
        T = C @ f.value_left[:, k.group]
        weighted = (A * k.gain_squared.unsqueeze(1)).to(k.value.dtype)
        K = (k.value @ weighted.mT).to(A.dtype).reshape(f.value_left.shape)[:, k.group]
        cross = C @ K @ T.mT
        blocks["vo"] = K.mT @ C.mT + N @ T.mT
        blocks["oo"] = blocks["oo"] + cross + cross.mT + T @ N @ T.mT
        own = [x + torch.einsum("khqr,khr->khq", T, v[0]) for x, v in zip(own, vectors, strict=True)]
    for found, x in zip(vectors, own, strict=True):
        found.append(x)
    return _blocks(blocks), torch.cat(vectors[0], dim=-1), torch.cat(vectors[1], dim=-1)


def _blocks(found: dict[str, Tensor]) -> Tensor:
    if "vo" not in found:
        return found["vv"] if "vv" in found else found["oo"]
    top = torch.cat([found["vv"], found["vo"]], dim=-1)
    return torch.cat([top, torch.cat([found["vo"].mT, found["oo"]], dim=-1)], dim=-2)


def _form(matrix: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.einsum("khr,khrq,khq->kh", x, matrix, y)


def _outer(x: Tensor) -> Tensor:
    return x.unsqueeze(-1) * x.unsqueeze(-2)


def _product_norm(left: Tensor, right: Tensor, size: Tensor) -> Tensor:
    """``√λ_max(left right)`` of Gram matrices, by a Cholesky factor of the left one plus the rounding of ``size``."""
    identity = torch.eye(left.shape[-1], dtype=left.dtype, device=left.device)
    rounding = 8 * left.shape[-1] * torch.finfo(left.dtype).eps * size + torch.finfo(left.dtype).tiny
    raised = left + rounding[..., None, None] * identity
    factor = torch.linalg.cholesky_ex(raised).L
    return torch.linalg.eigvalsh(factor.mT @ right @ factor)[..., -1].clamp(min=0).sqrt()
