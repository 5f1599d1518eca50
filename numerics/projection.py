"""Low-rank updates ``B A`` taken off directions, in the factor that meets them.

``B A x = 0`` for every x in the span of orthonormal Q where ``A Q = 0``: the **right** factor reads. ``qᵀ B A = 0`` for
every q in that span where ``Qᵀ B = 0``: the **left** factor writes. Of all A' with ``A' Q = 0`` the one nearest to A in
every unitarily invariant norm is ``A (I - Q Qᵀ)``, and so for B: the rank never grows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numerics.factored import Factors


def off_reading(right: Tensor, columns: Tensor) -> Tensor:
    """The right factor ``(r, n)`` without what it reads from the span of orthonormal ``columns (n, k)``."""
    return right - (right @ columns) @ columns.mT


def off_writing(left: Tensor, columns: Tensor) -> Tensor:
    """The left factor ``(m, r)`` without what it writes into the span of orthonormal ``columns (m, k)``."""
    return left - columns @ (columns.mT @ left)


def least_rank(left: Tensor, right: Tensor, negligible: float) -> Factors:
    """The same product ``left (m, r) @ right (r, n)`` by factors of its own rank, at least 1.

    Singular values of the product up to ``negligible`` count as 0. The factors come back unchanged where its rank is r.
    New ones span the same rows and columns, so they read and write no more than the given ones do; of a product that
    is 0 both are 0.
    """
    rank = right.shape[0]
    q_left, r_left = torch.linalg.qr(left)
    q_right, r_right = torch.linalg.qr(right.mT)
    u, singular, v = torch.linalg.svd(r_left @ r_right.mT)
    kept = int((singular > negligible).sum())
    if kept == rank:
        return left, right
    if kept == 0:
        return torch.zeros_like(left[:, :1]), torch.zeros_like(right[:1])
    root = singular[:kept].sqrt()
    return q_left @ u[:, :kept] * root, root.unsqueeze(1) * (v[:kept] @ q_right.mT)
