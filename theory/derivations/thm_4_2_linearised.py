"""thm-4.2/critical: the variance of the linearised model, for independent and AR(1) adapters, and its limit."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import thm_4_2_ito as ito
from theory.derivations.model import ATTENTION_ONLY, EIGENPAIR, SYMMETRIC_BASE, V, attention, drive, m, u1, x
from theory.derivations.thm_4_2_model import GAUSS, VARIANCES, WEIGHTS, dV, mean_dV
from theory.kernel.notation import Dot, Expect, LimitOf, Norm, below, both, equal, family, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, PowerSeries
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.expectation import Linearity
from theory.kernel.rules.random_matrices import MatrixWick
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step, parts

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


def _other(name: str, latex: str, **assumptions: bool) -> Any:
    return scalar(f"t42_{name}_ar", latex, **assumptions)


noise_ar, noise_ar_next = _other("noise", r"\zeta_j^l"), _other("noise_next", r"\zeta_j^{l+1}")
y_ar, y_ar_next = _other("y", r"z_j^l"), _other("y_next", r"z_j^{l+1}")
adapter_ar, adapter_ar_next = matrix("t42_D_ar", r"D^l"), matrix("t42_D_ar_next", r"D^{l+1}")
fresh, kick = matrix("t42_fresh", "F^l"), scalar("t42_kick", r"\langle u_j,F^lu_1\rangle")
CORRELATED: dict[Any, Any] = {
    x: vector("t42_x_ar", "x"),
    m: vector("t42_m_ar", "m"),
    drive: vector("t42_drive_ar", "g"),
    attention: vector("t42_attention_ar", "o"),
    dV: matrix("t42_dV_ar", r"\Delta V_{\mathrm{AR}}^l"),
    after: vector("t42_x_next_ar", r"x_{\mathrm{AR}}^{l+1}"),
    tangent: vector("t42_tangent_ar", "w"),
    length: _other("length", "|x+hg|", positive=True),
    scale: _other("scale", r"\langle x,u_1\rangle", positive=True),
    tan_next: _other("tan_next", r"\tan_j^{l+1}/\delta"),
    y: y_ar,
    y_next: y_ar_next,
    noise: noise_ar,
    unit_adapter: adapter_ar,
}
"""The model with AR(1) adapters beside that with independent ones."""
variance_ar, covariance = (
    family("t42_variance_ar", r"\mathbb E\,z_j^2"),
    family("t42_covariance", r"\mathbb E\,z_j\zeta_j"),
)
noise_variance = family("t42_noise_variance", r"\mathbb E\,\zeta_j^2")

_r, _c, _rho = s.layer_ratio, s.h / _ONE, s.correlation
_PER_LAYER = s.eta**2 * s.s_norm**2 / s.d**2


def _power(base: Any) -> Any:
    return sp.exp(s.L * sp.log(base))


_GIVEN = (*SPECTRUM, *NEAR, *LAYER, "symmetric-base")

_LIMIT = LimitOf(
    claims.CRITICAL_VARIANCE.expr.xreplace(
        {_r: claims.LAYER_RATIO.expr, s.layer_noise: claims.LAYER_NOISE.expr}
    ).xreplace({s.L: s.T / s.h, s.eta: s.noise_scale / sp.sqrt(s.h)}),
    s.h,
)
_SHARE = _rho * (1 - _power(_r * _rho)) / (1 - _r * _rho)

INDEPENDENT = (
    Step("per-layer", equal(s.layer_noise, claims.LAYER_NOISE.expr), (), Definition(), r"What one layer adds."),
    Step(
        "recursion",
        equal(y_next, (1 + s.h * s.lambda_j) / _ONE * y + s.h * noise / _ONE),
        _GIVEN,
        Apply("lemma/linearised-layer"),
        r"One layer, linearised about $u_1$.",
    ),
    Step(
        "noise-mean",
        equal(Expect(noise), 0),
        ("noise", "gaussian-adapters", "zero-mean-adapters"),
        MatrixWick(VARIANCES),
        r"What an adapter adds along $u_j$ has mean zero",
    ),
    Step(
        "noise-square",
        equal(Expect(noise**2), _PER_LAYER),
        ("noise", "gaussian-adapters", "zero-mean-adapters", "weights", "eigenpair", "unit"),
        MatrixWick(VARIANCES),
        r"and the variance $\eta^2\|s\|^2/d^2$.",
    ),
    Step(
        "second-moment",
        equal(Expect(y_next**2), claims.LAYER_RATIO.expr**2 * Expect(y**2) + _c**2 * Expect(noise**2)),
        ("recursion", "noise-mean", "independent-adapters", "step-positive"),
        Linearity((y, noise)),
        r"The adapter of this layer is independent of the layers before it.",
    ),
    Step(
        "variance-recursion",
        equal(variance[s.L + 1], _r**2 * variance[s.L] + s.layer_noise),
        ("second-moment", "noise-square", "moments", "ratio", "per-layer", "step-positive"),
        Identity(),
        r"In terms of $\rho_j$ and $v_1$.",
    ),
    Step(
        "below-one",
        below(_r, 1),
        ("ratio", "gap", "step-positive"),
        Entails(degree=2),
        r"$\lambda_j<\lambda_1$.",
    ),
    Step(
        "start",
        equal(variance[0], 0),
        ("common-start",),
        Identity(),
        r"Both start from $u_1$.",
    ),
    Step(
        "variance",
        equal(variance[s.L], claims.CRITICAL_VARIANCE.expr),
        ("variance-recursion", "start", "below-one"),
        Recursion(variance[s.L], s.L),
        r"$v_1\sum_{k<L}\rho_j^{2k}$, by induction over layers from $y_j=0$.",
    ),
    Step(
        "limit",
        equal(
            _LIMIT,
            claims.CRITICAL_VARIANCE_LIMIT.expr,
        ),
        ("sigma", "gap"),
        PowerSeries(order=4),
        r"$L=T/h$ layers with $\eta=\tau/\sqrt h$, as $h\to0$.",
    ),
)


AR1 = (
    Step(
        "recursion-ar",
        LINEARISED.steps[-1].says.xreplace(CORRELATED),
        (*SPECTRUM, *(f"{name}-ar" for name in NEAR), *LAYER, "symmetric-base"),
        Apply("lemma/linearised-layer", CORRELATED),
        r"The same layer with an AR(1) adapter.",
    ),
    Step(
        "noise-next",
        equal(noise_ar_next, _rho * noise_ar + sp.sqrt(1 - _rho**2) * kick),
        ("ar1", "noise-ar", "kick", "correlated"),
        Identity(),
        r"What it adds along $u_j$ is an AR(1) sequence.",
    ),
    Step(
        "kick-mean",
        equal(Expect(kick), 0),
        ("kick", "gaussian-adapters", "zero-mean-adapters"),
        MatrixWick(VARIANCES),
        r"Its fresh part has mean zero",
    ),
    Step(
        "kick-square",
        equal(Expect(kick**2), _PER_LAYER),
        ("kick", "gaussian-adapters", "zero-mean-adapters", "weights", "eigenpair", "unit"),
        MatrixWick(VARIANCES),
        r"and the variance of an independent adapter.",
    ),
    Step(
        "noise-ar-square",
        equal(
            Expect(noise_ar_next**2),
            _rho**2 * Expect(noise_ar**2) + (1 - _rho**2) * Expect(kick**2),
        ),
        ("noise-next", "kick-mean", "independent-adapters", "correlated"),
        Linearity((noise_ar, kick)),
        r"It is independent of the past.",
    ),
    Step(
        "noise-recursion",
        equal(noise_variance[s.L + 1], _rho**2 * noise_variance[s.L] + (1 - _rho**2) * _PER_LAYER),
        ("noise-ar-square", "kick-square", "moments-ar"),
        Identity(),
        r"So that the variance",
    ),
    Step(
        "noise-variance",
        equal(noise_variance[s.L], _PER_LAYER),
        ("noise-recursion", "stationary"),
        Recursion(noise_variance[s.L], s.L),
        r"is the same at every layer.",
    ),
    Step(
        "mixed-moment",
        equal(
            Expect(y_ar_next * noise_ar_next),
            claims.LAYER_RATIO.expr * _rho * Expect(y_ar * noise_ar) + _c * _rho * Expect(noise_ar**2),
        ),
        ("recursion-ar", "noise-next", "kick-mean", "independent-adapters", "step-positive", "correlated"),
        Linearity((y_ar, noise_ar, kick)),
        r"The sequence of mixed moments $\mathbb E\,z_j\zeta_j$",
    ),
    Step(
        "covariance-recursion",
        equal(covariance[s.L + 1], _r * _rho * covariance[s.L] + _c * _rho * _PER_LAYER),
        ("mixed-moment", "noise-variance", "moments-ar", "ratio", "step-positive"),
        Identity(),
        r"obeys a recursion of its own,",
    ),
    Step(
        "shrinking",
        below(_r * _rho, 1),
        ("below-one", "correlated"),
        Entails(degree=2),
        r"with a factor below 1,",
    ),
    Step(
        "start-covariance",
        equal(covariance[0], 0),
        ("common-start",),
        Identity(),
        r"which starts at zero,",
    ),
    Step(
        "covariance",
        equal(covariance[s.L], _c * _PER_LAYER * _SHARE),
        ("covariance-recursion", "start-covariance", "shrinking", "step-positive"),
        Recursion(covariance[s.L], s.L),
        r"and has this closed form.",
    ),
    Step(
        "second-moment-ar",
        equal(
            Expect(y_ar_next**2),
            claims.LAYER_RATIO.expr**2 * Expect(y_ar**2)
            + 2 * claims.LAYER_RATIO.expr * _c * Expect(y_ar * noise_ar)
            + _c**2 * Expect(noise_ar**2),
        ),
        ("recursion-ar", "step-positive"),
        Linearity((y_ar, noise_ar)),
        r"The square of $z_j$.",
    ),
    Step(
        "variance-recursion-ar",
        equal(
            variance_ar[s.L + 1],
            _r**2 * variance_ar[s.L] + 2 * _r * s.layer_noise * _SHARE + s.layer_noise,
        ),
        (
            "second-moment-ar",
            "covariance",
            "noise-variance",
            "moments-ar",
            "ratio",
            "per-layer",
            "step-positive",
            "shrinking",
        ),
        Identity(),
        r"In terms of $\rho_j$, $v_1$ and the correlation.",
    ),
    Step(
        "start-ar",
        equal(variance_ar[0], 0),
        ("common-start",),
        Identity(),
        r"From $z_j=0$.",
    ),
    Step(
        "variance-ar",
        equal(variance_ar[s.L], claims.AR1_VARIANCE.expr),
        ("variance-recursion-ar", "start-ar", "below-one", "shrinking", "distinct"),
        Recursion(variance_ar[s.L], s.L),
        r"$v_1\sum_{k,k'<L}\rho_j^{k+k'}\rho^{|k-k'|}$, by induction over layers.",
    ),
)

CRITICAL = Derivation(
    claim="thm-4.2/critical",
    setting={
        **SPECTRUM,
        **NEAR,
        **{f"{name}-ar": statement.xreplace(CORRELATED) for name, statement in NEAR.items()},
        **{name: statement for name, statement in ito.SETTING.items() if name != "weights"},
        "unit": equal(Dot(u_j, u_j), 1),
        "weights": WEIGHTS,
        "ratio": both(equal(_r, claims.LAYER_RATIO.expr), below(0, 1 + s.h * s.lambda_j)),
        "moments": both(equal(variance[s.L], Expect(y**2)), equal(variance[s.L + 1], Expect(y_next**2))),
        "gap": below(s.lambda_j, s.lambda_1),
        "ar1": both(
            equal(adapter_ar_next, _rho * adapter_ar + sp.sqrt(1 - _rho**2) * fresh),
            equal(noise_ar_next, Dot(u_j, adapter_ar_next * u1)),
        ),
        "kick": equal(kick, Dot(u_j, fresh * u1)),
        "correlated": below(_rho, 1),
        "distinct": sp.Ne(_rho, _r, evaluate=False),
        "moments-ar": both(
            equal(variance_ar[s.L], Expect(y_ar**2)),
            equal(variance_ar[s.L + 1], Expect(y_ar_next**2)),
            equal(covariance[s.L], Expect(y_ar * noise_ar)),
            equal(covariance[s.L + 1], Expect(y_ar_next * noise_ar_next)),
            equal(noise_variance[s.L], Expect(noise_ar**2)),
            equal(noise_variance[s.L + 1], Expect(noise_ar_next**2)),
        ),
        "stationary": equal(noise_variance[0], _PER_LAYER),
    },
    assumptions={
        **{name: both(*parts(given), *parts(given.xreplace(CORRELATED))) for name, given in LAYER.items()},
        "symmetric-base": SYMMETRIC_BASE,
        "gaussian-adapters": both(
            equal(unit_adapter, s.eta * (mean_dV + GAUSS)), equal(fresh, s.eta * (mean_dV + GAUSS))
        ),
        "zero-mean-adapters": equal(mean_dV, sp.ZeroMatrix(s.d, s.d)),
        "independent-adapters": both(
            equal(Expect(y * noise), Expect(y) * Expect(noise)),
            equal(Expect(y_ar * kick), Expect(y_ar) * Expect(kick)),
            equal(Expect(noise_ar * kick), Expect(noise_ar) * Expect(kick)),
        ),
        "common-start": both(equal(variance[0], 0), equal(variance_ar[0], 0), equal(covariance[0], 0)),
    },
    steps=(
        *INDEPENDENT,
        *AR1,
        Step(
            "sde",
            ito.TERMS,
            tuple(ito.SETTING),
            Apply("lemma/ito-terms"),
            r"Any tokens: what one layer adds to them, to the order of the step, has these means and covariances.",
        ),
        Step(
            "law",
            both(
                equal(variance[s.L], claims.CRITICAL_VARIANCE.expr),
                equal(_LIMIT, claims.CRITICAL_VARIANCE_LIMIT.expr),
                equal(variance_ar[s.L], claims.AR1_VARIANCE.expr),
                *ito.TERMS.args,
            ),
            ("variance", "limit", "variance-ar", "sde"),
            Together(),
            r"Independent adapters, their limit, AR(1) adapters, and the terms of the SDE.",
        ),
    ),
    remark=(
        r"Of the SDE only drift and covariance per layer are derived, those of the first two orders in $\sqrt h$; that the "
        r"layers converge to it is not. $\lambda_j<\lambda_1$; at $\lambda_j=\lambda_1$ the recursion adds $v_1$ a layer. "
        r"The fresh part of the AR(1) adapter has the law of an independent adapter, and so has the first one."
    ),
)
LEMMAS: tuple[Derivation, ...] = (LINEARISED, *ito.LEMMAS)
DERIVATIONS: tuple[Derivation, ...] = (CRITICAL,)
