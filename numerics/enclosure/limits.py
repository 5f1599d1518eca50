"""From an enclosure of the tokens to their limits: statements about t → ∞.

Let λ be the leading eigenvalue of V, real, simple and larger than the moduli of all others, with right and left
eigenvectors u and w, ``<w, u> > 0``.

- Half space: if ``<w, x_i> > 0`` for all i, every token converges to u, whatever the weights. On the complement ker w
  some norm N has ``N(Vy) <= κ N(y)``, κ < λ; with ``x_i = p_i u + y_i`` the largest ``N(y_i)/p_i`` falls exponentially.
- Split (V symmetric, so w = u): tokens I near u, tokens J near -u, m the smallest ``|<x_i, u>|``, λ* the largest other
  modulus, q a lower bound of the softmax mass that every token gives to its own side. If
  ``q(λ - λ*)m > (1 - q)(λ + λ*m)``, then m grows to 1, and q with it:
  ``m' >= (1 - m²)(q(λ - λ*)m - (1 - q)(λ + λ*m))``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, arb_mat

from numerics.enclosure.balls import Vector, apply, dot, sign
from numerics.enclosure.norms import operator_norm
from numerics.enclosure.spectrum import NotSeparated, Spectrum, eigenvector


@dataclass(frozen=True)
class Target:
    """What the tokens are attracted by: the leading pair of V.

    ``right`` and ``left``: unit eigenvectors with a positive inner product. ``other``: the largest other modulus.
    ``symmetric``: V is, and ``right`` is ``left``.
    """

    value: arb
    other: arb
    right: Vector
    left: Vector
    symmetric: bool

    def sides(self, tokens: Sequence[Vector]) -> list[int | None]:
        """On which side of the hyperplane ``<w, x> = 0`` each token is certified to lie."""
        return [sign(dot(self.left, x)) for x in tokens]


def target(spectrum: Spectrum, orient: Vector | None = None) -> Target:
    """The target of a flow with value matrix ``spectrum.matrix``; ``<orient, u> > 0`` where ``orient`` is given.

    Raises :class:`NotSeparated` where the leading eigenvalue is not certified to be real, simple and dominant, or its
    side is not told.
    """
    if spectrum.leading_kind != "simple" or not spectrum.leading > spectrum.largest_other_modulus:
        raise NotSeparated("the leading eigenvalue is not certified to exceed all other moduli")
    right = spectrum.eigenvector
    if orient is not None:
        right = _turned(right, orient)
    symmetric = spectrum.matrix == spectrum.matrix.transpose()
    left = right if symmetric else _turned(eigenvector(spectrum.matrix.transpose(), spectrum.leading), right)
    return Target(spectrum.leading, spectrum.largest_other_modulus, right, left, symmetric)


def _turned(vector: Vector, towards: Vector) -> Vector:
    side = sign(dot(vector, towards))
    if not side:
        raise NotSeparated("the side of an eigenvector is not told at this precision")
    return vector if side == 1 else [-x for x in vector]


def limit_signs(aim: Target, tokens: Sequence[Vector], attention: arb_mat) -> list[int] | None:
    """The limit of every token, 1 for u and -1 for -u, where this enclosure settles them; None where it does not."""
    found = aim.sides(tokens)
    sides = [s for s in found if s]
    if len(sides) != len(found):
        return None
    if len(set(sides)) == 1:
        return sides
    return sides if aim.symmetric and split_holds(aim, tokens, sides, attention) else None


def split_holds(aim: Target, tokens: Sequence[Vector], sides: Sequence[int], attention: arb_mat) -> bool:
    """Whether the condition of the split form is certified."""
    smallest = arb(1)
    for x in tokens:
        smallest = smallest.min(abs(dot(aim.right, x)))
    smallest = smallest.lower()
    if not smallest > 0:
        return False
    # a token with overlap c >= m lies within √(2 - 2m) of ±u, so its logits are those of ±u up to 2 ||A|| √(2 - 2m)
    own = dot(aim.right, apply(attention, aim.right))
    apart = (2 - 2 * smallest).nonnegative_part().sqrt()
    cross = (-2 * own + 4 * operator_norm(attention) * apart).exp().upper()
    for side in (1, -1):
        mine = sum(1 for s in sides if s == side)
        mass = arb(mine) / (mine + (len(sides) - mine) * cross)
        gain = mass * (aim.value - aim.other) * smallest
        loss = (1 - mass) * (aim.value + aim.other * smallest)
        if not gain > loss:
            return False
    return True
