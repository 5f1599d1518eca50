"""prop-3.3/criterion: where ũ1 is, and that all tokens go there."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import MEAN, SYMMETRIC_BASE, V, u1, x, x_j
from theory.derivations.prop_3_3_drift import DRIFT
from theory.derivations.prop_3_3_model import SPHERE, SYMMETRIC_UPDATE, V_new, second, theta, u_new
from theory.derivations.prop_3_3_new_gap import _CS, NEW_GAP, mu, radius, z
from theory.derivations.prop_3_3_persistence import p_start
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Monotone
from theory.kernel.rules.frames import LargestModulusBeside
from theory.kernel.step import Derivation, Step

tan_i = scalar("tan_i", r"\vartheta_i", positive=True)
new_radius = scalar("p33_new_radius", r"\max_{j\ge2}|\tilde\lambda_j|", nonnegative=True)
height = scalar("p33_height", "p")
start, new_start = vector("p33_start", "x_i(0)"), vector("p33_new_start_i", r"\tilde x_i(0)")
side, turned = vector("p33_side", r"x^\perp"), vector("p33_turned", r"\tilde u_1^\perp")


CRITERION = Derivation(
    claim="prop-3.3/criterion",
    setting={
        **{k: q for k, q in DRIFT.setting.items() if k != "separated"},
        "dominant-gap-is": equal(s.dominant_gap, s.lambda_1 - radius),
        "others": LargestModulusBeside(radius, V, u1),
        "new-others": LargestModulusBeside(new_radius, V_new, u_new),
        "second-in-modulus": at_most(second, radius),
        "criterion": below(0, claims.SHARP_CRITERION_MARGIN.expr),
        "theta-bound": equal(s.theta_bound, claims.THETA_BOUND.expr),
        "other": equal(V_new * z, mu * z),
        "other-unit": equal(Dot(z, z), 1),
        "other-orthogonal": equal(Dot(u_new, z), 0),
        "other-radius": equal(new_radius, sp.Abs(mu)),
        "perturbed-gap-is": equal(s.perturbed_dominant_gap, s.perturbed_lambda_1 - new_radius),
        "weights": MEAN,
        "unit-tokens": equal(Dot(x_j, x_j), 1),
        "unit-start": equal(Dot(new_start, new_start), 1),
        "lowest": at_most(Dot(x, u_new), Dot(x_j, u_new)),
        "boundary": equal(Norm(x - Dot(x, u_new) * u_new), tan_i * Dot(x, u_new)),
    },
    assumptions={
        **SPHERE,
        "symmetric-base": SYMMETRIC_BASE,
        "symmetric-update": SYMMETRIC_UPDATE,
        "common-start": equal(new_start, start),
        "hemisphere": below(claims.HEMISPHERE_NEEDED.expr, Dot(start, u1)),
    },
    remark=(
        r"$u_1$, $\tilde u_1$ and the eigenvalues are as in prop-3.3/drift, $\tilde\lambda_j$ any other eigenvalue of "
        r"$\tilde V$; $\tilde x_i(0)$ is the start that is lowest along $\tilde u_1$."
    ),
    steps=(
        Step(
            "separated",
            below(0, s.gap + s.a - s.E_norm),
            ("criterion", "gap", "dominant-gap-is", "second-in-modulus"),
            Entails(degree=1),
            r"$\mathrm{gap}\ge\mathrm{gap}^*$.",
        ),
        Step(
            "half-angle",
            at_most(theta / 2, s.theta_bound / 2),
            (
                *(k for k in DRIFT.setting if k != "separated"),
                "separated",
                "symmetric-base",
                "symmetric-update",
                "theta-bound",
            ),
            Apply("prop-3.3/drift#half"),
            r"The sharp drift bound.",
        ),
        *NEW_GAP,
        Step(
            "angle-bound",
            at_most(theta, s.theta_bound),
            ("half-angle",),
            Entails(degree=1),
            r"Now the tokens. $\theta\le\theta_b$,",
        ),
        Step(
            "angle-range",
            both(at_most(0, s.theta_bound), at_most(s.theta_bound, sp.pi / 2)),
            ("angle-bound", "theta-bound"),
            Entails(degree=1),
            r"both where the sine increases,",
        ),
        Step(
            "sines",
            at_most(sp.sin(theta), sp.sin(s.theta_bound)),
            ("angle-bound", "angle-range", "acute"),
            Monotone(sp.sin),
            r"so that $\sin\theta\le\sin\theta_b$.",
        ),
        Step("angle-order", at_most(0, theta), (), Entails(degree=1), r"Angles are not negative,"),
        Step(
            "sine",
            at_most(0, sp.sin(theta)),
            ("angle-order", "acute"),
            Monotone(sp.sin),
            r"nor are their sines up to $\pi/2$.",
        ),
        Step(
            "height",
            equal(height, Dot(new_start, u1)),
            (),
            Definition(),
            r"How far the token is along $u_1$ at the start,",
        ),
        Step("side", equal(side, new_start - height * u1), (), Definition(), r"and what it has across,"),
        Step("turned", equal(turned, u_new - sp.cos(theta) * u1), (), Definition(), r"the same of $\tilde u_1$."),
        Step(
            "high-enough",
            below(sp.sin(theta), height),
            ("sines", "hemisphere", "common-start", "height"),
            Entails(degree=1),
            r"The token is higher than $\sin\theta$.",
        ),
        Step(
            "overlap-split",
            equal(Dot(new_start, u_new), height * sp.cos(theta) + Dot(side, turned)),
            ("height", "side", "turned", "angle", "eigenpair"),
            Identity(),
            r"The overlap with $\tilde u_1$.",
        ),
        Step(
            "side-length",
            equal(Dot(side, side), 1 - height**2),
            ("height", "side", "eigenpair", "unit-start"),
            Identity(),
            r"Pythagoras,",
        ),
        Step(
            "turned-length",
            equal(Dot(turned, turned), sp.sin(theta) ** 2),
            ("turned", "angle", "eigenpair", "perturbed-unit"),
            Identity(),
            r"twice.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(-Dot(side, turned), Norm(side) * Norm(turned)),
            (),
            Apply(_CS, {textbook.X: -side, textbook.Y: turned}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "new-hemisphere",
            below(0, Dot(new_start, u_new)),
            (
                "overlap-split",
                "cauchy-schwarz",
                "side-length",
                "turned-length",
                "high-enough",
                "sine",
                "overlap-positive",
            ),
            Entails(degree=3),
            r"It starts in the open hemisphere of $\tilde u_1$.",
        ),
        Step(
            "bound",
            at_most(s.tan_max_angle, claims.PERTURBED_TAN_ANGLE_BOUND.expr),
            (
                "single-head",
                "post-ln",
                "attention-only",
                "symmetric",
                "perturbed-gap",
                "new-hemisphere",
                "perturbed-eigenvector",
                "perturbed-unit",
                "perturbed-gap-is",
                "new-others",
                "weights",
                "unit-tokens",
                "lowest",
                "boundary",
            ),
            Apply(
                "prop-3.3/convergence",
                {
                    V: V_new,
                    u1: u_new,
                    s.lambda_1: s.perturbed_lambda_1,
                    s.dominant_gap: s.perturbed_dominant_gap,
                    radius: new_radius,
                    p_start: Dot(new_start, u_new),
                },
            ),
            r"The convergence of Proposition 3.3, for $\tilde V$ about $\tilde u_1$.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (CRITERION,)
