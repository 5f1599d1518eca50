"""Derivation of thm-4.2/critical: variance per direction, AR(1) adapters, the SDE and its linearisation."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import SYMMETRIC_BASE, V, drive, m, u1, x
from theory.derivations.thm_4_2_model import (
    GAUSS,
    LAYER,
    VARIANCES,
    WEIGHTS,
    ZERO_MEAN,
    after,
    dV,
    length,
    m_other,
    mean_dV,
)
from theory.derivations.thm_4_2_variance import first, root_h
from theory.kernel.notation import Dot, Expect, LimitOf, below, both, equal, family, matrix, scalar, vector
from theory.kernel.rules import Antiderivative, Identity, PowerSeries, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

u_j, tangent = vector("p42_u_j", "u_j"), vector("p42_tangent", "v")
x_other = vector("p42_x_other", "x'")
probe, probe_other = vector("p42_probe", "f"), vector("p42_probe_other", "f'")
small = scalar("p42_small", r"\delta", positive=True)
scale = scalar("p42_scale", r"\langle x_i,u_1\rangle", positive=True)
scaled = matrix("p42_scaled", "D")
y, y_next = scalar("p42_y", "y_j^l"), scalar("p42_y_next", "y_j^{l+1}")
tan_next = scalar("p42_tan_next", r"y_j(x_i^{l+1})/\delta")
noise = scalar("p42_noise", r"\zeta_j^l")
kicks, kicks_next = scalar("p42_kicks", r"\xi_j^l"), scalar("p42_kicks_next", r"\xi_j^{l+1}")
variance = family("p42_variance", r"\mathbb E\,y_j^2")
ar_next = scalar("p42_ar_next", r"z_j^{l+1}")
ar = scalar("p42_ar", r"z_j^l")
ar_variance = family("p42_ar_variance", r"\mathbb E\,z_j^2")
ar_joint = family("p42_ar_joint", r"\mathbb E\,z_j\xi_j")
ar_noise = family("p42_ar_noise", r"\mathbb E\,\xi_j^2")
flow_time = scalar("p42_flow_time", "t", nonnegative=True)
pull, diffusion = scalar("p42_pull", r"\mu_j"), scalar("p42_diffusion", r"D_j")
ou_variance = scalar("p42_ou_variance", r"\operatorname{Var}y_j(T)")
kick_one, kick_other = scalar("p42_kick_one", r"a_f"), scalar("p42_kick_other", r"a'_{f'}")
second = scalar("p42_second", r"c_f")
_any_drift, _rate, _out = scalar("p42_pull_any", r"\mu"), scalar("p42_rate_any", "g"), scalar("p42_var_any", "v")
_var = scalar("p42_diffusion_any", "D")
_sigma, _state = scalar("p42_sigma_any", "D_0"), scalar("p42_state_any", "y")

_STRETCH = 1 + s.h * s.lambda_1
_STRETCH_J = 1 + s.h * s.lambda_j
_ABOVE = _STRETCH_J * y + s.h * (Dot(u_j, scaled * u1) + small * Dot(u_j, scaled * tangent))
_BELOW = _STRETCH + s.h * small * (Dot(u1, scaled * u1) + small * Dot(u1, scaled * tangent))
_g = s.lambda_1 - s.lambda_j
_NOISE = ("noise", "gaussian-adapters", "zero-mean-adapters")

ITO = Theorem(
    "variance of an Ornstein-Uhlenbeck process",
    equal(_out, sp.Integral(_sigma * sp.exp(-2 * _rate * (s.T - flow_time)), (flow_time, 0, s.T))),
    "B. Oksendal, Stochastic Differential Equations, 6th ed., Springer 2003, Cor. 3.1.7 (Ito isometry)",
    (equal(_any_drift, -_rate * _state), equal(_var, _sigma)),
)
"""``dy = μ dt + √D dB`` from 0, where ``μ = -g y`` and D is constant."""

LINEAR = (
    Step(
        "factor",
        equal(s.layer_ratio, claims.LAYER_RATIO.expr),
        ("ratio", "stretch"),
        Identity(),
        r"The factor of direction $j$, relative to $u_1$.",
    ),
    Step(
        "noise-square",
        equal(Expect(noise**2), claims.LAYER_NOISE.expr),
        (*_NOISE, "weights", "frame", "stretch"),
        MatrixWick(VARIANCES),
        r"The mean square of what an adapter adds.",
    ),
    Step(
        "noise-size",
        equal(s.layer_noise, claims.LAYER_NOISE.expr),
        ("added", "noise-square", "stretch"),
        Identity(),
        r"The variance that one layer adds.",
    ),
    Step(
        "layer",
        equal(Dot(after, u_j) * _BELOW, Dot(after, u1) * small * _ABOVE),
        (
            "single-head",
            "attention-only",
            "post-ln",
            "collapsed-base",
            "symmetric-base",
            "eigenvectors",
            "frame",
            "near",
            "regular-layer",
        ),
        Identity(),
        r"One layer from $x\propto u_1+\delta v$ with $\Delta V=\delta D$: the norm drops out of the ratio.",
    ),
    Step(
        "chart",
        equal(tan_next, _ABOVE / _BELOW),
        ("layer", "chart-next", "in-chart", "in-chart-next"),
        Identity(),
        r"$y_j$ after the layer, in units of $\delta$.",
    ),
    Step(
        "linearised",
        equal(LimitOf(tan_next, small), (_STRETCH_J * y + s.h * Dot(u_j, scaled * u1)) / _STRETCH),
        ("chart",),
        PowerSeries(order=3),
        r"To first order in $\delta$.",
    ),
    Step(
        "model-step",
        equal(y_next, s.layer_ratio * y + noise),
        ("linearised", "model", "noise", "factor", "stretch"),
        Identity(),
        r"The linearised model.",
    ),
    Step(
        "square-mean",
        equal(Expect(y_next**2), s.layer_ratio**2 * y**2 + s.layer_noise),
        ("model-step", *_NOISE, "noise-size", "weights", "frame", "stretch"),
        MatrixWick(VARIANCES),
        r"In the mean over the adapter of this layer.",
    ),
    Step(
        "square-past",
        equal(Past(Expect(y_next**2)), s.layer_ratio**2 * Past(y**2) + s.layer_noise),
        ("square-mean",),
        Mean((y, y_next), Past),
        r"And over the layers before.",
    ),
    Step(
        "recursion",
        equal(variance[s.L + 1], s.layer_ratio**2 * variance[s.L] + s.layer_noise),
        ("square-past", "independent-adapters", "moments"),
        Identity(),
        r"Adapters are independent over layers.",
    ),
    Step(
        "at-start",
        equal(variance[0], 0),
        ("moments-start", "common-start", "frame"),
        Identity(),
        r"The perturbed token starts at $u_1$, as the base does.",
    ),
    Step(
        "closed",
        equal(variance[s.L], claims.CRITICAL_VARIANCE.expr),
        ("recursion", "at-start", "regular"),
        Recursion(variance[s.L], s.L),
        r"The geometric sum, by induction over layers.",
    ),
    Step(
        "limit",
        equal(LimitOf(claims.CRITICAL_VARIANCE.expr, root_h), claims.CRITICAL_VARIANCE_LIMIT.expr),
        ("factor", "noise-size", "scale", "depth", "sigma"),
        PowerSeries(order=4),
        r"$L=T/h\to\infty$ at fixed $\tau$.",
    ),
)

AR1 = (
    Step(
        "ar-noise",
        equal(Expect(kicks_next**2), s.correlation**2 * kicks**2 + (1 - s.correlation**2) * s.layer_noise),
        ("ar1-noise", *_NOISE, "noise-size", "weights", "frame", "stretch"),
        MatrixWick(VARIANCES),
        r"AR(1) adapters: what is added along $u_j$,",
    ),
    Step(
        "ar-noise-past",
        equal(Past(Expect(kicks_next**2)), s.correlation**2 * Past(kicks**2) + (1 - s.correlation**2) * s.layer_noise),
        ("ar-noise",),
        Mean((kicks, kicks_next), Past),
        r"in the mean,",
    ),
    Step(
        "ar-noise-recursion",
        equal(ar_noise[s.L + 1], s.correlation**2 * ar_noise[s.L] + (1 - s.correlation**2) * s.layer_noise),
        ("ar-noise-past", "ar-moments"),
        Identity(),
        r"from layer to layer,",
    ),
    Step(
        "ar-noise-start",
        equal(ar_noise[0], s.layer_noise),
        ("ar-noise-first", "added"),
        Identity(),
        r"from the first layer on,",
    ),
    Step(
        "ar-stationary",
        equal(ar_noise[s.L], s.layer_noise),
        ("ar-noise-recursion", "ar-noise-start"),
        Recursion(ar_noise[s.L], s.L),
        r"has the same variance at every layer.",
    ),
    Step(
        "ar-joint",
        equal(Expect(ar_next * kicks_next), s.correlation * kicks * (s.layer_ratio * ar + kicks)),
        ("ar1-state", "ar1-noise", *_NOISE),
        MatrixWick(VARIANCES),
        r"Its product with the state,",
    ),
    Step(
        "ar-joint-past",
        equal(
            Past(Expect(ar_next * kicks_next)),
            s.correlation * (s.layer_ratio * Past(ar * kicks) + Past(kicks**2)),
        ),
        ("ar-joint",),
        Mean((ar, ar_next, kicks, kicks_next), Past),
        r"in the mean,",
    ),
    Step(
        "ar-joint-recursion",
        equal(ar_joint[s.L + 1], s.correlation * (s.layer_ratio * ar_joint[s.L] + s.layer_noise)),
        ("ar-joint-past", "ar-moments", "ar-stationary"),
        Identity(),
        r"from layer to layer,",
    ),
    Step(
        "ar-joint-closed",
        equal(
            ar_joint[s.L],
            s.layer_noise
            * s.correlation
            * (1 - sp.exp(s.L * sp.log(s.correlation * s.layer_ratio)))
            / (1 - s.correlation * s.layer_ratio),
        ),
        ("ar-joint-recursion", "ar-start", "regular-ar"),
        Recursion(ar_joint[s.L], s.L),
        r"is a geometric sum.",
    ),
    Step(
        "ar-square",
        equal(Past(ar_next**2), s.layer_ratio**2 * Past(ar**2) + 2 * s.layer_ratio * Past(ar * kicks) + Past(kicks**2)),
        ("ar1-state",),
        Mean((ar, ar_next, kicks), Past, pointwise=False),
        r"The state itself,",
    ),
    Step(
        "ar-recursion",
        equal(
            ar_variance[s.L + 1],
            s.layer_ratio**2 * ar_variance[s.L]
            + 2
            * s.layer_ratio
            * (
                s.layer_noise
                * s.correlation
                * (1 - sp.exp(s.L * sp.log(s.correlation * s.layer_ratio)))
                / (1 - s.correlation * s.layer_ratio)
            )
            + s.layer_noise,
        ),
        ("ar-square", "ar-moments", "ar-stationary", "ar-joint-closed", "regular-ar"),
        Identity(),
        r"from layer to layer.",
    ),
    Step(
        "ar-closed",
        equal(ar_variance[s.L], claims.AR1_VARIANCE.expr),
        ("ar-recursion", "ar-variance-start", "regular", "regular-ar", "regular-ratio"),
        Recursion(ar_variance[s.L], s.L),
        r"The double sum, by induction over layers.",
    ),
)

_SHIFT = x + root_h**2 * V * m + root_h * s.noise_scale * GAUSS * m
_g_m, _g_other = GAUSS * m, GAUSS * m_other


def _layer(f: sp.MatrixExpr) -> sp.Expr:
    """The component along f after one layer, in powers of √h."""
    tau = s.noise_scale
    above = Dot(x, f) + root_h**2 * Dot(V * m, f) + root_h * tau * Dot(_g_m, f)
    square = (
        1
        + 2 * root_h * tau * Dot(x, _g_m)
        + root_h**2 * (tau**2 * Dot(_g_m, _g_m) + 2 * Dot(x, V * m))
        + 2 * root_h**3 * tau * Dot(_g_m, V * m)
        + root_h**4 * Dot(V * m, V * m)
    )
    return above / sp.sqrt(square)


def _kick(at: sp.MatrixExpr, along: sp.MatrixExpr, f: sp.MatrixExpr) -> sp.Expr:
    return s.noise_scale * (Dot(along, f) - Dot(at, along) * Dot(at, f))


_SECOND = (
    Dot(V * m, f := probe)
    - Dot(x, V * m) * Dot(x, f)
    - s.noise_scale**2 * Dot(x, _g_m) * Dot(_g_m, f)
    + s.noise_scale**2 * Dot(x, f) * (3 * Dot(x, _g_m) ** 2 - Dot(_g_m, _g_m)) / 2
)
_DRIFT = Dot(V * m, probe) - Dot(x, V * m) * Dot(x, probe) - s.sigma**2 * (s.d - 1) * Dot(m, m) * Dot(x, probe) / 2
_COVARIANCE = (
    s.sigma**2 * Dot(m, m_other) * Dot(probe - Dot(x, probe) * x, probe_other - Dot(x_other, probe_other) * x_other)
)
_FIELD = Dot(V * x, u_j) - Dot(x, V * x) * Dot(x, u_j) - (small * s.sigma) ** 2 * (s.d - 1) * Dot(x, u_j) / 2
_FIELD_NEAR = (
    scale
    * small
    * y
    * (
        s.lambda_j
        - scale**2 * (s.lambda_1 + small**2 * Dot(tangent, V * tangent))
        - small**2 * s.sigma**2 * (s.d - 1) / 2
    )
)
_INTEGRAL = ITO.statement.args[1].xreplace({_rate: _g, _sigma: s.sigma**2})

SDE = (
    Step(
        "sde-layer",
        equal(Dot(_SHIFT, probe) / length(_SHIFT), _layer(probe)),
        ("unit", "regular-sde"),
        Identity(),
        r"One layer of the model, along any vector $f$.",
    ),
    Step(
        "sde-orders",
        both(
            equal(LimitOf((_layer(probe) - Dot(x, probe)) / root_h, root_h), _kick(x, _g_m, probe)),
            equal(
                LimitOf((_layer(probe) - Dot(x, probe) - root_h * _kick(x, _g_m, probe)) / root_h**2, root_h), _SECOND
            ),
        ),
        (),
        PowerSeries(order=5),
        r"Its first two orders in $\sqrt h$.",
    ),
    Step(
        "sde-names",
        both(equal(kick_one, _kick(x, _g_m, probe)), equal(second, _SECOND)),
        ("sde-terms", "sde-orders"),
        Identity(),
        r"By name.",
    ),
    Step(
        "sde-drift",
        equal(Expect(second), _DRIFT),
        ("sde-names", "weights", "unit", "sigma"),
        MatrixWick(VARIANCES),
        r"The drift, $P_xVm-\tfrac12\sigma^2(d-1)|m|^2x$, along $f$.",
    ),
    Step(
        "sde-covariance",
        equal(Expect(kick_one * kick_other), _COVARIANCE),
        ("sde-names", "sde-other", "weights", "sigma"),
        MatrixWick(VARIANCES),
        r"Two tokens move together: $\sigma^2\langle m,m'\rangle\langle P_xf,P_{x'}f'\rangle$, one Brownian "
        r"matrix for both.",
    ),
    Step(
        "field",
        equal(_FIELD, _FIELD_NEAR),
        ("near", "eigenvectors", "frame", "symmetric-base"),
        Identity(),
        r"The drift of a collapsed token ($m=x$) near $u_1$ along $u_j$, $\sigma$ of order $\delta$ as well.",
    ),
    Step(
        "field-linear",
        equal(LimitOf(_FIELD_NEAR / small, small), -_g * y),
        ("on-sphere",),
        PowerSeries(order=4),
        r"To first order it is $-g_jy_j$.",
    ),
    Step("pull", equal(pull, -_g * y), ("ou", "field-linear"), Identity(), r"The drift of the linearised equation,"),
    Step(
        "kick-square",
        equal(Expect(_kick(u1, GAUSS * u1, u_j) ** 2), s.sigma**2),
        ("weights", "frame", "sigma"),
        MatrixWick(VARIANCES),
        r"what the noise does at $u_1$,",
    ),
    Step("diffusion", equal(diffusion, s.sigma**2), ("ou", "kick-square"), Identity(), r"its diffusion constant,"),
    Step(
        "isometry",
        equal(ou_variance, _INTEGRAL),
        ("pull", "diffusion"),
        Textbook(
            ITO,
            {
                _any_drift: pull,
                _rate: _g,
                _state: y,
                _var: diffusion,
                _sigma: s.sigma**2,
                _out: ou_variance,
            },
        ),
        r"and its variance, by the Itô isometry.",
    ),
    Step(
        "integral",
        equal(_INTEGRAL, claims.CRITICAL_VARIANCE_LIMIT.expr),
        (),
        Antiderivative(s.sigma**2 * sp.exp(-2 * _g * (s.T - flow_time)) / (2 * _g)),
        r"The integral.",
    ),
    Step(
        "ou-variance",
        equal(ou_variance, claims.CRITICAL_VARIANCE_LIMIT.expr),
        ("isometry", "integral", "distinct"),
        Identity(),
        r"The linearised equation has the same variance.",
    ),
)

CRITICAL = Derivation(
    claim="thm-4.2/critical",
    setting={
        "weights": WEIGHTS,
        "eigenvectors": both(equal(V * u1, s.lambda_1 * u1), equal(V * u_j, s.lambda_j * u_j)),
        "frame": both(equal(Dot(u1, u1), 1), equal(Dot(u_j, u_j), 1), equal(Dot(u1, u_j), 0)),
        "near": both(
            equal(x, scale * (u1 + small * tangent)),
            equal(Dot(tangent, u1), 0),
            equal(Dot(tangent, u_j), y),
            equal(dV, small * scaled),
        ),
        "on-sphere": equal(scale, 1 / sp.sqrt(1 + small**2 * Dot(tangent, tangent))),
        "stretch": below(0, _STRETCH),
        "ratio": equal(s.layer_ratio * _STRETCH, _STRETCH_J),
        "regular-layer": below(0, length(x + s.h * drive)),
        "in-chart": below(0, _BELOW),
        "in-chart-next": below(0, Dot(after, u1)),
        "chart-next": equal(tan_next, Dot(after, u_j) / (small * Dot(after, u1))),
        "model": equal(y_next, LimitOf(tan_next, small)),
        "noise": equal(noise, s.h * Dot(u_j, scaled * u1) / _STRETCH),
        "added": equal(s.layer_noise, Expect(noise**2)),
        "moments": both(equal(variance[s.L], Past(y**2))),
        "moments-start": equal(variance[0], Dot(first, u_j) ** 2),
        "regular": sp.Ne(s.layer_ratio, 1),
        "scale": both(equal(s.h, root_h**2), equal(s.eta, s.noise_scale / root_h)),
        "depth": equal(s.L, s.T / root_h**2),
        "sigma": equal(s.sigma, s.noise_scale * s.s_norm / s.d),
        "ar1-state": equal(ar_next, s.layer_ratio * ar + kicks),
        "ar1-noise": equal(kicks_next, s.correlation * kicks + sp.sqrt(1 - s.correlation**2) * noise),
        "ar-moments": both(
            equal(ar_noise[s.L], Past(kicks**2)),
            equal(ar_joint[s.L], Past(ar * kicks)),
            equal(ar_variance[s.L], Past(ar**2)),
            equal(ar_noise[s.L + 1], Past(Expect(kicks_next**2))),
            equal(ar_joint[s.L + 1], Past(Expect(ar_next * kicks_next))),
            equal(ar_variance[s.L + 1], Past(ar_next**2)),
        ),
        "ar-noise-first": equal(ar_noise[0], Expect(noise**2)),
        "ar-start": equal(ar_joint[0], 0),
        "ar-variance-start": equal(ar_variance[0], 0),
        "regular-ar": sp.Ne(s.correlation * s.layer_ratio, 1),
        "regular-ratio": sp.Ne(s.layer_ratio, s.correlation),
        "unit": both(equal(Dot(x, x), 1), equal(Dot(x_other, x_other), 1)),
        "regular-sde": below(0, length(_SHIFT)),
        "sde-terms": both(
            equal(kick_one, LimitOf((_layer(probe) - Dot(x, probe)) / root_h, root_h)),
            equal(
                second,
                LimitOf((_layer(probe) - Dot(x, probe) - root_h * _kick(x, _g_m, probe)) / root_h**2, root_h),
            ),
        ),
        "sde-other": equal(kick_other, _kick(x_other, _g_other, probe_other)),
        "ou": both(
            equal(pull, LimitOf(_FIELD_NEAR / small, small)),
            equal(diffusion, Expect(_kick(u1, GAUSS * u1, u_j) ** 2)),
        ),
        "distinct": sp.Ne(s.lambda_j, s.lambda_1),
    },
    assumptions={
        **LAYER,
        "symmetric-base": SYMMETRIC_BASE,
        "collapsed-base": equal(m, x),
        "gaussian-adapters": equal(scaled, s.eta * (mean_dV + GAUSS)),
        "zero-mean-adapters": ZERO_MEAN,
        "independent-adapters": equal(variance[s.L + 1], Past(Expect(y_next**2))),
        "common-start": equal(first, u1),
    },
    steps=(
        *LINEAR,
        *AR1,
        *SDE,
        Step(
            "law",
            both(
                equal(_FIELD, _FIELD_NEAR),
                equal(Dot(_SHIFT, probe) / length(_SHIFT), _layer(probe)),
                equal(Expect(second), _DRIFT),
                equal(Expect(kick_one * kick_other), _COVARIANCE),
                equal(variance[s.L], claims.CRITICAL_VARIANCE.expr),
            ),
            ("field", "sde-layer", "sde-drift", "sde-covariance", "closed"),
            Together(),
            r"The coefficients of the stochastic differential equation, and the variance at finite depth.",
        ),
    ),
    remark=(
        r"The steps derive the linearised model, its variances at every depth and their limits, and drift and "
        r"covariance "
        r"of one layer to first order in $h$. That the layered model converges in law to the solution of the "
        r"equation with "
        r"these coefficients (Stroock-Varadhan) is not derived. AR(1): $\xi_j$ is what the adapter adds along $u_j$, "
        r"stationary from the first layer on. "
        r"The case $g_j=0$ is the limit and no step; the AR(1) recursion is that of the model step with "
        r"$\xi_j$ in place of the noise, put in the setting."
    ),
)
