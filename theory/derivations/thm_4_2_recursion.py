"""The linearised layered model of thm-4.2/critical: variance per direction, independent and AR(1) adapters."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import u1
from theory.derivations.thm_4_2_model import (
    VARIANCES,
    after,
)
from theory.derivations.thm_4_2_variance import root_h
from theory.kernel.notation import Dot, Expect, LimitOf, equal, family, matrix, scalar, vector
from theory.kernel.rules import Identity, PowerSeries
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Step

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

STRETCH = 1 + s.h * s.lambda_1
STRETCH_J = 1 + s.h * s.lambda_j
ABOVE = STRETCH_J * y + s.h * (Dot(u_j, scaled * u1) + small * Dot(u_j, scaled * tangent))
BELOW = STRETCH + s.h * small * (Dot(u1, scaled * u1) + small * Dot(u1, scaled * tangent))
gap_j = s.lambda_1 - s.lambda_j
NOISE = ("noise", "gaussian-adapters", "zero-mean-adapters")


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
        (*NOISE, "weights", "frame", "stretch"),
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
        equal(Dot(after, u_j) * BELOW, Dot(after, u1) * small * ABOVE),
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
        equal(tan_next, ABOVE / BELOW),
        ("layer", "chart-next", "in-chart", "in-chart-next"),
        Identity(),
        r"$y_j$ after the layer, in units of $\delta$.",
    ),
    Step(
        "linearised",
        equal(LimitOf(tan_next, small), (STRETCH_J * y + s.h * Dot(u_j, scaled * u1)) / STRETCH),
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
        ("model-step", *NOISE, "noise-size", "weights", "frame", "stretch"),
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
        ("ar1-noise", *NOISE, "noise-size", "weights", "frame", "stretch"),
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
        ("ar1-state", "ar1-noise", *NOISE),
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
