"""An update of many heads about fixed unit vectors, by its factors alone: Gram matrices of size r, never one of size d.

Head h of a layer has ``V = O W D`` (O ``(d, s)``, W ``(s, d)``, D = diag(gain)) and, with both projections adapted,

    ``ΔV = O δW D + δO (W + δW) D = L R``,  ``L = [s_v O B_v, s_o B_o]``,  ``R = [A_v D; C W D + T A_v D]``

with C the head's columns of A_o and ``T = s_v C B_v``. So ``LᵀL`` and ``R Rᵀ`` of size ``r_v + r_o`` give every norm,
and ``Lᵀu``, ``R u`` the blocks about u: ``||ΔV||² = λ_max(LᵀL R Rᵀ)``, ``|ΔVu|² = (Ru)ᵀ LᵀL (Ru)``. Everything that
involves only the base weights is in :class:`HeadConstants`, computed once.

Norms come from squares, so rounding is that of squares. It is taken outwards: Gram matrices are raised by their own
rounding, so that norms are not below the true ones, and every Cholesky factor exists.
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
    value, output: W_V ``(K, kv·s, d)`` and W_Oᵀ ``(K, H·s, d)``, or None where W_O is not adapted; of a smaller type
        where they fit it.
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
    norm: ``||ΔV||``, not below it.
    w: ``uᵀṼu``.
    b_norm, c_norm: ``|P⊥Ṽu|``, ``|P⊥Ṽᵀu|``, not below them.
    kappa_bound: ``||P⊥VP⊥|| + ||P⊥ΔVP⊥||``, at least ``||P⊥ṼP⊥||``.
    """

    norm: Tensor
    w: Tensor
    b_norm: Tensor
    c_norm: Tensor
    kappa_bound: Tensor


def growth(constants: HeadConstants, factors: LiveFactorsOfLayers) -> Growth:
    """Measure ΔV; nothing is read back from the device. One of the two projections at least is adapted.

    With l and r the norms of :func:`_sizes` and ε = 16 (r_v + r_o) units of rounding, squares of norms are at most
    about ``2 ε l² r²`` too large, those of b and c ``ε (l² |Ru|² + |b0|²)`` and ``ε (r² |Lᵀu|² + |c0|²)``.
    """
    left_gram, left_u, left_b = _left(constants, factors)
    right_gram, right_u, right_c = _right(constants, factors)
    rounding = 16 * left_gram.shape[-1] * torch.finfo(left_gram.dtype).eps
    base = 1 + rounding
    left_size, right_size = _sizes(constants, factors)
    left_gram, right_gram = _raised(left_gram, rounding * left_size), _raised(right_gram, rounding * right_size)
    a = (left_u * right_u).sum(-1)
    forward = _form(left_gram, right_u, right_u) - a.square()
    backward = _form(right_gram, left_u, left_u) - a.square()
    b_squared = base * constants.b_norm.square() + 2 * (left_b * right_u).sum(-1) + forward
    c_squared = base * constants.c_norm.square() + 2 * (right_c * left_u).sum(-1) + backward
    across = _product_norm(left_gram - _outer(left_u), right_gram - _outer(right_u))
    return Growth(
        norm=_product_norm(left_gram, right_gram),
        w=constants.w + a,
        b_norm=b_squared.clamp(min=0).sqrt(),
        c_norm=c_squared.clamp(min=0).sqrt(),
        kappa_bound=constants.kappa + across,
    )


def _sizes(k: HeadConstants, f: LiveFactorsOfLayers) -> tuple[Tensor, Tensor]:
    """``l²`` and ``r²`` ``(K, H)``, at least ``||L||_F²`` and ``||R||_F²`` and what cancels in them."""
    left = right = torch.zeros_like(k.w)
    B = None
    if f.value_left is not None and f.value_right is not None:
        B = f.value_left.square().sum((-2, -1))[:, k.group]
        left = left + _trace(k.left_gram) * B
        right = right + (f.value_right.square() * k.gain_squared.unsqueeze(1)).sum((-2, -1)).unsqueeze(1)
    if f.output_left is not None and f.output_right is not None and k.inner_gram is not None:
        C = f.output_right.square().sum((1, 3))
        left = left + f.output_left.square().sum((-2, -1)).unsqueeze(1)
        met = _trace(k.inner_gram) if B is None else _trace(k.inner_gram) + B * right
        right = right + 2 * C * met
    return left, right


def _trace(matrix: Tensor) -> Tensor:
    return matrix.diagonal(dim1=-2, dim2=-1).sum(-1)


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
            met = _products(k.output, f.output_left)
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
        K = _products(k.value, (A * k.gain_squared.unsqueeze(1)).mT).reshape(f.value_left.shape)[:, k.group]
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


def _products(weights: Tensor, x: Tensor) -> Tensor:
    """``weights (K, m, n) @ x (K, n, r)`` in the type of x, of which one layer's weights at a time are."""
    return torch.stack([own.to(x.dtype) @ y for own, y in zip(weights, x, strict=True)])


def _raised(gram: Tensor, by: Tensor) -> Tensor:
    identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    return gram + (by + torch.finfo(gram.dtype).tiny)[..., None, None] * identity


def _product_norm(left: Tensor, right: Tensor) -> Tensor:
    """``√λ_max(left right)`` of Gram matrices, the left one positive definite, by a Cholesky factor of it."""
    factor = torch.linalg.cholesky_ex(left).L
    return torch.linalg.eigvalsh(factor.mT @ right @ factor)[..., -1].clamp(min=0).sqrt()
