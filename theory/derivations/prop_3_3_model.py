"""Symbols that the derivations of Proposition 3.3 share: the perturbed model in the frame of u1."""

from __future__ import annotations

from theory import symbols as s
from theory.derivations.model import ATTENTION_ONLY, POST_LN, V, attention, m, u1
from theory.kernel.notation import Dot, Norm, below, both, equal, identity, matrix, scalar, vector

V_new = matrix("p33_V", r"\tilde V")
dV = matrix("p33_dV", r"\Delta V")
u_new = vector("p33_u1", r"\tilde u_1")
b = vector("p33_b", "b")
E = matrix("p33_E", "E")
second = scalar("p46_second", r"\lambda_2(M)")
theta = scalar("p33_theta", r"\theta", nonnegative=True)
delta = scalar("p33_delta", r"\delta")

UPDATE = equal(V_new, V + dV)
SYMMETRIC_UPDATE = equal(dV.T, dV)
SPHERE = {"single-head": equal(attention, V_new * m), "post-ln": POST_LN, "attention-only": ATTENTION_ONLY}
"""The flow of the perturbed model."""
ACROSS = identity - u1 * u1.T
FRAME = {
    "update": UPDATE,
    "eigenpair-equation": equal(V * u1, s.lambda_1 * u1),
    "eigenpair": equal(Dot(u1, u1), 1),
    "a": equal(s.a, Dot(u1, dV * u1)),
    "b": equal(b, dV * u1 - s.a * u1),
    "b-norm": equal(s.b_norm, Norm(b)),
    "E": equal(E, ACROSS * dV * ACROSS),
    "E-norm": equal(s.E_norm, Norm(E)),
}
"""V, ΔV and their blocks in the frame of u1."""
TOP = both(equal(V_new * u_new, s.perturbed_lambda_1 * u_new), equal(Dot(u_new, u_new), 1))
"""ũ1 is a unit eigenvector of Ṽ for λ̃1."""
SEPARATED = below(0, delta)
