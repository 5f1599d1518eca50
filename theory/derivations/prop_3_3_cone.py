"""prop-3.3/nonsymmetric: the cone theorem, from the Dini inequality of Theorem 4.6 and a Riccati equation."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory import thm_4_6 as claims_46
from theory.derivations.thm_4_6_lower import LOWER, tan_i_rate
from theory.derivations.thm_4_6_model import tan_rate
from theory.kernel.notation import at_most, below, equal, scalar
from theory.kernel.rules import Apply, Comparison, Definition, Entails, Envelope, Identity
from theory.kernel.step import Derivation, Step

_theta = s.tan_max_angle
LOWER_STEPS = {step.id: step for step in LOWER.steps}
_inner, _outer = s.cone_inner, s.cone_outer_inverse
_start = (s.tan_max_angle_0 - _inner) / (1 - _outer * s.tan_max_angle_0)
tan_i = scalar("p33_tan_i", r"\vartheta_i", nonnegative=True)
_LAST = next(value for value in claims.CONE_ANGLE_BOUND.expr.args if value != _inner)
_one, _other = scalar("p33_one", "x"), scalar("p33_other", "y")
begin = scalar("p33_begin", r"\mu_0")
now = scalar("p33_now", r"\mu(t)")
_BOUND = (_inner + now) / (1 + _outer * now)
_RESTS = ("unit", "w", "b", "b-norm", "c", "c-norm", "block", "kappa", "separation", "weights", "unit-tokens",
          "every-token-in-cone", "boundary", "spread")  # fmt: skip

_SPEED: Any = claims_46.PLAIN_SPEED.expr.xreplace({_theta: tan_i})
_CONDITION = claims_46.PLAIN_CONDITION.closed.xreplace({_theta: tan_i})
_FIRST_RATE = LOWER_STEPS["plain"]

NONSYMMETRIC = Derivation(
    claim="prop-3.3/nonsymmetric",
    setting={
        **{k: LOWER.setting[k].xreplace({_theta: tan_i}) for k in _RESTS},
        "hemisphere": LOWER.assumptions["hemisphere"],
        "separation-positive": below(0, claims.CONE_MARGIN.expr),
        "rate": equal(s.cone_rate, claims.CONE_RATE.expr),
        "inner": equal(_inner, claims.CONE_INNER.expr),
        "outer": equal(_outer, claims.CONE_OUTER_INVERSE.expr),
        "not-arrived": below(_inner, tan_i),
        "inside": below(_outer * tan_i, 1),
        "start-not-arrived": at_most(_inner, s.tan_max_angle_0),
        "start-inside": below(_outer * s.tan_max_angle_0, 1),
    },
    assumptions={k: LOWER.assumptions[k] for k in ("single-head", "post-ln", "attention-only")},
    conditional=(r"The rate is derived, the convergence of all tokens to $\tilde u_1$ is not (see the remark)."),
    remark=(
        r"The rate until $\vartheta\le t_-$: at times with $t_-<\vartheta<t_+$. $\tilde V$ maps every cone between the "
        r"roots into its interior (a lemma of its own). That the cone of $t_-$ is not left again, that "
        r"$\tilde\lambda_1$ is real, simple and largest in modulus (Krein-Rutman) and that the tokens converge to "
        r"$\tilde u_1$ itself, not only into the cone of $t_-$ (Birkhoff), is not derived here. "
        r"That $\vartheta<t_+$ and the hemisphere persist follows from $D^+\vartheta\le0$ there by "
        r"continuity; it is in the setting and no step."
    ),
    steps=(
        Step(
            "separated",
            below(0, s.cone_separation),
            ("separation-positive",),
            Entails(degree=2),
            r"$S>0$.",
        ),
        Step(
            "discriminant",
            below(4 * s.b_norm * s.c_norm, s.cone_separation**2),
            ("separation-positive",),
            Entails(degree=3),
            r"The discriminant of $\|b\|-S\vartheta+\|c\|\vartheta^2$ is positive: it has two real roots.",
        ),
        Step(
            "rate-square",
            equal(s.cone_rate**2, s.cone_separation**2 - 4 * s.b_norm * s.c_norm),
            ("rate",),
            Identity(),
            r"Its root is $\omega$.",
        ),
        Step(
            "rate-positive",
            below(0, s.cone_rate),
            ("rate", "discriminant"),
            Entails(degree=2),
            r"$\omega>0$.",
        ),
        Step(
            "inner-root",
            equal((s.cone_separation + s.cone_rate) * _inner, 2 * s.b_norm),
            ("inner",),
            Identity(),
            r"$t_-$ is one root,",
        ),
        Step(
            "outer-root",
            equal((s.cone_separation + s.cone_rate) * _outer, 2 * s.c_norm),
            ("outer",),
            Identity(),
            r"and $1/q_+$ the other.",
        ),
        Step(
            "factors",
            equal(
                2 * _SPEED,
                -(s.cone_separation + s.cone_rate) * (tan_i - _inner) * (1 - _outer * tan_i),
            ),
            ("inner", "outer", "rate-square", "separated", "rate-positive"),
            Identity(),
            r"The quadratic in factors.",
        ),
        Step(
            "negative",
            at_most(_SPEED, 0),
            ("factors", "separated", "rate-positive", "not-arrived", "inside"),
            Entails(degree=3),
            r"Between the roots it is negative,",
        ),
        Step(
            "first-branch",
            at_most(0, _CONDITION),
            ("negative", "separation"),
            Entails(degree=3, squares=(tan_i,)),
            r"so that the best mean is on the boundary of the cone: $z\le-\kappa\vartheta-\|c\|\vartheta^2\le0$.",
        ),
        Step(
            "pull",
            _FIRST_RATE.says.xreplace({_theta: tan_i}),
            (*_RESTS, "hemisphere", "first-branch", "single-head", "post-ln", "attention-only"),
            Apply("thm-4.6/lower#plain", {_theta: tan_i}),
            r"The Dini inequality of Theorem 4.6 in its first branch.",
        ),
        Step(
            "envelope",
            at_most(tan_rate, claims_46.PLAIN_SPEED.expr),
            ("pull",),
            Envelope({tan_i: _theta, tan_i_rate: tan_rate}),
            r"Token $i$ is any of the widest ones.",
        ),
        Step(
            "outer-sign",
            at_most(0, _outer),
            ("outer-root", "separated", "rate-positive"),
            Entails(degree=2),
            r"$q_+\ge0$.",
        ),
        Step(
            "denominator",
            below(
                0, (1 - _outer * s.tan_max_angle_0) * sp.exp(s.cone_rate * s.t) + _outer * (s.tan_max_angle_0 - _inner)
            ),
            ("outer-sign", "start-inside", "start-not-arrived"),
            Entails(degree=3),
            r"The denominator of the solution does not vanish.",
        ),
        Step(
            "product",
            equal((s.cone_separation + s.cone_rate) * (1 - _outer * _inner), 2 * s.cone_rate),
            ("inner", "outer", "rate-square", "separated", "rate-positive"),
            Identity(),
            r"The roots differ by $\omega/\|c\|$.",
        ),
        Step("begin", equal(begin, _start), (), Definition(), r"The Möbius variable at the start."),
        Step(
            "begin-sign",
            at_most(0, begin),
            ("begin", "start-inside", "start-not-arrived"),
            Entails(degree=2),
            r"Not negative.",
        ),
        Step(
            "riccati",
            at_most(_theta, _BOUND.xreplace({now: begin * sp.exp(-s.cone_rate * s.t)})),
            (
                "envelope",
                "begin",
                "begin-sign",
                "outer-sign",
                "inner-root",
                "outer-root",
                "product",
                "start-inside",
            ),
            Comparison(_theta, tan_rate, s.t, s.tan_max_angle_0),
            r"The Riccati equation in closed form.",
        ),
        Step(
            "larger",
            at_most(_LAST, claims.CONE_ANGLE_BOUND.expr),
            (),
            Apply("lemma/maximum", {_one: _inner, _other: _LAST}),
            r"What a maximum is.",
        ),
        Step(
            "bound",
            at_most(_theta, claims.CONE_ANGLE_BOUND.expr),
            ("riccati", "begin", "larger", "denominator"),
            Entails(degree=2),
            r"The bound of the claim, which is $t_-$ where the start is inside that cone.",
        ),
    ),
)
MAXIMUM = Derivation(
    claim="lemma/maximum",
    title="a number is at most its maximum with another",
    states=at_most(_other, sp.Max(_one, _other)),
    steps=(Step("bound", at_most(_other, sp.Max(_one, _other)), (), Entails(degree=1), r"What a maximum is."),),
)

_quoted = scalar("p33_lambda_2", r"\lambda_2")
SYMMETRIC_CASE = Derivation(
    claim="lemma/quoted-is-the-symmetric-case",
    title="the quoted inequality is the condition of the cone theorem for symmetric updates",
    states=below(0, claims.CONE_MARGIN.expr),
    setting={
        "symmetric": equal(s.c_norm, s.b_norm),
        "w": equal(s.w, s.lambda_1 + s.a),
        "block": at_most(s.kappa, _quoted + s.E_norm),
        "separation": equal(s.cone_separation, s.w - s.kappa),
        "gap": equal(s.gap, s.lambda_1 - _quoted),
        "quoted": below(0, claims.CRITERION_MARGIN.expr),
    },
    remark=r"$\kappa\le\lambda_2+\|E\|$ where $V\succeq0$, by the triangle inequality.",
    steps=(
        Step(
            "margin",
            below(0, claims.CONE_MARGIN.expr),
            ("symmetric", "w", "block", "separation", "gap", "quoted"),
            Entails(degree=1),
            r"$2\sqrt{\|b\|\|c\|}=2\|b\|$.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (MAXIMUM, SYMMETRIC_CASE)
DERIVATIONS: tuple[Derivation, ...] = (NONSYMMETRIC,)
