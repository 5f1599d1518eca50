"""Derivation of Prop. 3.1 from two clouds: labelled tokens, and measures in W2."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations import model
from theory.derivations.model import V
from theory.derivations.prop_3_1_angles import (
    ATTENTION_ONLY,
    POST_LN,
    SINGLE_HEAD,
    N,
    attention_z,
    drive_z,
    m_z,
    z_rate,
)
from theory.derivations.prop_3_1_lemmas import (
    A,
    F,
    M,
    R,
    bilinear_step,
    e,
    e_i,
    f,
    logit,
    mean,
    path_time,
    r,
    rho,
    top,
    u,
    x,
    x_i,
    y,
    y_i,
    z,
    z_i,
)
from theory.derivations.prop_3_1_sphere import MODEL, SETTING, angle, angle_rate
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar
from theory.kernel.rules import Apply, Comparison, Definition, Differentiate, Entails, Identity
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.averages import (
    AttentionMean,
    Average,
    Averaged,
    AverageIdentity,
    AverageRate,
    I,
    J,
    token_scalar,
    token_vector,
)
from theory.kernel.step import Derivation, Step

o, o_i = token_vector("p31_o_j", "y_j"), token_vector("p31_o_i", "y_i")
k, k_i = token_vector("p31_k_j", "k_j"), token_vector("p31_k_i", "k_i")
p, p_i = token_vector("p31_p_j", "p_j"), token_vector("p31_p_i", "p_i")
base_i, direction_i = token_vector("p31_x_i", "x_i"), token_vector("p31_direction_i", "u_i")
chord_i = token_scalar("p31_chord_i", "|y_i-x_i|", nonnegative=True)
square_i, square_rate_i = (
    token_scalar("p31_square_i", "|y_i-x_i|^2"),
    token_scalar("p31_square_rate_i", r"\frac{d}{dt}|y_i-x_i|^2"),
)
rms = scalar("p31_rms", r"W", nonnegative=True)
rms_rate = scalar("p31_rms_rate", r"\dot W")
rms_first = scalar("p31_rms_first", r"W_2(\mu_0,\nu_0)", positive=True)

EVERY = {
    x_i: base_i,
    z_i: o_i,
    model.x_rate: token_vector("p31_base_rate_i", r"\dot x_i"),
    z_rate: token_vector("p31_o_rate_i", r"\dot y_i"),
    model.drive: token_vector("p31_base_drive_i", "g_i"),
    drive_z: token_vector("p31_o_drive_i", r"g_i^y"),
    model.attention: token_vector("p31_base_attention_i", "o_i"),
    attention_z: token_vector("p31_o_attention_i", r"o_i^y"),
    model.m: token_vector("p31_base_mean_i", "m_i"),
    m_z: token_vector("p31_o_mean_i", r"m_i^y"),
}
"""Token i and its copy in the other cloud, as any of all tokens."""
OTHER_CLOUD = {
    "post-ln": both(
        *POST_LN.xreplace(EVERY).args,
        equal(Dot(x, x), 1),
        equal(Dot(o, o), 1),
        equal(Dot(base_i, base_i), 1),
        equal(Dot(o_i, o_i), 1),
    ),
    "attention-only": ATTENTION_ONLY.xreplace(EVERY),
    "single-head": SINGLE_HEAD.xreplace({M: V, N: V}).xreplace(EVERY),
    "full-attention": equal(Average(Dot(k, k), 0, J), Average(Dot(k_i, k_i), 0, I)),
}
COUPLED = {
    "clouds": both(equal(o, x + k), equal(o_i, base_i + k_i)),
    "cloud-means": both(
        AttentionMean(EVERY[model.m], x, Dot(A * base_i, x), J), AttentionMean(EVERY[m_z], o, Dot(A * o_i, o), J)
    ),
    "between": both(at_most(0, path_time), at_most(path_time, 1)),
    "directions": both(equal(k_i, chord_i * direction_i), equal(Dot(direction_i, direction_i), 1)),
    "mean-square": equal(rms**2, Average(Dot(k_i, k_i), 0, I)),
    "clouds-apart": below(0, rms),
}

_m, _m_o = EVERY[model.m], EVERY[m_z]
_x_rate, _o_rate = EVERY[model.x_rate], EVERY[z_rate]
_L = Dot(A * p_i, p)
_RATE = Norm(V) * (1 + Norm(A))
_SPREAD = sp.exp(Norm(A)) * rms
_SEGMENT = mean(Dot(V * o, direction_i), Dot(A * o_i, o)) - mean(Dot(V * x, direction_i), Dot(A * base_i, x))
_AT = {z: o, e: k, y: p, x_i: base_i, z_i: o_i, e_i: k_i, y_i: p_i, u: direction_i, R: sp.Integer(1)}


def _radial(which: str, token: Any, others: Any, mean_: Any) -> tuple[Step, ...]:
    return (
        bilinear_step(f"radial{which}", others, V, token, r"Cauchy-Schwarz for the radial part,"),
        Step(
            f"radial-bounded{which}",
            at_most(-Dot(V * others, token), Norm(V)),
            (f"radial{which}", "post-ln"),
            Entails(),
            r"between unit vectors,",
        ),
        Step(
            f"mean-radial{which}",
            at_most(-Dot(V * mean_, token), Norm(V)),
            (f"radial-bounded{which}", "cloud-means"),
            Averaged(Dot(A * token, others)),
            r"averaged.",
        ),
    )


GROWTH = Derivation(
    claim="lemma/mean-square-growth",
    title="The root mean square distance of two clouds under one flow",
    states=at_most(rms_rate, _RATE * (1 + sp.exp(Norm(A))) * rms),
    setting={**COUPLED, **OTHER_CLOUD},
    steps=(
        Step(
            "path",
            both(equal(p, x + path_time * k), equal(p_i, base_i + path_time * k_i)),
            (),
            Definition(),
            r"The segments between the tokens.",
        ),
        Step(
            "clouds-in-ball",
            both(at_most(Dot(x, x), 1), at_most(Dot(o, o), 1)),
            ("post-ln",),
            Entails(),
            r"All tokens are unit vectors,",
        ),
        Step(
            "tokens-in-ball",
            both(at_most(Dot(base_i, base_i), 1), at_most(Dot(o_i, o_i), 1)),
            ("post-ln",),
            Entails(),
            r"token $i$ too.",
        ),
        Step(
            "in-ball",
            at_most(Dot(p, p), 1),
            ("clouds", "path", "between", "clouds-in-ball"),
            Apply("lemma/segment#in-ball", _AT),
            r"The ball is convex.",
        ),
        Step(
            "i-in-ball",
            at_most(Dot(p_i, p_i), 1),
            ("clouds", "path", "between", "tokens-in-ball"),
            Apply("lemma/segment#i-in-ball", _AT),
            r"The same of token $i$.",
        ),
        bilinear_step("logit", p_i, A, p, r"Cauchy-Schwarz for the logits."),
        Step(
            "logit-below",
            at_most(_L, Norm(A)),
            ("logit", "in-ball", "i-in-ball"),
            Entails(degree=4),
            r"They are at most $\|A\|$,",
        ),
        Step(
            "logit-above", at_most(-Norm(A), _L), ("logit", "in-ball", "i-in-ball"), Entails(degree=4), r"in modulus."
        ),
        Step("positive", at_most(0, Dot(k, k)), (), Entails(), r"A square is not negative."),
        Step(
            "density",
            at_most(mean(Dot(k, k), _L), sp.exp(2 * Norm(A)) * mean(Dot(k, k), sp.Integer(0))),
            ("positive", "logit-below", "logit-above"),
            Apply("lemma/softmax-density", {f: Dot(k, k), logit: _L, top: Norm(A)}),
            r"No weight exceeds $e^{2\|A\|}/n$.",
        ),
        Step(
            "spread",
            at_most(mean(Dot(k, k), _L), _SPREAD**2),
            ("density", "full-attention", "mean-square"),
            Entails(degree=4),
            r"So much is the mean square displacement that token $i$ sees; it attends to all.",
        ),
        Step(
            "direction-in-ball",
            at_most(Dot(direction_i, direction_i), 1),
            ("directions",),
            Entails(),
            r"A unit vector.",
        ),
        Step("own", at_most(Dot(k_i, k_i), chord_i**2), ("directions",), Entails(), r"The chord of token $i$."),
        Step(
            "attention",
            at_most(_SEGMENT, Norm(V) * (_SPREAD + Norm(A) * (chord_i + _SPREAD))),
            ("clouds", "path", "between", "clouds-in-ball", "tokens-in-ball", "direction-in-ball", "own", "spread"),
            Apply("lemma/segment", {**_AT, M: V, r: chord_i, rho: _SPREAD}),
            r"How far attention moves between the two clouds.",
        ),
        Step(
            "outputs",
            equal(Dot(V * _m_o, direction_i) - Dot(V * _m, direction_i), _SEGMENT),
            ("cloud-means",),
            AverageIdentity(),
            r"The means are averages of the tokens.",
        ),
        Step("square", equal(square_i, Dot(o_i - base_i, o_i - base_i)), (), Definition(), r"The square of the chord."),
        Step(
            "square-rate",
            equal(square_rate_i, 2 * Dot(o_i - base_i, _o_rate - _x_rate)),
            ("square",),
            Differentiate({square_i: square_rate_i, base_i: _x_rate, o_i: _o_rate}),
            r"Differentiate it.",
        ),
        Step(
            "projected",
            equal(
                square_rate_i,
                2 * chord_i * (Dot(V * _m_o, direction_i) - Dot(V * _m, direction_i))
                - chord_i**2 * (Dot(V * _m_o, o_i) + Dot(V * _m, base_i)),
            ),
            ("square-rate", "clouds", "directions", "post-ln", "attention-only", "single-head"),
            Identity(),
            r"Tokens are unit vectors: $\langle y_i-x_i,y_i\rangle=-\langle y_i-x_i,x_i\rangle=\frac12|y_i-x_i|^2$.",
        ),
        *_radial("", base_i, x, _m),
        *_radial("-copy", o_i, o, _m_o),
        Step(
            "token-bound",
            at_most(square_rate_i, 2 * _RATE * (chord_i**2 + _SPREAD * chord_i)),
            ("projected", "outputs", "attention", "mean-radial", "mean-radial-copy"),
            Entails(degree=3, squares=(chord_i,)),
            r"Put together.",
        ),
        Step(
            "averaged",
            at_most(
                Average(square_rate_i, 0, I),
                2 * _RATE * (Average(chord_i**2, 0, I) + _SPREAD * Average(chord_i, 0, I)),
            ),
            ("token-bound",),
            Averaged(sp.Integer(0), I),
            r"The mean over all tokens.",
        ),
        Step(
            "chords",
            equal(chord_i**2, Dot(k_i, k_i)),
            ("directions",),
            Identity(),
            r"The chords",
        ),
        Step(
            "mean-square-chords",
            equal(Average(chord_i**2, 0, I), Average(Dot(k_i, k_i), 0, I)),
            ("chords",),
            Averaged(sp.Integer(0), I),
            r"on average",
        ),
        Step(
            "mean-square-chord",
            at_most(Average(chord_i**2, 0, I), rms**2),
            ("mean-square-chords", "mean-square"),
            Entails(),
            r"have the mean square $W^2$.",
        ),
        Step(
            "mean-chord",
            at_most(Average(chord_i, 0, I), rms),
            ("mean-square-chord",),
            Apply("lemma/root-mean-square", {f: chord_i, logit: sp.Integer(0), F: rms, J: I}),
            r"The mean is at most the root of the mean square.",
        ),
        Step(
            "mean-of-squares",
            equal(Average(square_i, 0, I), Average(Dot(k_i, k_i), 0, I)),
            ("square", "clouds"),
            AverageIdentity(),
            r"The same mean,",
        ),
        Step(
            "squares",
            equal(rms**2, Average(square_i, 0, I)),
            ("mean-of-squares", "mean-square"),
            Identity(),
            r"$W^2$ is the mean of the squares.",
        ),
        Step(
            "rate",
            equal(2 * rms * rms_rate, Average(square_rate_i, 0, I)),
            ("squares",),
            AverageRate({rms: rms_rate, square_i: square_rate_i}),
            r"Differentiate it.",
        ),
        Step(
            "cross-term",
            at_most(_SPREAD * Average(chord_i, 0, I), sp.exp(Norm(A)) * rms**2),
            ("mean-chord",),
            Entails(degree=4),
            r"So much for the second term.",
        ),
        Step(
            "mean-rate",
            at_most(Average(square_rate_i, 0, I), 2 * _RATE * (1 + sp.exp(Norm(A))) * rms**2),
            ("averaged", "mean-square-chord", "cross-term"),
            Entails(degree=3),
            r"Both terms.",
        ),
        Step(
            "bound",
            at_most(rms_rate, _RATE * (1 + sp.exp(Norm(A))) * rms),
            ("rate", "mean-rate", "clouds-apart"),
            Entails(degree=2),
            r"Divide by $2W$.",
        ),
    ),
)

_RATIO = rms / rms_first
INITIAL = Derivation(
    claim="prop-3.1/initial",
    setting={**SETTING, **COUPLED},
    assumptions={
        **{name: both(*MODEL[name].args, *OTHER_CLOUD[name].args) for name in MODEL},
        "full-attention": OTHER_CLOUD["full-attention"],
    },
    steps=(
        Step("delta", equal(s.delta, claims.DELTA.expr), (), Definition(), r"How far the two fields differ."),
        Step("K", equal(s.K, claims.K.expr), (), Definition(), r"The better of the two Lipschitz constants."),
        Step(
            "envelope",
            at_most(angle_rate, s.delta + s.K * angle),
            (*SETTING, *MODEL, "delta", "K"),
            Apply("prop-3.1/sphere#envelope"),
            r"The largest angle of labelled tokens, as from the same tokens.",
        ),
        Step(
            "labelled",
            at_most(angle, claims.INITIAL_BOUND.expr),
            ("envelope",),
            Comparison(angle, angle_rate, s.t, s.initial_angle),
            r"$\dot y=\delta^*+K^*y$ from $y(0)=\theta(0)$.",
        ),
        Step(
            "mean-square-rate",
            at_most(rms_rate, _RATE * (1 + sp.exp(Norm(A))) * rms),
            (*COUPLED, *OTHER_CLOUD),
            Apply("lemma/mean-square-growth"),
            r"Two clouds under one flow, coupled once for all.",
        ),
        Step("K_2", equal(s.K_2, claims.K_2.expr), (), Definition(), r"Its rate."),
        Step(
            "rate",
            at_most(rms_rate, s.K_2 * rms),
            ("mean-square-rate", "K_2", "norms"),
            Entails(degree=1),
            r"In norms.",
        ),
        Step(
            "root-mean-square",
            at_most(rms, rms_first * sp.exp(s.K_2 * s.t)),
            ("rate",),
            Comparison(rms, rms_rate, s.t, rms_first),
            r"$\dot y=K_2y$ from $W_2(\mu_0,\nu_0)$, as the coupling is optimal at the start.",
        ),
        Step(
            "growth",
            at_most(_RATIO, claims.W2_GROWTH.expr),
            ("root-mean-square",),
            Entails(degree=3),
            r"$W_2(\mu_t,\nu_t)$ is at most the root mean square of any coupling.",
        ),
        Step(
            "bound",
            both(at_most(_RATIO, claims.W2_GROWTH.expr), at_most(angle, claims.INITIAL_BOUND.expr)),
            ("growth", "labelled"),
            Together(),
            r"Measures, and labelled tokens.",
        ),
    ),
    remark=(
        r"The labelled form needs no full attention. $W_\infty$: full attention does not see labels, so that the"
        r" tokens of an optimal coupling may be given the same labels (clouds of equally many tokens); the same holds"
        r" of $W_2$, whose coupling is that of the start. $W_2$ is that of chords. While $W>0$ and"
        r" $0<\max_i\theta_i<\pi$."
    ),
)
LEMMAS = (GROWTH,)
