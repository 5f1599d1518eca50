"""The setting of Remark 3.4: the blocks of V + ΔV in the frame of u1 and of the eigenvectors z_j of its compression."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.derivations.model import SYMMETRIC_BASE, V, u1
from theory.kernel.notation import Dot, at_most, both, equal, family, matrix, scalar, vector
from theory.kernel.rules.averages import token_vector
from theory.kernel.rules.frames import Frame

update = matrix("r34_update", r"\Delta V")
total = matrix("r34_total", r"\tilde V")
z = token_vector("r34_z_j", "z_j")
leading = vector("r34_leading", r"\tilde u_1")
b = vector("r34_b", "b")
angle = scalar("r34_angle", r"\angle(u_1,\tilde u_1)", nonnegative=True)
mixing = family("r34_mixing", r"\kappa")
part = family("r34_part", "y")

ORTHONORMAL = both(equal(Dot(u1, u1), 1), equal(Dot(z, z), 1), equal(Dot(u1, z), 0))
"""What ``Frame`` says of single vectors."""
FRAME = {"frame": Frame(z, u1, s.j), "orthonormal": ORTHONORMAL}
"""u1 and the z_j are an orthonormal basis."""
BLOCKS = {
    "base-eigenvector": equal(V * u1, s.lambda_1 * u1),
    "total": equal(total, V + update),
    "a": equal(s.a, Dot(u1, update * u1)),
    "b": equal(b, update * u1 - s.a * u1),
    "alpha": equal(s.alpha[s.j], Dot(z, b)),
    "compression": equal(total * z, mixing[s.j] * u1 + s.mu[s.j] * z),
}
"""a and b, and the z_j as eigenvectors of the compression of V + ΔV to the complement of u1, eigenvalues mu_j."""
PERTURBED = {
    "perturbed-eigenvector": equal(total * leading, s.perturbed_lambda_1 * leading),
    "perturbed-unit": equal(Dot(leading, leading), 1),
    "angle": equal(Dot(u1, leading), sp.cos(angle)),
    "direction": at_most(0, sp.cos(angle)),
    "parts": equal(part[s.j], Dot(z, leading)),
}
"""The leading eigenvector of V + ΔV, of unit length, on the side of u1, and its components in the frame."""
SYMMETRIC: dict[str, sp.Basic] = {"symmetric-base": SYMMETRIC_BASE, "symmetric-update": equal(update.T, update)}
