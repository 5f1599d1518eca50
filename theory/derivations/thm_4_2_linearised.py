"""thm-4.2/critical: the variance of the linearised model, for independent and AR(1) adapters, and its limit."""

from __future__ import annotations

from typing import Any

from theory import symbols as s
from theory.derivations.model import ATTENTION_ONLY, EIGENPAIR, SYMMETRIC_BASE, V, attention, drive, m, u1, x
from theory.derivations.thm_4_2_model import dV
from theory.kernel.notation import Dot, LimitOf, Norm, below, both, equal, family, matrix, scalar, vector
from theory.kernel.rules import Identity, PowerSeries
from theory.kernel.step import Derivation, Step

u_j = vector("t42_u_j", "u_j")
after, tangent = vector("t42_x_next", r"x^{l+1}"), vector("t42_tangent", "v")
length = scalar("t42_length", "|x+hg|", positive=True)
scale = scalar("t42_scale", r"\langle x,u_1\rangle", positive=True)
small = scalar("t42_small", r"\delta", positive=True)
tan_next = scalar("t42_tan_next", r"\tan_j^{l+1}/\delta")
y, y_next = scalar("t42_y", "y_j^l"), scalar("t42_y_next", "y_j^{l+1}")
noise = scalar("t42_noise", r"\xi_j^l")
unit_adapter = matrix("t42_D", r"\Delta V^l/\delta")
variance = family("t42_variance", r"\mathbb E\,y_j^2")

_ABOVE = (1 + s.h * s.lambda_j) * y + s.h * (noise + small * Dot(u_j, unit_adapter * tangent))
_BELOW = 1 + s.h * s.lambda_1 + s.h * small * (Dot(u1, unit_adapter * u1) + small * Dot(u1, unit_adapter * tangent))
_ONE = 1 + s.h * s.lambda_1

LAYER: dict[str, Any] = {
    "single-head": equal(attention, (V + dV) * m),
    "attention-only": ATTENTION_ONLY,
    "post-ln": both(equal(after, (x + s.h * drive) / length), equal(Norm(x + s.h * drive), length)),
    "collapsed-base": equal(m, x),
}
NEAR: dict[str, Any] = {
    "near": both(
        equal(x, scale * (u1 + small * tangent)),
        equal(Dot(tangent, u1), 0),
        equal(y, Dot(tangent, u_j)),
        equal(dV, small * unit_adapter),
    ),
    "in-chart": both(below(0, _BELOW), below(0, Dot(after, u1))),
    "tangent-after": equal(tan_next, Dot(after, u_j) / (small * Dot(after, u1))),
    "model": equal(y_next, LimitOf(tan_next, small)),
    "noise": equal(noise, Dot(u_j, unit_adapter * u1)),
}
SPECTRUM: dict[str, Any] = {
    "eigenpair": EIGENPAIR,
    "direction": both(equal(V * u_j, s.lambda_j * u_j), equal(Dot(u1, u_j), 0)),
    "step-positive": below(0, _ONE),
}

LINEARISED = Derivation(
    claim="lemma/linearised-layer",
    title="One layer linearised about u1",
    states=equal(y_next, (1 + s.h * s.lambda_j) / _ONE * y + s.h * noise / _ONE),
    setting={**SPECTRUM, **NEAR},
    assumptions={**LAYER, "symmetric-base": SYMMETRIC_BASE},
    steps=(
        Step(
            "layer",
            equal(Dot(after, u_j) * _BELOW, Dot(after, u1) * small * _ABOVE),
            (*LAYER, "symmetric-base", "eigenpair", "direction", "near", "noise"),
            Identity(),
            r"One layer from $x\propto u_1+\delta v$ with $\Delta V=\delta D$: the norm drops out of the tangent.",
        ),
        Step(
            "tangent-next",
            equal(tan_next, _ABOVE / _BELOW),
            ("tangent-after", "layer", "in-chart"),
            Identity(),
            r"The tangent after the layer, in units of $\delta$.",
        ),
        Step(
            "to-first-order",
            equal(LimitOf(tan_next, small), ((1 + s.h * s.lambda_j) * y + s.h * noise) / _ONE),
            ("tangent-next",),
            PowerSeries(order=3),
            r"To first order in $\delta$.",
        ),
        Step(
            "recursion",
            equal(y_next, (1 + s.h * s.lambda_j) / _ONE * y + s.h * noise / _ONE),
            ("to-first-order", "model", "step-positive"),
            Identity(),
            r"$y_j^{l+1}=\rho_jy_j^l+h\xi_j^l/(1+h\lambda_1)$.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = (LINEARISED,)
DERIVATIONS: tuple[Derivation, ...] = ()
