"""Derivation of thm-4.2/critical: variance per direction, AR(1) adapters, the SDE and its linearisation."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import SYMMETRIC_BASE, V, drive, m, u1, x
from theory.derivations.thm_4_2_model import (
    GAUSS,
    LAYER,
    WEIGHTS,
    ZERO_MEAN,
    after,
    dV,
    length,
    mean_dV,
)
from theory.derivations.thm_4_2_recursion import (
    AR1,
    BELOW,
    LINEAR,
    STRETCH,
    STRETCH_J,
    ar,
    ar_joint,
    ar_next,
    ar_noise,
    ar_variance,
    diffusion,
    kick_one,
    kick_other,
    kicks,
    kicks_next,
    noise,
    probe,
    probe_other,
    pull,
    scale,
    scaled,
    second,
    small,
    tan_next,
    tangent,
    u_j,
    variance,
    x_other,
    y,
    y_next,
)
from theory.derivations.thm_4_2_sde import (
    COVARIANCE,
    DRIFT,
    FIELD,
    FIELD_NEAR,
    SDE,
    SHIFT,
    after_layer,
    kick,
    noise_m,
    noise_other,
)
from theory.derivations.thm_4_2_variance import first, root_h
from theory.kernel.notation import Dot, Expect, LimitOf, below, both, equal
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.random_matrices import Past
from theory.kernel.step import Derivation, Step

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
        "stretch": below(0, STRETCH),
        "ratio": equal(s.layer_ratio * STRETCH, STRETCH_J),
        "regular-layer": below(0, length(x + s.h * drive)),
        "in-chart": below(0, BELOW),
        "in-chart-next": below(0, Dot(after, u1)),
        "chart-next": equal(tan_next, Dot(after, u_j) / (small * Dot(after, u1))),
        "model": equal(y_next, LimitOf(tan_next, small)),
        "noise": equal(noise, s.h * Dot(u_j, scaled * u1) / STRETCH),
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
        "regular-sde": below(0, length(SHIFT)),
        "sde-terms": both(
            equal(kick_one, LimitOf((after_layer(probe) - Dot(x, probe)) / root_h, root_h)),
            equal(
                second,
                LimitOf((after_layer(probe) - Dot(x, probe) - root_h * kick(x, noise_m, probe)) / root_h**2, root_h),
            ),
        ),
        "sde-other": equal(kick_other, kick(x_other, noise_other, probe_other)),
        "ou": both(
            equal(pull, LimitOf(FIELD_NEAR / small, small)),
            equal(diffusion, Expect(kick(u1, GAUSS * u1, u_j) ** 2)),
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
                equal(FIELD, FIELD_NEAR),
                equal(Dot(SHIFT, probe) / length(SHIFT), after_layer(probe)),
                equal(Expect(second), DRIFT),
                equal(Expect(kick_one * kick_other), COVARIANCE),
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
