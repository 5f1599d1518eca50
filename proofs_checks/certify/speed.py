"""The speed of ϑ = max_i tan ∠(x_i, u1) of the perturbed flow at time 0, in balls."""

from __future__ import annotations

from flint import arb

from numerics.enclosure.balls import dot, exact_matrix
from numerics.enclosure.field import Field
from numerics.enclosure.spectrum import NotSeparated
from proofs_checks.certify.quantities import Quantities


def tangent_speed(q: Quantities) -> arb:
    """``D⁺ϑ(0)``: the largest speed of ``tan ∠(x_i, u1)`` among the tokens that attain ϑ.

    With p = <x, u> and r = |P⊥x|: ``(r/p)' = (p <P⊥x, ẋ>/r - r <u, ẋ>)/p²``. Raises :class:`NotSeparated` where
    it is not told which token attains ϑ (ties of tokens are not decided here).
    """
    field = Field(exact_matrix(q.instance.perturbed_attention()), q.perturbed_V)
    velocities = field.velocity(q.tokens)
    tangents, speeds = [], []
    for x, v in zip(q.tokens, velocities, strict=True):
        p = dot(x, q.u)
        across = [a - p * u for a, u in zip(x, q.u, strict=True)]
        r = dot(across, across).nonnegative_part().sqrt()
        tangents.append(r / p)
        speeds.append((p * dot(across, v) / r - r * dot(q.u, v)) / (p * p))
    top = [k for k, t in enumerate(tangents) if all(j == k or t > other for j, other in enumerate(tangents))]
    if len(top) != 1:
        raise NotSeparated("the token of the largest angle is not told at this precision")
    return speeds[top[0]]
