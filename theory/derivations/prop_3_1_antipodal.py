"""Two clusters, nearly opposite, under anti-attention: a thousand equal tokens and one other."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.matrices.expressions import ZeroMatrix

from theory.derivations.prop_3_1_lemmas import A
from theory.kernel.notation import Dot, at_most, below, both, dimension, equal, scalar, vector
from theory.kernel.rules import Definition, Differentiate, Entails, Evaluate, Identity, Monotone, Trigonometry
from theory.kernel.rules.accumulate import Accumulated
from theory.kernel.step import Step

MANY = sp.Integer(1000)
TIME = sp.Rational(9, 110)
HALF_TANGENT = sp.Rational(1, 20000)
SLACK, SMALL = sp.Rational(1, 1000), sp.Rational(1, 100)
SLOPE = 2 / (1 + SMALL**2)
SINE = SLOPE * HALF_TANGENT
BETA = sp.Rational(9, 2)
SHARE = sp.Rational(22, 25)
RATIO = sp.Rational(123, 50)

clock = scalar("p31_clock", "t", nonnegative=True)
e1, e2 = vector("p31_axis_1", "e_1"), vector("p31_axis_2", "e_2")
a, c = scalar("p31_many_angle", r"\alpha"), scalar("p31_one_angle", r"\gamma")
a_rate, c_rate = scalar("p31_many_angle_rate", r"\dot\alpha"), scalar("p31_one_angle_rate", r"\dot\gamma")
a_last, c_last = scalar("p31_many_angle_last", r"\alpha(T)"), scalar("p31_one_angle_last", r"\gamma(T)")
tau, tau_rate = scalar("p31_tau", r"\tau", positive=True), scalar("p31_tau_rate", r"\dot\tau")
p, q = scalar("p31_many_share", "p"), scalar("p31_one_share", "q")
c_first = scalar("p31_one_angle_first", r"\gamma(0)")
FIRST = sp.tan(c_first / 2)
same_logit, cross_logit = scalar("p31_same_logit", r"\ell_0"), scalar("p31_cross_logit", r"\ell_1")

LEAST = SHARE * SINE * TIME
"""A lower bound of the angle by which the many tokens have turned at the end."""


class Token:
    """A token of a cloud of a thousand equal tokens and one other: its position, rate, drive, output and mean."""

    def __init__(self, name: str, latex: str) -> None:
        self.x = vector(f"p31_cx_{name}", latex)
        self.rate = vector(f"p31_cx_{name}_rate", rf"\dot {latex}")
        self.drive = vector(f"p31_cx_{name}_drive", f"g_{{{latex}}}")
        self.output = vector(f"p31_cx_{name}_output", f"o_{{{latex}}}")
        self.mean = vector(f"p31_cx_{name}_mean", f"m_{{{latex}}}")

    def attends(self, many: Any, one: Any) -> Any:
        """Full attention to a thousand tokens at ``many`` and one at ``one``."""
        weights = MANY * sp.exp(Dot(A * self.x, many)), sp.exp(Dot(A * self.x, one))
        total = weights[0] + weights[1]
        return equal(self.mean, weights[0] / total * many + weights[1] / total * one)


X, Y = Token("many", "x"), Token("one", "y")
B, C = Token("base_many", r"x^0"), Token("base_one", r"y^0")
TOKENS = (X, Y, B, C)
x, y = X.x, Y.x
PRODUCT = Dot(x, y)
TURN = 2 * tau / (1 + tau**2)


def _turning(name: str, angle: Any, rate: Any, token: Token, share: Any, along: int) -> tuple[Step, ...]:
    """The rate of the angle of one token: ``along`` is the sign of its part along e1."""
    return (
        Step(
            f"{name}-sine",
            equal(sp.sin(angle), Dot(token.x, e2)),
            ("angles", "plane"),
            Identity(),
            r"The angle of the token, by its sine",
        ),
        Step(
            f"{name}-cosine",
            equal(sp.cos(angle), along * Dot(token.x, e1)),
            ("angles", "plane"),
            Identity(),
            r"and its cosine.",
        ),
        Step(
            f"{name}-sine-rate",
            equal(sp.cos(angle) * rate, Dot(token.rate, e2)),
            (f"{name}-sine",),
            Differentiate({angle: rate, token.x: token.rate}),
            r"Differentiate the one",
        ),
        Step(
            f"{name}-cosine-rate",
            equal(-sp.sin(angle) * rate, along * Dot(token.rate, e1)),
            (f"{name}-cosine",),
            Differentiate({angle: rate, token.x: token.rate}),
            r"and the other.",
        ),
        Step(
            f"{name}-rate",
            equal(rate, sp.cos(angle) * Dot(token.rate, e2) - along * sp.sin(angle) * Dot(token.rate, e1)),
            (f"{name}-sine-rate", f"{name}-cosine-rate"),
            Identity(),
            r"$\cos^2+\sin^2=1$.",
        ),
        Step(
            f"{name}-turns",
            equal(rate, share * TURN),
            (f"{name}-rate", f"{name}-velocity", "angles", "plane", "sum-of-angles", "half-angle"),
            Identity(),
            r"It turns towards the other side at the rate $p\sin(\alpha+\gamma)$ ($q$ for the one token).",
        ),
    )


FLOW: tuple[Step, ...] = (
    Step(
        "base-at-rest",
        both(equal(B.rate, ZeroMatrix(dimension, 1)), equal(C.rate, ZeroMatrix(dimension, 1))),
        ("instance", "plane", "base-cloud", "post-ln", "attention-only", "single-head", "full-attention"),
        Identity(),
        r"A thousand tokens at $e_1$ and one at $-e_1$ are at rest.",
    ),
    Step(
        "logits",
        both(equal(same_logit, -BETA), equal(cross_logit, -BETA * PRODUCT)),
        (),
        Definition(),
        r"The logits of equal tokens, and of the two different ones.",
    ),
    Step(
        "shares",
        both(
            equal(p, sp.exp(cross_logit) / (MANY * sp.exp(same_logit) + sp.exp(cross_logit))),
            equal(q, MANY * sp.exp(cross_logit) / (MANY * sp.exp(cross_logit) + sp.exp(same_logit))),
        ),
        (),
        Definition(),
        r"The weight of the one token for the many, and of the many for the one token.",
    ),
    Step(
        "unit",
        both(equal(Dot(x, x), 1), equal(Dot(y, y), 1)),
        ("angles", "plane"),
        Identity(),
        r"Unit vectors.",
    ),
    Step(
        "many-velocity",
        equal(X.rate, p * (y - PRODUCT * x)),
        ("shares", "logits", "unit", "instance", "post-ln", "attention-only", "single-head", "full-attention"),
        Identity(),
        r"The velocity of the many",
    ),
    Step(
        "one-velocity",
        equal(Y.rate, q * (x - PRODUCT * y)),
        ("shares", "logits", "unit", "instance", "post-ln", "attention-only", "single-head", "full-attention"),
        Identity(),
        r"and of the one.",
    ),
    Step(
        "sum-of-angles",
        both(
            equal(sp.sin(a + c), sp.sin(a) * sp.cos(c) + sp.cos(a) * sp.sin(c)),
            equal(sp.cos(a + c), sp.cos(a) * sp.cos(c) - sp.sin(a) * sp.sin(c)),
        ),
        (),
        Trigonometry(1),
        r"Addition theorems.",
    ),
    *_turning("many", a, a_rate, X, p, 1),
    *_turning("one", c, c_rate, Y, q, -1),
    Step(
        "many-share",
        both(below(0, p), at_most(p, 1)),
        ("shares",),
        Entails(),
        r"Weights are between $0$ and $1$,",
    ),
    Step("one-share", both(below(0, q), at_most(q, 1)), ("shares",), Entails(), r"both of them."),
    Step(
        "half-angle-cosine",
        equal(sp.cos(a + c) * (1 + tau**2), 1 - tau**2),
        ("half-angle",),
        Identity(),
        r"$\tau$ is the tangent of half the angle $\alpha+\gamma$.",
    ),
    Step(
        "half-angle-rate",
        equal(4 * tau * tau_rate / (1 + tau**2), 4 * tau**2 * (p + q) / (1 + tau**2)),
        ("half-angle-cosine", "half-angle", "many-turns", "one-turns"),
        Differentiate({a: a_rate, c: c_rate, tau: tau_rate}),
        r"Differentiate: $\dot\tau=(p+q)\tau$.",
    ),
    Step(
        "tangent-grows",
        at_most(0, tau_rate),
        ("half-angle-rate", "many-share", "one-share"),
        Entails(degree=3),
        r"$\dot\tau=(p+q)\tau$ is not negative,",
    ),
    Step(
        "logarithm-grows",
        at_most(tau_rate / tau, 2),
        ("half-angle-rate", "many-share", "one-share"),
        Entails(degree=3),
        r"and at most $2\tau$.",
    ),
    Step(
        "tangent-from",
        at_most(0, tau - HALF_TANGENT),
        ("tangent-grows", "start"),
        Accumulated(tau, clock, clock, {tau: tau_rate}, {tau: FIRST}),
        r"So $\tau$ stays above its start, $\tan(\gamma(0)/2)$,",
    ),
    Step(
        "logarithm",
        at_most(sp.log(tau) - sp.log(FIRST), 2 * clock),
        ("logarithm-grows",),
        Accumulated(sp.log(tau), clock, clock, {tau: tau_rate}, {tau: FIRST}),
        r"and its logarithm grows at most at the rate $2$:",
    ),
    Step(
        "logarithm-up-to",
        at_most(sp.log(tau), sp.log(FIRST) + 2 * TIME),
        ("logarithm", "times"),
        Entails(),
        r"until $T$",
    ),
    Step(
        "tangent-up-to",
        at_most(tau, FIRST * sp.exp(2 * TIME)),
        ("logarithm-up-to",),
        Monotone(sp.exp),
        r"at most by this factor,",
    ),
    Step("not-far", at_most(sp.exp(2 * TIME), SMALL / HALF_TANGENT), (), Evaluate(), r"which is far less than this."),
    Step(
        "tangent-below",
        at_most(tau, SMALL),
        ("tangent-up-to", "not-far", "start"),
        Entails(),
        r"So $\tau$ is tiny.",
    ),
    Step(
        "product",
        equal(PRODUCT, -(1 - tau**2) / (1 + tau**2)),
        ("angles", "plane", "sum-of-angles", "half-angle"),
        Identity(),
        r"The two are nearly opposite:",
    ),
    Step(
        "logits-apart",
        at_most(same_logit - cross_logit, -2 * BETA + SLACK),
        ("logits", "product", "tangent-below"),
        Entails(degree=3),
        r"their logits are far apart,",
    ),
    Step(
        "weights-apart",
        at_most(sp.exp(same_logit - cross_logit), sp.exp(-2 * BETA + SLACK)),
        ("logits-apart",),
        Monotone(sp.exp),
        r"and so are their weights:",
    ),
    Step(
        "weight-number",
        at_most(MANY * sp.exp(-2 * BETA + SLACK), 1 / SHARE - 1),
        (),
        Evaluate(),
        r"a thousand tokens weigh less",
    ),
    Step(
        "many-share-from",
        at_most(SHARE, p),
        ("shares", "weights-apart", "weight-number"),
        Entails(degree=3),
        r"than the one token that all look at.",
    ),
    Step(
        "sine-from",
        at_most(SLOPE * tau, TURN),
        ("tangent-below",),
        Entails(degree=3),
        r"$\sin(\alpha+\gamma)$ is almost $2\tau$.",
    ),
    Step(
        "pulled",
        at_most(SHARE * SLOPE * tau, a_rate),
        ("many-turns", "many-share-from", "sine-from"),
        Entails(degree=3),
        r"Of it the many feel the share $p$:",
    ),
    Step(
        "many-turn",
        at_most(SHARE * SINE, a_rate),
        ("pulled", "tangent-from"),
        Entails(degree=1),
        r"The many turn at least at this rate,",
    ),
    Step(
        "many-turn-most",
        at_most(a_rate, 1),
        ("many-turns", "many-share"),
        Entails(degree=3, squares=(1 - tau,)),
        r"and at most at the rate $1$;",
    ),
    Step(
        "one-turn",
        at_most(0, c_rate),
        ("one-turns", "one-share"),
        Entails(degree=3),
        r"the one token does not turn back,",
    ),
    Step(
        "one-turn-most",
        at_most(c_rate, 1),
        ("one-turns", "one-share"),
        Entails(degree=3, squares=(1 - tau,)),
        r"and is no faster.",
    ),
    Step(
        "many-end",
        at_most(SHARE * SINE * TIME, a_last),
        ("many-turn",),
        Accumulated(a, clock, TIME, {a: a_rate}, {a: sp.Integer(0)}, {a: a_last}),
        r"Until $T$ the many have turned at least by this,",
    ),
    Step(
        "many-end-most",
        at_most(a_last, TIME),
        ("many-turn-most",),
        Accumulated(a, clock, TIME, {a: a_rate}, {a: sp.Integer(0)}, {a: a_last}),
        r"at most by this;",
    ),
    Step(
        "one-end",
        at_most(0, c_last - c_first),
        ("one-turn",),
        Accumulated(c, clock, TIME, {c: c_rate}, {c: c_first}, {c: c_last}),
        r"the one is at least where it started,",
    ),
    Step(
        "one-end-most",
        at_most(c_last - c_first, TIME),
        ("one-turn-most",),
        Accumulated(c, clock, TIME, {c: c_rate}, {c: c_first}, {c: c_last}),
        r"and not far from there.",
    ),
)
"""What becomes of the two clusters until T: how far they turn."""
