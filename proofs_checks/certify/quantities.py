"""What the statements speak of: the quantities of one exact instance, as balls of the current precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flint import arb, arb_mat, fmpq_mat

from numerics.enclosure.balls import Vector, dot, exact_matrix, norm, rational, sign, unit
from numerics.enclosure.exact_frame import ExactFrame, ExactPair, exact_root, radical_sign
from numerics.enclosure.frame import Frame
from numerics.enclosure.radicals import Radical
from numerics.enclosure.spectrum import NotSeparated, Spectrum, spectrum
from proofs_checks.instance_file import Instance


@dataclass(frozen=True)
class Quantities:
    """Make one for each precision, and use it at that precision only."""

    instance: Instance

    # --- exact data -------------------------------------------------------------------------------

    @cached_property
    def V(self) -> fmpq_mat:
        """The value matrix."""
        return exact_matrix(self.instance.V)

    @cached_property
    def dV(self) -> fmpq_mat:
        """Its update."""
        return exact_matrix(self.instance.dV)

    @cached_property
    def perturbed_V(self) -> fmpq_mat:
        """Ṽ = V + ΔV."""
        return self.V + self.dV

    # --- spectra ----------------------------------------------------------------------------------

    @cached_property
    def base(self) -> Spectrum:
        """Of V."""
        return spectrum(self.V)

    @cached_property
    def perturbed(self) -> Spectrum:
        """Of Ṽ."""
        return spectrum(self.perturbed_V)

    @cached_property
    def u(self) -> Vector:
        """u1, on the side of the first token where there are tokens."""
        vector = self.base.eigenvector
        if not self.raw_tokens:
            return vector
        side = sign(dot(vector, self.raw_tokens[0]))
        if side is None:
            raise NotSeparated("the side of u1 that the first token lies on is not told at this precision")
        return [-x for x in vector] if side == -1 else vector

    @cached_property
    def cosine(self) -> arb:
        """``<u1, ũ1>`` >= 0 (the side of ũ1 is chosen by it)."""
        return abs(dot(self.u, self.perturbed.eigenvector))

    @cached_property
    def perturbed_u(self) -> Vector:
        """ũ1 with ``<u1, ũ1> > 0``."""
        vector = self.perturbed.eigenvector
        side = sign(dot(self.u, vector))
        if side is None:
            raise NotSeparated("the side of ũ1 is not told at this precision")
        return [-x for x in vector] if side == -1 else vector

    @cached_property
    def drift(self) -> arb:
        """``|u1 - ũ1|``."""
        return (2 - 2 * self.cosine).nonnegative_part().sqrt()

    @cached_property
    def tan_squared(self) -> arb:
        """``tan²`` of the angle between u1 and ũ1."""
        square = self.cosine * self.cosine
        return (1 - square) / square

    # --- the frame of u1 --------------------------------------------------------------------------

    @cached_property
    def update(self) -> Frame:
        """ΔV in the frame of u1: a, b, c, E."""
        return Frame(arb_mat(self.dV), self.u)

    @cached_property
    def whole(self) -> Frame:
        """Ṽ in the frame of u1: w, b, c, κ."""
        return Frame(arb_mat(self.perturbed_V), self.u)

    @cached_property
    def values(self) -> dict[str, arb]:
        """Name in code → ball, for the formulas of the theory; symmetric V."""
        return {
            "gap": self.base.leading - self.base.second,
            "dominant_gap": self.base.leading - self.base.largest_other_modulus,
            "lambda_1": self.base.leading,
            "a": self.update.along,
            "b_norm": self.update.right_norm,
            "c_norm": self.update.left_norm,
            "E_norm": self.update.block_norm,
        }

    @cached_property
    def cone_values(self) -> dict[str, arb]:
        """The same for the cone theorem about u1; any V."""
        return {
            "w": self.whole.along,
            "kappa": self.whole.block_norm,
            "cone_separation": self.whole.along - self.whole.block_norm,
            "b_norm": self.whole.right_norm,
            "c_norm": self.whole.left_norm,
        }

    # --- tokens -----------------------------------------------------------------------------------

    @cached_property
    def raw_tokens(self) -> list[Vector]:
        """The tokens as written (n×d), of any length."""
        return [[arb(rational(x)) for x in row] for row in self.instance.X0 or ()]

    @cached_property
    def tokens(self) -> list[Vector]:
        """The unit tokens (n×d)."""
        return [unit(row) for row in self.raw_tokens]

    @cached_property
    def smallest_overlap(self) -> arb:
        """γ: the smallest ``<x_i, u1>``."""
        smallest, *rest = [dot(x, self.u) for x in self.tokens]
        for value in rest:
            smallest = smallest.min(value)
        return smallest

    @cached_property
    def tan_max_angle(self) -> arb:
        """ϑ about u1; the tokens must lie in its open hemisphere."""
        return tangent(self.tokens, self.u)


def tangent(tokens: list[Vector], axis: Vector) -> arb:
    """``max_i tan ∠(x_i, axis)`` of unit tokens in the open hemisphere of the unit axis."""
    largest = arb(0)
    for token in tokens:
        along = dot(token, axis)
        across = norm([x - along * u for x, u in zip(token, axis, strict=True)])
        largest = largest.max(across / along)
    return largest


@dataclass(frozen=True)
class Exact:
    """The same quantities as exact numbers, where they are such; NotExact is raised where they are not."""

    quantities: Quantities

    @cached_property
    def pair(self) -> ExactPair:
        """(λ1, u1)."""
        return ExactPair(self.quantities.base)

    @cached_property
    def perturbed_pair(self) -> ExactPair:
        """(λ̃1, ũ1)."""
        return ExactPair(self.quantities.perturbed)

    @cached_property
    def update(self) -> ExactFrame:
        """ΔV about u1."""
        return ExactFrame(self.quantities.dV, self.pair.vector)

    @cached_property
    def whole(self) -> ExactFrame:
        """Ṽ about u1."""
        return ExactFrame(self.quantities.perturbed_V, self.pair.vector)

    @cached_property
    def gap(self) -> Radical:
        """λ1 - λ2 of a symmetric V."""
        return self.pair.value - self._eigenvalue(self.quantities.base.second)

    @cached_property
    def dominant_gap(self) -> Radical:
        """λ1 - max |λ_j| of a symmetric V."""
        base = self.quantities.base
        smallest, second = self._eigenvalue(base.smallest), self._eigenvalue(base.second)
        return self.pair.value + (smallest if radical_sign(smallest + second) < 0 else -second)

    def _eigenvalue(self, ball: arb) -> Radical:
        found = next(e for e in self.quantities.base.eigenvalues if e.ball.real.overlaps(ball))
        return exact_root(found.factor, found.ball)
