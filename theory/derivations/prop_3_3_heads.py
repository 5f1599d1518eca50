"""prop-3.3/heads and prop-3.3/layered: several heads with a common u1, and one layer at any step."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import (
    ATTENTION_ONLY,
    MEAN,
    POST_LN,
    SINGLE_HEAD,
    SYMMETRIC_BASE,
    V,
    attention,
    drive,
    m,
    u1,
    x,
    x_j,
    x_rate,
)
from theory.derivations.prop_3_3_convergence import BOUNDARY, WIDTH
from theory.derivations.prop_3_3_model import ACROSS
from theory.derivations.prop_3_3_persistence import (
    FRAME,
    HEIGHT,
    HIGH,
    LENGTH,
    PULL,
    PULL_BOUND,
    p,
    p_rate,
    p_start,
    persistence,
    radius,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, family, matrix, scalar, vector
from theory.kernel.rules import (
    Apply,
    Comparison,
    Convex,
    Definition,
    Differentiate,
    Entails,
    Envelope,
    Identity,
    Termwise,
    Textbook,
)
from theory.kernel.step import Derivation, Step

h_index = sp.Symbol("p33_head", integer=True)
heads = sp.Symbol("p33_heads", integer=True, positive=True)
rise = family("p33_rise", "f")
gap_of_head = family("p33_gap_of_head", r"\mathrm{gap}^*")


def sum_over_heads(term: Any) -> Any:
    """The sum over the heads."""
    return sp.Sum(term, (h_index, 1, heads))


_p, _q = scalar("p", "p_i"), scalar("q", "q_i")
across, mean_across = vector("x_across", r"x_i^\perp"), vector("m_across", r"m_i^\perp")
_CS = "lemma/cauchy-schwarz"
after, after_norm = vector("p33_after", r"y_i"), scalar("p33_after_norm", r"|y_i|", positive=True)
following = vector("p33_next", r"x_i^{l+1}")
block = matrix("p33_block", r"P^\perp VP^\perp")
low = scalar("p33_low", "p", positive=True)
ratio = scalar("p33_ratio", r"\vartheta_i^{l+1}/\vartheta^l")
_theta = s.tan_max_angle

LAYERED = Derivation(
    claim="prop-3.3/layered",
    setting={
        "shared": both(equal(V * u1, s.lambda_1 * u1), equal(V.T * u1, s.lambda_1 * u1)),
        "unit": equal(Dot(u1, u1), 1),
        "not-negative": at_most(0, s.lambda_1),
        "block": equal(block, ACROSS * V * ACROSS),
        "kappa": equal(s.kappa, Norm(block)),
        "weights": MEAN,
        "unit-tokens": equal(Dot(x_j, x_j), 1),
        "lowest": at_most(low, Dot(x_j, u1)),
        "width": equal(_theta**2 * low**2, 1 - low**2),
        "spread": below(0, _theta),
        "step": equal(after, x + s.h * drive),
    },
    assumptions={
        "single-head": SINGLE_HEAD,
        "attention-only": ATTENTION_ONLY,
        "post-ln": both(equal(after, after_norm * following), equal(Dot(x, x), 1)),
        "hemisphere": at_most(low, Dot(x, u1)),
    },
    remark=(
        r"One layer, for any token $i$: the factors of all layers multiply. That a cone with one $t$ in all "
        r"$(t_-^l,t_+^l)$ is invariant is not derived. At layers with $\vartheta>0$; at $\vartheta=0$ all tokens stay "
        r"at $u_1$. "
        r"The layers share $u_1$ as a left and a right eigenvector ($b=c=0$)."
    ),
    steps=(
        Step(
            "field", equal(after, x + s.h * V * m), ("step", "single-head", "attention-only"), Identity(), r"One layer."
        ),
        Step("height", equal(_p, Dot(x, u1)), (), Definition(), r"How far the token is along $u_1$,"),
        Step("height-of-mean", equal(_q, Dot(m, u1)), (), Definition(), r"and its mean."),
        Step("across", equal(across, x - _p * u1), (), Definition(), r"What is left across $u_1$,"),
        Step("mean-across", equal(mean_across, m - _q * u1), (), Definition(), r"and of the mean."),
        Step(
            "after-height",
            equal(Dot(after, u1), _p + s.h * s.lambda_1 * _q),
            ("field", "height", "height-of-mean", "shared"),
            Identity(),
            r"After the step: along $u_1$,",
        ),
        Step(
            "after-across",
            equal(Norm(after - Dot(after, u1) * u1), Norm(across + s.h * block * mean_across)),
            ("field", "height", "across", "mean-across", "block", "shared", "unit"),
            Identity(),
            r"and across it.",
        ),
        Step(
            "triangle",
            at_most(Norm(across + s.h * block * mean_across), Norm(across) + Norm(s.h * block * mean_across)),
            (),
            Apply("lemma/triangle", {textbook.X: across, textbook.Y: s.h * block * mean_across}),
            r"Triangle inequality.",
        ),
        Step(
            "block-norm",
            at_most(Norm(block * mean_across), Norm(block) * Norm(mean_across)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: block, textbook.X: mean_across}),
            r"What the operator norm is.",
        ),
        Step(
            "after-norms",
            at_most(Norm(after - Dot(after, u1) * u1), Norm(across) + s.h * s.kappa * Norm(mean_across)),
            ("after-across", "triangle", "block-norm", "kappa"),
            Entails(degree=2),
            r"So the width after the step is at most",
        ),
        Step("token-in-ball", at_most(Norm(x_j), 1), ("unit-tokens",), Entails(), r"Tokens are unit vectors,"),
        Step(
            "mean-in-ball",
            at_most(Norm(m), 1),
            ("token-in-ball", "weights"),
            Convex(),
            r"so that means are in the ball,",
        ),
        Step(
            "mean-is-high", at_most(low, Dot(m, u1)), ("lowest", "weights"), Convex(), r"and not lower than all tokens."
        ),
        Step(
            "token-width",
            at_most(Norm(across), _theta * low),
            ("height", "across", "unit", "post-ln", "hemisphere", "width"),
            Entails(degree=3),
            r"Higher than the lowest token, so narrower,",
        ),
        Step(
            "mean-width",
            at_most(Norm(mean_across), _theta * low),
            ("height-of-mean", "mean-across", "unit", "mean-in-ball", "mean-is-high", "width"),
            Entails(degree=3),
            r"and the mean too.",
        ),
        Step(
            "after-width",
            at_most(Norm(after - Dot(after, u1) * u1), _theta * low * (1 + s.h * s.kappa)),
            ("after-norms", "token-width", "mean-width"),
            Entails(degree=3),
            r"With the widths of both, at most.",
        ),
        Step(
            "after-high",
            at_most(low * (1 + s.h * s.lambda_1), Dot(after, u1)),
            ("after-height", "hemisphere", "height", "mean-is-high", "height-of-mean", "not-negative"),
            Entails(degree=3),
            r"The height after the step, at least.",
        ),
        Step(
            "scaled",
            equal(Norm(after - Dot(after, u1) * u1), after_norm * Norm(following - Dot(following, u1) * u1)),
            ("post-ln",),
            Identity(),
            r"Normalising divides both parts by $|y_i|$,",
        ),
        Step(
            "scaled-height",
            equal(Dot(after, u1), after_norm * Dot(following, u1)),
            ("post-ln",),
            Identity(),
            r"so that it does not change the tangent.",
        ),
        Step(
            "next-high",
            below(0, Dot(following, u1)),
            ("after-high", "scaled-height", "not-negative"),
            Entails(degree=3),
            r"The next token is in the hemisphere.",
        ),
        Step(
            "ratio",
            equal(ratio, Norm(following - Dot(following, u1) * u1) / (Dot(following, u1) * _theta)),
            (),
            Definition(),
            r"The tangent of the next layer over the widest one of this.",
        ),
        Step(
            "bound",
            at_most(ratio, claims.LAYER_CONTRACTION.expr),
            ("ratio", "after-width", "after-high", "scaled", "scaled-height", "next-high", "spread", "not-negative"),
            Entails(degree=4),
            r"One layer contracts by the factor of the claim.",
        ),
    ),
)
_tan_i = scalar("tan_i", r"\vartheta_i", positive=True)
_tan_i_rate, _tan_rate = scalar("tan_i_rate", r"\dot\vartheta_i"), scalar("tan_max_angle_rate", r"D^+\vartheta")
_rise, _gap = rise[h_index], gap_of_head[h_index]
_HEADS = {
    "gap-of-head": equal(_gap, s.lambda_1 - radius),
    "gaps": equal(s.dominant_gap_sum, sum_over_heads(_gap)),
    "head": equal(_rise, PULL),
    "heads-add-up": equal(Dot(attention, u1) - Dot(x, u1) * Dot(x, attention), sum_over_heads(_rise)),
}
_MODEL = {
    "post-ln": POST_LN,
    "attention-only": ATTENTION_ONLY,
    "symmetric-base": SYMMETRIC_BASE,
    "dominant-gap": below(0, _gap),
}
_RISE = at_most(s.dominant_gap_sum * p * (1 - p**2), p_rate)

RISES = Derivation(
    claim="lemma/lowest-token-rises-with-heads",
    title="with several heads the lowest token rises at least at the rate of the sum of their gaps",
    states=_RISE,
    setting={**FRAME, **_HEADS, **_MODEL, "high": HIGH},
    steps=(
        HEIGHT,
        Step(
            "field",
            equal(x_rate, attention - Dot(x, attention) * x),
            ("post-ln", "attention-only"),
            Identity(),
            r"The flow on the sphere, driven by the sum of all heads.",
        ),
        Step(
            "rate",
            equal(p_rate, Dot(attention, u1) - p * Dot(x, attention)),
            ("height", "field"),
            Differentiate({x: x_rate, p: p_rate}),
            r"Differentiate $p_i$ along the flow.",
        ),
        Step(
            "gap-order",
            below(radius, s.lambda_1),
            ("gap-of-head", "dominant-gap"),
            Entails(),
            r"$\mathrm{gap}^*_h>0$.",
        ),
        Step("unit", equal(Dot(x, x), 1), ("post-ln",), Identity(), r"On the sphere."),
        Step(
            "pulled",
            at_most(PULL_BOUND, PULL),
            (*FRAME, "symmetric-base", "gap-order", "unit", "high"),
            Apply("lemma/lowest-token-is-pulled-up"),
            r"What each head contributes.",
        ),
        Step(
            "head-rise",
            at_most(_gap * p * (1 - p**2), _rise),
            ("pulled", "head", "gap-of-head", "height"),
            Entails(degree=1),
            r"In terms of its gap,",
        ),
        Step(
            "sum",
            at_most(sum_over_heads(_gap * p * (1 - p**2)), sum_over_heads(_rise)),
            ("head-rise",),
            Termwise(),
            r"summed over the heads.",
        ),
        Step(
            "add-up",
            equal(p_rate, sum_over_heads(_rise)),
            ("rate", "heads-add-up", "height"),
            Identity(),
            r"The rate of the height is the sum of what they contribute.",
        ),
        Step("rise", _RISE, ("sum", "add-up", "gaps"), Entails(degree=1), r"The rates of the heads add up."),
    ),
)

NOT_FALLING = Derivation(
    claim="lemma/lowest-token-does-not-fall-with-heads",
    title="with several heads the lowest token does not fall while it is in the hemisphere",
    states=at_most(0, p_rate),
    setting={**FRAME, **_HEADS, **_MODEL, "high": HIGH},
    steps=(
        HEIGHT,
        Step(
            "rise",
            _RISE,
            (*FRAME, *_HEADS, *_MODEL, "high", "height"),
            Apply("lemma/lowest-token-rises-with-heads"),
            r"It rises at least at this rate,",
        ),
        LENGTH,
        Step("gap-sign", at_most(0, _gap), ("dominant-gap",), Entails(), r"as the gap of each head is positive,"),
        Step(
            "gaps-sign",
            at_most(0, sum_over_heads(_gap)),
            ("gap-sign",),
            Termwise(),
            r"and the gaps are positive,",
        ),
        Step(
            "sign",
            at_most(0, p_rate),
            ("rise", "length", "high", "height", "gaps", "gaps-sign"),
            Entails(degree=3, squares=(Norm(x - p * u1),)),
            r"which is not negative.",
        ),
    ),
)

HEADS = Derivation(
    claim="prop-3.3/heads",
    setting={**FRAME, **_HEADS, "boundary": BOUNDARY},
    assumptions={**_MODEL, "hemisphere": below(0, p_start)},
    remark=(
        r"$V$, $m_i$, $\lambda_1$ and the other eigenvalues are those of any one head $h$, $o_i=\sum_hV_hm_{i,h}$ the "
        r"output of all. $\lambda_{1,h}\ge0$ is not needed. While $\vartheta>0$; at $\vartheta=0$ all tokens stay at "
        r"$u_1$."
    ),
    steps=(
        HEIGHT,
        *persistence(
            (*FRAME, *_HEADS, *_MODEL),
            "lemma/lowest-token-does-not-fall-with-heads",
        ),
        Step(
            "rise",
            _RISE,
            (*FRAME, *_HEADS, *_MODEL, "high", "height"),
            Apply("lemma/lowest-token-rises-with-heads"),
            r"The rates of the heads add up.",
        ),
        *WIDTH,
        Step(
            "contraction",
            at_most(_tan_i_rate, -s.dominant_gap_sum * _tan_i),
            ("tangent-rate", "rise", "width", "height", "high"),
            Entails(degree=3, squares=(_tan_i,)),
            r"Put together, with $1+\vartheta_i^2=p_i^{-2}$.",
        ),
        Step(
            "envelope",
            at_most(_tan_rate, -s.dominant_gap_sum * s.tan_max_angle),
            ("contraction",),
            Envelope({_tan_i: s.tan_max_angle, _tan_i_rate: _tan_rate}),
            r"Token $i$ is any of the widest ones.",
        ),
        Step(
            "bound",
            at_most(s.tan_max_angle, claims.HEADS_BOUND.expr),
            ("envelope",),
            Comparison(s.tan_max_angle, _tan_rate, s.t, s.tan_max_angle_0),
            r"$\dot y=-\sum_h\mathrm{gap}^*_h\,y$, solved.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = (RISES, NOT_FALLING)
DERIVATIONS: tuple[Derivation, ...] = (LAYERED, HEADS)
