"""The SDE of thm-4.2/critical: coefficients of one layer to first order in h, and the Ornstein-Uhlenbeck variance."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import V, m, u1, x
from theory.derivations.thm_4_2_model import (
    GAUSS,
    VARIANCES,
    length,
    m_other,
)
from theory.derivations.thm_4_2_recursion import (
    diffusion,
    flow_time,
    gap_j,
    kick_one,
    kick_other,
    ou_variance,
    probe,
    probe_other,
    pull,
    scale,
    second,
    small,
    tangent,
    u_j,
    x_other,
    y,
)
from theory.derivations.thm_4_2_variance import root_h
from theory.kernel.notation import Dot, Expect, LimitOf, both, equal, scalar
from theory.kernel.rules import Antiderivative, Identity, PowerSeries, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.random_matrices import MatrixWick
from theory.kernel.step import Step

_any_drift, _rate, _out = scalar("p42_pull_any", r"\mu"), scalar("p42_rate_any", "g"), scalar("p42_var_any", "v")
_var = scalar("p42_diffusion_any", "D")
_sigma, _state = scalar("p42_sigma_any", "D_0"), scalar("p42_state_any", "y")

ITO = Theorem(
    "variance of an Ornstein-Uhlenbeck process",
    equal(_out, sp.Integral(_sigma * sp.exp(-2 * _rate * (s.T - flow_time)), (flow_time, 0, s.T))),
    "B. Oksendal, Stochastic Differential Equations, 6th ed., Springer 2003, Cor. 3.1.7 (Ito isometry)",
    (equal(_any_drift, -_rate * _state), equal(_var, _sigma)),
)
"""``dy = μ dt + √D dB`` from 0, where ``μ = -g y`` and D is constant."""

SHIFT = x + root_h**2 * V * m + root_h * s.noise_scale * GAUSS * m
noise_m, noise_other = GAUSS * m, GAUSS * m_other


def after_layer(f: sp.MatrixExpr) -> sp.Expr:
    """The component along f after one layer, in powers of √h."""
    tau = s.noise_scale
    above = Dot(x, f) + root_h**2 * Dot(V * m, f) + root_h * tau * Dot(noise_m, f)
    square = (
        1
        + 2 * root_h * tau * Dot(x, noise_m)
        + root_h**2 * (tau**2 * Dot(noise_m, noise_m) + 2 * Dot(x, V * m))
        + 2 * root_h**3 * tau * Dot(noise_m, V * m)
        + root_h**4 * Dot(V * m, V * m)
    )
    return above / sp.sqrt(square)


def kick(at: sp.MatrixExpr, along: sp.MatrixExpr, f: sp.MatrixExpr) -> sp.Expr:
    """The component along f of what the noise adds to a token, to first order in √h: off the token's own direction."""
    return s.noise_scale * (Dot(along, f) - Dot(at, along) * Dot(at, f))


SECOND = (
    Dot(V * m, f := probe)
    - Dot(x, V * m) * Dot(x, f)
    - s.noise_scale**2 * Dot(x, noise_m) * Dot(noise_m, f)
    + s.noise_scale**2 * Dot(x, f) * (3 * Dot(x, noise_m) ** 2 - Dot(noise_m, noise_m)) / 2
)
DRIFT = Dot(V * m, probe) - Dot(x, V * m) * Dot(x, probe) - s.sigma**2 * (s.d - 1) * Dot(m, m) * Dot(x, probe) / 2
COVARIANCE = (
    s.sigma**2 * Dot(m, m_other) * Dot(probe - Dot(x, probe) * x, probe_other - Dot(x_other, probe_other) * x_other)
)
FIELD = Dot(V * x, u_j) - Dot(x, V * x) * Dot(x, u_j) - (small * s.sigma) ** 2 * (s.d - 1) * Dot(x, u_j) / 2
FIELD_NEAR = (
    scale
    * small
    * y
    * (
        s.lambda_j
        - scale**2 * (s.lambda_1 + small**2 * Dot(tangent, V * tangent))
        - small**2 * s.sigma**2 * (s.d - 1) / 2
    )
)
INTEGRAL = ITO.statement.args[1].xreplace({_rate: gap_j, _sigma: s.sigma**2})

SDE = (
    Step(
        "sde-layer",
        equal(Dot(SHIFT, probe) / length(SHIFT), after_layer(probe)),
        ("unit", "regular-sde"),
        Identity(),
        r"One layer of the model, along any vector $f$.",
    ),
    Step(
        "sde-orders",
        both(
            equal(LimitOf((after_layer(probe) - Dot(x, probe)) / root_h, root_h), kick(x, noise_m, probe)),
            equal(
                LimitOf((after_layer(probe) - Dot(x, probe) - root_h * kick(x, noise_m, probe)) / root_h**2, root_h),
                SECOND,
            ),
        ),
        (),
        PowerSeries(order=5),
        r"Its first two orders in $\sqrt h$.",
    ),
    Step(
        "sde-names",
        both(equal(kick_one, kick(x, noise_m, probe)), equal(second, SECOND)),
        ("sde-terms", "sde-orders"),
        Identity(),
        r"By name.",
    ),
    Step(
        "sde-drift",
        equal(Expect(second), DRIFT),
        ("sde-names", "weights", "unit", "sigma"),
        MatrixWick(VARIANCES),
        r"The drift, $P_xVm-\tfrac12\sigma^2(d-1)|m|^2x$, along $f$.",
    ),
    Step(
        "sde-covariance",
        equal(Expect(kick_one * kick_other), COVARIANCE),
        ("sde-names", "sde-other", "weights", "sigma"),
        MatrixWick(VARIANCES),
        r"Two tokens move together: $\sigma^2\langle m,m'\rangle\langle P_xf,P_{x'}f'\rangle$, one Brownian "
        r"matrix for both.",
    ),
    Step(
        "field",
        equal(FIELD, FIELD_NEAR),
        ("near", "eigenvectors", "frame", "symmetric-base"),
        Identity(),
        r"The drift of a collapsed token ($m=x$) near $u_1$ along $u_j$, $\sigma$ of order $\delta$ as well.",
    ),
    Step(
        "field-linear",
        equal(LimitOf(FIELD_NEAR / small, small), -gap_j * y),
        ("on-sphere",),
        PowerSeries(order=4),
        r"To first order it is $-g_jy_j$.",
    ),
    Step(
        "pull",
        equal(pull, -gap_j * y),
        ("ou", "field-linear"),
        Identity(),
        r"The drift of the linearised equation,",
    ),
    Step(
        "kick-square",
        equal(Expect(kick(u1, GAUSS * u1, u_j) ** 2), s.sigma**2),
        ("weights", "frame", "sigma"),
        MatrixWick(VARIANCES),
        r"what the noise does at $u_1$,",
    ),
    Step("diffusion", equal(diffusion, s.sigma**2), ("ou", "kick-square"), Identity(), r"its diffusion constant,"),
    Step(
        "isometry",
        equal(ou_variance, INTEGRAL),
        ("pull", "diffusion"),
        Textbook(
            ITO,
            {
                _any_drift: pull,
                _rate: gap_j,
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
        equal(INTEGRAL, claims.CRITICAL_VARIANCE_LIMIT.expr),
        (),
        Antiderivative(s.sigma**2 * sp.exp(-2 * gap_j * (s.T - flow_time)) / (2 * gap_j)),
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
