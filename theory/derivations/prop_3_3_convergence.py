"""prop-3.3/convergence: tokens in the hemisphere of u1 converge at rate gap*."""

from __future__ import annotations

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import u1, x
from theory.derivations.prop_3_3_persistence import FRAME, GAP, HEIGHT, MODEL, RISE, p, p_rate, p_start, persistence
from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar
from theory.kernel.rules import Apply, Comparison, Differentiate, Entails, Envelope, Identity
from theory.kernel.step import Derivation, Step

tan_i = scalar("tan_i", r"\vartheta_i", positive=True)
tan_i_rate = scalar("tan_i_rate", r"\dot\vartheta_i")
tan_rate = scalar("tan_max_angle_rate", r"D^+\vartheta")
BOUNDARY = equal(Norm(x - Dot(x, u1) * u1), tan_i * Dot(x, u1))
"""``tan_i`` is the tangent of the angle of the lowest token."""

WIDTH = (
    Step(
        "width",
        equal(tan_i**2 * p**2, 1 - p**2),
        ("boundary", "height", "eigenpair", "post-ln"),
        Identity(),
        r"Pythagoras, for the unit vector $x_i$.",
    ),
    Step(
        "tangent-rate",
        equal(tan_i_rate, -p_rate * (1 + tan_i**2) / (tan_i * p)),
        ("width", "height", "high"),
        Differentiate({tan_i: tan_i_rate, p: p_rate}),
        r"Differentiate $\vartheta_i^2p_i^2=1-p_i^2$.",
    ),
)

CONVERGENCE = Derivation(
    claim="prop-3.3/convergence",
    setting={**FRAME, "gap": GAP["gap"], "boundary": BOUNDARY},
    assumptions={**MODEL, "dominant-gap": GAP["dominant-gap"], "hemisphere": below(0, p_start)},
    remark=r"While $\vartheta>0$; at $\vartheta=0$ all tokens stay at $u_1$.",
    steps=(
        HEIGHT,
        *persistence((*FRAME, *MODEL, *GAP), "lemma/lowest-token-does-not-fall"),
        Step(
            "rise",
            RISE,
            (*FRAME, *MODEL, *GAP, "high", "height"),
            Apply("lemma/lowest-token-rises"),
            r"The height of the lowest token grows at least at this rate.",
        ),
        *WIDTH,
        Step(
            "contraction",
            at_most(tan_i_rate, -s.dominant_gap * tan_i),
            ("tangent-rate", "rise", "width", "height", "high"),
            Entails(degree=3, squares=(tan_i,)),
            r"Put together, with $1+\vartheta_i^2=p_i^{-2}$.",
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
