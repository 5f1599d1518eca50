"""thm-4.6/random: the linearised drift of random adapters at a fixed step, and its limit in depth."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import ATTENTION_ONLY, EIGENPAIR, SYMMETRIC_BASE, V, attention, drive, m, u1, x
from theory.derivations.thm_4_6_model import dV
from theory.kernel.notation import (
    Dot,
    Expect,
    LimitOf,
    Norm,
    at_most,
    below,
    both,
    equal,
    family,
    matrix,
    scalar,
    vector,
)
from theory.kernel.rules import Entails, Identity, Monotone, PowerSeries, Termwise, Textbook, Wick
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.expectation import Linearity
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

u_j = vector("p46_u_j", "u_j")
after, tangent = vector("p46_x_next", r"x^{l+1}"), vector("p46_v", "v")
length = scalar("p46_length", "|y|", positive=True)
scale = scalar("p46_scale", r"\langle x,u_1\rangle", positive=True)
tan_next = scalar("p46_tan_next", r"\tan_j^{l+1}/\delta")
limit = scalar("p46_limit", r"\lim_L\mathbb E\tan^2")
small = scalar("p46_small", r"\delta", positive=True)
unit_adapter, centred = matrix("p46_D", "D"), matrix("p46_D0", "D_0")
y, y_next = scalar("p46_y_j", "y_j"), scalar("p46_y_j_next", "y_j^{l+1}")
noise = scalar("p46_noise", r"\xi_j")
rank = scalar("p46_rank", r"\mathrm{rk}", integer=True, positive=True)
k, other = sp.Symbol("k", integer=True), sp.Symbol("l", integer=True)
weights, factor = family("p46_s", "s"), family("p46_f", "f")
left, right = vector("p46_a_k", "a_k"), vector("p46_b_k", "b_k")
left_other, right_other = vector("p46_a_l", "a_l"), vector("p46_b_l", "b_l")
variances = family("p46_Y", r"\mathbb E\,y^2")
variance = variances[s.j, s.L]
drift = scalar("p46_drift", r"\mathbb E\tan^2")
slowest = scalar("p46_slowest", "R")
margin = scalar("p46_margin", "M", positive=True)

_level = s.other_eigenvalues[s.j]
_RATIO = (1 + s.h * _level) / (1 + s.h * s.lambda_1)
_TERM = claims.RMS_DRIFT_SQUARED.expr.function  # type: ignore[attr-defined]
_LIMIT = claims.STATIONARY_DRIFT_SQUARED.expr.function  # type: ignore[attr-defined]
_STATIONARY = claims.STATIONARY_DRIFT_SQUARED.expr
_POWER = sp.exp(s.L * sp.log(slowest))
_REST = 1 - s.deviation**2 / limit
_ABOVE = (1 + s.h * _level) * y + s.h * (noise + small * Dot(u_j, unit_adapter * tangent))
_BELOW = 1 + s.h * s.lambda_1 + s.h * small * (Dot(u1, unit_adapter * u1) + small * Dot(u1, unit_adapter * tangent))

_sum, _scale, _variance = scalar("p46_sum_any", "X"), scalar("p46_scale_any", "c"), scalar("p46_var_any", "v")
BIENAYME = Theorem(
    "variance of a sum of uncorrelated random numbers",
    both(
        equal(Expect(_sum), 0),
        equal(Expect(_sum**2), _scale**2 * _variance * sp.Sum(weights[k] ** 2, (k, 1, rank))),
    ),
    "R. Durrett, Probability: Theory and Examples, 5th ed., Cambridge 2019, Thm. 2.2.1",
    (
        equal(_sum, _scale * sp.Sum(weights[k] * factor[k], (k, 1, rank))),
        equal(Expect(factor[k]), 0),
        equal(Expect(factor[k] ** 2), _variance),
        equal(Expect(factor[k] * factor[other]), 0),
    ),
)
"""For all k, and all l other than k; the weights are constants."""

_WICK = dict.fromkeys((left, right, left_other, right_other), 1 / s.d)

_LAYER = (
    Step(
        "layer",
        equal(Dot(after, u_j) * _BELOW, Dot(after, u1) * small * _ABOVE),
        (
            "single-head",
            "post-ln",
            "attention-only",
            "collapsed-base",
            "symmetric-base",
            "eigenpair",
            "direction",
            "near",
            "noise",
        ),
        Identity(),
        r"One layer from $x\propto u_1+\delta v$ with $\Delta V=\delta D$: the norm drops out of the tangent.",
    ),
    Step(
        "tangent-next",
        equal(tan_next, _ABOVE / _BELOW),
        ("tangent-after", "layer", "in-chart", "in-chart-next"),
        Identity(),
        r"The tangent after the layer, in units of $\delta$.",
    ),
    Step(
        "linearised",
        equal(LimitOf(tan_next, small), ((1 + s.h * _level) * y + s.h * noise) / (1 + s.h * s.lambda_1)),
        ("tangent-next",),
        PowerSeries(order=3),
        r"To first order in $\delta$.",
    ),
    Step(
        "recursion",
        equal(y_next, _RATIO * y + s.h * noise / (1 + s.h * s.lambda_1)),
        ("linearised", "model", "step-positive"),
        Identity(),
        r"The linearised model: $y_j^{l+1}=\rho_jy_j+h\xi_j/(1+h\lambda_1)$.",
    ),
)

_NOISE = (
    Step(
        "noise-sum",
        equal(noise, s.eta * sp.Sum(weights[k] * factor[k], (k, 1, rank))),
        ("noise", "zero-mean-adapters", "gaussian-adapters"),
        Identity(),
        r"What an adapter adds along $u_j$.",
    ),
    Step(
        "factor-mean",
        equal(Expect(factor[k]), 0),
        ("factors",),
        Wick(_WICK),
        r"Each of its terms has mean zero,",
    ),
    Step(
        "factor-square",
        equal(Expect(factor[k] ** 2), Dot(u_j, u_j) * Dot(u1, u1) / s.d**2),
        ("factors",),
        Wick(_WICK),
        r"the second moment $|u_j|^2|u_1|^2/d^2$,",
    ),
    Step(
        "factor-variance",
        equal(Expect(factor[k] ** 2), 1 / s.d**2),
        ("factor-square", "frame"),
        Identity(),
        r"that is, the variance $1/d^2$,",
    ),
    Step(
        "factor-cross",
        equal(Expect(factor[k] * factor[other]), 0),
        ("factors",),
        Wick(_WICK),
        r"and two of them are uncorrelated.",
    ),
    Step(
        "noise-moments",
        both(
            equal(Expect(noise), 0),
            equal(Expect(noise**2), s.eta**2 * (1 / s.d**2) * sp.Sum(weights[k] ** 2, (k, 1, rank))),
        ),
        ("noise-sum", "factor-mean", "factor-variance", "factor-cross"),
        Textbook(BIENAYME, {_sum: noise, _scale: s.eta, _variance: 1 / s.d**2}),
        r"Variances add up.",
    ),
    Step(
        "second-moment",
        equal(
            Expect(y_next**2),
            _RATIO**2 * Expect(y**2) + s.h**2 / (1 + s.h * s.lambda_1) ** 2 * Expect(noise**2),
        ),
        ("recursion", "noise-moments", "independent-adapters", "step-positive"),
        Linearity((y, noise)),
        r"The adapter of this layer is independent of the layers before it.",
    ),
    Step(
        "variance-recursion",
        equal(variances[s.j, s.L + 1], _RATIO**2 * variance + s.h * s.sigma**2 / (1 + s.h * s.lambda_1) ** 2),
        ("second-moment", "noise-moments", "moments", "norm-of-weights", "sigma", "step-positive"),
        Identity(),
        r"With $\sigma^2=h\eta^2\|s\|^2/d^2$.",
    ),
)

_SPECTRUM = (
    Step(
        "gap",
        below(0, s.lambda_1 - _level),
        ("spectral-gap", "sorted"),
        Entails(degree=1),
        r"$g_j=\lambda_1-\lambda_j\ge\lambda_1-\lambda_2$.",
    ),
    Step(
        "stable-positive",
        below(0, 2 + s.h * (s.lambda_1 + _level)),
        ("stable",),
        Entails(degree=1),
        r"Where the formula is defined.",
    ),
)

_DEPTH = (
    Step(
        "closed",
        equal(variance, _TERM),
        ("variance-recursion", "common-start", "gap", "stable-positive", "step-positive", "regular"),
        Recursion(variance, s.L),
        r"The geometric sum, by induction over layers: $\mathbb Ey_j^2=0$ at the start.",
    ),
    Step(
        "sum",
        equal(s.over_directions(variance), claims.RMS_DRIFT_SQUARED.expr),
        ("closed",),
        Termwise(),
        r"Summed over the directions.",
    ),
    Step(
        "rms",
        equal(drift, claims.RMS_DRIFT_SQUARED.expr),
        ("sum", "drift"),
        Identity(),
        r"$\mathbb E\tan^2$ after $L$ layers.",
    ),
    Step(
        "slow",
        at_most(_RATIO**2, slowest),
        ("slowest", "sorted", "stable", "spectral-gap", "step-positive"),
        Entails(degree=3),
        r"$1-\rho_j^2=hg_j(2+h(\lambda_1+\lambda_j))/(1+h\lambda_1)^2$.",
    ),
    Step(
        "below-one",
        below(slowest, 1),
        ("slowest", "spectral-gap", "step-positive"),
        Entails(degree=3),
        r"There is a gap.",
    ),
    Step(
        "ratio-positive",
        below(0, _RATIO**2),
        ("regular", "step-positive"),
        Entails(degree=1),
        r"No direction is cancelled.",
    ),
    Step(
        "slowest-positive",
        below(0, slowest),
        ("slow", "ratio-positive", "step-positive"),
        Entails(degree=3),
        r"So $R$ lies between $0$ and $1$.",
    ),
    Step(
        "slow-log",
        at_most(sp.log(_RATIO**2), sp.log(slowest)),
        ("slow", "ratio-positive", "slowest-positive"),
        Monotone(sp.log),
        r"Logarithms.",
    ),
    Step(
        "slow-exponent",
        at_most(s.L * sp.log(_RATIO**2), s.L * sp.log(slowest)),
        ("slow-log",),
        Entails(degree=2),
        r"Times the depth.",
    ),
    Step(
        "slow-power",
        at_most(sp.exp(s.L * sp.log(_RATIO**2)), _POWER),
        ("slow-exponent",),
        Monotone(sp.exp),
        r"$\rho_j^{2L}\le R^L$.",
    ),
    Step(
        "lower-term",
        at_most((1 - _POWER) * _LIMIT, _TERM),
        ("slow-power", "gap", "stable-positive"),
        Entails(degree=2, squares=(s.sigma,)),
        r"Each direction has come as near to its limit.",
    ),
    Step(
        "lower-sum",
        at_most(s.over_directions((1 - _POWER) * _LIMIT), claims.RMS_DRIFT_SQUARED.expr),
        ("lower-term",),
        Termwise(),
        r"Summed.",
    ),
    Step(
        "stationary-positive",
        below(0, limit),
        ("exceeds",),
        Entails(degree=2, squares=(s.deviation,)),
        r"It exceeds a square.",
    ),
    Step(
        "log-negative",
        below(sp.log(slowest), 0),
        ("below-one", "slowest-positive"),
        Monotone(sp.log),
        r"$R<1$.",
    ),
    Step(
        "deep-exponent",
        below(s.L * sp.log(slowest), sp.log(_REST)),
        ("deep", "log-negative"),
        Entails(degree=2),
        r"Deep enough.",
    ),
    Step(
        "deep-power",
        below(_POWER, _REST),
        ("deep-exponent",),
        Monotone(sp.exp),
        r"$R^L<1-r^2/\lim$.",
    ),
    Step(
        "leaves-limit",
        below(s.deviation**2, (1 - _POWER) * limit),
        ("deep-power", "stationary-positive"),
        Entails(degree=2),
        r"Times the limit.",
    ),
    Step(
        "lower",
        at_most((1 - _POWER) * limit, claims.RMS_DRIFT_SQUARED.expr),
        ("lower-sum", "limit"),
        Entails(degree=1),
        r"$1-R^L$ does not depend on the direction.",
    ),
    Step(
        "leaves",
        below(s.deviation**2, claims.RMS_DRIFT_SQUARED.expr),
        ("leaves-limit", "lower"),
        Entails(degree=1),
        r"If the limit exceeds $r^2$, the drift does so from an explicit depth on.",
    ),
    Step(
        "upper-term",
        at_most(_TERM, _LIMIT),
        ("gap", "stable-positive"),
        Entails(degree=3, squares=(s.sigma,)),
        r"At no depth is a direction above its limit.",
    ),
    Step(
        "upper",
        at_most(claims.RMS_DRIFT_SQUARED.expr, claims.STATIONARY_DRIFT_SQUARED.expr),
        ("upper-term",),
        Termwise(),
        r"Summed.",
    ),
    Step(
        "stays",
        below(s.deviation**2, claims.STATIONARY_DRIFT_SQUARED.expr),
        ("reached", "rms", "upper"),
        Entails(degree=1),
        r"If the drift exceeds $r$ at some depth, the limit exceeds $r^2$: else it stays below at every depth.",
    ),
)

RANDOM = Derivation(
    claim="thm-4.6/random",
    setting={
        "eigenpair": EIGENPAIR,
        "direction": both(equal(V * u_j, _level * u_j), equal(Dot(u1, u_j), 0)),
        "frame": both(equal(Dot(u1, u1), 1), equal(Dot(u_j, u_j), 1)),
        "near": both(
            equal(x, scale * (u1 + small * tangent)),
            equal(Dot(tangent, u1), 0),
            equal(y, Dot(tangent, u_j)),
            equal(dV, small * unit_adapter),
        ),
        "in-chart": below(0, _BELOW),
        "in-chart-next": below(0, Dot(after, u1)),
        "tangent-after": equal(tan_next, Dot(after, u_j) / (small * Dot(after, u1))),
        "model": equal(y_next, LimitOf(tan_next, small)),
        "noise": equal(noise, Dot(u_j, unit_adapter * u1)),
        "factors": both(
            equal(factor[k], Dot(u_j, left) * Dot(right, u1)),
            equal(factor[other], Dot(u_j, left_other) * Dot(right_other, u1)),
        ),
        "norm-of-weights": equal(sp.Sum(weights[k] ** 2, (k, 1, rank)), s.s_norm**2),
        "sigma": equal(s.sigma, sp.sqrt(s.h) * s.eta * s.s_norm / s.d),
        "moments": both(equal(variance, Expect(y**2)), equal(variances[s.j, s.L + 1], Expect(y_next**2))),
        "drift": equal(drift, s.over_directions(variance)),
        "sorted": at_most(_level, s.lambda_2),
        "step-positive": below(0, 1 + s.h * s.lambda_1),
        "regular": below(0, (1 + s.h * _level) ** 2),
        "stable": at_most(margin, 2 + s.h * (s.lambda_1 + _level)),
        "slowest": equal(slowest, 1 - s.h * (s.lambda_1 - s.lambda_2) * margin / (1 + s.h * s.lambda_1) ** 2),
        "limit": equal(limit, _STATIONARY),
        "exceeds": below(s.deviation**2, limit),
        "deep": below(sp.log(_REST) / sp.log(slowest), s.L),
        "reached": below(s.deviation**2, drift),
    },
    assumptions={
        "single-head": equal(attention, (V + dV) * m),
        "attention-only": ATTENTION_ONLY,
        "post-ln": both(equal(after, (x + s.h * drive) / length), equal(Norm(x + s.h * drive), length)),
        "collapsed-base": equal(m, x),
        "common-start": equal(variances[s.j, 0], 0),
        "symmetric-base": SYMMETRIC_BASE,
        "spectral-gap": below(s.lambda_2, s.lambda_1),
        "zero-mean-adapters": equal(unit_adapter, centred),
        "gaussian-adapters": equal(Dot(u_j, centred * u1), s.eta * sp.Sum(weights[k] * factor[k], (k, 1, rank))),
        "independent-adapters": equal(Expect(y * noise), Expect(y) * Expect(noise)),
    },
    remark=(
        r"$a_k,b_k\sim N(0,I_d/d)$ independent. Only the step about leaving supposes that the limit exceeds $r^2$, "
        r"only the last one that the drift exceeds $r$ at some depth. "
        r"That the drift grows without bound where some $g_j\le0$ is not derived; $1+h\lambda_j\ne0$ and "
        r"$2+h(\lambda_1+\lambda_j)>0$ are supposed."
    ),
    steps=(*_LAYER, *_NOISE, *_SPECTRUM, *_DEPTH),
)

DERIVATIONS: tuple[Derivation, ...] = (RANDOM,)
