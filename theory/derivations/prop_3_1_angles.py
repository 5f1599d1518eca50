"""Lemmas of Proposition 3.1 on the sphere: the rate of an angle, and attention along great circles."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.derivations import model
from theory.derivations.prop_3_1_lemmas import (
    A,
    B,
    F,
    G,
    M,
    R,
    bilinear_step,
    covariance,
    f,
    g,
    logit,
    mean,
    path_time,
    shift,
    u,
    x,
    x_i,
    z,
    z_i,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Differentiate, Entails, Identity
from theory.kernel.rules.averages import AttentionMean, Averaged, AverageIdentity, J, Rise, token_scalar, token_vector
from theory.kernel.step import Derivation, Step

theta = scalar("p31_theta", r"\theta", nonnegative=True)
theta_j = token_scalar("p31_theta_j", r"\theta_j", nonnegative=True)
n, n_i = token_vector("p31_n_j", "n_j"), vector("p31_n_fixed", "n_i")
end_n = vector("p31_end_n_fixed", r"\tilde n_i")
y, y_i = token_vector("p31_circle_j", "y_j"), vector("p31_circle_fixed", "y_i")
w, w_i = token_vector("p31_tangent_j", "w_j"), vector("p31_tangent_fixed", "w_i")

_S = path_time
_L = Dot(A * y_i, y)
_TILT = theta * Dot(A * w_i, y) + theta_j * Dot(A * y_i, w)

UNIT = both(equal(Dot(x, x), 1), equal(Dot(n, n), 1), equal(Dot(x, n), 0))
UNIT_I = both(equal(Dot(x_i, x_i), 1), equal(Dot(n_i, n_i), 1), equal(Dot(x_i, n_i), 0))
CIRCLE = equal(z, sp.cos(theta_j) * x + sp.sin(theta_j) * n)
CIRCLE_I = equal(z_i, sp.cos(theta) * x_i + sp.sin(theta) * n_i)
END_TANGENT = equal(end_n, -sp.sin(theta) * x_i + sp.cos(theta) * n_i)
LARGEST = at_most(theta_j, theta)
CIRCLE_RISE = mean(Dot(M * z, end_n), Dot(A * z_i, z)) - mean(Dot(M * x, n_i), Dot(A * x_i, x))
CIRCLE_BOUND = 2 * Norm(M) * (1 + Norm(A)) * theta

CIRCLES = Derivation(
    claim="lemma/great-circles",
    title="Attention at two configurations of unit tokens, in angles",
    states=at_most(CIRCLE_RISE, CIRCLE_BOUND),
    setting={
        "tokens": UNIT,
        "token-i": UNIT_I,
        "great-circles": CIRCLE,
        "great-circle-i": both(CIRCLE_I, END_TANGENT),
        "largest": LARGEST,
    },
    steps=(
        Step(
            "path",
            both(
                equal(y, sp.cos(_S * theta_j) * x + sp.sin(_S * theta_j) * n),
                equal(w, -sp.sin(_S * theta_j) * x + sp.cos(_S * theta_j) * n),
            ),
            (),
            Definition(),
            r"The great circle from $x_j$ to $\tilde x_j$ at the constant speed $\theta_j$, and its unit tangent.",
        ),
        Step(
            "path-i",
            both(
                equal(y_i, sp.cos(_S * theta) * x_i + sp.sin(_S * theta) * n_i),
                equal(w_i, -sp.sin(_S * theta) * x_i + sp.cos(_S * theta) * n_i),
            ),
            (),
            Definition(),
            r"The same of token $i$, whose angle $\theta$ is the largest.",
        ),
        Step(
            "unit",
            both(equal(Dot(y, y), 1), equal(Dot(w, w), 1)),
            ("path", "tokens"),
            Identity(),
            r"Both have norm 1.",
        ),
        Step(
            "unit-i",
            both(equal(Dot(y_i, y_i), 1), equal(Dot(w_i, w_i), 1)),
            ("path-i", "token-i"),
            Identity(),
            r"Both have norm 1.",
        ),
        bilinear_step("moving-values", w, M, w_i, r"Cauchy-Schwarz for the values that move,"),
        Step(
            "moving-values-unit",
            at_most(Dot(M * w, w_i), Norm(M)),
            ("moving-values", "unit", "unit-i"),
            Entails(),
            r"both of them unit vectors,",
        ),
        Step(
            "moving-values-bounded",
            at_most(theta_j * Dot(M * w, w_i), theta * Norm(M)),
            ("moving-values-unit", "largest"),
            Entails(degree=2),
            r"which move at the speed $\theta_j\le\theta$.",
        ),
        bilinear_step("turning", y, M, y_i, r"Cauchy-Schwarz for the direction that turns."),
        Step(
            "turning-bounded",
            at_most(-Dot(M * y, y_i), Norm(M)),
            ("turning", "unit", "unit-i"),
            Entails(),
            r"All are unit vectors.",
        ),
        bilinear_step("values", y, M, w_i, r"Cauchy-Schwarz for the values."),
        Step(
            "values-bounded",
            at_most(Dot(M * y, w_i) ** 2, Norm(M) ** 2),
            ("values", "unit", "unit-i"),
            Entails(),
            r"All are unit vectors.",
        ),
        bilinear_step("own-tilt", w_i, A, y, r"The logits change with token $i$ itself,"),
        bilinear_step("others-tilt", y_i, A, w, r"and with the other tokens."),
        Step(
            "tilts-bounded",
            both(
                at_most(Dot(A * w_i, y), Norm(A)),
                at_most(-Dot(A * w_i, y), Norm(A)),
                at_most(Dot(A * y_i, w), Norm(A)),
                at_most(-Dot(A * y_i, w), Norm(A)),
            ),
            ("own-tilt", "others-tilt", "unit", "unit-i"),
            Entails(),
            r"All are unit vectors.",
        ),
        Step(
            "tilt-modulus",
            both(at_most(_TILT, 2 * Norm(A) * theta), at_most(-_TILT, 2 * Norm(A) * theta)),
            ("tilts-bounded", "largest"),
            Entails(),
            r"So the logits change at most at the rate $2\|A\|\theta$.",
        ),
        Step(
            "tilt-bounded",
            at_most(_TILT**2, (2 * Norm(A) * theta) ** 2),
            ("tilt-modulus",),
            Entails(),
            r"Squared.",
        ),
        Step(
            "mean-values-move",
            at_most(mean(theta_j * Dot(M * w, w_i), _L), theta * Norm(M)),
            ("moving-values-bounded",),
            Averaged(_L),
            r"Averaged with the weights at $y(s)$.",
        ),
        Step(
            "mean-turning",
            at_most(-mean(Dot(M * y, y_i), _L), Norm(M)),
            ("turning-bounded",),
            Averaged(_L),
            r"Averaged.",
        ),
        Step(
            "mean-square-values",
            at_most(mean(Dot(M * y, w_i) ** 2, _L), Norm(M) ** 2),
            ("values-bounded",),
            Averaged(_L),
            r"Averaged.",
        ),
        Step(
            "mean-square-tilt",
            at_most(mean(_TILT**2, _L), (2 * Norm(A) * theta) ** 2),
            ("tilt-bounded",),
            Averaged(_L),
            r"Averaged.",
        ),
        Step(
            "covariance",
            at_most(covariance(Dot(M * y, w_i), _TILT, _L), Norm(M) * (2 * Norm(A) * theta)),
            ("mean-square-values", "mean-square-tilt"),
            Apply(
                "lemma/covariance",
                {f: Dot(M * y, w_i), g: _TILT, logit: _L, F: Norm(M), G: 2 * Norm(A) * theta},
            ),
            r"The softmax covariance of values and logits.",
        ),
        Step(
            "rate",
            at_most(
                mean(theta_j * Dot(M * w, w_i), _L)
                - theta * mean(Dot(M * y, y_i), _L)
                + covariance(Dot(M * y, w_i), _TILT, _L),
                CIRCLE_BOUND,
            ),
            ("mean-values-move", "mean-turning", "covariance"),
            Entails(),
            r"The three together.",
        ),
        Step(
            "bound",
            at_most(CIRCLE_RISE, CIRCLE_BOUND),
            ("rate", "path", "path-i", "great-circles", "great-circle-i"),
            Rise(
                mean(Dot(M * y, w_i), _L),
                _S,
                {y: theta_j * w, w: -theta_j * y, y_i: theta * w_i, w_i: -theta * y_i},
            ),
            r"They are the rate of $\langle Mm_i,w_i\rangle$ along the great circles: values move, the direction turns"
            r" ($\dot w_i=-\theta y_i$), and the softmax adds $\operatorname{Cov}(\cdot,\dot\ell)$.",
        ),
    ),
)

dM = matrix("p31_dM", r"\Delta M")
N = matrix("p31_N", "N")
_FIELDS = mean(Dot(N * x, u), Dot(B * x_i, x)) - mean(Dot(M * x, u), Dot(A * x_i, x))


def _value_shift(name: str, weight: Any, why: str) -> Step:
    return Step(
        name,
        at_most(mean(Dot(dM * x, u), weight), Norm(dM) * R),
        ("value-bounded",),
        Averaged(weight),
        why,
    )


def _attention_shift(name: str, matrix_: Any, why: str) -> Step:
    return Step(
        name,
        at_most(
            mean(Dot(matrix_ * x, u), Dot(B * x_i, x)) - mean(Dot(matrix_ * x, u), Dot(A * x_i, x)),
            Norm(matrix_) * Norm(shift) * R**3,
        ),
        ("attention-update", "tokens", "token-i", "direction"),
        Apply("lemma/attention-shift", {M: matrix_}),
        why,
    )


quantity, base = scalar("p31_quantity", "X"), scalar("p31_base", "a")
one, other = scalar("p31_one", "v"), scalar("p31_other", "w")
factor = scalar("p31_factor", "c", nonnegative=True)

SMALLER = Derivation(
    claim="lemma/smaller",
    title="Two bounds, and the smaller of them",
    states=at_most(quantity, base + sp.Min(one, other) * factor),
    setting={
        "first": at_most(quantity, base + one * factor),
        "second": at_most(quantity, base + other * factor),
    },
    steps=(
        Step(
            "bound",
            at_most(quantity, base + sp.Min(one, other) * factor),
            ("first", "second"),
            Entails(degree=2),
            r"$\min(v,w)$ is one of the two.",
        ),
    ),
)

_SMALLER = sp.Min(Norm(M), Norm(N))
FIELDS = Derivation(
    claim="lemma/two-fields",
    title="Two fields at the same tokens",
    states=at_most(_FIELDS, Norm(dM) * R + _SMALLER * Norm(shift) * R**3),
    setting={
        "value-update": equal(N, M + dM),
        "attention-update": equal(B, A + shift),
        "tokens": at_most(Dot(x, x), R**2),
        "token-i": at_most(Dot(x_i, x_i), R**2),
        "direction": at_most(Dot(u, u), 1),
    },
    steps=(
        bilinear_step("value", x, dM, u, r"Cauchy-Schwarz for the change of the values."),
        Step(
            "value-bounded",
            at_most(Dot(dM * x, u), Norm(dM) * R),
            ("value", "tokens", "direction"),
            Entails(degree=4, squares=(Norm(dM),)),
            r"Tokens have norm at most $R$.",
        ),
        _value_shift("change-first", Dot(A * x_i, x), r"Averaged with the weights of $A$,"),
        _value_shift("change-last", Dot(B * x_i, x), r"and with those of $A+\Delta$."),
        _attention_shift("attention-last", N, r"The weights changed under the new values,"),
        _attention_shift("attention-first", M, r"or under the old ones."),
        Step(
            "values-differ",
            both(
                equal(
                    mean(Dot(N * x, u), Dot(A * x_i, x)),
                    mean(Dot(M * x, u), Dot(A * x_i, x)) + mean(Dot(dM * x, u), Dot(A * x_i, x)),
                ),
                equal(
                    mean(Dot(N * x, u), Dot(B * x_i, x)),
                    mean(Dot(M * x, u), Dot(B * x_i, x)) + mean(Dot(dM * x, u), Dot(B * x_i, x)),
                ),
            ),
            ("value-update",),
            AverageIdentity(),
            r"An average is linear.",
        ),
        Step(
            "new-values",
            at_most(_FIELDS, Norm(dM) * R + Norm(N) * Norm(shift) * R**3),
            ("change-first", "attention-last", "values-differ"),
            Entails(degree=1),
            r"First the values changed, then the weights.",
        ),
        Step(
            "old-values",
            at_most(_FIELDS, Norm(dM) * R + Norm(M) * Norm(shift) * R**3),
            ("change-last", "attention-first", "values-differ"),
            Entails(degree=1),
            r"First the weights, then the values.",
        ),
        Step(
            "bound",
            at_most(_FIELDS, Norm(dM) * R + _SMALLER * Norm(shift) * R**3),
            ("new-values", "old-values"),
            Apply(
                "lemma/smaller",
                {quantity: _FIELDS, base: Norm(dM) * R, one: Norm(M), other: Norm(N), factor: Norm(shift) * R**3},
            ),
            r"The smaller of the two.",
        ),
    ),
)

rate = scalar("p31_theta_rate", r"\dot\theta")
attention_z = vector("p31_attention_z", r"\tilde o_i")
drive_z = vector("p31_drive_z", r"\tilde g_i")
z_rate = vector("p31_z_rate", r"\dot{\tilde x}_i")
x_rate, drive, attention = model.x_rate, model.drive, model.attention
m, m_z = model.m, vector("p31_m_z", r"\tilde m_i")

POST_LN = both(equal(x_rate, drive - Dot(x_i, drive) * x_i), equal(z_rate, drive_z - Dot(z_i, drive_z) * z_i))
ATTENTION_ONLY = both(model.ATTENTION_ONLY, equal(drive_z, attention_z))
SINGLE_HEAD = both(equal(attention, M * m), equal(attention_z, N * m_z))
MEANS = both(AttentionMean(m, x, Dot(A * x_i, x), J), AttentionMean(m_z, z, Dot(B * z_i, z), J))
ANGLE_RATE_VALUE = mean(Dot(N * z, end_n), Dot(B * z_i, z)) - mean(Dot(M * x, n_i), Dot(A * x_i, x))

ANGLE_RATE = Derivation(
    claim="lemma/angle-rate",
    title="The rate of the angle between a token of the one flow and the same token of the other",
    states=at_most(rate, ANGLE_RATE_VALUE),
    setting={
        "token-i": UNIT_I,
        "great-circle-i": both(CIRCLE_I, END_TANGENT),
        "apart": below(0, sp.sin(theta)),
        "means": MEANS,
        "post-ln": POST_LN,
        "attention-only": ATTENTION_ONLY,
        "single-head": SINGLE_HEAD,
    },
    steps=(
        Step(
            "angle",
            equal(sp.cos(theta), Dot(x_i, z_i)),
            ("token-i", "great-circle-i"),
            Identity(),
            r"The angle $\theta$ of token $i$.",
        ),
        Step(
            "rate",
            equal(
                -sp.sin(theta) * rate,
                Dot(drive, z_i - sp.cos(theta) * x_i) + Dot(drive_z, x_i - sp.cos(theta) * z_i),
            ),
            ("angle", "post-ln"),
            Differentiate({theta: rate, x_i: x_rate, z_i: z_rate}),
            r"Differentiate $\cos\theta=\langle x_i,\tilde x_i\rangle$; what the projections take off is along"
            r" $x_i$, $\tilde x_i$.",
        ),
        Step(
            "projected",
            equal(-sp.sin(theta) * rate, -sp.sin(theta) * (Dot(N * m_z, end_n) - Dot(M * m, n_i))),
            ("rate", "great-circle-i", "attention-only", "single-head"),
            Identity(),
            r"The tangents: $\tilde x_i-\cos\theta\,x_i=\sin\theta\,n_i$,"
            r" $x_i-\cos\theta\,\tilde x_i=-\sin\theta\,\tilde n_i$.",
        ),
        Step(
            "averages",
            equal(Dot(N * m_z, end_n) - Dot(M * m, n_i), ANGLE_RATE_VALUE),
            ("means",),
            AverageIdentity(),
            r"$m_i$ and $\tilde m_i$ are averages of the tokens.",
        ),
        Step(
            "bound",
            at_most(rate, ANGLE_RATE_VALUE),
            ("projected", "averages", "apart"),
            Entails(),
            r"Divide by $-\sin\theta$ (both sides are equal).",
        ),
    ),
)
LEMMAS = (CIRCLES, SMALLER, FIELDS, ANGLE_RATE)
