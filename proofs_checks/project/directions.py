"""The directions of a head that an update is kept off: leading ones of V, and those of small gap.

Both are eigenvectors of the symmetric part of ``V = W_O[:, h] W_V[h, :] diag(gain)``. To the leading ones comes the
leading right eigenvector of V itself, where it is real and simple: where V is not symmetric that one, not u1, is what
tokens go to.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numerics.factored import compress
from proofs_checks.audit.model import LayerWeights
from proofs_checks.audit.updates import SMALL_GAP
from proofs_checks.real_weights import TOLERANCE, spectrum_of_product


def leading(weights: LayerWeights, head: int, m: int) -> Tensor:
    """The m leading eigenvectors ``(d, k)`` of the symmetric part, and the leading right eigenvector of V.

    Only eigenvalues above 0 count: the eigenvectors of 0 are arbitrary, since V has low rank. Eigenvectors of
    eigenvalues equal to the m-th are taken as well. No columns where no eigenvalue is positive.
    """
    factors = weights.head_factors(head)
    values, vectors, basis, slack = _spectrum(weights, head)
    positive = values > slack
    if not bool(positive.any()):
        return basis[:, :0]
    last = values[min(m, int(positive.sum())) - 1]
    found = basis @ vectors[:, positive & (values >= last - slack)]
    right = spectrum_of_product(*factors)[1]
    return found if right is None else torch.cat([found, right.mT], dim=1)


def small_gap(weights: LayerWeights, head: int) -> Tensor:
    """The eigenvectors u_j ``(d, k)``, j >= 2, of the symmetric part with ``λ1 - λ_j <= 0.1 (λ1 - λ_d)``.

    Where λ1 is so small that 0 is among these λ_j, so is every direction outside the span of the factors. Where λ1 is
    multiple u1 is any vector of its eigenspace, so all of that space counts. What is at the limit to rounding counts.
    """
    values, vectors, basis, slack = _spectrum(weights, head)
    limit = SMALL_GAP * float(values[0] - values[-1]) + slack
    near = (values[0] - values) <= limit
    near[0] = bool(values[0] - values[1] <= slack)
    found = basis @ vectors[:, near]
    if float(values[0]) > limit or basis.shape[0] == basis.shape[1]:
        return found
    outside = torch.linalg.qr(basis, mode="complete").Q[:, basis.shape[1] :]
    return torch.cat([found, outside], dim=1)


def _spectrum(weights: LayerWeights, head: int) -> tuple[Tensor, Tensor, Tensor, float]:
    """Eigenvalues and eigenvectors of the small symmetric part, largest first, its basis ``(d, k)``, the slack."""
    small = compress(weights.head_factors(head))
    V = small.matrices[0]
    values, vectors = torch.linalg.eigh((V + V.mT) / 2)
    slack = TOLERANCE * float(torch.linalg.matrix_norm(V, ord=2))
    return values.flip(0), vectors.flip(1), small.basis, slack
