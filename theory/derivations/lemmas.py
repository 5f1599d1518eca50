"""Lemmas that several derivations use."""

from __future__ import annotations

from theory.derivations import textbook
from theory.kernel.notation import Dot, Norm, at_most
from theory.kernel.rules import Entails, Textbook
from theory.kernel.step import Derivation, Step

x, y = textbook.X, textbook.Y

CAUCHY_SCHWARZ = Derivation(
    claim="lemma/cauchy-schwarz",
    title="Cauchy-Schwarz inequality",
    states=at_most(Dot(x, y), Norm(x) * Norm(y)),
    steps=(
        Step(
            "squares",
            at_most(Dot(x, y) ** 2, Dot(x, x) * Dot(y, y)),
            (),
            Textbook(textbook.LAGRANGE),
            r"The difference of the two sides is $\sum_{i<j}(x_iy_j-x_jy_i)^2$.",
        ),
        Step(
            "bound",
            at_most(Dot(x, y), Norm(x) * Norm(y)),
            ("squares",),
            Entails(degree=3),
            r"Roots, since $|x|^2=\langle x,x\rangle$ and norms are not negative.",
        ),
    ),
)

LEMMAS = (CAUCHY_SCHWARZ,)
"""All lemmas."""
