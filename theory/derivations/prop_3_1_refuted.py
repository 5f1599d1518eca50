"""The counterexample to W2 growing at the rate K*: one token against a thousand, under strong anti-attention."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.matrices.expressions import ZeroMatrix

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations.model import V
from theory.derivations.prop_3_1_antipodal import (
    BETA,
    FLOW,
    HALF_TANGENT,
    LEAST,
    MANY,
    RATIO,
    TIME,
    TOKENS,
    TURN,
    B,
    C,
    X,
    Y,
    a,
    a_last,
    c,
    c_first,
    c_last,
    clock,
    e1,
    e2,
    tau,
    x,
    y,
)
from theory.derivations.prop_3_1_lemmas import A
from theory.kernel.notation import Dot, Norm, at_most, below, both, dimension, equal, identity, scalar, vector
from theory.kernel.rules import (
    Definition,
    Entails,
    Evaluate,
    Identity,
    Monotone,
    Trigonometry,
)
from theory.kernel.rules.accumulate import Together
from theory.kernel.step import Derivation, Step

moved_mass = scalar("p31_moved_mass", r"\kappa")
w_first = scalar("p31_w_first", r"W_2(\mu_0,\nu_0)", positive=True)
w_last = scalar("p31_w_last", r"W_2(\mu_T,\nu_T)", nonnegative=True)
ratio = scalar("p31_w_ratio", r"\frac{W_2(\mu_T,\nu_T)}{W_2(\mu_0,\nu_0)}")
_MOST = TIME + sp.Rational(1, 100)
y_first = vector("p31_one_first", "y(0)")
x_last, y_last = vector("p31_many_last", "x(T)"), vector("p31_one_last", "y(T)")


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


REFUTED = Derivation(
    claim="prop-3.1/initial-w2-kstar",
    setting={
        "instance": both(equal(V, identity), equal(A, -BETA * identity)),
        "norms": both(equal(s.V_norm, Norm(V)), equal(s.A_norm, Norm(A))),
        "plane": both(equal(Dot(e1, e1), 1), equal(Dot(e2, e2), 1), equal(Dot(e1, e2), 0)),
        "angles": both(equal(x, sp.cos(a) * e1 + sp.sin(a) * e2), equal(y, -sp.cos(c) * e1 + sp.sin(c) * e2)),
        "half-angle": both(equal(sp.cos(a + c), (1 - tau**2) / (1 + tau**2)), equal(sp.sin(a + c), TURN)),
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
        "post-ln": both(*[equal(t.rate, t.drive - Dot(t.x, t.drive) * t.x) for t in TOKENS]),
        "attention-only": both(*[equal(t.drive, t.output) for t in TOKENS]),
        "single-head": both(*[equal(t.output, V * t.mean) for t in TOKENS]),
        "full-attention": both(X.attends(x, y), Y.attends(x, y), B.attends(B.x, C.x), C.attends(B.x, C.x)),
    },
    steps=(
        *FLOW,
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
        r" $2\arctan\frac1{20000}$; $V=I$, $A=-\frac92I$, $T=\frac9{110}$. Shown, for all couplings and by bounds of"
        r" the rates on $[0,T]$: $W_2(\mu_T,\nu_T)>2.46\,W_2(\mu_0,\nu_0)>e^{K^*T}W_2(\mu_0,\nu_0)$. That equal tokens"
        r" stay equal, that the tokens stay in the plane of $e_1,e_2$ and that the base cloud, at rest, stays where it"
        r" is holds by uniqueness of the flow; $\tau=\tan\frac{\alpha+\gamma}2$ describes the two clusters while"
        r" $0<\alpha+\gamma<\pi$, which the bounds of $\tau$ keep true."
    ),
)
