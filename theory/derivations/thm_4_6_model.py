"""Symbols and lemmas that the derivations of Theorem 4.6 share."""

from __future__ import annotations

import sympy as sp

from theory.derivations.model import ATTENTION_ONLY, POST_LN, V, attention, m
from theory.kernel.notation import Dot, at_most, below, both, equal, matrix, scalar, vector
from theory.kernel.rules import Entails, Monotone
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import LargestBeside
from theory.kernel.step import Derivation, Step

V_new = matrix("p46_V", r"\tilde V")
dV = matrix("p46_dV", r"\Delta V")
SPHERE = {"single-head": equal(attention, V_new * m), "post-ln": POST_LN, "attention-only": ATTENTION_ONLY}
"""The flow of the perturbed model."""
UPDATE = equal(V_new, V + dV)
SYMMETRIC_UPDATE = equal(dV.T, dV)
tan_rate = scalar("tan_max_angle_rate", r"D^+\vartheta")

_M, _u, _x = matrix("M", "M"), vector("u", "u"), vector("x", "x")
_lam = scalar("lambda_M", r"\lambda")
_second = scalar("p46_second", r"\lambda_2(M)")
RAYLEIGH_ACROSS = Theorem(
    "Rayleigh quotient across the top eigenvector",
    at_most(Dot(_x, _M * _x), _second * Dot(_x, _x)),
    "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, Thm. 4.2.2 (Rayleigh-Ritz)",
    (equal(_M.T, _M), equal(_M * _u, _lam * _u), equal(Dot(_u, _x), 0), LargestBeside(_second, _M, _u)),
)
"""M symmetric, x orthogonal to its eigenvector u, ``p46_second`` the largest of the other eigenvalues."""
MATRIX, EIGENVECTOR, POINT, EIGENVALUE, SECOND = _M, _u, _x, _lam, _second

angle = scalar("p46_angle", r"\varphi")
value = scalar("p46_value", "y")

QUADRANT = Derivation(
    claim="lemma/first-quadrant",
    title="sine and cosine are positive between 0 and π/2",
    states=both(below(0, sp.sin(angle)), below(0, sp.cos(angle))),
    setting={"positive": below(0, angle), "acute": below(angle, sp.pi / 2)},
    steps=(
        Step(
            "sine",
            below(0, sp.sin(angle)),
            ("positive", "acute"),
            Monotone(sp.sin),
            r"The sine increases on $[-\pi/2,\pi/2]$.",
        ),
        Step(
            "complement",
            below(0, sp.pi / 2 - angle),
            ("acute",),
            Entails(degree=1),
            r"So is the complementary angle.",
        ),
        Step(
            "complement-range",
            both(at_most(0, sp.pi / 2 - angle), at_most(sp.pi / 2 - angle, sp.pi / 2)),
            ("positive", "acute"),
            Entails(degree=1),
            r"It lies where the sine increases.",
        ),
        Step(
            "cosine",
            below(0, sp.cos(angle)),
            ("complement", "complement-range"),
            Monotone(sp.sin),
            r"$\cos\varphi=\sin(\pi/2-\varphi)$.",
        ),
        Step(
            "both",
            both(below(0, sp.sin(angle)), below(0, sp.cos(angle))),
            ("sine", "cosine"),
            Entails(degree=1),
            r"Together.",
        ),
    ),
)

LARGER = Derivation(
    claim="lemma/maximum-with-zero",
    title="a number is at most its maximum with zero",
    states=at_most(value, sp.Max(0, value)),
    steps=(Step("bound", at_most(value, sp.Max(0, value)), (), Entails(degree=1), r"What a maximum is."),),
)

LEMMAS: tuple[Derivation, ...] = (QUADRANT, LARGER)
