"""prop-3.3/convergence: tokens in the hemisphere of u1 converge at rate gap*."""

from __future__ import annotations

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import MEAN, SPHERE, SYMMETRIC_BASE, V, m, u1, x, x_j, x_rate
from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar, vector
from theory.kernel.rules import (
    Apply,
    Comparison,
    Convex,
    Definition,
    Differentiate,
    Entails,
    Envelope,
    Identity,
    Textbook,
)
from theory.kernel.rules.frames import LargestModulusBeside
from theory.kernel.step import Derivation, Step

p = scalar("p", "p_i")
p_rate = scalar("p_rate", r"\dot p_i")
q = scalar("q", "q_i")
across = vector("x_across", r"x_i^\perp")
mean_across = vector("m_across", r"m_i^\perp")
radius = scalar("other_radius", r"\max_{j\ge2}|\lambda_j|", nonnegative=True)
tan_i = scalar("tan_i", r"\vartheta_i", positive=True)
tan_i_rate = scalar("tan_i_rate", r"\dot\vartheta_i")
tan_rate = scalar("tan_max_angle_rate", r"D^+\vartheta")

_CS = "lemma/cauchy-schwarz"

CONVERGENCE = Derivation(
    claim="prop-3.3/convergence",
    setting={
        "eigenpair-equation": equal(V * u1, s.lambda_1 * u1),
        "eigenpair": equal(Dot(u1, u1), 1),
        "gap": equal(s.dominant_gap, s.lambda_1 - radius),
        "others": LargestModulusBeside(radius, V, u1),
        "weights": MEAN,
        "every-token-in-cone": at_most(Norm(x_j - Dot(x_j, u1) * u1), tan_i * Dot(x_j, u1)),
        "lowest": at_most(Dot(x, u1), Dot(x_j, u1)),
        "boundary": equal(Norm(x - Dot(x, u1) * u1), tan_i * Dot(x, u1)),
    },
    assumptions={
        **SPHERE,
        "symmetric-base": SYMMETRIC_BASE,
        "dominant-gap": below(0, s.dominant_gap),
        "hemisphere": below(0, Dot(x, u1)),
    },
    remark=(
        r"The hemisphere is that of the token at time $t$; it is kept since the smallest $\langle "
        r"x_i,u_1\rangle$ rises while it is positive (step rise). While $\vartheta>0$; at $\vartheta=0$ all "
        r"tokens stay at $u_1$."
    ),
    steps=(
        Step(
            "field",
            equal(x_rate, V * m - Dot(x, V * m) * x),
            ("single-head", "post-ln", "attention-only"),
            Identity(),
            r"The flow on the sphere.",
        ),
        Step("height", equal(p, Dot(x, u1)), (), Definition(), r"How far token $i$ is along $u_1$."),
        Step("height-of-mean", equal(q, Dot(m, u1)), (), Definition(), r"The same of its mean $m_i$."),
        Step("across", equal(across, x - p * u1), (), Definition(), r"What is left of $x_i$ across $u_1$."),
        Step("mean-across", equal(mean_across, m - q * u1), (), Definition(), r"And of $m_i$."),
        Step(
            "rate",
            equal(p_rate, s.lambda_1 * q - p * Dot(x, V * m)),
            ("height", "height-of-mean", "field", "symmetric-base", "eigenpair-equation"),
            Differentiate({x: x_rate, p: p_rate}),
            r"Differentiate $p_i$ along the flow; $\langle Vm_i,u_1\rangle=\lambda_1q_i$ as $V$ is symmetric.",
        ),
        Step(
            "split",
            equal(Dot(x, V * m), s.lambda_1 * p * q + Dot(across, V * mean_across)),
            ("height", "height-of-mean", "across", "mean-across", "symmetric-base", "eigenpair-equation", "eigenpair"),
            Identity(),
            r"$V$ maps $u_1$ to its own line and $u_1^\perp$ into itself.",
        ),
        Step(
            "orthogonal",
            equal(Dot(u1, mean_across), 0),
            ("height-of-mean", "mean-across", "eigenpair"),
            Identity(),
            r"By construction.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(Dot(across, V * mean_across), Norm(across) * Norm(V * mean_across)),
            (),
            Apply(_CS, {textbook.X: across, textbook.Y: V * mean_across}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "spectrum",
            at_most(Norm(V * mean_across), radius * Norm(mean_across)),
            ("symmetric-base", "eigenpair-equation", "orthogonal", "others"),
            Textbook(
                textbook.SPECTRAL_RADIUS_ACROSS,
                {
                    textbook.M: V,
                    textbook.U: u1,
                    textbook.X: mean_across,
                    textbook.EIGENVALUE: s.lambda_1,
                    textbook.RADIUS: radius,
                },
            ),
            r"On $u_1^\perp$ the norm of $V$ is $\max_{j\ge2}|\lambda_j|$.",
        ),
        Step(
            "mean-in-cone",
            at_most(Norm(m - Dot(m, u1) * u1), tan_i * Dot(m, u1)),
            ("every-token-in-cone", "weights"),
            Convex(),
            r"The cone of opening $\vartheta$ about $u_1$ is convex: it contains $m_i$ with all tokens.",
        ),
        Step(
            "mean-is-high",
            at_most(Dot(x, u1), Dot(m, u1)),
            ("lowest", "weights"),
            Convex(),
            r"Token $i$ is the lowest, so that $p_i\le q_i$.",
        ),
        Step(
            "pull",
            at_most(Dot(across, V * mean_across), radius * tan_i**2 * p * q),
            (
                "cauchy-schwarz",
                "spectrum",
                "mean-in-cone",
                "boundary",
                "height",
                "height-of-mean",
                "across",
                "mean-across",
            ),
            Entails(degree=3),
            r"The pull of the other eigenvalues, at most.",
        ),
        Step(
            "width",
            equal(tan_i**2 * p**2, 1 - p**2),
            ("boundary", "height", "eigenpair", "post-ln"),
            Identity(),
            r"Pythagoras, for the unit vector $x_i$.",
        ),
        Step(
            "rise",
            at_most(s.dominant_gap * q * (1 - p**2), p_rate),
            ("rate", "split", "pull", "width", "gap", "height", "hemisphere"),
            Entails(degree=2),
            r"The height of the lowest token grows at least at this rate.",
        ),
        Step(
            "tangent-rate",
            equal(tan_i_rate, -p_rate * (1 + tan_i**2) / (tan_i * p)),
            ("width", "height", "hemisphere"),
            Differentiate({tan_i: tan_i_rate, p: p_rate}),
            r"Differentiate $\vartheta_i^2p_i^2=1-p_i^2$.",
        ),
        Step(
            "contraction",
            at_most(tan_i_rate, -s.dominant_gap * tan_i),
            ("tangent-rate", "rise", "width", "mean-is-high", "height", "height-of-mean", "dominant-gap", "hemisphere"),
            Entails(degree=3, squares=(tan_i,)),
            r"Put together, with $q_i\ge p_i$ and $1+\vartheta_i^2=p_i^{-2}$.",
        ),
        Step(
            "envelope",
            at_most(tan_rate, -s.dominant_gap * s.tan_max_angle),
            ("contraction",),
            Envelope({tan_i: s.tan_max_angle, tan_i_rate: tan_rate}),
            r"Token $i$ is any of the widest ones.",
        ),
        Step(
            "bound",
            at_most(s.tan_max_angle, claims.TAN_ANGLE_BOUND.expr),
            ("envelope",),
            Comparison(s.tan_max_angle, tan_rate, s.t, s.tan_max_angle_0),
            r"$\dot y=-\mathrm{gap}^*y$ is solved by $\vartheta_0e^{-\mathrm{gap}^*t}$.",
        ),
    ),
)
DERIVATIONS: tuple[Derivation, ...] = (CONVERGENCE,)
LEMMAS: tuple[Derivation, ...] = ()
