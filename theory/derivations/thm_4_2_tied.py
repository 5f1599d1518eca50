"""Derivation of the counterexample thm-4.2/supercritical-tied: two layers with one adapter of rank one in the plane."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import textbook
from theory.derivations.model import V
from theory.derivations.thm_4_2_model import ZERO_MEAN, dV, e, length, mean_dV
from theory.derivations.thm_4_2_supercritical import inverse
from theory.derivations.thm_4_2_variance import first
from theory.kernel.notation import Dot, Expect, LimitOf, Norm, at_most, below, both, equal, matrix, scalar, vector
from theory.kernel.rules import Antiderivative, Apply, Entails, Identity, PowerSeries, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.limits import Dominated
from theory.kernel.rules.random_matrices import Mean
from theory.kernel.step import Derivation, Step

u, v = vector("p42_tied_u", "a"), vector("p42_tied_v", "b")
one, two = vector("p42_tied_one", "x^1"), vector("p42_tied_two", "x^2")
mean_0, mean_1 = vector("p42_tied_mean_0", "m^0"), vector("p42_tied_mean_1", "m^1")
drive_0, drive_1 = vector("p42_tied_drive_0", "g^0"), vector("p42_tied_drive_1", "g^1")
out_0, out_1 = vector("p42_tied_out_0", "o^0"), vector("p42_tied_out_1", "o^1")
dV_next = matrix("p42_dV_next", r"\Delta V^{l+1}")
length_0, length_1 = scalar("p42_length_0", r"\ell_0", positive=True), scalar("p42_length_1", r"\ell_1", positive=True)
angle = scalar("p42_angle", r"\angle(a,x^0)")
conditional = scalar("p42_conditional", r"q(\angle(a,x^0))")
_a, _b, _g = vector("p42_any_a", "y"), vector("p42_any_b", "z"), vector("p42_any_g", "g")

_K = (2 * inverse * s.h + s.h**2 * Dot(v, u)) * Dot(v, e)
_SQUARE = inverse**4 + 2 * inverse**2 * _K * Dot(u, e) + _K**2 * Dot(u, u)
_OVERLAP = (inverse**2 + _K * Dot(u, e)) / sp.sqrt(_SQUARE)
_SIGNS = Dot(v, u) * Dot(v, e) / (sp.Abs(Dot(v, u)) * sp.Abs(Dot(v, e)))
_LIMIT = _SIGNS * Dot(u, e) / length(u)
_PROFILE = sp.cos(angle) * (1 - 2 * angle / sp.pi)

SHEPPARD = Theorem(
    "signs of two Gaussian numbers",
    equal(Expect(Dot(_g, _a) * Dot(_g, _b) / (sp.Abs(Dot(_g, _a)) * sp.Abs(Dot(_g, _b)))), 1 - 2 * angle / sp.pi),
    "W. F. Sheppard, Phil. Trans. R. Soc. A 192 (1899) 101-167 (quadrants of the normal law)",
    (
        equal(Dot(_a, _b), length(_a) * length(_b) * sp.cos(angle)),
        at_most(0, angle),
        at_most(angle, sp.pi),
    ),
)
"""g is a Gaussian vector with the law N(0, c I)."""
UNIFORM = Theorem(
    "direction of a Gaussian vector in the plane",
    equal(Expect(conditional), sp.Integral(_PROFILE / sp.pi, (angle, 0, sp.pi))),
    "M. E. Muller, Comm. ACM 2 (1959) 19-20 (the direction of a Gaussian vector is uniform)",
    (equal(conditional, _PROFILE), equal(s.d, 2)),
)
"""The angle between a planar Gaussian vector and a fixed one is uniform on [0, π]; stated for the function at hand."""

TIED = Derivation(
    claim="thm-4.2/supercritical-tied",
    setting={
        "no-values": equal(V, sp.ZeroMatrix(s.d, s.d)),
        "plane": equal(s.d, 2),
        "start": equal(Dot(e, e), 1),
        "large": equal(s.eta, 1 / inverse),
        "angle": both(equal(Dot(u, e), length(u) * length(e) * sp.cos(angle))),
        "angle-low": at_most(0, angle),
        "angle-high": at_most(angle, sp.pi),
        "regular": below(0, sp.sqrt(_SQUARE)),
        "regular-square": below(0, _SQUARE),
        "regular-limit": both(
            below(0, s.h**4 * Dot(u, u) * Dot(v, e) ** 2 * Dot(v, u) ** 2),
            below(0, sp.Abs(Dot(v, u))),
            below(0, sp.Abs(Dot(v, e))),
            below(0, length(u)),
        ),
        "conditional": equal(conditional, LimitOf(Expect(_OVERLAP), inverse)),
        "overlap": equal(s.mean_overlap, Expect(conditional)),
    },
    assumptions={
        "single-head": both(equal(out_0, (V + dV) * mean_0), equal(out_1, (V + dV_next) * mean_1)),
        "attention-only": both(equal(drive_0, out_0), equal(drive_1, out_1)),
        "post-ln": both(
            equal(one, (first + s.h * drive_0) / length_0),
            equal(Norm(first + s.h * drive_0), length_0),
            equal(two, (one + s.h * drive_1) / length_1),
            equal(Norm(one + s.h * drive_1), length_1),
        ),
        "tied-weights": equal(dV_next, dV),
        "gaussian-adapters": equal(dV, s.eta * (mean_dV + u * v.T)),
        "zero-mean-adapters": ZERO_MEAN,
        "collapsed-base": both(equal(mean_0, first), equal(mean_1, one)),
        "common-start": equal(first, e),
    },
    steps=(
        Step(
            "two-layers",
            equal(two, (inverse**2 * e + _K * u) / (inverse**2 * length_0 * length_1)),
            (
                "single-head",
                "attention-only",
                "post-ln",
                "tied-weights",
                "gaussian-adapters",
                "zero-mean-adapters",
                "collapsed-base",
                "common-start",
                "no-values",
                "large",
            ),
            Identity(),
            r"Two layers from $x^0=e$ with $\Delta V=\eta ab^\top$, $V=0$; the tokens stay collapsed.",
        ),
        Step("unit", equal(1, Dot(two, two)), ("post-ln",), Identity(), r"Tokens are normalised."),
        Step(
            "square",
            equal(_SQUARE, inverse**4 * length_0**2 * length_1**2),
            ("two-layers", "unit", "start"),
            Identity(),
            r"So that the length",
        ),
        Step(
            "length",
            equal(sp.sqrt(_SQUARE), inverse**2 * length_0 * length_1),
            ("square", "regular"),
            Squeeze(degree=5),
            r"is this.",
        ),
        Step(
            "overlap-two",
            equal(Dot(two, e), _OVERLAP),
            ("two-layers", "length", "start", "regular"),
            Identity(),
            r"The overlap with the base, which stays at $x^0$.",
        ),
        Step(
            "half-chord",
            equal(Dot(two - e, two - e) / 2, 1 - Dot(two, e)),
            ("unit", "start"),
            Identity(),
            r"Half the squared chord.",
        ),
        Step(
            "pointwise",
            equal(LimitOf(_OVERLAP, inverse), _LIMIT),
            (),
            PowerSeries(order=4),
            r"As $\eta\to\infty$: $\operatorname{sgn}\langle b,a\rangle\operatorname{sgn}\langle "
            r"b,e\rangle\langle N(a),e\rangle$.",
        ),
        Step(
            "component-bound",
            at_most(Dot(two, e) ** 2, Dot(two, two) * Dot(e, e)),
            (),
            Apply("lemma/cauchy-schwarz#squares", {textbook.X: two, textbook.Y: e}),
            r"Cauchy-Schwarz:",
        ),
        Step(
            "overlap-square",
            equal(Dot(two, e) ** 2, _OVERLAP**2),
            ("overlap-two", "regular-square"),
            Identity(),
            r"the square of the overlap",
        ),
        Step(
            "component-bound-one",
            at_most(Dot(two, e) ** 2, 1),
            ("component-bound", "unit", "start"),
            Entails(degree=1),
            r"for unit vectors,",
        ),
        Step(
            "bounded",
            at_most(_OVERLAP**2, 1),
            ("component-bound-one", "overlap-square", "regular-square"),
            Entails(degree=2),
            r"is at most one.",
        ),
        Step(
            "in-the-mean",
            equal(LimitOf(Expect(_OVERLAP), inverse), Expect(_LIMIT)),
            ("pointwise", "bounded"),
            Dominated((v,)),
            r"The mean over $b$, by dominated convergence.",
        ),
        Step(
            "direction",
            equal(_LIMIT, sp.cos(angle) * _SIGNS),
            ("angle", "start", "regular-limit"),
            Identity(),
            r"With the angle between $a$ and $x^0$.",
        ),
        Step(
            "direction-mean",
            equal(Expect(_LIMIT), sp.cos(angle) * Expect(_SIGNS)),
            ("direction",),
            Mean((v,)),
            r"Only the signs depend on $b$.",
        ),
        Step(
            "signs",
            equal(Expect(_SIGNS), 1 - 2 * angle / sp.pi),
            ("angle", "angle-low", "angle-high"),
            Textbook(SHEPPARD, {_g: v, _a: u, _b: e}),
            r"They agree with the probability $1-\angle/\pi$.",
        ),
        Step(
            "profile",
            equal(conditional, _PROFILE),
            ("conditional", "in-the-mean", "direction-mean", "signs"),
            Identity(),
            r"The overlap given the direction of $a$, $\tfrac2\pi z\arcsin z$ with $z=\cos\angle$.",
        ),
        Step(
            "uniform",
            equal(Expect(conditional), sp.Integral(_PROFILE / sp.pi, (angle, 0, sp.pi))),
            ("profile", "plane"),
            Textbook(UNIFORM),
            r"The direction of $a$ is uniform.",
        ),
        Step(
            "integral",
            equal(sp.Integral(_PROFILE / sp.pi, (angle, 0, sp.pi)), 4 / sp.pi**2),
            (),
            Antiderivative(((1 - 2 * angle / sp.pi) * sp.sin(angle) - 2 * sp.cos(angle) / sp.pi) / sp.pi),
            r"An elementary integral.",
        ),
        Step(
            "mean-overlap",
            equal(s.mean_overlap, 4 / sp.pi**2),
            ("overlap", "uniform", "integral"),
            Identity(),
            r"The mean overlap does not vanish.",
        ),
        Step(
            "below",
            below(claims.SUPERCRITICAL_LEVEL.expr, sp.Rational(3, 5)),
            ("mean-overlap",),
            Entails(degree=3),
            r"The level is $1-4/\pi^2<3/5$,",
        ),
        Step(
            "law",
            both(
                equal(Dot(two - e, two - e) / 2, 1 - Dot(two, e)),
                below(claims.SUPERCRITICAL_LEVEL.expr, sp.Rational(3, 5)),
            ),
            ("half-chord", "below"),
            Together(),
            r"and not 1.",
        ),
    ),
    remark=(
        r"The instance: $d=2$, $V=0$, two layers, one adapter $\eta ab^\top$ for both. The mean over the length "
        r"of $a$ is "
        r"immaterial: the limit depends on its direction alone. "
        r"The outer mean over the direction of $a$ is that of the limit, by bounded convergence."
    ),
)
DERIVATIONS = (TIED,)
