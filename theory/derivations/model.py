"""The model in symbols: what each assumption of the ledger gives, shared by all derivations."""

from __future__ import annotations

from theory import symbols as s
from theory.kernel.notation import Dot, MeanOf, both, equal, matrix, vector

u1 = vector("u1", "u_1")
x = vector("x_i", "x_i")
x_rate = vector("x_i_rate", r"\dot x_i")
x_j = vector("x_j", "x_j")
m = vector("m_i", "m_i")
drive = vector("drive", "g_i")
attention = vector("attention_output", r"o_i")
V = matrix("V", "V")

POST_LN = both(equal(x_rate, drive - Dot(x, drive) * x), equal(Dot(x, x), 1))
"""``post-ln``: tokens stay on the sphere, as the drive ``g_i`` is projected on the tangent space."""
ATTENTION_ONLY = equal(drive, attention)
"""``attention-only``: nothing but attention drives the tokens."""
SINGLE_HEAD = equal(attention, V * m)
"""``single-head``: one head, whose output is ``V m_i``."""
SPHERE = {"single-head": SINGLE_HEAD, "post-ln": POST_LN, "attention-only": ATTENTION_ONLY}
MEAN = MeanOf(m, x_j)
"""What attention does: ``m_i`` is a weighted mean of the tokens (any row-stochastic weights)."""
EIGENPAIR = both(equal(V * u1, s.lambda_1 * u1), equal(Dot(u1, u1), 1))
SYMMETRIC_BASE = equal(V.T, V)
