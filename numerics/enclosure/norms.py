"""Certified operator norms and largest eigenvalues of matrices of balls.

Upper bound: ``λ_max(M) <= t`` where the interval Cholesky factorisation of ``tI - M`` runs to its end; lower bound: the
Rayleigh quotient of one vector. Neither needs eigenvalues to be isolated, so that exact multiplicities do no harm
(``acb_mat.eig(multiple=True)`` raises on some).
"""

from __future__ import annotations

from flint import acb_mat, arb, arb_mat, ctx

from numerics.enclosure.balls import NotANumber, Vector, apply, dot

_TRIES = 400


def positive_definite(matrix: arb_mat) -> bool:
    """Whether every symmetric matrix in the ball (its lower triangle is read) is shown to be positive definite.

    False says nothing: the factorisation L D Lᵀ met a pivot that is not certified to be positive.
    """
    size = matrix.nrows()
    lower: list[list[arb]] = [[arb(0)] * size for _ in range(size)]
    pivots: list[arb] = []
    for k in range(size):
        # a product, never **: arb's power of a ball that holds zero is NaN
        pivot = matrix[k, k] - sum((lower[k][j] * lower[k][j] * pivots[j] for j in range(k)), arb(0))
        if not pivot > 0:
            return False
        pivots.append(pivot)
        for i in range(k + 1, size):
            partial = sum((lower[i][j] * lower[k][j] * pivots[j] for j in range(k)), arb(0))
            lower[i][k] = (matrix[i, k] - partial) / pivot
    return True


def largest_eigenvalue(symmetric: arb_mat) -> arb:
    """A ball that holds the largest eigenvalue of the symmetric matrix (n×n).

    Raises :class:`NotANumber` where an entry is not finite.
    """
    if not all(x.is_finite() for x in symmetric.entries()):
        raise NotANumber("a matrix entry is not finite: raise the precision")
    vector = _leading_direction(symmetric)
    quotient = dot(vector, apply(symmetric, vector)) / dot(vector, vector)
    return quotient.lower().union(_upper(symmetric, quotient.mid()))


def operator_norm(matrix: arb_mat) -> arb:
    """A ball that holds the operator norm of the matrix (m×n); errors as :func:`largest_eigenvalue`."""
    return largest_eigenvalue(matrix.transpose() * matrix).nonnegative_part().sqrt()


def _upper(symmetric: arb_mat, near: arb) -> arb:
    """The first t a little above ``near`` for which ``tI - M`` is shown to be positive definite."""
    size = symmetric.nrows()
    scale = sum((abs(x).upper() for x in symmetric.entries()), arb(0))
    slack = scale * arb(2) ** (4 - ctx.prec) + 4 * sum((x.rad() for x in symmetric.entries()), arb(0))
    slack = slack + arb(2) ** (-8 * ctx.prec)
    for _ in range(_TRIES):
        bound = (near + slack).upper()
        shifted = arb_mat([[(bound if i == k else arb(0)) - symmetric[i, k] for k in range(size)] for i in range(size)])
        if positive_definite(shifted):
            return bound
        slack = 16 * slack
    raise NotANumber("no upper bound of an eigenvalue was found: raise the precision")


def _leading_direction(symmetric: arb_mat) -> Vector:
    """An approximate eigenvector of the largest eigenvalue; accuracy is not needed."""
    size = symmetric.nrows()
    values, vectors = acb_mat(symmetric.mid()).eig(right=True, algorithm="approx")
    top = 0
    for k in range(1, size):
        if values[k].real.mid() > values[top].real.mid():
            top = k
    best = [vectors[i, top].real.mid() for i in range(size)]
    return best if dot(best, best) > 0 else [arb(int(i == 0)) for i in range(size)]
