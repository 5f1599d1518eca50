"""Derivation of thm-4.2/two-level: log tan of the angle is a random walk, and its drift and variance."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import V, m, u1, x
from theory.derivations.thm_4_2_model import GAUSS, LAYER, RANDOM, VARIANCES, WEIGHTS, ZERO_MEAN, after, dV, mean_dV
from theory.derivations.thm_4_2_variance import Q, root_h
from theory.kernel.notation import Dot, Expect, LimitOf, below, both, equal, family, identity, scalar, vector
from theory.kernel.rules import Entails, Identity, Monotone, PowerSeries
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.random_matrices import MatrixWick, Rotated
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

n, n_other = vector("p42_n_i", "n"), vector("p42_n_other", "n'")
along, across = scalar("p42_along", r"\cos\theta", positive=True), scalar("p42_across", r"\sin\theta", positive=True)
tan_square = scalar("p42_tan_square", r"\tan^2\theta^l", positive=True)
tan_square_next = scalar("p42_tan_square_next", r"\tan^2\theta^{l+1}", positive=True)
moved_square = scalar("p42_moved_square", r"q", positive=True)
increment = scalar("p42_increment", r"\xi^l")
half_order, full_order = scalar("p42_half_order", r"\xi_{1/2}"), scalar("p42_full_order", r"\xi_1")
spread = family("p42_spread", r"\operatorname{Var}\log\tan\theta^{\cdot}")
joint = scalar("p42_joint", r"\operatorname{Cov}(\log\tan\theta^l,\xi^l)")

_P = identity - u1 * u1.T
_ADAPTER = _P * GAUSS * _P


def _moved(v: sp.MatrixExpr) -> sp.MatrixExpr:
    return (1 + root_h**2 * s.lambda_2) * v + root_h * s.noise_scale * _ADAPTER * v


_GROWTH = 1 + root_h**2 * s.lambda_1
_KICK = Dot(n, GAUSS * n)
_LENGTH = Dot(GAUSS * n, GAUSS * n) - Dot(GAUSS * n, u1) ** 2
_SQUARE = (
    (1 + root_h**2 * s.lambda_2) ** 2
    + 2 * root_h * s.noise_scale * (1 + root_h**2 * s.lambda_2) * _KICK
    + root_h**2 * s.noise_scale**2 * _LENGTH
)
_INCREMENT = sp.log(_SQUARE) / 2 - sp.log(_GROWTH)
_SECOND = s.lambda_2 - s.lambda_1 + s.noise_scale**2 * (_LENGTH / 2 - _KICK**2)

TWO_LEVEL = Derivation(
    claim="thm-4.2/two-level",
    setting={
        "weights": WEIGHTS,
        "values": equal(V, s.lambda_1 * u1 * u1.T + s.lambda_2 * _P),
        "frame": both(equal(Dot(u1, u1), 1), equal(Dot(n, n), 1), equal(Dot(u1, n), 0)),
        "other-direction": both(equal(Dot(n_other, n_other), 1), equal(Dot(u1, n_other), 0)),
        "rotation": both(equal(Q.T * Q, identity), equal(Q.T * u1, u1), equal(Q * u1, u1), equal(Q.T * n, n_other)),
        "token": equal(x, along * u1 + across * n),
        "collapsed": equal(m, x),
        "scale": both(equal(s.h, root_h**2), equal(s.eta, s.noise_scale / root_h)),
        "sigma": equal(s.sigma, s.noise_scale * s.s_norm / s.d),
        "growth": below(0, _GROWTH),
        "moved-square": equal(moved_square, Dot(_moved(n), _moved(n))),
        "tangents": both(
            equal(tan_square, across**2 / along**2),
            equal(tan_square_next, (Dot(after, after) - Dot(after, u1) ** 2) / Dot(after, u1) ** 2),
        ),
        "increment": equal(increment, (sp.log(tan_square_next) - sp.log(tan_square)) / 2),
        "orders": both(
            equal(half_order, LimitOf(_INCREMENT / root_h, root_h)),
            equal(full_order, LimitOf((_INCREMENT - root_h * s.noise_scale * _KICK) / root_h**2, root_h)),
        ),
        "walk": equal(
            spread[s.L + 1], spread[s.L] + 2 * joint + root_h**2 * (Expect(half_order**2) - Expect(half_order) ** 2)
        ),
        "depth": equal(s.L, s.T / root_h**2),
    },
    assumptions={
        **LAYER,
        "gaussian-adapters": equal(dV, s.eta * _P * (mean_dV + GAUSS) * _P),
        "zero-mean-adapters": ZERO_MEAN,
        "independent-adapters": equal(joint, 0),
        "common-start": equal(spread[0], 0),
    },
    meets={"symmetric-base": "symmetric"},
    steps=(
        Step("symmetric", equal(V.T, V), ("values",), Identity(), r"Two eigenvalues, orthogonal eigenspaces."),
        Step(
            "tangent",
            equal(tan_square_next, tan_square * moved_square / _GROWTH**2),
            (
                "single-head",
                "attention-only",
                "post-ln",
                "gaussian-adapters",
                "zero-mean-adapters",
                "values",
                "token",
                "collapsed",
                "frame",
                "scale",
                "growth",
                "moved-square",
                "tangents",
            ),
            Identity(),
            r"The norm drops out; $u_1$ is stretched by $1+h\lambda_1$, and the adapter acts across it alone.",
        ),
        Step(
            "ratio-positive",
            below(0, tan_square * moved_square / _GROWTH**2),
            ("growth",),
            Entails(degree=3),
            r"All of it is positive.",
        ),
        Step(
            "logarithms",
            equal(sp.log(tan_square_next), sp.log(tan_square * moved_square / _GROWTH**2)),
            ("tangent", "ratio-positive"),
            Monotone(sp.log),
            r"Logarithms.",
        ),
        Step(
            "moved",
            equal(_SQUARE, moved_square),
            ("moved-square", "frame"),
            Identity(),
            r"In powers of $\sqrt h$, with $\langle n,Gn\rangle$ and $|P^\perp Gn|^2$.",
        ),
        Step("moved-positive", below(0, _SQUARE), ("moved",), Entails(degree=1), r"It is positive."),
        Step(
            "log-moved",
            equal(sp.log(_SQUARE), sp.log(moved_square)),
            ("moved", "moved-positive"),
            Monotone(sp.log),
            r"So that it has a logarithm.",
        ),
        Step(
            "step",
            equal(increment, _INCREMENT),
            ("increment", "logarithms", "log-moved", "growth"),
            Identity(),
            r"What one layer adds to $\log\tan$: it depends neither on $\theta^l$",
        ),
        Step(
            "same-law",
            equal(Expect(sp.log(Dot(_moved(n), _moved(n)))), Expect(sp.log(Dot(_moved(n_other), _moved(n_other))))),
            ("rotation", "frame", "other-direction"),
            Rotated(RANDOM, Q),
            r"nor, in law, on the direction $n$: rotations about $u_1$.",
        ),
        Step(
            "series",
            both(
                equal(LimitOf(_INCREMENT / root_h, root_h), s.noise_scale * _KICK),
                equal(LimitOf((_INCREMENT - root_h * s.noise_scale * _KICK) / root_h**2, root_h), _SECOND),
            ),
            (),
            PowerSeries(order=5),
            r"Its first two orders in $\sqrt h$.",
        ),
        Step(
            "first-orders",
            both(equal(half_order, s.noise_scale * _KICK), equal(full_order, _SECOND)),
            ("orders", "series"),
            Identity(),
            r"By name.",
        ),
        Step(
            "centred",
            equal(Expect(half_order), 0),
            ("first-orders",),
            MatrixWick(VARIANCES),
            r"At order $\sqrt h$ there is no drift,",
        ),
        Step(
            "kick-square",
            equal(Expect(half_order**2), s.sigma**2),
            ("first-orders", "weights", "frame", "sigma"),
            MatrixWick(VARIANCES),
            r"and the variance $\tau^2\|s\|^2/d^2$.",
        ),
        Step(
            "variance-recursion",
            equal(spread[s.L + 1], spread[s.L] + root_h**2 * s.sigma**2),
            ("walk", "independent-adapters", "centred", "kick-square"),
            Identity(),
            r"The increments of different layers are independent: variances add up.",
        ),
        Step(
            "variance-sum",
            equal(spread[s.L], s.L * root_h**2 * s.sigma**2),
            ("variance-recursion", "common-start"),
            Recursion(spread[s.L], s.L),
            r"Over $L$ layers.",
        ),
        Step(
            "variance",
            equal(spread[s.L] / s.T, claims.LOG_TAN_VARIANCE.expr),
            ("variance-sum", "depth"),
            Identity(),
            r"Per time, with $T=hL$.",
        ),
        Step(
            "drift",
            equal(Expect(full_order), claims.LOG_TAN_DRIFT.expr),
            ("first-orders", "weights", "frame", "sigma"),
            MatrixWick(VARIANCES),
            r"$\tfrac12(d-1)\sigma^2-\sigma^2$: of the $d-1$ directions of $u_1^\perp$ the one along $n$ counts twice.",
        ),
        Step(
            "law",
            both(
                equal(increment, _INCREMENT),
                equal(
                    Expect(sp.log(Dot(_moved(n), _moved(n)))),
                    Expect(sp.log(Dot(_moved(n_other), _moved(n_other)))),
                ),
                equal(Expect(full_order), claims.LOG_TAN_DRIFT.expr),
            ),
            ("step", "same-law", "drift"),
            Together(),
            r"A random walk with this drift per time.",
        ),
    ),
    conditional=(
        r"That the variance of $\log\tan$ grows per layer by that of the $\sqrt h$ term of the increment "
        r"alone is the setting walk; equality in law of the increments is shown for their means only, and "
        r"the passage to the diffusion is not derived."
    ),
    remark=(
        r"Drift and variance are those of the first orders in $\sqrt h$ of an increment; that its moments have no "
        r"other "
        r"contribution in the limit, and that the walk converges to a diffusion, is not derived. "
        r"$\lambda_1>\lambda_2$ is "
        r"not used: the law is the same without it."
    ),
)
