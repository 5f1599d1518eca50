"""thm-4.2/norm-quoted-fixed-step: at a fixed step the drift of adapters of constant norm goes to 1."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import thm_4_2_variance as one
from theory.derivations.thm_4_2_variance import RHO, VARIANCE, root_h
from theory.kernel.notation import LimitOf, at_most, both, equal, scalar
from theory.kernel.rules import Apply, Entails, Identity, Increasing, Monotone, PowerSeries
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.random_matrices import Past
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

_z = scalar("t42_z", "z", nonnegative=True)


def _exponential(name: str, title: str, sign: int) -> Derivation:
    value = sp.exp(sign * _z)
    ordered = (sp.Integer(1), value) if sign > 0 else (value, sp.Integer(1))
    return Derivation(
        claim=name,
        title=title,
        states=at_most(1 + sign * _z, value),
        steps=(
            Step(
                "sign-there",
                at_most(0, _z) if sign > 0 else at_most(-_z, 0),
                (),
                Entails(degree=1),
                r"The sign of the exponent.",
            ),
            Step("slope", at_most(*ordered), ("sign-there",), Monotone(sp.exp), r"The derivative has one sign,"),
            Step(
                "bound",
                at_most(1 + sign * _z, value),
                ("slope",),
                Increasing(_z),
                r"and at $z=0$ both sides are 1.",
            ),
        ),
    )


ABOVE = _exponential("lemma/exponential-growth", "$1+z\\le e^z$ for $z\\ge0$", 1)
BELOW = _exponential("lemma/exponential-decay", "$1-z\\le e^{-z}$ for $z\\ge0$", -1)

depth_root = scalar("t42_depth_root", r"L^{-1/2}", positive=True)
_LOSS, _REST, _CHORD = one._LOSS, one._REST, one._HALF_CHORD
_DRIFT: Any = Past(_CHORD)
_HALF = root_h**2 * _LOSS / 2
_SETTING = {name: given for name, given in VARIANCE.setting.items() if name not in ("attention-length", "dimension")}
_OF = {step.id: step.says for step in VARIANCE.steps}


def _from_variance(name: str, premises: tuple[str, ...], why: str) -> Step:
    return Step(name, _OF[name], premises, Apply(f"thm-4.2/variance#{name}"), why)


_LAYERS = ("single-head", "attention-only", "post-ln", "gaussian-adapters", "zero-mean-adapters")

QUOTED = Derivation(
    claim="thm-4.2/norm-quoted-fixed-step",
    setting={
        **_SETTING,
        "resolved": at_most(_REST, _LOSS / 2),
        "deep": at_most(sp.log(4), _LOSS * s.T),
    },
    assumptions=VARIANCE.assumptions,
    steps=(
        Step(
            "norm",
            equal(LimitOf(s.eta / sp.sqrt(1 / depth_root**2), depth_root), 0),
            (),
            PowerSeries(order=3),
            r"The norm $\eta$ does not depend on $L$: $\eta/\sqrt L\to0$.",
        ),
        _from_variance(
            "recursion",
            (
                *_LAYERS,
                "independent-adapters",
                "unit",
                "start",
                "no-values",
                "collapsed",
                "scale",
                "rotation",
                "regular",
                "overlap",
            ),
            r"$V=0$: each layer takes the same factor off the mean overlap,",
        ),
        _from_variance("at-start", ("overlap-start", "common-start", "start"), r"which is 1 at the start."),
        _from_variance("chord-mean", ("unit", "start"), r"The drift is the rest."),
        _from_variance("loss-low", ("weights", "start", "regular-plus"), r"What one layer loses, at least."),
        _from_variance("forwards", ("weights", "start", "small-step", "regular-plus"), r"The factor is positive"),
        Step(
            "factor",
            at_most(RHO, 1 - _HALF),
            ("loss-low", "resolved"),
            Entails(degree=3),
            r"and below 1, the same at every depth:",
        ),
        Step(
            "tangent",
            at_most(1 - _HALF, sp.exp(-_HALF)),
            (),
            Apply("lemma/exponential-decay", {_z: _HALF}),
            r"$1-z\le e^{-z}$.",
        ),
        Step(
            "factor-power",
            at_most(RHO, sp.exp(-_HALF)),
            ("factor", "tangent"),
            Entails(degree=3),
            r"So much for a layer.",
        ),
        Step(
            "factor-log",
            at_most(sp.log(RHO), -_HALF),
            ("factor-power", "forwards"),
            Monotone(sp.log),
            r"Logarithms.",
        ),
        Step(
            "closed",
            equal(one.overlap[s.L], sp.exp(s.L * sp.log(RHO))),
            ("recursion", "at-start", "forwards"),
            Recursion(one.overlap[s.L], s.L),
            r"$\rho^L$, by induction over layers.",
        ),
        Step(
            "exponent",
            at_most(2 * s.L * sp.log(RHO), -_LOSS * s.T),
            ("factor-log", "depth"),
            Entails(degree=2),
            r"$T=hL$.",
        ),
        Step(
            "decay",
            at_most(sp.exp(2 * s.L * sp.log(RHO)), sp.exp(-_LOSS * s.T)),
            ("exponent",),
            Monotone(sp.exp),
            r"So that $\rho^{2L}\le e^{-\kappa T}$.",
        ),
        Step(
            "square",
            equal((1 - _DRIFT) ** 2, sp.exp(2 * s.L * sp.log(RHO))),
            ("chord-mean", "overlap", "closed"),
            Identity(),
            r"$1-D=\rho^L$.",
        ),
        Step(
            "formula",
            at_most(claims.COLLAPSED_DRIFT.expr, 1 - (1 - _DRIFT) ** 2),
            ("square", "decay"),
            Entails(degree=1),
            r"$D$ follows the formula of fixed $T$ and $\tau$, with $\tau^2=h\eta^2$ fixed and $T=hL\to\infty$.",
        ),
        Step(
            "deep-exponent",
            at_most(-_LOSS * s.T, -sp.log(4)),
            ("deep",),
            Entails(degree=1),
            r"At all depths from $\log4/(h\kappa)$ on",
        ),
        Step(
            "quarter",
            at_most(sp.exp(-_LOSS * s.T), sp.Rational(1, 4)),
            ("deep-exponent",),
            Monotone(sp.exp),
            r"the formula is at least $\frac34$,",
        ),
        Step(
            "half",
            at_most(sp.Rational(1, 2), _DRIFT),
            ("formula", "quarter"),
            Entails(degree=2, squares=(sp.Rational(1, 2) - _DRIFT,)),
            r"and $D\ge\frac12$.",
        ),
        Step(
            "refuted",
            both(
                equal(LimitOf(s.eta / sp.sqrt(1 / depth_root**2), depth_root), 0),
                at_most(sp.Rational(1, 2), _DRIFT),
                at_most(claims.COLLAPSED_DRIFT.expr, 1 - (1 - _DRIFT) ** 2),
            ),
            ("norm", "half", "formula"),
            Together(),
            r"$\eta/\sqrt L\to0$, yet $D$ stays above $\frac12$, and goes to 1 as the formula does.",
        ),
    ),
    remark=(
        r"For steps so small that the remainder of fourth order is at most half of "
        r"$\kappa=\tau^2\|s\|^2(d-1)/(2d^2)$, and "
        r"all depths $L\ge\log4/(h\kappa)$; $h$ and $\eta$ do not change with $L$."
    ),
)
LEMMAS: tuple[Derivation, ...] = (ABOVE, BELOW)
DERIVATIONS: tuple[Derivation, ...] = (QUOTED,)
