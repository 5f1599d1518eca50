"""Derivation of thm-4.2/variance: moments of one layer, and the exact drift for V = 0."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import V, m, x
from theory.derivations.thm_4_2_model import (
    ADAPTERS,
    GAUSS,
    LAYER,
    RANDOM,
    VARIANCES,
    WEIGHTS,
    after,
    dV,
    e,
    e_other,
    length,
    m_other,
    z,
)  # fmt: skip
from theory.kernel.notation import (
    Dot,
    Expect,
    LimitOf,
    at_most,
    below,
    both,
    equal,
    family,
    identity,
    matrix,
    scalar,
    vector,
)
from theory.kernel.rules import Apply, Entails, Identity, Monotone, PowerSeries
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.limits import Sandwich, Through
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past, Rotated
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

_past: Any = Past

root_h = scalar("p42_root_h", r"\sqrt h", positive=True)
overlap = family("p42_overlap", r"\mathbb E\langle x^{\cdot},x^0\rangle")
first = vector("p42_first", r"\tilde x_i^0")
Q = matrix("p42_Q", "Q")
shrink = scalar("p42_shrink", r"\kappa_h")

_DRAW = root_h * s.noise_scale * GAUSS
_MIRROR = 2 * x * x.T - identity
_COMMON = ("gaussian-adapters", "zero-mean-adapters", "weights")
_z = _DRAW * e
_g = GAUSS * e


def _moved(v: sp.MatrixExpr) -> sp.MatrixExpr:
    return v + _DRAW * v


def _overlap(v: sp.MatrixExpr, other: sp.MatrixExpr) -> sp.Expr:
    return Dot(_moved(v), other) / length(_moved(v))


RHO = Expect(_overlap(e, e))
"""The overlap that one layer leaves."""
_SQUARE = Dot(_z, _z)
_ACROSS = _SQUARE - Dot(_z, e) ** 2
_SECOND_ORDER = 1 - _ACROSS / 2 + Dot(_z, e) * _ACROSS
_LOSS = s.noise_scale**2 * s.s_norm**2 * (s.d - 1) / (2 * s.d**2)
_REST = 4 * root_h**2 * s.noise_scale**4 * Expect(Dot(_g, _g) ** 2)
_ORDERS = (
    1
    - root_h**2 * s.noise_scale**2 * Expect(Dot(_g, _g) - Dot(_g, e) ** 2) / 2
    + root_h**3 * s.noise_scale**3 * Expect(Dot(_g, e) * (Dot(_g, _g) - Dot(_g, e) ** 2))
)
_HALF_CHORD = Dot(x - e, x - e) / 2

MOMENTS = (
    Step(
        "along-token",
        equal(Expect(Dot(dV * m, x) * Dot(dV * m, x)), s.eta**2 * s.s_norm**2 * Dot(m, m) * Dot(x, x) / s.d**2),
        _COMMON,
        Apply("lemma/adapter-covariance", {m_other: m, e: x, e_other: x}),
        r"The covariance, for one direction.",
    ),
    Step(
        "all-directions",
        equal(Expect(Dot(dV * m, dV * m)), s.eta**2 * s.s_norm**2 * Dot(m, m) / s.d),
        _COMMON,
        MatrixWick(VARIANCES),
        r"The same in all $d$ directions.",
    ),
    Step(
        "tangential",
        equal(
            Expect(s.h**2 * (Dot(dV * m, dV * m) - Dot(dV * m, x) ** 2)),
            s.h**2 * (Expect(Dot(dV * m, dV * m)) - Expect(Dot(dV * m, x) * Dot(dV * m, x))),
        ),
        (),
        Mean((dV,), pointwise=False),
        r"$|P_xy|^2=|y|^2-\langle y,x\rangle^2$.",
    ),
    Step(
        "tangential-square",
        equal(Expect(s.h**2 * (Dot(dV * m, dV * m) - Dot(dV * m, x) ** 2)), claims.TANGENTIAL_MOVE.expr**2),
        ("tangential", "along-token", "all-directions", "unit", "attention-length"),
        Identity(),
        r"$d-1$ directions are tangential.",
    ),
    Step(
        "move-sign",
        at_most(0, Expect(s.h**2 * (Dot(dV * m, dV * m) - Dot(dV * m, x) ** 2))),
        ("tangential-square", "dimension"),
        Entails(degree=3, squares=(s.h * s.eta * s.s_norm * s.m_norm,)),
        r"A mean square.",
    ),
    Step(
        "tangential-move",
        equal(sp.sqrt(Expect(s.h**2 * (Dot(dV * m, dV * m) - Dot(dV * m, x) ** 2))), claims.TANGENTIAL_MOVE.expr),
        ("tangential-square", "move-sign"),
        Monotone(sp.sqrt),
        r"The root mean square move of one layer.",
    ),
)

LAYERS = (
    Step(
        "layer",
        equal(Dot(after, e), _overlap(x, e)),
        (
            "single-head",
            "attention-only",
            "post-ln",
            "gaussian-adapters",
            "zero-mean-adapters",
            "no-values",
            "collapsed",
            "scale",
            "regular",
        ),
        Identity(),
        r"One layer: $x^{l+1}=N(x+\sqrt h\tau Gx)$, $G=\sum_ks_ku_kv_k^\top$.",
    ),
    Step(
        "mirror",
        equal(
            Expect(_overlap(x, e)),
            Expect((2 * Dot(_moved(x), x) * Dot(x, e) - Dot(_moved(x), e)) / length(_moved(x))),
        ),
        ("unit",),
        Rotated(RANDOM, _MIRROR),
        r"The reflection $2xx^\top-I$ does not change the law of $G$, and turns over all that is across $x$.",
    ),
    Step(
        "linear",
        equal(
            Expect((2 * Dot(_moved(x), x) * Dot(x, e) - Dot(_moved(x), e)) / length(_moved(x))),
            2 * Dot(x, e) * Expect(_overlap(x, x)) - Expect(_overlap(x, e)),
        ),
        (),
        Mean(RANDOM, pointwise=False),
        r"Linearity.",
    ),
    Step(
        "isotropy",
        equal(Expect(_overlap(e, e)), Expect(_overlap(x, x))),
        ("rotation", "unit", "start"),
        Rotated(RANDOM, Q),
        r"A rotation that takes $x$ to $x^0$: the loss is the same at every point.",
    ),
    Step(
        "layer-mean",
        equal(Expect(Dot(after, e)), Expect(_overlap(x, e))),
        ("layer",),
        Mean((*RANDOM, after)),
        r"The mean over this layer's adapter,",
    ),
    Step(
        "conditional",
        equal(Expect(Dot(after, e)), RHO * Dot(x, e)),
        ("layer-mean", "mirror", "linear", "isotropy"),
        Identity(),
        r"given the layers before it.",
    ),
    Step(
        "past",
        equal(Past(Expect(Dot(after, e))), RHO * Past(Dot(x, e))),
        ("conditional",),
        Mean((x, after), Past),
        r"The mean over the layers before.",
    ),
    Step(
        "recursion",
        equal(overlap[s.L + 1], RHO * overlap[s.L]),
        ("independent-adapters", "past", "overlap"),
        Identity(),
        r"The adapters are independent over layers.",
    ),
    Step(
        "at-start",
        equal(overlap[0], 1),
        ("overlap-start", "common-start", "start"),
        Identity(),
        r"Both start from the same token.",
    ),
    Step(
        "chord",
        equal(_HALF_CHORD, 1 - Dot(x, e)),
        ("unit", "start"),
        Identity(),
        r"For unit vectors.",
    ),
    Step(
        "chord-mean",
        equal(_past(_HALF_CHORD), 1 - _past(Dot(x, e))),
        ("chord",),
        Mean((x,), Past),
        r"In the mean.",
    ),
)

LIMIT = (
    Step(
        "expansion",
        both(
            at_most(_SECOND_ORDER - 4 * _SQUARE**2, Dot(e + _z, e) / length(e + _z)),
            at_most(Dot(e + _z, e) / length(e + _z), _SECOND_ORDER + 4 * _SQUARE**2),
        ),
        ("start", "regular-plus"),
        Apply("lemma/overlap-expansion", {z: _z}),
        r"Bounds with a remainder of fourth order.",
    ),
    Step(
        "expansion-low",
        at_most(_SECOND_ORDER - 4 * _SQUARE**2, _overlap(e, e)),
        ("expansion", "regular-plus"),
        Entails(degree=1),
        r"From below,",
    ),
    Step(
        "expansion-high",
        at_most(_overlap(e, e), _SECOND_ORDER + 4 * _SQUARE**2),
        ("expansion", "regular-plus"),
        Entails(degree=1),
        r"and from above.",
    ),
    Step(
        "across",
        equal(Expect(Dot(_g, _g) - Dot(_g, e) ** 2), s.s_norm**2 * (s.d - 1) / s.d**2),
        ("weights", "start"),
        MatrixWick(VARIANCES),
        r"What is across $e$ has this mean square,",
    ),
    Step(
        "odd",
        equal(Expect(Dot(_g, e) * (Dot(_g, _g) - Dot(_g, e) ** 2)), 0),
        (),
        MatrixWick(VARIANCES),
        r"and the third moment vanishes.",
    ),
    Step(
        "mean-low",
        at_most(
            _ORDERS - root_h**2 * _REST,
            RHO,
        ),
        ("expansion-low",),
        Mean(RANDOM),
        r"In the mean, from below,",
    ),
    Step(
        "mean-high",
        at_most(
            RHO,
            _ORDERS + root_h**2 * _REST,
        ),
        ("expansion-high",),
        Mean(RANDOM),
        r"and from above.",
    ),
    Step(
        "orders",
        equal(_ORDERS, 1 - root_h**2 * _LOSS),
        ("across", "odd"),
        Identity(),
        r"Put together.",
    ),
    Step(
        "loss-low",
        at_most(_LOSS - _REST, (1 - RHO) / root_h**2),
        ("mean-high", "orders"),
        Entails(degree=3),
        r"The loss of one layer, in units of $h$, at least,",
    ),
    Step(
        "loss-high",
        at_most((1 - RHO) / root_h**2, _LOSS + _REST),
        ("mean-low", "orders"),
        Entails(degree=3),
        r"and at most.",
    ),
    Step(
        "forwards",
        below(0, RHO),
        ("loss-high", "small-step"),
        Entails(degree=3),
        r"$\rho>0$ for small $h$.",
    ),
    Step(
        "power",
        equal(overlap[s.L], RHO**s.L),
        ("recursion", "at-start", "forwards"),
        Recursion(overlap[s.L], s.L),
        r"$\mathbb E\langle x^L,x^0\rangle=\rho^L$.",
    ),
    Step(
        "drift",
        equal(Past(_HALF_CHORD), 1 - RHO ** (s.T / root_h**2)),
        ("chord-mean", "overlap", "power", "depth"),
        Identity(),
        r"$\tfrac12\mathbb E|x^L-x^0|^2=1-\rho^L$, exactly, with $L=T/h$.",
    ),
    Step(
        "bounds-limit",
        both(equal(LimitOf(_LOSS - _REST, root_h), _LOSS), equal(LimitOf(_LOSS + _REST, root_h), _LOSS)),
        (),
        PowerSeries(order=4),
        r"The remainder vanishes with $h$.",
    ),
    Step(
        "loss-limit",
        equal(LimitOf((1 - RHO) / root_h**2, root_h), _LOSS),
        ("loss-low", "loss-high", "bounds-limit"),
        Sandwich(),
        r"$1-\rho\sim\tfrac12h\tau^2\|s\|^2(d-1)/d^2$.",
    ),
    Step(
        "power-limit",
        equal(LimitOf(1 - RHO ** (s.T / root_h**2), root_h), claims.COLLAPSED_DRIFT.expr),
        ("loss-limit",),
        Through(shrink, {RHO: 1 - root_h**2 * shrink}),
        r"$(1-h\kappa)^{T/h}\to e^{-\kappa T}$.",
    ),
    Step(
        "law",
        both(
            equal(Past(_HALF_CHORD), 1 - RHO ** (s.T / root_h**2)),
            equal(LimitOf(1 - RHO ** (s.T / root_h**2), root_h), claims.COLLAPSED_DRIFT.expr),
        ),
        ("drift", "power-limit"),
        Together(),
        r"The drift after $L=T/h$ layers, and its limit.",
    ),
)

VARIANCE = Derivation(
    claim="thm-4.2/variance",
    setting={
        "weights": WEIGHTS,
        "dimension": at_most(2, s.d),
        "unit": equal(Dot(x, x), 1),
        "start": equal(Dot(e, e), 1),
        "attention-length": equal(Dot(m, m), s.m_norm**2),
        "no-values": equal(V, sp.ZeroMatrix(s.d, s.d)),
        "collapsed": equal(m, x),
        "scale": both(equal(s.h, root_h**2), equal(s.eta, s.noise_scale / root_h)),
        "depth": equal(s.L, s.T / root_h**2),
        "rotation": both(equal(Q.T * Q, identity), equal(Q.T * e, x)),
        "regular": below(0, length(_moved(x))),
        "small-step": below(root_h**2 * (_LOSS + _REST), 1),
        "regular-plus": below(0, length(e + _z)),
        "overlap": equal(overlap[s.L], Past(Dot(x, e))),
        "overlap-start": equal(overlap[0], Dot(first, e)),
    },
    assumptions={
        **LAYER,
        **ADAPTERS,
        "independent-adapters": equal(overlap[s.L + 1], Past(Expect(Dot(after, e)))),
        "common-start": equal(first, e),
    },
    steps=(*MOMENTS, *LAYERS, *LIMIT),
    remark=(
        r"The columns of $A$, $B$ are the $u_k$, $v_k$; their entries are independent $N(0,1/d)$, so that "
        r"$x+h\Delta Vx\ne0$"
        r" almost surely. $Q$ is a rotation that takes $x$ to $x^0$, which exists for unit vectors. "
        r"The $L$-th power is derived for steps so small that $\rho>0$ by the expansion (setting "
        r"small-step)."
    ),
)
