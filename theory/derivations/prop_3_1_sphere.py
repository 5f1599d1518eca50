"""Derivation of Prop. 3.1 on the sphere: from the same tokens."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_1 as claims
from theory import symbols as s
from theory.derivations.model import V
from theory.derivations.prop_3_1_angles import (
    ANGLE_RATE_VALUE,
    ATTENTION_ONLY,
    CIRCLE,
    CIRCLE_BOUND,
    CIRCLE_I,
    CIRCLE_RISE,
    END_TANGENT,
    LARGEST,
    MEANS,
    POST_LN,
    SINGLE_HEAD,
    UNIT,
    UNIT_I,
    N,
    base,
    dM,
    end_n,
    factor,
    n_i,
    one,
    other,
    quantity,
    rate,
    theta,
)
from theory.derivations.prop_3_1_lemmas import A, B, M, R, mean, shift, u, x, x_i, z, z_i
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, matrix, scalar
from theory.kernel.rules import Apply, Comparison, Definition, Entails, Envelope, Identity
from theory.kernel.step import Derivation, Step

dV, dA = matrix("p31_dV", r"\Delta V"), matrix("p31_dA", r"\Delta A")
V_new, A_new = matrix("p31_V_new", r"\tilde V"), matrix("p31_A_new", r"\tilde A")
angle = scalar("p31_max_angle", r"\max_i\theta_i")
angle_rate = scalar("p31_max_angle_rate", r"D^+\max_i\theta_i")

FLOWS = {M: V, N: V_new, B: A_new, dM: dV, shift: dA}
"""The matrices of the two flows, in place of those of the lemmas."""
NORMS = both(
    equal(s.V_norm, Norm(V)),
    equal(s.A_norm, Norm(A)),
    equal(s.perturbed_V_norm, Norm(V_new)),
    equal(s.perturbed_A_norm, Norm(A_new)),
    equal(s.dV_norm, Norm(dV)),
    equal(s.dA_norm, Norm(dA)),
)
UPDATES = {"value-update": equal(V_new, V + dV), "attention-update": equal(A_new, A + dA)}
MODEL = {
    "post-ln": POST_LN,
    "attention-only": ATTENTION_ONLY,
    "single-head": SINGLE_HEAD.xreplace(FLOWS),
}
SETTING = {
    "norms": NORMS,
    **UPDATES,
    "means": MEANS.xreplace(FLOWS),
    "tokens": UNIT,
    "token-i": UNIT_I,
    "great-circles": CIRCLE,
    "great-circle-i": both(CIRCLE_I, END_TANGENT),
    "largest": LARGEST,
    "apart": below(0, sp.sin(theta)),
}

_AT_END = {x: z, x_i: z_i, u: end_n}
_AT_START = {u: n_i}


def _fields(name: str, place: dict[Any, Any], premises: tuple[str, ...], why: str) -> Step:
    old: Any = mean(Dot(V * x, u), Dot(A * x_i, x)).xreplace(place)
    new: Any = mean(Dot(V_new * x, u), Dot(A_new * x_i, x)).xreplace(place)
    bound = Norm(dV) + sp.Min(Norm(V), Norm(V_new)) * Norm(dA)
    return Step(
        name,
        at_most(new - old, bound),
        ("value-update", "attention-update", *premises),
        Apply("lemma/two-fields", {**FLOWS, **place, R: sp.Integer(1)}),
        why,
    )


def _circles(name: str, value: Any, attention: Any, why: str) -> Step:
    at = {M: value, A: attention}
    return Step(
        name,
        at_most(CIRCLE_RISE.xreplace(at), CIRCLE_BOUND.xreplace(at)),
        ("tokens", "token-i", "great-circles", "great-circle-i", "largest"),
        Apply("lemma/great-circles", at),
        why,
    )


def _rate(name: str, value: Any, attention: Any, premises: tuple[str, ...], why: str) -> Step:
    return Step(
        name,
        at_most(rate, s.delta + value * (1 + attention) * (2 * theta)),
        ("angle-rate", *premises, "norms", "delta"),
        Entails(degree=1),
        why,
    )


SPHERE = Derivation(
    claim="prop-3.1/sphere",
    setting=SETTING,
    assumptions={**MODEL, "common-start": equal(s.initial_angle, 0)},
    steps=(
        Step("delta", equal(s.delta, claims.DELTA.expr), (), Definition(), r"How far the two fields differ."),
        Step("K", equal(s.K, claims.K.expr), (), Definition(), r"The better of the two Lipschitz constants."),
        Step(
            "angle-rate",
            at_most(rate, ANGLE_RATE_VALUE.xreplace(FLOWS)),
            ("token-i", "great-circle-i", "apart", "means", "post-ln", "attention-only", "single-head"),
            Apply("lemma/angle-rate", FLOWS),
            r"The angle of token $i$ changes with the fields along the tangents at both ends of the great circle.",
        ),
        Step(
            "in-ball",
            both(at_most(Dot(x, x), 1), at_most(Dot(x_i, x_i), 1), at_most(Dot(n_i, n_i), 1)),
            ("tokens", "token-i"),
            Entails(),
            r"All are unit vectors,",
        ),
        Step(
            "ends-unit",
            both(equal(Dot(z, z), 1), equal(Dot(z_i, z_i), 1), equal(Dot(end_n, end_n), 1)),
            ("tokens", "token-i", "great-circles", "great-circle-i"),
            Identity(),
            r"at the other end",
        ),
        Step(
            "ends-in-ball",
            both(at_most(Dot(z, z), 1), at_most(Dot(z_i, z_i), 1), at_most(Dot(end_n, end_n), 1)),
            ("ends-unit",),
            Entails(),
            r"too.",
        ),
        _fields("fields-at-ends", _AT_END, ("ends-in-ball",), r"The two fields at the perturbed tokens,"),
        _fields("fields-at-starts", _AT_START, ("in-ball",), r"and at the base tokens."),
        _circles("base-field", V, A, r"The base field from the base tokens to the perturbed ones."),
        _circles("perturbed-field", V_new, A_new, r"The perturbed field from the base tokens to the perturbed ones."),
        _rate(
            "by-base-field",
            s.V_norm,
            s.A_norm,
            ("fields-at-ends", "base-field"),
            r"Add and subtract the base field at the perturbed tokens,",
        ),
        _rate(
            "by-perturbed-field",
            s.perturbed_V_norm,
            s.perturbed_A_norm,
            ("fields-at-starts", "perturbed-field"),
            r"or the perturbed field at the base tokens.",
        ),
        Step(
            "by-better-field",
            at_most(
                rate,
                s.delta
                + sp.Min(s.V_norm * (1 + s.A_norm), s.perturbed_V_norm * (1 + s.perturbed_A_norm)) * (2 * theta),
            ),
            ("by-base-field", "by-perturbed-field"),
            Apply(
                "lemma/smaller",
                {
                    quantity: rate,
                    base: s.delta,
                    one: s.V_norm * (1 + s.A_norm),
                    other: s.perturbed_V_norm * (1 + s.perturbed_A_norm),
                    factor: 2 * theta,
                },
            ),
            r"The smaller of the two.",
        ),
        Step(
            "rate",
            at_most(rate, s.delta + s.K * theta),
            ("by-better-field", "K"),
            Entails(),
            r"Which is $K^*$.",
        ),
        Step(
            "envelope",
            at_most(angle_rate, s.delta + s.K * angle),
            ("rate",),
            Envelope({theta: angle, rate: angle_rate}),
            r"Token $i$ is any of those with the largest angle.",
        ),
        Step(
            "bound",
            at_most(angle, claims.BOUND.expr),
            ("envelope", "common-start"),
            Comparison(angle, angle_rate, s.t, s.initial_angle),
            r"$\dot y=\delta^*+K^*y$, $y(0)=0$ is solved by $\delta^*(e^{K^*t}-1)/K^*$.",
        ),
    ),
    remark=(
        r"While $0<\max_i\theta_i<\pi$; where the angle vanishes the comparison starts anew with an earlier clock, and"
        r" from $\pi$ on the bound is trivial. At $K^*=0$ read $\delta^*t$. The averages are over the tokens that token"
        r" $i$ attends to, so that a causal mask, the same in both flows, is covered. $W_2\le W_\infty\le\max_i$ is the"
        r" identity coupling."
    ),
)
