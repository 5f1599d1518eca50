"""prop-3.3/convergence-gap-only: two tokens that an eigenvalue below -λ2 tears apart."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import SPHERE, V, m, u1, x, x_rate
from theory.derivations.prop_3_3_refuted import attention_map, e2, number
from theory.kernel.notation import Dot, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import (
    Apply,
    Comparison,
    Definition,
    Differentiate,
    Entails,
    Evaluate,
    Identity,
    Increasing,
    Monotone,
)
from theory.kernel.step import Derivation, Step

mirrored = vector("p33_mirrored", r"x_2")
p, r = scalar("p33_p", "p", positive=True), scalar("p33_r_side", "r", positive=True)
p_rate = scalar("p33_p_rate", r"\dot p")
share = scalar("p33_share", r"\sigma")
u, u_rate = scalar("p33_square", "q"), scalar("p33_square_rate", r"\dot q")
growth = scalar("p33_growth", "e^{4r^2}")
u_start = scalar("p33_square_start", "q_0", positive=True)
_theta, _theta0 = s.tan_max_angle, s.tan_max_angle_0
_w = 1 - u
_FOUR = 4 * r**2
_BOUND = 2 + 4 * _w + 8 * _w**2

EXPONENTIAL_SQUARE = Derivation(
    claim="lemma/exponential-square",
    title="the exponential is above its second Taylor polynomial",
    states=at_most(1 + number + number**2 / 2, sp.exp(number)),
    steps=(
        Step(
            "tangent",
            at_most(1 + number, sp.exp(number)),
            (),
            Apply("lemma/exponential"),
            r"It is above its tangent.",
        ),
        Step(
            "square",
            at_most(1 + number + number**2 / 2, sp.exp(number)),
            ("tangent",),
            Increasing(number),
            r"The derivatives of both sides are in that order, and both start at 1.",
        ),
    ),
)

GAP_ONLY = Derivation(
    claim="prop-3.3/convergence-gap-only",
    setting={
        "V": equal(V, sp.ImmutableMatrix([[1, 0], [0, -2]])),
        "u1": equal(u1, sp.ImmutableMatrix([1, 0])),
        "e2": equal(e2, sp.ImmutableMatrix([0, 1])),
        "gap": equal(s.gap, 3),
        "tokens": both(equal(x, p * u1 + r * e2), equal(mirrored, p * u1 - r * e2)),
        "start": equal(u_start, sp.Rational(400, 10201)),
        "square": equal(u, p**2),
        "width": equal(_theta**2 * u, _w),
        "width-at-start": equal(_theta0**2 * u_start, 1 - u_start),
        "later": below(0, s.t),
    },
    assumptions={
        **SPHERE,
        "a-equals-v": equal(attention_map, V),
        "full-attention": both(
            equal(m, share * x + (1 - share) * mirrored),
            equal(share * (1 + sp.exp(Dot(x, attention_map * mirrored) - Dot(x, attention_map * x))), 1),
        ),
    },
    meets={
        "symmetric-base": "symmetric-holds",
        "spectral-gap": "gap-holds",
        "hemisphere": "hemisphere-holds",
    },
    remark=(
        r"Two tokens, mirror images of each other in $u_1$ at all times by symmetry, from $(20/101,\pm99/101)$: "
        r"$\vartheta$ never falls below its start, while the claimed bound does at once. "
        r"The mirror symmetry is by uniqueness of the flow."
    ),
    steps=(
        Step("symmetric-holds", equal(V.T, V), ("V",), Evaluate(), r"$V$ is symmetric,"),
        Step("gap-holds", below(0, s.gap), ("gap",), Evaluate(), r"with $\lambda_1-\lambda_2=1-(-2)=3$."),
        Step(
            "action",
            both(equal(V * u1, u1), equal(V * e2, -2 * e2)),
            ("V", "u1", "e2"),
            Evaluate(),
            r"The eigenvalues $1$ and $-2$.",
        ),
        Step(
            "frame",
            both(equal(Dot(u1, u1), 1), equal(Dot(e2, e2), 1), equal(Dot(u1, e2), 0)),
            ("u1", "e2"),
            Evaluate(),
            r"An orthonormal frame.",
        ),
        Step(
            "hemisphere-holds",
            below(0, Dot(x, u1)),
            ("tokens", "frame"),
            Entails(degree=1),
            r"The hemisphere of $u_1$.",
        ),
        Step("height", equal(p, Dot(x, u1)), ("tokens", "frame"), Identity(), r"The height of a token,"),
        Step("sphere", equal(p**2 + r**2, 1), ("tokens", "frame", "post-ln"), Identity(), r"on the unit circle."),
        Step(
            "share",
            equal(share * (1 + sp.exp(_FOUR)), 1),
            ("full-attention", "a-equals-v", "tokens", "action", "frame"),
            Identity(),
            r"The token attends to its mirror image more than to itself, as $A$ is negative across $u_1$.",
        ),
        Step(
            "field",
            equal(x_rate, V * m - Dot(x, V * m) * x),
            ("single-head", "post-ln", "attention-only"),
            Identity(),
            r"The flow on the sphere.",
        ),
        Step(
            "height-rate",
            equal(p_rate, Dot(u1, V * m) - p * Dot(x, V * m)),
            ("height", "field"),
            Differentiate({x: x_rate, p: p_rate}),
            r"The rate of the height.",
        ),
        Step(
            "square-rate",
            equal(u_rate, 2 * p * p_rate),
            ("square",),
            Differentiate({p: p_rate, u: u_rate}),
            r"and the rate of that.",
        ),
        Step(
            "rate",
            equal(u_rate, 2 * u * _w * (4 * share - 1)),
            ("square-rate", "height-rate", "full-attention", "tokens", "action", "frame", "sphere", "square"),
            Identity(),
            r"In closed form.",
        ),
        Step("across", equal(r**2, _w), ("sphere", "square"), Identity(), r"$r^2=1-q$."),
        Step(
            "exponential",
            at_most(1 + _FOUR + _FOUR**2 / 2, sp.exp(_FOUR)),
            (),
            Apply("lemma/exponential-square", {number: _FOUR}),
            r"A bound of the exponential.",
        ),
        Step("growth", equal(growth, sp.exp(_FOUR)), (), Definition(), r"A name for it."),
        Step(
            "growth-bound",
            at_most(1 + _FOUR + _FOUR**2 / 2, growth),
            ("exponential", "growth"),
            Entails(degree=1),
            r"The same bound,",
        ),
        Step(
            "share-of-growth",
            equal(share * (1 + growth), 1),
            ("share", "growth"),
            Identity(),
            r"and the same weight.",
        ),
        Step(
            "share-positive",
            below(0, share),
            ("share-of-growth", "growth-bound"),
            Entails(degree=3, squares=(r, r**2)),
            r"It is positive.",
        ),
        Step(
            "share-bound",
            at_most(share * _BOUND, 1),
            ("share-of-growth", "share-positive", "growth-bound", "across"),
            Entails(degree=2),
            r"So the token's weight on itself is small.",
        ),
        Step(
            "across-range",
            both(at_most(0, _w), at_most(_w, 1)),
            ("across", "square"),
            Entails(degree=2),
            r"$0\le1-q\le1$.",
        ),
        Step(
            "speed",
            at_most(2 * _w * (4 * share - 1), 4 * (u - u_start)),
            ("share-bound", "across-range", "start"),
            Entails(degree=4),
            r"A polynomial inequality on $[0,1]$.",
        ),
        Step(
            "falling",
            at_most(u_rate, 4 * u * (u - u_start)),
            ("rate", "speed", "square"),
            Entails(degree=2, squares=(p,)),
            r"So $\dot q\le4q(q-q_0)$.",
        ),
        Step(
            "stays",
            at_most(u, u_start),
            ("falling",),
            Comparison(u, u_rate, s.t, u_start),
            r"$q_0$ solves that equation: the token never rises above its start.",
        ),
        Step(
            "wider",
            at_most(_theta0, _theta),
            ("stays", "width", "width-at-start"),
            Entails(degree=4, squares=(p,)),
            r"The largest angle never falls below its start,",
        ),
        Step("exponent", below(-s.gap * s.t, 0), ("gap", "later"), Entails(degree=1), r"while the claimed rate"),
        Step(
            "decay",
            below(sp.exp(-s.gap * s.t), 1),
            ("exponent",),
            Monotone(sp.exp),
            r"makes the bound fall.",
        ),
        Step(
            "exceeded",
            below(claims.TAN_ANGLE_BOUND_GAP_ONLY.expr, _theta),
            ("wider", "decay", "width-at-start", "start"),
            Entails(degree=3),
            r"So the claimed bound is exceeded at every time $t>0$.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (EXPONENTIAL_SQUARE,)
DERIVATIONS: tuple[Derivation, ...] = (GAP_ONLY,)
