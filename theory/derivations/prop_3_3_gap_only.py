"""prop-3.3/convergence-gap-only: two tokens that an eigenvalue below -λ2 tears apart."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import SPHERE, V, m, u1, x, x_rate
from theory.derivations.prop_3_3_mirror import (
    MIRROR,
    first_start,
    mirrored,
    mirrored_mean,
    mirrored_rate,
    mirrored_share,
    own_weight,
    second_start,
    share,
)
from theory.derivations.prop_3_3_model import second
from theory.derivations.prop_3_3_refuted import number
from theory.derivations.prop_3_3_single import attention_map, e2
from theory.kernel.notation import Dot, at_most, below, both, equal, identity, scalar
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
from theory.kernel.rules.frames import Combine
from theory.kernel.step import Derivation, Step

p, r = scalar("p33_p", "p"), scalar("p33_r_side", "r")
p_rate = scalar("p33_p_rate", r"\dot p")
u, u_rate = scalar("p33_square", "q"), scalar("p33_square_rate", r"\dot q")
growth = scalar("p33_growth", "e^{4r^2}")
u_start = scalar("p33_square_start", "q_0", positive=True)
_theta, _theta0 = s.tan_max_angle, s.tan_max_angle_0
_w = 1 - u
_FOUR = 4 * r**2
_BOUND = 2 + 4 * _w + 8 * _w**2
_SINK = sp.Rational(10, 7)

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

_SCALE = 1 / sp.sqrt(141**2 + 990**2)  # the stored counterexample has the starts (0.141, ±0.99), normalised

COORDINATES = (
    Step(
        "action",
        both(equal(V * u1, s.lambda_1 * u1), equal(V * e2, second * e2)),
        ("V", "u1", "e2", "lambda-1", "lambda-2"),
        Evaluate(),
        r"The eigenvalues of $V$.",
    ),
    Step(
        "frame",
        both(equal(Dot(u1, u1), 1), equal(Dot(e2, e2), 1), equal(Dot(u1, e2), 0)),
        ("u1", "e2"),
        Evaluate(),
        r"An orthonormal frame,",
    ),
    Step(
        "resolution",
        equal(e2 * e2.T, identity - u1 * u1.T),
        ("u1", "e2"),
        Evaluate(),
        r"a basis:",
    ),
    Step(
        "expansion",
        equal(e2 * e2.T * x, x - u1 * u1.T * x),
        ("resolution",),
        Identity(),
        r"the token has no other parts.",
    ),
    Step("height", equal(p, Dot(x, u1)), (), Definition(), r"The height of a token,"),
    Step("side", equal(r, Dot(x, e2)), (), Definition(), r"and its other coordinate:"),
    Step(
        "token",
        equal(x, p * u1 + r * e2),
        ("expansion", "height", "side"),
        Combine((sp.Integer(-1),)),
        r"the first token,",
    ),
    Step(
        "tokens",
        both(equal(x, p * u1 + r * e2), equal(mirrored, p * u1 - r * e2)),
        ("mirrored", "mirror", "token", "frame"),
        Identity(),
        r"and the second.",
    ),
    Step("sphere", equal(p**2 + r**2, 1), ("tokens", "frame", "post-ln"), Identity(), r"On the unit circle."),
)
"""Both tokens by two numbers."""

GAP_ONLY = Derivation(
    claim="prop-3.3/convergence-gap-only",
    setting={
        "V": equal(V, sp.ImmutableMatrix([[1, 0], [0, -2]])),
        "u1": equal(u1, sp.ImmutableMatrix([1, 0])),
        "e2": equal(e2, sp.ImmutableMatrix([0, 1])),
        "lambda-1": equal(s.lambda_1, 1),
        "lambda-2": equal(second, -2),
        "gap": equal(s.gap, s.lambda_1 - second),
        "starts": both(
            equal(first_start, sp.ImmutableMatrix([141 * _SCALE, 990 * _SCALE])),
            equal(second_start, sp.ImmutableMatrix([141 * _SCALE, -990 * _SCALE])),
        ),
        "other-token": equal(mirrored_rate, V * mirrored_mean - Dot(mirrored, V * mirrored_mean) * mirrored),
        "start": equal(u_start, Dot(first_start, u1) ** 2),
        "width": equal(_theta**2 * Dot(x, u1) ** 2, 1 - Dot(x, u1) ** 2),
        "width-at-start": equal(_theta0**2 * u_start, 1 - u_start),
        "later": below(0, s.t),
    },
    assumptions={
        **SPHERE,
        "a-equals-v": equal(attention_map, V),
        "full-attention": both(
            equal(m, share * x + (1 - share) * mirrored),
            own_weight(share, x, mirrored, attention_map),
            equal(mirrored_mean, mirrored_share * mirrored + (1 - mirrored_share) * x),
            own_weight(mirrored_share, mirrored, x, attention_map),
        ),
    },
    meets={
        "symmetric-base": "symmetric-holds",
        "spectral-gap": "gap-holds",
        "hemisphere": "hemisphere-holds",
    },
    remark=(
        r"The stored counterexample, from $(0.141,\pm0.99)$ normalised: $\vartheta$ never falls below its start, while "
        r"the claimed bound does at once. $\vartheta$ is the same for both tokens."
    ),
    steps=(
        Step("symmetric-holds", equal(V.T, V), ("V",), Evaluate(), r"$V$ is symmetric,"),
        Step(
            "gap-holds",
            below(0, s.gap),
            ("gap", "lambda-1", "lambda-2"),
            Evaluate(),
            r"with $\lambda_1-\lambda_2=1-(-2)=3$,",
        ),
        Step(
            "hemisphere-holds",
            both(below(0, Dot(first_start, u1)), below(0, Dot(second_start, u1))),
            ("starts", "u1"),
            Evaluate(),
            r"and both tokens start in the hemisphere of $u_1$.",
        ),
        Step(
            "start-value",
            equal(u_start, sp.Rational(19881, 999981)),
            ("start", "starts", "u1"),
            Evaluate(),
            r"How high, squared.",
        ),
        *MIRROR,
        *COORDINATES,
        Step(
            "share",
            equal(share * (1 + sp.exp(_FOUR)), 1),
            ("weights", "tokens", "action", "frame", "lambda-2"),
            Identity(),
            r"The token attends to its mirror image more than to itself, as $A$ is negative across $u_1$.",
        ),
        Step(
            "height-rate",
            equal(p_rate, Dot(u1, V * m) - p * Dot(x, V * m)),
            ("height", "single-head", "post-ln", "attention-only"),
            Differentiate({x: x_rate, p: p_rate}),
            r"The rate of the height,",
        ),
        Step("square", equal(u, p**2), (), Definition(), r"of its square,"),
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
            (
                "square-rate",
                "height-rate",
                "full-attention",
                "tokens",
                "action",
                "frame",
                "sphere",
                "square",
                "lambda-1",
                "lambda-2",
            ),
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
            Entails(degree=2, squares=(r, p)),
            r"$0\le1-q\le1$.",
        ),
        Step(
            "speed",
            at_most(2 * _w * (4 * share - 1), 4 * u - _SINK),
            ("share-bound", "across-range"),
            Entails(degree=4),
            r"A polynomial inequality on $[0,1]$.",
        ),
        Step(
            "falling",
            at_most(u_rate, 4 * u * (u - u_start)),
            ("rate", "speed", "square", "start-value"),
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
            ("stays", "width", "width-at-start", "height", "square"),
            Entails(degree=4, squares=(p,)),
            r"The largest angle never falls below its start,",
        ),
        Step("exponent", below(-s.gap * s.t, 0), ("gap-holds", "later"), Entails(degree=2), r"while the claimed rate"),
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
            ("wider", "decay", "width-at-start", "start-value"),
            Entails(degree=3),
            r"So the claimed bound is exceeded at every time $t>0$.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (EXPONENTIAL_SQUARE,)
DERIVATIONS: tuple[Derivation, ...] = (GAP_ONLY,)
