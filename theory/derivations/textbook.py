"""The textbook theorems that derivations cite, each with its hypotheses and its source, and what is mere notation."""

from __future__ import annotations

from theory.kernel.notation import Dot, Norm, at_most, equal, matrix, scalar, vector
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import LargestModulusBeside

_x, _y = vector("x", "x"), vector("y", "y")
_u = vector("u", "u")
_M, _N = matrix("M", "M"), matrix("N", "N")
_lam = scalar("lambda_M", r"\lambda")
_radius = scalar("radius_M", r"\kappa", nonnegative=True)
_HORN = "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, "

X, Y, U, M, N, EIGENVALUE, RADIUS = _x, _y, _u, _M, _N, _lam, _radius
"""The symbols of the theorems below, to be replaced."""

LAGRANGE = Theorem(
    "Lagrange's identity",
    at_most(Dot(_x, _y) ** 2, Dot(_x, _x) * Dot(_y, _y)),
    "J. M. Steele, The Cauchy-Schwarz Master Class, Cambridge 2004, ch. 3 (the difference is a sum of squares)",
)

OPERATOR_NORM = Theorem("operator norm", at_most(Norm(_M * _x), Norm(_M) * Norm(_x)), None)
"""``|Mx| <= ||M|| |x|``: what the operator norm is."""

TRIANGLE_MATRICES = Theorem(
    "triangle inequality", at_most(Norm(_M + _N), Norm(_M) + Norm(_N)), _HORN + "§5.6 (operator norms are norms)"
)

SPECTRAL_RADIUS_ACROSS = Theorem(
    "spectral theorem across an eigenvector",
    at_most(Norm(_M * _x), _radius * Norm(_x)),
    _HORN + "Thm. 4.1.5 (a symmetric matrix has an orthonormal basis of eigenvectors)",
    (equal(_M.T, _M), equal(_M * _u, _lam * _u), equal(Dot(_u, _x), 0), LargestModulusBeside(_radius, _M, _u)),
)
"""M symmetric, x orthogonal to its eigenvector u, ``radius_M`` the largest modulus of the other eigenvalues."""

ALL: tuple[Theorem, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Theorem))
"""Every theorem of this file."""
