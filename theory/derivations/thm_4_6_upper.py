"""thm-4.6/upper: the time of arrival at ũ1, from the convergence of Proposition 3.3."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3
from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import MEAN, SYMMETRIC_BASE, V, u1, x, x_j
from theory.derivations.prop_3_3_persistence import p_start
from theory.derivations.thm_4_6_model import SPHERE, SYMMETRIC_UPDATE, UPDATE, V_new, angle, value
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Entails, Identity, Monotone
from theory.kernel.rules.frames import LargestModulusBeside
from theory.kernel.step import Derivation, Step

u = vector("p46_u1", r"\tilde u_1")
farthest = vector("p46_x0", r"\tilde x(0)")
radius = scalar("other_radius", r"\max_{j\ge2}|\lambda_j|", nonnegative=True)
tan_i = scalar("tan_i", r"\vartheta_i", positive=True)

_WIDTH = sp.sqrt(1 - s.overlap**2)
_TAN = sp.tan(s.target_angle)
_BOUND = prop_3_3.TAN_ANGLE_BOUND.expr.xreplace({s.dominant_gap: s.perturbed_dominant_gap})
_LATE = sp.log(_WIDTH / (s.overlap * _TAN)) / s.perturbed_dominant_gap

UPPER = Derivation(
    claim="thm-4.6/upper",
    setting={
        "update": UPDATE,
        "eigenpair-equation": equal(V_new * u, s.perturbed_lambda_1 * u),
        "eigenpair": equal(Dot(u, u), 1),
        "gap": equal(s.perturbed_dominant_gap, s.perturbed_lambda_1 - radius),
        "others": LargestModulusBeside(radius, V_new, u),
        "weights": MEAN,
        "unit-tokens": equal(Dot(x_j, x_j), 1),
        "lowest": at_most(Dot(x, u), Dot(x_j, u)),
        "boundary": equal(Norm(x - Dot(x, u) * u), tan_i * Dot(x, u)),
        "farthest": both(
            equal(Dot(farthest, farthest), 1),
            equal(Dot(farthest, u), s.overlap),
            equal(Norm(farthest - Dot(farthest, u) * u), s.tan_max_angle_0 * Dot(farthest, u)),
        ),
        "acute": below(s.target_angle, sp.pi / 2),
        "not-arrived": below(_TAN, s.tan_max_angle),
    },
    assumptions={
        **SPHERE,
        "symmetric-base": SYMMETRIC_BASE,
        "symmetric-update": SYMMETRIC_UPDATE,
        "dominant-gap": below(0, s.perturbed_dominant_gap),
        "hemisphere": below(0, Dot(farthest, u)),
    },
    remark=(
        r"Read as its contrapositive: every time $t$ at which some token is farther than $\rho$ from $\tilde u_1$ is "
        r"below the bound."
    ),
    steps=(
        Step(
            "symmetric",
            equal(V_new.T, V_new),
            ("update", "symmetric-base", "symmetric-update"),
            Identity(),
            r"$\tilde V$ is symmetric.",
        ),
        Step(
            "convergence",
            at_most(s.tan_max_angle, _BOUND),
            (
                "single-head",
                "post-ln",
                "attention-only",
                "symmetric",
                "dominant-gap",
                "hemisphere",
                "eigenpair-equation",
                "eigenpair",
                "gap",
                "others",
                "weights",
                "unit-tokens",
                "lowest",
                "boundary",
            ),
            Apply(
                "prop-3.3/convergence",
                {
                    V: V_new,
                    u1: u,
                    s.lambda_1: s.perturbed_lambda_1,
                    s.dominant_gap: s.perturbed_dominant_gap,
                    p_start: Dot(farthest, u),
                },
            ),
            r"The convergence of Proposition 3.3, about $\tilde u_1$.",
        ),
        Step(
            "start",
            at_most(s.tan_max_angle_0, _WIDTH / s.overlap),
            ("farthest", "eigenpair"),
            Entails(degree=3),
            r"The farthest token has the overlap $\varepsilon$: its tangent is $\sqrt{1-\varepsilon^2}/\varepsilon$.",
        ),
        Step(
            "target-quadrant",
            both(below(0, sp.sin(s.target_angle)), below(0, sp.cos(s.target_angle))),
            ("acute",),
            Apply("lemma/first-quadrant", {angle: s.target_angle}),
            r"$0<\rho<\pi/2$.",
        ),
        Step(
            "below-decay",
            below(_TAN * sp.exp(s.perturbed_dominant_gap * s.t), _WIDTH / s.overlap),
            ("convergence", "start", "not-arrived", "target-quadrant"),
            Entails(degree=4),
            r"A token that is still outside lies below the decaying bound.",
        ),
        Step(
            "growth",
            below(sp.exp(s.perturbed_dominant_gap * s.t), _WIDTH / (s.overlap * _TAN)),
            ("below-decay", "target-quadrant"),
            Entails(degree=2),
            r"Divide by $\tan\rho>0$.",
        ),
        Step(
            "positive",
            below(0, _WIDTH / (s.overlap * _TAN)),
            ("growth", "target-quadrant"),
            Entails(degree=4),
            r"It exceeds an exponential.",
        ),
        Step(
            "exponent",
            below(s.perturbed_dominant_gap * s.t, sp.log(_WIDTH / (s.overlap * _TAN))),
            ("growth", "positive"),
            Monotone(sp.log),
            r"Logarithms.",
        ),
        Step(
            "late",
            below(s.t, _LATE),
            ("exponent", "dominant-gap"),
            Entails(degree=2),
            r"Divide by the gap.",
        ),
        Step(
            "larger",
            at_most(_LATE, sp.Max(0, _LATE)),
            (),
            Apply("lemma/maximum-with-zero", {value: _LATE}),
            r"No time is negative.",
        ),
        Step(
            "arrival",
            below(s.t, claims.ARRIVAL_TIME.expr),
            ("late", "larger", "dominant-gap"),
            Entails(degree=2),
            r"So every token is within $\rho$ from this time on.",
        ),
    ),
)

DERIVATIONS: tuple[Derivation, ...] = (UPPER,)
