"""Intruder dimensions: leading singular vectors of an updated weight that resemble none of the weight's own.

R. Shuttleworth, J. Andreas, A. Torralba, P. Sharma, *LoRA vs Full Fine-tuning: An Illusion of Equivalence*, arXiv
2410.21228. The defaults, the ten largest singular values and a cosine of 0.5, are those of PEFT's
``reduce_intruder_dimension``.
"""

from __future__ import annotations

import torch
from torch import Tensor

TOP_K = 10
EPSILON = 0.5


def intruder_dimensions(weight: Tensor, updated: Tensor, top_k: int = TOP_K, epsilon: float = EPSILON) -> int:
    """How many of the ``top_k`` leading left singular vectors of ``updated (m, n)`` are intruders.

    One is where its largest absolute cosine with the left singular vectors of ``weight (m, n)`` is below ``epsilon``.
    Where m > n they span only a part of the space; else a vector is far from all of them only by being spread over
    many, so small matrices (m below 1/epsilon²) have no intruders whatever the update. Raises ``ValueError`` for
    other shapes.
    """
    if weight.dim() != 2 or weight.shape != updated.shape:
        raise ValueError(f"two matrices of one shape are needed, not {tuple(weight.shape)}, {tuple(updated.shape)}")
    own = torch.linalg.svd(weight, full_matrices=False).U
    left, singular, _ = torch.linalg.svd(updated, full_matrices=False)
    count = min(top_k, int((singular > 0).sum()))
    nearest = (left[:, :count].mT @ own).abs().amax(dim=1)
    return int((nearest < epsilon).sum())
