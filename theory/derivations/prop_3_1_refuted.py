"""The counterexample to W2 growing at the rate K*: one token against a thousand, under strong anti-attention."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.matrices.expressions import ZeroMatrix

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations.model import V
from theory.derivations.prop_3_1_lemmas import A
from theory.kernel.notation import Dot, Norm, at_most, below, both, dimension, equal, identity, scalar, vector
from theory.kernel.rules import (
    Definition,
    Differentiate,
    Entails,
    Evaluate,
    Identity,
    Monotone,
    Trigonometry,
)
from theory.kernel.rules.accumulate import Accumulated, Together
from theory.kernel.step import Derivation, Step

MANY = sp.Integer(1000)
TIME = sp.Rational(9, 110)
HALF_TANGENT = sp.Rational(1, 20000)
_SLACK, _SMALL = sp.Rational(1, 1000), sp.Rational(1, 100)
_SLOPE = 2 / (1 + _SMALL**2)
SINE = _SLOPE * HALF_TANGENT
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
_FIRST = sp.tan(c_first / 2)
same_logit, cross_logit = scalar("p31_same_logit", r"\ell_0"), scalar("p31_cross_logit", r"\ell_1")
moved_mass = scalar("p31_moved_mass", r"\kappa")
w_first = scalar("p31_w_first", r"W_2(\mu_0,\nu_0)", positive=True)
w_last = scalar("p31_w_last", r"W_2(\mu_T,\nu_T)", nonnegative=True)
ratio = scalar("p31_w_ratio", r"\frac{W_2(\mu_T,\nu_T)}{W_2(\mu_0,\nu_0)}")

LEAST = SHARE * SINE * TIME
"""A lower bound of the angle by which the many tokens have turned at the end."""
_MOST = TIME + sp.Rational(1, 100)


class _Token:
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


X, Y = _Token("many", "x"), _Token("one", "y")
B, C = _Token("base_many", r"x^0"), _Token("base_one", r"y^0")
_ALL = (X, Y, B, C)
x, y = X.x, Y.x
y_first = vector("p31_one_first", "y(0)")
x_last, y_last = vector("p31_many_last", "x(T)"), vector("p31_one_last", "y(T)")
_XY = Dot(x, y)
_TURN = 2 * tau / (1 + tau**2)


def _cost(one: Any, other: Any) -> Any:
    return Dot(one - other, one - other)


def _halved(name: str, low: Any, high: Any, premises: tuple[str, ...], why: str, ordered: int = 1) -> tuple[Step, ...]:
    """The sine of half an angle at least that of half another one, both in the range where it increases."""
    ranges = [at_most(0, low / 2), at_most(high / 2, sp.pi / 2)]
    ranges += [] if low.is_number else [at_most(low / 2, sp.pi / 2)]
    ranges += [] if high.is_number else [at_most(0, high / 2)]
    needed = both(*[r for r in ranges if r.args[0] != 0 or not low.is_number or r.args[1] == high / 2])
    return (
        Step(f"{name}-half", at_most(low / 2, high / 2), premises[:ordered], Entails(), why),
        Step(f"{name}-range", needed, premises, Entails(), r"in the range"),
        Step(
            name,
            at_most(sp.sin(low / 2), sp.sin(high / 2)),
            (f"{name}-half", f"{name}-range"),
            Monotone(sp.sin),
            r"where the sine increases.",
        ),
    )


def _turning(name: str, angle: Any, rate: Any, token: _Token, share: Any, along: int) -> tuple[Step, ...]:
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
            equal(rate, share * _TURN),
            (f"{name}-rate", f"{name}-velocity", "angles", "plane", "sum-of-angles", "half-angle"),
            Identity(),
            r"It turns towards the other side at the rate $p\sin(\alpha+\gamma)$ ($q$ for the one token).",
        ),
    )


REFUTED = Derivation(
    claim="prop-3.1/initial-w2-kstar",
    setting={
        "instance": both(equal(V, identity), equal(A, -BETA * identity)),
        "norms": both(equal(s.V_norm, Norm(V)), equal(s.A_norm, Norm(A))),
        "plane": both(equal(Dot(e1, e1), 1), equal(Dot(e2, e2), 1), equal(Dot(e1, e2), 0)),
        "angles": both(equal(x, sp.cos(a) * e1 + sp.sin(a) * e2), equal(y, -sp.cos(c) * e1 + sp.sin(c) * e2)),
        "half-angle": both(equal(sp.cos(a + c), (1 - tau**2) / (1 + tau**2)), equal(sp.sin(a + c), _TURN)),
        "base-cloud": both(equal(B.x, e1), equal(C.x, -e1)),
        "times": both(at_most(0, clock), at_most(clock, TIME)),
        "time": equal(s.t, TIME),
        "start": equal(c_first, 2 * sp.atan(HALF_TANGENT)),
        "ends": both(
            equal(x_last, sp.cos(a_last) * e1 + sp.sin(a_last) * e2),
            equal(y_last, -sp.cos(c_last) * e1 + sp.sin(c_last) * e2),
            equal(y_first, -sp.cos(c_first) * e1 + sp.sin(c_first) * e2),
        ),
        "first-distance": at_most((MANY + 1) * w_first**2, _cost(y_first, C.x)),
        "last-distance": equal(
            (MANY + 1) * w_last**2,
            (MANY - moved_mass) * _cost(x_last, B.x)
            + moved_mass * _cost(x_last, C.x)
            + moved_mass * _cost(y_last, B.x)
            + (1 - moved_mass) * _cost(y_last, C.x),
        ),
        "plan": both(at_most(0, moved_mass), at_most(moved_mass, 1)),
    },
    assumptions={
        "post-ln": both(*[equal(t.rate, t.drive - Dot(t.x, t.drive) * t.x) for t in _ALL]),
        "attention-only": both(*[equal(t.drive, t.output) for t in _ALL]),
        "single-head": both(*[equal(t.output, V * t.mean) for t in _ALL]),
        "full-attention": both(X.attends(x, y), Y.attends(x, y), B.attends(B.x, C.x), C.attends(B.x, C.x)),
    },
    steps=(
        Step(
            "base-at-rest",
            both(equal(B.rate, ZeroMatrix(dimension, 1)), equal(C.rate, ZeroMatrix(dimension, 1))),
            ("instance", "plane", "base-cloud", "post-ln", "attention-only", "single-head", "full-attention"),
            Identity(),
            r"A thousand tokens at $e_1$ and one at $-e_1$ are at rest.",
        ),
        Step(
            "logits",
            both(equal(same_logit, -BETA), equal(cross_logit, -BETA * _XY)),
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
            equal(X.rate, p * (y - _XY * x)),
            ("shares", "logits", "unit", "instance", "post-ln", "attention-only", "single-head", "full-attention"),
            Identity(),
            r"The velocity of the many",
        ),
        Step(
            "one-velocity",
            equal(Y.rate, q * (x - _XY * y)),
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
            Accumulated(tau, clock, clock, {tau: tau_rate}, {tau: _FIRST}),
            r"So $\tau$ stays above its start, $\tan(\gamma(0)/2)$,",
        ),
        Step(
            "logarithm",
            at_most(sp.log(tau) - sp.log(_FIRST), 2 * clock),
            ("logarithm-grows",),
            Accumulated(sp.log(tau), clock, clock, {tau: tau_rate}, {tau: _FIRST}),
            r"and its logarithm grows at most at the rate $2$:",
        ),
        Step(
            "logarithm-up-to",
            at_most(sp.log(tau), sp.log(_FIRST) + 2 * TIME),
            ("logarithm", "times"),
            Entails(),
            r"until $T$",
        ),
        Step(
            "tangent-up-to",
            at_most(tau, _FIRST * sp.exp(2 * TIME)),
            ("logarithm-up-to",),
            Monotone(sp.exp),
            r"at most by this factor,",
        ),
        Step(
            "not-far", at_most(sp.exp(2 * TIME), _SMALL / HALF_TANGENT), (), Evaluate(), r"which is far less than this."
        ),
        Step(
            "tangent-below",
            at_most(tau, _SMALL),
            ("tangent-up-to", "not-far", "start"),
            Entails(),
            r"So $\tau$ is tiny.",
        ),
        Step(
            "product",
            equal(_XY, -(1 - tau**2) / (1 + tau**2)),
            ("angles", "plane", "sum-of-angles", "half-angle"),
            Identity(),
            r"The two are nearly opposite:",
        ),
        Step(
            "logits-apart",
            at_most(same_logit - cross_logit, -2 * BETA + _SLACK),
            ("logits", "product", "tangent-below"),
            Entails(degree=3),
            r"their logits are far apart,",
        ),
        Step(
            "weights-apart",
            at_most(sp.exp(same_logit - cross_logit), sp.exp(-2 * BETA + _SLACK)),
            ("logits-apart",),
            Monotone(sp.exp),
            r"and so are their weights:",
        ),
        Step(
            "weight-number",
            at_most(MANY * sp.exp(-2 * BETA + _SLACK), 1 / SHARE - 1),
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
            at_most(_SLOPE * tau, _TURN),
            ("tangent-below",),
            Entails(degree=3),
            r"$\sin(\alpha+\gamma)$ is almost $2\tau$.",
        ),
        Step(
            "pulled",
            at_most(SHARE * _SLOPE * tau, a_rate),
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
        Step(
            "start-positive",
            both(at_most(0, c_first), at_most(c_first, sp.Rational(1, 100))),
            ("start",),
            Evaluate(),
            r"It starts close to $-e_1$.",
        ),
        *_halved("many-sine-from", LEAST, a_last, ("many-end", "many-end-most"), r"Half the angle of the many,"),
        *_halved(
            "one-sine-from",
            c_first,
            c_last,
            ("one-end", "start-positive", "one-end-most"),
            r"Half the angle of the one,",
        ),
        *_halved("many-sine-to", a_last, TIME, ("many-end-most", "many-end"), r"It is not large;"),
        *_halved(
            "one-sine-to", c_last, _MOST, ("one-end-most", "start-positive", "one-end"), r"nor is that of the one.", 2
        ),
        Step(
            "numbers",
            both(
                at_most(sp.sin(TIME / 2), sp.Rational(1, 2)),
                at_most(sp.sin(_MOST / 2), sp.Rational(1, 2)),
                at_most(0, sp.sin(LEAST / 2)),
                at_most(0, sp.sin(c_first / 2)),
            ),
            ("start",),
            Evaluate(),
            r"All sines are between $0$ and $\frac12$.",
        ),
        Step(
            "double-angles",
            both(
                equal(sp.cos(a_last), 1 - 2 * sp.sin(a_last / 2) ** 2),
                equal(sp.cos(c_last), 1 - 2 * sp.sin(c_last / 2) ** 2),
            ),
            (),
            Trigonometry(),
            r"Double angles,",
        ),
        Step(
            "start-double-angle",
            equal(sp.cos(c_first), 1 - 2 * sp.sin(c_first / 2) ** 2),
            (),
            Trigonometry(),
            r"at the start too.",
        ),
        Step(
            "near-costs",
            both(
                equal(_cost(x_last, B.x), 4 * sp.sin(a_last / 2) ** 2),
                equal(_cost(y_last, C.x), 4 * sp.sin(c_last / 2) ** 2),
            ),
            ("ends", "plane", "base-cloud", "double-angles"),
            Identity(),
            r"How far tokens are from their own copies,",
        ),
        Step(
            "far-costs",
            both(
                equal(_cost(x_last, C.x), 4 - 4 * sp.sin(a_last / 2) ** 2),
                equal(_cost(y_last, B.x), 4 - 4 * sp.sin(c_last / 2) ** 2),
            ),
            ("ends", "plane", "base-cloud", "double-angles"),
            Identity(),
            r"and from the others.",
        ),
        Step(
            "first-cost",
            equal(_cost(y_first, C.x), 4 * sp.sin(c_first / 2) ** 2),
            ("ends", "plane", "base-cloud", "start-double-angle"),
            Identity(),
            r"The same at the start.",
        ),
        Step(
            "no-exchange",
            both(
                at_most(0, 4 - 8 * sp.sin(a_last / 2) ** 2),
                at_most(0, 4 - 8 * sp.sin(c_last / 2) ** 2),
            ),
            ("many-sine-from", "many-sine-to", "one-sine-from", "one-sine-to", "numbers"),
            Entails(),
            r"Carrying mass to the other token does not pay.",
        ),
        Step(
            "transport",
            at_most(MANY * 4 * sp.sin(a_last / 2) ** 2 + 4 * sp.sin(c_last / 2) ** 2, (MANY + 1) * w_last**2),
            ("last-distance", "near-costs", "far-costs", "no-exchange", "plan"),
            Entails(degree=2),
            r"The cost of any coupling of the two clouds at $T$.",
        ),
        Step(
            "many-square",
            at_most(sp.sin(LEAST / 2) ** 2, sp.sin(a_last / 2) ** 2),
            ("many-sine-from", "numbers"),
            Entails(),
            r"The many have moved",
        ),
        Step(
            "one-square",
            at_most(sp.sin(c_first / 2) ** 2, sp.sin(c_last / 2) ** 2),
            ("one-sine-from", "numbers"),
            Entails(),
            r"and the one has not come back.",
        ),
        Step(
            "number",
            below(
                RATIO**2 * 4 * sp.sin(c_first / 2) ** 2,
                MANY * 4 * sp.sin(LEAST / 2) ** 2 + 4 * sp.sin(c_first / 2) ** 2,
            ),
            ("start",),
            Evaluate(),
            r"A number: the thousand make up for how little each has moved.",
        ),
        Step(
            "squares",
            below(RATIO**2 * w_first**2, w_last**2),
            ("transport", "many-square", "one-square", "number", "first-distance", "first-cost"),
            Entails(degree=1),
            r"So $W_2^2$ has grown more than $2.46^2$-fold.",
        ),
        Step("ratio", equal(ratio, w_last / w_first), (), Definition(), r"By how much $W_2$ has grown:"),
        Step("grown", below(RATIO, ratio), ("squares", "ratio"), Entails(), r"more than $2.46$-fold."),
        Step("K", equal(s.K_one_flow, claims.K_ONE_FLOW.expr), (), Definition(), r"The rate"),
        Step(
            "K-value",
            equal(s.K_one_flow, 11),
            ("K", "norms", "instance"),
            Identity(),
            r"$2\|V\|(1+\|A\|)$, as $\|V\|=1$ and $\|A\|=\frac92$.",
        ),
        Step(
            "claimed",
            at_most(claims.W2_GROWTH_K_STAR.expr, RATIO),
            ("K-value", "time"),
            Evaluate(),
            r"$e^{K^*T}=e^{9/10}$.",
        ),
        Step(
            "exceeded",
            below(claims.W2_GROWTH_K_STAR.expr, ratio),
            ("claimed", "grown"),
            Entails(degree=1),
            r"$W_2$ grows more than $e^{K^*T}$-fold.",
        ),
        Step(
            "bound",
            both(
                below(claims.W2_GROWTH_K_STAR.expr, ratio),
                equal(B.rate, ZeroMatrix(dimension, 1)),
                equal(C.rate, ZeroMatrix(dimension, 1)),
            ),
            ("exceeded", "base-at-rest"),
            Together(),
            r"While the base cloud stays where it is.",
        ),
    ),
    remark=(
        r"The stored instance: 1,000 tokens at $e_1$ and one at $-e_1$, which the second cloud has turned by the angle"
        r" $2\arctan\frac1{20000}$; $V=I$, $A=-\frac92I$, $T=\frac9{110}$. It is shown that $W_2(\mu_T,\nu_T)>2.46\,W_2(\mu_0,\nu_0)"
        r">e^{K^*T}W_2(\mu_0,\nu_0)$, for all couplings, by bounds of the rates on $[0,T]$. Equal tokens stay equal and the"
        r" tokens stay in the plane of $e_1,e_2$, by uniqueness of the flow; $\tau=\tan\frac{\alpha+\gamma}2$ describes the two"
        r" clusters while $0<\alpha+\gamma<\pi$, which the bounds of $\tau$ keep true."
    ),
)
DERIVATIONS = (REFUTED,)
