"""The blocks of a matrix in the frame of a unit vector u, in balls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flint import arb, arb_mat

from numerics.enclosure.balls import Vector, apply, dot, norm
from numerics.enclosure.norms import largest_eigenvalue, operator_norm
from numerics.enclosure.spectrum import NotSeparated


@dataclass(frozen=True)
class Frame:
    """``matrix`` (d×d, balls) in the frame of the unit vector ``vector`` (d, balls)."""

    matrix: arb_mat
    vector: Vector

    @cached_property
    def along(self) -> arb:
        """``uᵀMu``."""
        return dot(self.vector, apply(self.matrix, self.vector))

    def _across(self, matrix: arb_mat) -> Vector:
        moved = apply(matrix, self.vector)
        share = dot(self.vector, moved)
        return [x - share * u for x, u in zip(moved, self.vector, strict=True)]

    @cached_property
    def right(self) -> Vector:
        """``P⊥Mu``."""
        return self._across(self.matrix)

    @cached_property
    def right_norm(self) -> arb:
        """``|P⊥Mu|``."""
        return norm(self.right)

    @cached_property
    def left_norm(self) -> arb:
        """``|P⊥Mᵀu|``."""
        return norm(self._across(self.matrix.transpose()))

    @cached_property
    def block(self) -> arb_mat:
        """``P⊥MP⊥`` (d×d)."""
        d = len(self.vector)
        u = self.vector
        project = arb_mat([[(1 if i == k else 0) - u[i] * u[k] for k in range(d)] for i in range(d)])
        return project * self.matrix * project

    @cached_property
    def block_norm(self) -> arb:
        """``||P⊥MP⊥||``."""
        return operator_norm(self.block)

    @cached_property
    def block_top(self) -> arb:
        """The largest eigenvalue of a symmetric ``P⊥MP⊥`` on ``u⊥``."""
        d = len(self.vector)
        # u itself is an eigenvector of the block, of eigenvalue 0: it is sunk below all others
        depth = 1 + sum((abs(x).upper() for x in self.block.entries()), arb(0))
        rows = [[self.block[i, k] - depth * self.vector[i] * self.vector[k] for k in range(d)] for i in range(d)]
        return largest_eigenvalue(arb_mat(rows))

    def resolvent_square(self, value: arb) -> arb:
        """``Σ_j (α_j/(value - μ_j))²`` with μ_j, α_j the eigenvalues of ``P⊥MP⊥`` and the components of ``P⊥Mu``.

        It is ``|(value - P⊥MP⊥)⁻¹ P⊥Mu|²``, which needs no eigenvectors and so no isolated eigenvalues.
        """
        d = len(self.vector)
        lift = 1 + abs(value)
        rows = [
            [(value if i == k else 0) - self.block[i, k] + lift * self.vector[i] * self.vector[k] for k in range(d)]
            for i in range(d)
        ]
        try:
            solved = arb_mat(rows).solve(arb_mat([[x] for x in self.right]))
        except ZeroDivisionError as error:
            raise NotSeparated("the resolvent is not enclosed at this precision") from error
        y = [solved[k, 0] for k in range(d)]
        return dot(y, y)
