"""Lemmas of Proposition 3.1: attention under two matrices, and along the segments between two configurations."""

from __future__ import annotations

import sympy as sp

from theory.derivations.prop_3_1_lemmas import (
    A,
    B,
    F,
    G,
    M,
    R,
    bilinear_step,
    covariance,
    e,
    e_i,
    f,
    g,
    logit,
    mean,
    path_time,
    r,
    rho,
    shift,
    top,
    u,
    x,
    x_i,
    y,
    y_i,
    z,
    z_i,
)
from theory.kernel.notation import Dot, Norm, at_most, both, equal
from theory.kernel.rules import Apply, Entails, Monotone
from theory.kernel.rules.averages import Averaged, Reweighted, Rise
from theory.kernel.step import Derivation, Step

_TILTED = Dot(A * x_i, x) + path_time * Dot(shift * x_i, x)

ATTENTION_SHIFT = Derivation(
    claim="lemma/attention-shift",
    title="The same tokens under two attention matrices",
    states=at_most(
        mean(Dot(M * x, u), Dot(B * x_i, x)) - mean(Dot(M * x, u), Dot(A * x_i, x)), Norm(M) * Norm(shift) * R**3
    ),
    setting={
        "update": equal(B, A + shift),
        "tokens": at_most(Dot(x, x), R**2),
        "token-i": at_most(Dot(x_i, x_i), R**2),
        "direction": at_most(Dot(u, u), 1),
    },
    steps=(
        bilinear_step("values", x, M, u, r"Cauchy-Schwarz for the values."),
        Step(
            "values-bounded",
            at_most(Dot(M * x, u) ** 2, (Norm(M) * R) ** 2),
            ("values", "tokens", "direction"),
            Entails(degree=4, squares=(Norm(M),)),
            r"Tokens have norm at most $R$.",
        ),
        bilinear_step("tilt", x_i, shift, x, r"Cauchy-Schwarz for the change of the logits."),
        Step(
            "tilt-bounded",
            at_most(Dot(shift * x_i, x) ** 2, (Norm(shift) * R**2) ** 2),
            ("tilt", "tokens", "token-i"),
            Entails(degree=4, squares=(Norm(shift), R)),
            r"The same for both tokens.",
        ),
        Step(
            "mean-square-values",
            at_most(mean(Dot(M * x, u) ** 2, _TILTED), (Norm(M) * R) ** 2),
            ("values-bounded",),
            Averaged(_TILTED),
            r"Averaged with the weights at $A+s\Delta$.",
        ),
        Step(
            "mean-square-tilt",
            at_most(mean(Dot(shift * x_i, x) ** 2, _TILTED), (Norm(shift) * R**2) ** 2),
            ("tilt-bounded",),
            Averaged(_TILTED),
            r"Averaged with the same weights.",
        ),
        Step(
            "covariance",
            at_most(covariance(Dot(M * x, u), Dot(shift * x_i, x), _TILTED), Norm(M) * R * (Norm(shift) * R**2)),
            ("mean-square-values", "mean-square-tilt"),
            Apply(
                "lemma/covariance",
                {f: Dot(M * x, u), g: Dot(shift * x_i, x), logit: _TILTED, F: Norm(M) * R, G: Norm(shift) * R**2},
            ),
            r"The covariance of the two.",
        ),
        Step(
            "bound",
            at_most(
                mean(Dot(M * x, u), Dot(B * x_i, x)) - mean(Dot(M * x, u), Dot(A * x_i, x)),
                Norm(M) * Norm(shift) * R**3,
            ),
            ("covariance", "update"),
            Rise(mean(Dot(M * x, u), _TILTED), path_time),
            r"That covariance is the rate of the average as $A+s\Delta$ goes from $A$ to $B$: a softmax has"
            r" $\frac{d}{ds}\mathbb E f=\operatorname{Cov}(f,\dot\ell)$.",
        ),
    ),
)

_L = Dot(A * y_i, y)
_OWN, _OTHERS = Dot(A * e_i, y), Dot(A * y_i, e)
_VALUES = Dot(M * y, u)
_SEGMENT_BOUND = Norm(M) * (rho + Norm(A) * R**2 * (r + rho))
_SEGMENT_RISE = mean(Dot(M * z, u), Dot(A * z_i, z)) - mean(Dot(M * x, u), Dot(A * x_i, x))

SEGMENT = Derivation(
    claim="lemma/segment",
    title="Attention at two configurations of tokens, in chords",
    states=at_most(_SEGMENT_RISE, _SEGMENT_BOUND),
    setting={
        "displacements": both(equal(z, x + e), equal(z_i, x_i + e_i)),
        "path": both(equal(y, x + path_time * e), equal(y_i, x_i + path_time * e_i)),
        "between": both(at_most(0, path_time), at_most(path_time, 1)),
        "tokens": both(at_most(Dot(x, x), R**2), at_most(Dot(z, z), R**2)),
        "token-i": both(at_most(Dot(x_i, x_i), R**2), at_most(Dot(z_i, z_i), R**2)),
        "direction": at_most(Dot(u, u), 1),
        "own-displacement": at_most(Dot(e_i, e_i), r**2),
        "spread": at_most(mean(Dot(e, e), _L), rho**2),
    },
    steps=(
        Step(
            "in-ball",
            at_most(Dot(y, y), R**2),
            ("displacements", "path", "between", "tokens"),
            Entails(degree=3),
            r"Balls are convex: $|y_j|^2=(1-s)|x_j|^2+s|\tilde x_j|^2-s(1-s)|e_j|^2$.",
        ),
        Step(
            "i-in-ball",
            at_most(Dot(y_i, y_i), R**2),
            ("displacements", "path", "between", "token-i"),
            Entails(degree=3),
            r"So is token $i$.",
        ),
        bilinear_step("velocity", e, M, u, r"Cauchy-Schwarz for the values that move."),
        Step(
            "velocity-bounded",
            at_most(Dot(M * e, u) ** 2, Norm(M) ** 2 * Dot(e, e)),
            ("velocity", "direction"),
            Entails(degree=4, squares=(Norm(M),)),
            r"The direction is of norm at most $1$.",
        ),
        Step(
            "mean-square-velocity",
            at_most(mean(Dot(M * e, u) ** 2, _L), Norm(M) ** 2 * mean(Dot(e, e), _L)),
            ("velocity-bounded",),
            Averaged(_L),
            r"Averaged with the weights at $y(s)$.",
        ),
        Step(
            "velocity-spread",
            at_most(mean(Dot(M * e, u) ** 2, _L), (Norm(M) * rho) ** 2),
            ("mean-square-velocity", "spread"),
            Entails(degree=2, squares=(Norm(M),)),
            r"The mean square displacement is at most $\rho^2$.",
        ),
        Step(
            "mean-velocity",
            at_most(mean(Dot(M * e, u), _L), Norm(M) * rho),
            ("velocity-spread",),
            Apply("lemma/root-mean-square", {f: Dot(M * e, u), logit: _L, F: Norm(M) * rho}),
            r"A mean is at most the root of the mean square.",
        ),
        bilinear_step("values", y, M, u, r"Cauchy-Schwarz for the values."),
        Step(
            "values-bounded",
            at_most(_VALUES**2, (Norm(M) * R) ** 2),
            ("values", "in-ball", "direction"),
            Entails(degree=4, squares=(Norm(M),)),
            r"In the ball, and with the direction of norm at most $1$.",
        ),
        Step(
            "mean-square-values",
            at_most(mean(_VALUES**2, _L), (Norm(M) * R) ** 2),
            ("values-bounded",),
            Averaged(_L),
            r"Averaged.",
        ),
        bilinear_step("own-tilt", e_i, A, y, r"The logits change with token $i$ itself,"),
        Step(
            "own-tilt-bounded",
            at_most(_OWN**2, (Norm(A) * r * R) ** 2),
            ("own-tilt", "own-displacement", "in-ball"),
            Entails(degree=4, squares=(Norm(A), R)),
            r"at most by this,",
        ),
        Step(
            "mean-square-own-tilt",
            at_most(mean(_OWN**2, _L), (Norm(A) * r * R) ** 2),
            ("own-tilt-bounded",),
            Averaged(_L),
            r"on average too.",
        ),
        bilinear_step("tilt", y_i, A, e, r"They change with the other tokens,"),
        Step(
            "tilt-bounded",
            at_most(_OTHERS**2, Norm(A) ** 2 * R**2 * Dot(e, e)),
            ("tilt", "i-in-ball"),
            Entails(degree=4, squares=(Norm(A),)),
            r"at most by this,",
        ),
        Step(
            "averaged-tilt",
            at_most(mean(_OTHERS**2, _L), Norm(A) ** 2 * R**2 * mean(Dot(e, e), _L)),
            ("tilt-bounded",),
            Averaged(_L),
            r"averaged,",
        ),
        Step(
            "mean-square-tilt",
            at_most(mean(_OTHERS**2, _L), (Norm(A) * R * rho) ** 2),
            ("averaged-tilt", "spread"),
            Entails(degree=2, squares=(Norm(A) * R,)),
            r"with the mean square displacement.",
        ),
        Step(
            "own-covariance",
            at_most(covariance(_VALUES, _OWN, _L), Norm(M) * R * (Norm(A) * r * R)),
            ("mean-square-values", "mean-square-own-tilt"),
            Apply("lemma/covariance", {f: _VALUES, g: _OWN, logit: _L, F: Norm(M) * R, G: Norm(A) * r * R}),
            r"Covariance with the first change.",
        ),
        Step(
            "covariance",
            at_most(covariance(_VALUES, _OTHERS, _L), Norm(M) * R * (Norm(A) * R * rho)),
            ("mean-square-values", "mean-square-tilt"),
            Apply("lemma/covariance", {f: _VALUES, g: _OTHERS, logit: _L, F: Norm(M) * R, G: Norm(A) * R * rho}),
            r"Covariance with the second.",
        ),
        Step(
            "rate",
            at_most(
                mean(Dot(M * e, u), _L) + covariance(_VALUES, _OWN, _L) + covariance(_VALUES, _OTHERS, _L),
                _SEGMENT_BOUND,
            ),
            ("mean-velocity", "own-covariance", "covariance"),
            Entails(degree=1),
            r"The three together.",
        ),
        Step(
            "bound",
            at_most(_SEGMENT_RISE, _SEGMENT_BOUND),
            ("rate", "path", "displacements"),
            Rise(mean(_VALUES, _L), path_time, {y: e, y_i: e_i}),
            r"They are the rate of $\langle Mm_i,u\rangle$ along the segments: values move, and the softmax adds"
            r" $\operatorname{Cov}(\cdot,\dot\ell)$.",
        ),
    ),
)

DENSITY = Derivation(
    claim="lemma/softmax-density",
    title="Softmax weights against equal weights",
    states=at_most(mean(f, logit), sp.exp(2 * top) * mean(f, sp.Integer(0))),
    setting={
        "positive": at_most(0, f),
        "logits-below": at_most(logit, top),
        "logits-above": at_most(-top, logit),
    },
    steps=(
        Step(
            "largest",
            at_most(sp.exp(logit), sp.exp(top)),
            ("logits-below",),
            Monotone(sp.exp),
            r"No token weighs more than this before normalisation,",
        ),
        Step(
            "smallest",
            at_most(sp.exp(-top), sp.exp(logit)),
            ("logits-above",),
            Monotone(sp.exp),
            r"and none less than this.",
        ),
        Step(
            "weighted",
            at_most(sp.exp(logit) * f, sp.exp(top) * f),
            ("largest", "positive"),
            Entails(),
            r"The quantity is not negative.",
        ),
        Step(
            "numerator",
            at_most(mean(sp.exp(logit) * f, sp.Integer(0)), sp.exp(top) * mean(f, sp.Integer(0))),
            ("weighted",),
            Averaged(sp.Integer(0)),
            r"The mean over tokens with equal weights.",
        ),
        Step(
            "denominator",
            at_most(sp.exp(-top), mean(sp.exp(logit), sp.Integer(0))),
            ("smallest",),
            Averaged(sp.Integer(0)),
            r"The same of the normalisation.",
        ),
        Step("average", at_most(0, mean(f, logit)), ("positive",), Averaged(logit), r"An average is positive."),
        Step(
            "softmax",
            equal(mean(f, logit) * mean(sp.exp(logit), sp.Integer(0)), mean(sp.exp(logit) * f, sp.Integer(0))),
            (),
            Reweighted(),
            r"What the softmax weights are.",
        ),
        Step(
            "bound",
            at_most(mean(f, logit), sp.exp(2 * top) * mean(f, sp.Integer(0))),
            ("softmax", "numerator", "denominator", "average"),
            Entails(degree=3),
            r"Put together: no weight exceeds $e^{2c}/n$.",
        ),
    ),
)
LEMMAS = (ATTENTION_SHIFT, SEGMENT, DENSITY)
