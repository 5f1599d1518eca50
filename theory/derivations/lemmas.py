"""Lemmas that several derivations use."""

from __future__ import annotations

from theory.derivations import textbook
from theory.kernel.notation import Dot, Norm, at_most
from theory.kernel.rules import Apply, Entails, Textbook
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

TRIANGLE = Derivation(
    claim="lemma/triangle",
    title="triangle inequality",
    states=at_most(Norm(x + y), Norm(x) + Norm(y)),
    steps=(
        Step(
            "cauchy-schwarz",
            at_most(Dot(x, y), Norm(x) * Norm(y)),
            (),
            Apply("lemma/cauchy-schwarz"),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "bound",
            at_most(Norm(x + y), Norm(x) + Norm(y)),
            ("cauchy-schwarz",),
            Entails(degree=2),
            r"Roots of $|x+y|^2=|x|^2+2\langle x,y\rangle+|y|^2\le(|x|+|y|)^2$.",
        ),
    ),
)

LEMMAS = (CAUCHY_SCHWARZ, TRIANGLE)
"""All lemmas."""
