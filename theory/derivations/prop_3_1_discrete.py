"""Derivation of Prop. 3.1 for one layer of the layered model."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V, m
from theory.derivations.prop_3_1_angles import ATTENTION_ONLY, SINGLE_HEAD, N, drive, drive_z, m_z
from theory.derivations.prop_3_1_lemmas import (
    A,
    M,
    R,
    bilinear_step,
    e,
    e_i,
    mean,
    path_time,
    r,
    rho,
    u,
    x,
    x_i,
    y,
    y_i,
    z,
    z_i,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity
from theory.kernel.rules.averages import AttentionMean, Averaged, AverageIdentity, J
from theory.kernel.step import Derivation, Step

X, Y = textbook.X, textbook.Y
radius = scalar("p31_radius", "r", positive=True)
one_length, other_length = scalar("p31_length_x", "|x|", positive=True), scalar("p31_length_y", "|y|", positive=True)
unit_gap = Y / other_length - X / one_length

NORMALISING = Derivation(
    claim="lemma/normalising",
    title="Normalising is 1/r-Lipschitz outside the ball of radius r",
    states=at_most(radius * Norm(unit_gap), Norm(Y - X)),
    setting={
        "lengths": both(equal(Dot(X, X), one_length**2), equal(Dot(Y, Y), other_length**2)),
        "outside": both(at_most(radius, one_length), at_most(radius, other_length)),
    },
    steps=(
        Step(
            "identity",
            equal(
                one_length * other_length * Norm(unit_gap) ** 2,
                Norm(Y - X) ** 2 - (other_length - one_length) ** 2,
            ),
            ("lengths",),
            Identity(),
            r"Both sides are $2|x||y|-2\langle x,y\rangle$.",
        ),
        Step(
            "product",
            at_most(radius**2, one_length * other_length),
            ("outside",),
            Entails(),
            r"Both lengths are at least $r$.",
        ),
        Step(
            "square",
            at_most(radius**2 * Norm(unit_gap) ** 2, Norm(Y - X) ** 2),
            ("identity", "product"),
            Entails(degree=3, squares=(other_length - one_length, Norm(unit_gap))),
            r"The square of the difference of lengths is not negative.",
        ),
        Step(
            "bound",
            at_most(radius * Norm(unit_gap), Norm(Y - X)),
            ("square",),
            Entails(degree=3),
            r"Roots.",
        ),
    ),
)

pre, pre_z = vector("p31_pre", r"q_i"), vector("p31_pre_z", r"\tilde q_i")
after, after_z = vector("p31_after", r"x_i^+"), vector("p31_after_z", r"\tilde x_i^+")
apart = scalar("p31_chord", r"\max_j|\tilde x_j-x_j|", positive=True)
separation = scalar("p31_separation", r"|\tilde q_i-q_i|", nonnegative=True)
ratio = scalar("p31_ratio", r"\frac{|\tilde x_i^+-x_i^+|}{\max_j|\tilde x_j-x_j|}")
_L = Dot(A * y_i, y)
_AT = {M: V, N: V}
_SEGMENT = mean(Dot(V * z, u), Dot(A * z_i, z)) - mean(Dot(V * x, u), Dot(A * x_i, x))
_K = Norm(V) * (apart + Norm(A) * (apart + apart))


def _length_steps(which: str, token: Any, others: Any, mean_: Any, moved: Any) -> tuple[Step, ...]:
    weight = Dot(A * token, others)
    return (
        bilinear_step(f"pull{which}", others, V, token, r"Cauchy-Schwarz for the pull along the token itself,"),
        Step(
            f"pull-bounded{which}",
            at_most(-Dot(V * others, token), s.V_norm),
            (f"pull{which}", "unit-tokens", "post-ln", "norms"),
            Entails(),
            r"between unit vectors,",
        ),
        Step(
            f"mean-pull{which}",
            at_most(-Dot(V * mean_, token), s.V_norm),
            (f"pull-bounded{which}", "means"),
            Averaged(weight),
            r"averaged.",
        ),
        Step(
            f"along-token{which}",
            equal(Dot(moved, token), 1 + s.h * Dot(V * mean_, token)),
            ("post-ln", "attention-only", "single-head"),
            Identity(),
            r"What the step does along the token.",
        ),
        Step(
            f"cauchy-schwarz{which}",
            at_most(Dot(moved, token), Norm(moved) * Norm(token)),
            (),
            Apply("lemma/cauchy-schwarz", {X: moved, Y: token}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            f"unit{which}",
            at_most(Norm(token), 1),
            ("post-ln",),
            Entails(),
            r"The token is a unit vector.",
        ),
        Step(
            f"length{which}",
            at_most(1 - s.h * s.V_norm, Norm(moved)),
            (f"along-token{which}", f"mean-pull{which}", f"cauchy-schwarz{which}", f"unit{which}"),
            Entails(),
            r"So the step leaves the ball of radius $1-h\|V\|$ free.",
        ),
        Step(
            f"positive{which}",
            below(0, Norm(moved)),
            (f"length{which}", "step"),
            Entails(),
            r"and can be normalised.",
        ),
        Step(
            f"square{which}",
            equal(Dot(moved, moved), Norm(moved) ** 2),
            (),
            Identity(),
            r"What the norm is.",
        ),
    )


DISCRETE = Derivation(
    claim="prop-3.1/discrete",
    setting={
        "norms": both(equal(s.V_norm, Norm(V)), equal(s.A_norm, Norm(A))),
        "ratio": equal(ratio, Norm(after_z - after) / apart),
        "step": below(0, 1 - s.h * s.V_norm),
        "means": both(AttentionMean(m, x, Dot(A * x_i, x), J), AttentionMean(m_z, z, Dot(A * z_i, z), J)),
        "displacements": both(equal(z, x + e), equal(z_i, x_i + e_i)),
        "unit-tokens": both(equal(Dot(x, x), 1), equal(Dot(z, z), 1)),
        "farthest": at_most(Dot(e, e), apart**2),
        "farthest-i": at_most(Dot(e_i, e_i), apart**2),
        "between": both(at_most(0, path_time), at_most(path_time, 1)),
        "direction": both(
            equal(Dot(u, u), 1),
            equal(Dot(pre_z - pre, u), separation),
            equal(Dot(pre_z - pre, pre_z - pre), separation**2),
        ),
    },
    assumptions={
        "single-head": SINGLE_HEAD.xreplace(_AT),
        "attention-only": ATTENTION_ONLY,
        "post-ln": both(
            equal(pre, x_i + s.h * drive),
            equal(pre_z, z_i + s.h * drive_z),
            equal(after, pre / Norm(pre)),
            equal(after_z, pre_z / Norm(pre_z)),
            equal(Dot(x_i, x_i), 1),
            equal(Dot(z_i, z_i), 1),
        ),
    },
    steps=(
        Step("K", equal(s.K_one_flow, claims.K_ONE_FLOW.expr), (), Definition(), r"The constant of the flow."),
        Step(
            "path",
            both(equal(y, x + path_time * e), equal(y_i, x_i + path_time * e_i)),
            (),
            Definition(),
            r"The segments between the tokens.",
        ),
        Step(
            "in-ball",
            both(at_most(Dot(x, x), 1), at_most(Dot(z, z), 1)),
            ("unit-tokens",),
            Entails(),
            r"All tokens are unit vectors,",
        ),
        Step(
            "i-in-ball",
            both(at_most(Dot(x_i, x_i), 1), at_most(Dot(z_i, z_i), 1)),
            ("post-ln",),
            Entails(),
            r"so is token $i$,",
        ),
        Step("direction-in-ball", at_most(Dot(u, u), 1), ("direction",), Entails(), r"and the direction."),
        Step(
            "spread",
            at_most(mean(Dot(e, e), _L), apart**2),
            ("farthest",),
            Averaged(_L),
            r"No token is farther from its copy than the farthest.",
        ),
        Step(
            "attention",
            at_most(_SEGMENT, _K),
            (
                "displacements",
                "path",
                "between",
                "in-ball",
                "i-in-ball",
                "direction-in-ball",
                "farthest-i",
                "spread",
            ),
            Apply("lemma/segment", {M: V, R: sp.Integer(1), r: apart, rho: apart}),
            r"How far attention moves between the two configurations.",
        ),
        Step(
            "outputs",
            equal(Dot(V * m_z, u) - Dot(V * m, u), _SEGMENT),
            ("means",),
            AverageIdentity(),
            r"$m_i$ and $\tilde m_i$ are averages of the tokens.",
        ),
        Step(
            "displaced",
            at_most(Dot(e_i, u), Norm(e_i) * Norm(u)),
            (),
            Apply("lemma/cauchy-schwarz", {X: e_i, Y: u}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "own-move",
            at_most(Dot(e_i, u), apart),
            ("displaced", "farthest-i", "direction"),
            Entails(degree=3),
            r"Token $i$ is not farther either.",
        ),
        Step(
            "separation",
            equal(separation, Dot(e_i, u) + s.h * (Dot(V * m_z, u) - Dot(V * m, u))),
            ("direction", "displacements", "post-ln", "attention-only", "single-head"),
            Identity(),
            r"How far the two steps $q_i=x_i+hVm_i$ end apart before normalisation,",
        ),
        Step(
            "separation-bound",
            at_most(separation, apart * (1 + s.h * s.V_norm * (1 + 2 * s.A_norm))),
            ("separation", "own-move", "outputs", "attention", "norms"),
            Entails(),
            r"at most.",
        ),
        *_length_steps("", x_i, x, m, pre),
        *_length_steps("-copy", z_i, z, m_z, pre_z),
        Step(
            "normalised",
            at_most(
                (1 - s.h * s.V_norm) * Norm(pre_z / Norm(pre_z) - pre / Norm(pre)),
                Norm(pre_z - pre),
            ),
            ("square", "square-copy", "length", "length-copy", "positive", "positive-copy", "step"),
            Apply(
                "lemma/normalising",
                {X: pre, Y: pre_z, one_length: Norm(pre), other_length: Norm(pre_z), radius: 1 - s.h * s.V_norm},
            ),
            r"Normalising is Lipschitz outside that ball.",
        ),
        Step(
            "next-tokens",
            equal(Norm(after_z - after), Norm(pre_z / Norm(pre_z) - pre / Norm(pre))),
            ("post-ln",),
            Identity(),
            r"The next tokens.",
        ),
        Step(
            "before",
            at_most(Norm(pre_z - pre), separation),
            ("direction",),
            Entails(),
            r"How far apart the steps end.",
        ),
        Step(
            "chord",
            at_most((1 - s.h * s.V_norm) * Norm(after_z - after), apart * (1 + s.h * s.V_norm * (1 + 2 * s.A_norm))),
            ("normalised", "next-tokens", "before", "separation-bound"),
            Entails(degree=1),
            r"Put together.",
        ),
        Step(
            "bound",
            at_most(ratio, claims.STEP_LIPSCHITZ.expr),
            ("ratio", "chord", "step", "K"),
            Entails(degree=2),
            r"$(1+h\|V\|(1+2\|A\|))/(1-h\|V\|)=1+hK/(1-h\|V\|)$.",
        ),
    ),
    remark=(
        r"One step; steps with different $V$ multiply their constants. Token $i$ is any one, so that the bound holds"
        r" of the maximum over tokens."
    ),
)
LEMMAS = (NORMALISING,)
