"""Derivation of Prop. 3.1 without normalisation: the double exponential."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations.model import V, m, x_rate
from theory.derivations.prop_3_1_angles import ATTENTION_ONLY, SINGLE_HEAD, drive, drive_z, m_z, z_rate
from theory.derivations.prop_3_1_lemmas import (
    A,
    M,
    R,
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
from theory.derivations.prop_3_1_quoted import (
    BALL_DELTA,
    BALL_K,
    EXPONENT,
    QUOTED_FORM,
    TIME,
    WEIGHT,
    C_t,
    D_t,
    L_t,
    ball,
    exponent,
    weight,
    widest,
    widest_first,
    widest_last,
    widest_rate,
)
from theory.derivations.prop_3_1_radius import (
    clock,
    first_size,
    first_size_z,
    growth,
    length,
    length_z,
    longest,
    longest_mean,
    longest_rate,
    longest_z,
    longest_z_mean,
    longest_z_rate,
    size,
    size_z,
)
from theory.derivations.prop_3_1_sphere import FLOWS, NORMS, UPDATES, A_new, V_new, dA, dV
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar
from theory.kernel.rules import (
    Antiderivative,
    Apply,
    Definition,
    Differentiate,
    Entails,
    Envelope,
    Identity,
)
from theory.kernel.rules.accumulate import Accumulated, Together
from theory.kernel.rules.averages import AttentionMean, Averaged, AverageIdentity, J
from theory.kernel.step import Derivation, Step

distance = scalar("p31_distance", r"|\tilde x_i-x_i|", positive=True)
distance_rate = scalar("p31_distance_rate", r"\frac{d}{ds}|\tilde x_i-x_i|")
later = scalar("p31_later", r"s'", nonnegative=True)
_RATE_K = s.V_norm * (1 + 2 * s.A_norm * (s.radius_0 * sp.exp(growth * later)) ** 2)
_WEIGHTED_RATE = (widest_rate - _RATE_K.xreplace({later: TIME}) * widest) * WEIGHT
_PRIMITIVE = s.V_norm * (later + s.A_norm * s.radius_0**2 * sp.exp(2 * growth * later) / growth)
_SEGMENT = mean(Dot(V * z, u), Dot(A * z_i, z)) - mean(Dot(V * x, u), Dot(A * x_i, x))
_FIELDS = mean(Dot(V_new * z, u), Dot(A_new * z_i, z)) - mean(Dot(V * z, u), Dot(A * z_i, z))
_L = Dot(A * y_i, y)
_PERTURBED = {
    x: z,
    longest: longest_z,
    longest_rate: longest_z_rate,
    longest_mean: longest_z_mean,
    length: length_z,
    size: size_z,
    first_size: first_size_z,
    M: V_new,
    A: A_new,
    clock: TIME,
}

EUCLIDEAN = Derivation(
    claim="prop-3.1/euclidean",
    setting={
        "norms": NORMS,
        **UPDATES,
        "moving": below(0, claims.RADIUS_GROWTH.expr),
        "times": both(at_most(0, TIME), at_most(TIME, s.t)),
        "means": both(AttentionMean(m, x, Dot(A * x_i, x), J), AttentionMean(m_z, z, Dot(A_new * z_i, z), J)),
        "flow": both(equal(x_rate, drive), equal(z_rate, drive_z)),
        "longest-means": both(
            AttentionMean(longest_mean, x, Dot(A * longest, x), J),
            AttentionMean(longest_z_mean, z, Dot(A_new * longest_z, z), J),
        ),
        "longest": both(at_most(Dot(x, x), length**2), equal(Dot(longest, longest), length**2)),
        "longest-copy": both(at_most(Dot(z, z), length_z**2), equal(Dot(longest_z, longest_z), length_z**2)),
        "sizes": both(
            equal(size, length),
            equal(size_z, length_z),
            at_most(Dot(x_i, x_i), size**2),
            at_most(Dot(z_i, z_i), size_z**2),
            equal(first_size, s.radius_0),
        ),
        "displacements": both(equal(z, x + e), equal(z_i, x_i + e_i)),
        "between": both(at_most(0, path_time), at_most(path_time, 1)),
        "farthest": at_most(Dot(e, e), distance**2),
        "farthest-i": equal(Dot(e_i, e_i), distance**2),
    },
    assumptions={
        "single-head": both(
            *SINGLE_HEAD.xreplace(FLOWS).args,
            equal(longest_rate, V * longest_mean),
            equal(longest_z_rate, V_new * longest_z_mean),
        ),
        "attention-only": ATTENTION_ONLY,
        "common-start": both(equal(widest_first, 0), equal(first_size_z, first_size)),
    },
    steps=(
        Step(
            "growth", equal(growth, claims.RADIUS_GROWTH.expr), (), Definition(), r"The rate at which tokens go away."
        ),
        Step(
            "norms-below",
            both(at_most(Norm(V), growth), at_most(Norm(V_new), growth)),
            ("growth", "norms"),
            Entails(),
            r"It is at least either norm.",
        ),
        Step("moving-rate", below(0, growth), ("growth", "moving"), Entails(), r"Not both vanish."),
        Step(
            "base-radius",
            at_most(size, first_size * sp.exp(growth * TIME)),
            ("single-head", "longest-means", "longest", "norms-below"),
            Apply("lemma/radius-growth", {M: V, clock: TIME}),
            r"So far go the base tokens,",
        ),
        Step(
            "perturbed-radius",
            at_most(size_z, first_size_z * sp.exp(growth * TIME)),
            ("single-head", "longest-means", "longest-copy", "norms-below"),
            Apply("lemma/radius-growth", _PERTURBED),
            r"and the perturbed ones.",
        ),
        Step(
            "ball",
            equal(ball, s.radius_0 * sp.exp(growth * TIME)),
            (),
            Definition(),
            r"The radius of both clouds, at most.",
        ),
        Step(
            "sizes-in-ball",
            both(at_most(size, ball), at_most(size_z, ball)),
            ("base-radius", "perturbed-radius", "ball", "sizes", "common-start"),
            Entails(),
            r"Both start from the radius $R_0$.",
        ),
        Step(
            "in-ball",
            both(at_most(Dot(x, x), ball**2), at_most(Dot(z, z), ball**2)),
            ("sizes-in-ball", "sizes", "longest", "longest-copy"),
            Entails(),
            r"So all tokens are in the ball,",
        ),
        Step(
            "i-in-ball",
            both(at_most(Dot(x_i, x_i), ball**2), at_most(Dot(z_i, z_i), ball**2)),
            ("sizes-in-ball", "sizes"),
            Entails(),
            r"token $i$ among them.",
        ),
        Step("direction", equal(u, e_i / distance), (), Definition(), r"The direction from $x_i$ to $\tilde x_i$."),
        Step(
            "direction-in-ball",
            at_most(Dot(u, u), 1),
            ("direction", "farthest-i"),
            Entails(),
            r"A unit vector.",
        ),
        Step(
            "distance",
            equal(distance**2, Dot(z_i - x_i, z_i - x_i)),
            ("farthest-i", "displacements"),
            Identity(),
            r"How far token $i$ is from its copy.",
        ),
        Step(
            "rate",
            equal(2 * distance * distance_rate, 2 * Dot(z_i - x_i, V_new * m_z - V * m)),
            ("distance", "flow", "attention-only", "single-head"),
            Differentiate({distance: distance_rate, x_i: x_rate, z_i: z_rate}),
            r"Differentiate the square.",
        ),
        Step(
            "rate-along",
            equal(distance * distance_rate, distance * (Dot(V_new * m_z, u) - Dot(V * m, u))),
            ("rate", "direction", "displacements"),
            Identity(),
            r"Only what is along the direction counts.",
        ),
        Step(
            "averages",
            equal(Dot(V_new * m_z, u) - Dot(V * m, u), _FIELDS + _SEGMENT),
            ("means",),
            AverageIdentity(),
            r"Add and subtract the base field at the perturbed tokens.",
        ),
        Step(
            "fields",
            at_most(_FIELDS, Norm(dV) * ball + Norm(V) * Norm(dA) * ball**3),
            ("value-update", "attention-update", "in-ball", "i-in-ball", "direction-in-ball"),
            Apply("lemma/two-fields#old-values", {**FLOWS, x: z, x_i: z_i, R: ball}),
            r"The two fields at the perturbed tokens differ at most by $\delta$.",
        ),
        Step(
            "path",
            both(equal(y, x + path_time * e), equal(y_i, x_i + path_time * e_i)),
            (),
            Definition(),
            r"The segments between the tokens.",
        ),
        Step(
            "spread",
            at_most(mean(Dot(e, e), _L), distance**2),
            ("farthest",),
            Averaged(_L),
            r"No token is farther from its copy than token $i$.",
        ),
        Step("own", at_most(Dot(e_i, e_i), distance**2), ("farthest-i",), Entails(), r"Nor is token $i$ itself."),
        Step(
            "base-field",
            at_most(_SEGMENT, Norm(V) * (distance + Norm(A) * ball**2 * (distance + distance))),
            ("displacements", "path", "between", "in-ball", "i-in-ball", "direction-in-ball", "own", "spread"),
            Apply("lemma/segment", {M: V, R: ball, r: distance, rho: distance}),
            r"The base field from the base tokens to the perturbed ones.",
        ),
        Step(
            "token-bound",
            at_most(
                distance_rate,
                s.dV_norm * ball + s.V_norm * s.dA_norm * ball**3 + s.V_norm * (1 + 2 * s.A_norm * ball**2) * distance,
            ),
            ("rate-along", "averages", "fields", "base-field", "norms"),
            Entails(degree=2),
            r"Put together: $D^+\le\delta+KD$.",
        ),
        Step(
            "envelope",
            at_most(
                widest_rate,
                s.dV_norm * ball + s.V_norm * s.dA_norm * ball**3 + s.V_norm * (1 + 2 * s.A_norm * ball**2) * widest,
            ),
            ("token-bound",),
            Envelope({distance: widest, distance_rate: widest_rate}),
            r"Token $i$ is any of those that are farthest from their copies.",
        ),
        Step(
            "exponent",
            equal(sp.Integral(_RATE_K, (later, TIME, s.t)), EXPONENT),
            (),
            Antiderivative(_PRIMITIVE),
            r"$\int_s^tK$ in closed form.",
        ),
        Step("weight", equal(exponent, EXPONENT), (), Definition(), r"Of it the integrating factor $e^{\int_s^tK}$."),
        Step(
            "weighted",
            at_most((widest_rate - BALL_K * widest) * weight, BALL_DELTA * weight),
            ("envelope",),
            Entails(degree=3),
            r"Times the factor.",
        ),
        Step(
            "weighted-rate",
            at_most(_WEIGHTED_RATE, claims.EUCLIDEAN_INTEGRAND.expr),
            ("weighted", "weight", "ball"),
            Entails(degree=1),
            r"The left side is the rate of $\max_i|\tilde x_i-x_i|\,e^{\int_s^tK}$ in $s$.",
        ),
        Step(
            "accumulated",
            at_most(widest_last, sp.Integral(claims.EUCLIDEAN_INTEGRAND.expr, (TIME, 0, s.t))),
            ("weighted-rate", "common-start"),
            Accumulated(
                widest * WEIGHT, TIME, s.t, {widest: widest_rate}, {widest: widest_first}, {widest: widest_last}
            ),
            r"Integrate from $0$ to $t$, where the factor is $1$.",
        ),
        *QUOTED_FORM,
        Step(
            "bound",
            both(
                at_most(widest_last, sp.Integral(claims.EUCLIDEAN_INTEGRAND.expr, (TIME, 0, s.t))),
                at_most(_WEIGHTED_RATE, claims.EUCLIDEAN_INTEGRAND.expr),
                equal(sp.Integral(_RATE_K, (later, TIME, s.t)), EXPONENT),
                at_most(widest_last**2, L_t * sp.exp(2 * C_t * sp.exp(3 * D_t))),
            ),
            ("accumulated", "weighted-rate", "exponent", "quoted"),
            Together(),
            r"The bound, its integrand, $\int_s^tK$ in closed form, and what it gives in the quoted form.",
        ),
    ),
    remark=(
        r"The quoted $L_t$, $C_t$, $D_t$ stand for: $D_t=\max(\|V\|,\|\tilde V\|)\,t$, $C_t=\|V\|t+\|A\|R_0^2$,"
        r" $L_t=t^2(\|\Delta V\|R+\|V\|\|\Delta A\|R^3)^2$ with $R=R_0e^{D_t}$: then"
        r" $W_2(\mu_t,\nu_t)^2\le\max_i|x_i-\tilde x_i|^2\le L_te^{2C_te^{3D_t}}$ by the identity coupling. Where the"
        r" distance vanishes the comparison starts anew."
    ),
)
