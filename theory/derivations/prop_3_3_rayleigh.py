"""The Rayleigh quotient of Ṽ at u1: steps that several derivations of Proposition 3.3 take."""

from __future__ import annotations

from theory import symbols as s
from theory.derivations.model import u1
from theory.derivations.prop_3_3_model import V_new
from theory.derivations.thm_4_6_model import MATRIX
from theory.kernel.notation import Dot, at_most, equal, scalar, vector
from theory.kernel.rules import Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import Largest
from theory.kernel.step import Step

TOP_VALUE = scalar("p33_top", r"\lambda_{\max}(M)")
UNIT = vector("x", "x")
RAYLEIGH = Theorem(
    "largest Rayleigh quotient",
    at_most(Dot(UNIT, MATRIX * UNIT), TOP_VALUE),
    "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, Thm. 4.2.2 (Rayleigh-Ritz)",
    (equal(MATRIX.T, MATRIX), equal(Dot(UNIT, UNIT), 1), Largest(TOP_VALUE, MATRIX)),
)
"""M symmetric, ``p33_top`` its largest eigenvalue."""

SYMMETRIC = Step(
    "symmetric",
    equal(V_new.T, V_new),
    ("update", "symmetric-base", "symmetric-update"),
    Identity(),
    r"$\tilde V$ is symmetric.",
)
AT_U1 = Step(
    "at-u1",
    equal(Dot(u1, V_new * u1), s.lambda_1 + s.a),
    ("update", "eigenpair-equation", "eigenpair", "a"),
    Identity(),
    r"The Rayleigh quotient of $\tilde V$ at $u_1$",
)
LARGEST = Step(
    "largest",
    at_most(Dot(u1, V_new * u1), s.perturbed_lambda_1),
    ("symmetric", "eigenpair", "top"),
    Textbook(RAYLEIGH, {MATRIX: V_new, UNIT: u1, TOP_VALUE: s.perturbed_lambda_1}),
    r"is at most the largest eigenvalue.",
)
