"""prop-3.1/euclidean: the quoted double exponential from the integral bound."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations.prop_3_1_radius import (
    growth,
)
from theory.kernel.notation import at_most, both, equal, scalar
from theory.kernel.rules import (
    Definition,
    Entails,
    Monotone,
)
from theory.kernel.rules.accumulate import Accumulated
from theory.kernel.step import Step

widest = scalar("p31_widest", r"\max_i|\tilde x_i-x_i|", nonnegative=True)
widest_rate = scalar("p31_widest_rate", r"D^+\max_i|\tilde x_i-x_i|")
widest_first = scalar("p31_widest_first", r"\max_i|\tilde x_i(0)-x_i(0)|", nonnegative=True)
widest_last = scalar("p31_widest_last", r"\max_i|\tilde x_i(t)-x_i(t)|", nonnegative=True)
ball = scalar("p31_ball", "R(s)", nonnegative=True)
exponent = scalar("p31_exponent", r"\int_s^tK")
weight = sp.exp(exponent)
delta_last = scalar("p31_delta_last", r"\delta(t)")
L_t, C_t, D_t = scalar("p31_L_t", "L_t"), scalar("p31_C_t", "C_t"), scalar("p31_D_t", "D_t")

TIME = s.earlier_time
_AT_LAST = {TIME: s.t}
WEIGHT: Any = next(f for f in sp.Mul.make_args(claims.EUCLIDEAN_INTEGRAND.expr) if isinstance(f, sp.exp))
EXPONENT = WEIGHT.args[0]
_DELTA = claims.EUCLIDEAN_INTEGRAND.expr / WEIGHT
_LAST_DELTA = _DELTA.xreplace(_AT_LAST)
BALL_K = s.V_norm * (1 + 2 * s.A_norm * ball**2)
BALL_DELTA = s.dV_norm * ball + s.V_norm * s.dA_norm * ball**3
_DOUBLE = sp.exp(C_t * sp.exp(3 * D_t))


QUOTED_FORM = (
    Step(
        "largest-delta",
        equal(delta_last, _LAST_DELTA),
        (),
        Definition(),
        r"$\delta$ at the time $t$,",
    ),
    Step(
        "constants",
        both(
            equal(D_t, growth * s.t),
            equal(C_t, s.V_norm * s.t + s.A_norm * s.radius_0**2),
            equal(L_t, (s.t * delta_last) ** 2),
        ),
        (),
        Definition(),
        r"and the quantities of the quoted form.",
    ),
    Step(
        "elapsed",
        at_most(3 * growth * TIME, 3 * growth * s.t),
        ("times",),
        Entails(),
        r"Until the time $t$",
    ),
    Step(
        "radius-factor",
        at_most(sp.exp(3 * growth * TIME), sp.exp(3 * growth * s.t)),
        ("elapsed",),
        Monotone(sp.exp),
        r"radii grow",
    ),
    Step("once-elapsed", at_most(growth * TIME, growth * s.t), ("times",), Entails(), r"(and so"),
    Step(
        "once-factor",
        at_most(sp.exp(growth * TIME), sp.exp(growth * s.t)),
        ("once-elapsed",),
        Monotone(sp.exp),
        r"do their cubes)",
    ),
    Step(
        "cubes",
        at_most((s.radius_0 * sp.exp(growth * TIME)) ** 3, (s.radius_0 * sp.exp(growth * s.t)) ** 3),
        ("radius-factor",),
        Entails(degree=3, squares=(s.radius_0,)),
        r"from $R_0$ on,",
    ),
    Step(
        "delta-grows",
        at_most(BALL_DELTA, delta_last),
        ("ball", "largest-delta", "once-factor", "cubes"),
        Entails(degree=3),
        r"and $\delta$ with them.",
    ),
    Step(
        "delta-positive",
        at_most(0, BALL_DELTA),
        (),
        Entails(degree=4, squares=(ball,)),
        r"It is not negative.",
    ),
    Step("later", at_most(0, 3 * growth * s.t), (), Entails(), r"For the factor:"),
    Step(
        "cube-at-least",
        at_most(1, sp.exp(3 * growth * s.t)),
        ("later",),
        Monotone(sp.exp),
        r"$1\le e^{3D_t}$",
    ),
    Step("twice", at_most(2 * growth * s.t, 3 * growth * s.t), (), Entails(), r"and"),
    Step(
        "square-below-cube",
        at_most(sp.exp(2 * growth * s.t), sp.exp(3 * growth * s.t)),
        ("twice",),
        Monotone(sp.exp),
        r"$e^{2D_t}\le e^{3D_t}$,",
    ),
    Step(
        "share",
        at_most(s.V_norm / growth, 1),
        ("norms-below", "norms", "moving-rate"),
        Entails(),
        r"$\|V\|\le\max(\|V\|,\|\tilde V\|)$,",
    ),
    Step(
        "second-term",
        at_most(s.V_norm / growth * (sp.exp(2 * growth * s.t) - sp.exp(2 * growth * TIME)), sp.exp(3 * growth * s.t)),
        ("share", "square-below-cube", "moving-rate"),
        Entails(degree=3, squares=(sp.exp(growth * s.t), sp.exp(growth * TIME))),
        r"bound the second term of $\int_s^tK$",
    ),
    Step(
        "first-term",
        at_most(s.V_norm * (s.t - TIME), s.V_norm * s.t * sp.exp(3 * growth * s.t)),
        ("cube-at-least",),
        Entails(degree=3),
        r"and the first:",
    ),
    Step(
        "exponent-bound",
        at_most(EXPONENT, C_t * sp.exp(3 * D_t)),
        ("first-term", "second-term", "constants", "moving-rate"),
        Entails(degree=3, squares=(s.radius_0,)),
        r"$\int_s^tK\le C_te^{3D_t}$.",
    ),
    Step(
        "factor-bound",
        at_most(WEIGHT, _DOUBLE),
        ("exponent-bound",),
        Monotone(sp.exp),
        r"The double exponential.",
    ),
    Step(
        "weight-bound",
        at_most(weight, _DOUBLE),
        ("factor-bound", "weight"),
        Entails(),
        r"It bounds the integrating factor.",
    ),
    Step(
        "crude",
        at_most((widest_rate - BALL_K * widest) * weight, delta_last * _DOUBLE),
        ("weighted", "weight-bound", "delta-grows", "delta-positive"),
        Entails(degree=3),
        r"Both factors of the integrand at their largest.",
    ),
    Step(
        "double-exponential",
        at_most(widest_last, delta_last * _DOUBLE * s.t),
        ("crude", "weight", "ball", "common-start"),
        Accumulated(widest * WEIGHT, TIME, s.t, {widest: widest_rate}, {widest: widest_first}, {widest: widest_last}),
        r"Integrate.",
    ),
    Step(
        "quoted",
        at_most(widest_last**2, L_t * sp.exp(2 * C_t * sp.exp(3 * D_t))),
        ("double-exponential", "constants"),
        Entails(degree=2, squares=(delta_last * _DOUBLE * s.t - widest_last,)),
        r"Squared: the quoted form.",
    ),
)
"""From the integral to the quoted form."""
