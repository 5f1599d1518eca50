"""thm-4.6/random-safe: the full model leaves the well of u1, by symmetry and Doeblin's condition."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import ATTENTION_ONLY, V, attention, drive, m, u1, x
from theory.derivations.thm_4_6_density import (
    DENSITY,
    EVENT,
    FLOOR,
    TOP,
    after,
    centre,
    density,
    density_past,
    given,
    jump,
    left,
    norm,
    point,
    rate,
    share,
    spread,
    wide,
)
from theory.derivations.thm_4_6_model import dV
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Definition, Entails, Evaluate, Identity, Monotone, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.chains import Minorised, OneLaw, SameLaw
from theory.kernel.rules.expectation import Linearity
from theory.kernel.step import Derivation, Step

mirror, mirror_after = vector("p46_mirror", r"\bar x"), vector("p46_mirror_next", r"\bar x^{l+1}")
start, base_start = vector("p46_x_start", "x^0"), vector("p46_base_start", r"x^0_{\mathrm{base}}")
length = scalar("p46_length", "|y|", positive=True)
overlap, mirror_overlap = scalar("p46_overlap", r"o"), scalar("p46_mirror_overlap", r"\bar o")
chord = scalar("p46_chord_square", r"|x^L-u_1|^2")
drift = scalar("p46_chord", r"\mathbb E|x^L-u_1|^2")
_common = scalar("p46_common_any", r"\varepsilon")
_o1, _o2 = scalar("p46_o1", "o_1"), scalar("p46_o2", "o_2")
_x1, _y1 = vector("p46_state1", "x_1"), vector("p46_state1_next", r"x_1^{+}")
_x2, _y2 = vector("p46_state2", "x_2"), vector("p46_state2_next", r"x_2^{+}")
_axis = vector("p46_axis_any", "e")
_POWER = sp.exp(s.L * sp.log(rate))


def _layer(state: Any, following: Any) -> sp.Equality:
    return equal(following, jump(state) / Norm(jump(state)))


DOEBLIN = Theorem(
    "Doeblin's condition",
    at_most(sp.Abs(Expect(_o1) - Expect(_o2)), 2 * _POWER),
    "S. Meyn, R. L. Tweedie, Markov Chains and Stochastic Stability, 2nd ed., Cambridge 2009, Thm. 16.2.4; "
    "R. L. Dobrushin, Theory Probab. Appl. 1 (1956) 65-80",
    (
        SameLaw(_x1, _y1, _x2, _y2),
        Minorised(_x1, _y1, _common),
        equal(rate, 1 - _common),
        below(rate, 1),
        below(0, rate),
        equal(Dot(_x1, _x1), 1),
        equal(Dot(_axis, _axis), 1),
        equal(_o1, Dot(_x1, _axis)),
        equal(_o2, Dot(_x2, _axis)),
    ),
)
"""Two chains of unit vectors with the same transition law, after L steps from any starts: the means of a coordinate
(or of any other function of modulus at most 1) differ by at most ``2 q^L``."""

_MEETS = (
    Step(
        "symmetric-base-met",
        equal(V.T, V),
        ("matrix",),
        Evaluate(),
        r"$V=\operatorname{diag}(1,0)$ is symmetric.",
    ),
    Step(
        "gap-met",
        below(s.lambda_2, s.lambda_1),
        ("spectrum",),
        Evaluate(),
        r"Its gap is $1$.",
    ),
    Step(
        "start-met",
        equal(start, base_start),
        ("start",),
        Identity(),
        r"Both models start at $u_1$.",
    ),
    Step(
        "projector",
        equal(V, u1 * u1.T),
        ("matrix", "axis"),
        Evaluate(),
        r"$V$ is the projector on $u_1$.",
    ),
    Step("axis-unit", equal(Dot(u1, u1), 1), ("axis",), Evaluate(), r"$u_1$ is a unit vector."),
)

_CHAIN = (
    Step(
        "length",
        below(0, Norm(jump(x))),
        ("single-head", "post-ln", "attention-only", "collapsed-base"),
        Entails(degree=1),
        r"The token does not vanish.",
    ),
    Step(
        "layer",
        _layer(x, after),
        ("single-head", "post-ln", "attention-only", "collapsed-base", "length"),
        Identity(),
        r"One layer,",
    ),
    Step("mirror", equal(mirror, -x), (), Definition(), r"The mirror image of the token,"),
    Step("mirror-after", equal(mirror_after, -after), (), Definition(), r"and after the layer."),
    Step(
        "mirror-layer",
        _layer(mirror, mirror_after),
        ("mirror", "mirror-after", "layer", "length"),
        Identity(),
        r"It is a token of the same model, with the same adapters, started at $-u_1$.",
    ),
    Step(
        "same-law",
        SameLaw(x, after, mirror, mirror_after),
        ("layer", "mirror-layer"),
        OneLaw(),
        r"Both follow the same law.",
    ),
)
_DEPTH = (
    Step("exponent-negative", at_most(-2 * TOP / FLOOR, 0), (), Evaluate(), r"A negative exponent."),
    Step(
        "share-bound",
        at_most(sp.exp(-2 * TOP / FLOOR), 1),
        ("exponent-negative",),
        Monotone(sp.exp),
        r"The exponential is at most $1$.",
    ),
    Step(
        "share-half",
        at_most(share, sp.Rational(1, 2)),
        ("share", "share-bound"),
        Entails(degree=1),
        r"$c\le\tfrac12$.",
    ),
    Step(
        "rate-positive",
        below(0, rate),
        ("rate", "share-half"),
        Entails(degree=1),
        r"And it is no projection.",
    ),
    Step("log-negative", below(sp.log(rate), 0), ("rate-below-one", "rate-positive"), Monotone(sp.log), r"$q<1$."),
    Step(
        "deep-exponent",
        at_most(s.L * sp.log(rate), sp.log(sp.Rational(1, 2))),
        ("deep", "log-negative"),
        Entails(degree=2),
        r"Deep enough.",
    ),
    Step("deep-power", at_most(_POWER, sp.Rational(1, 2)), ("deep-exponent",), Monotone(sp.exp), r"$q^L\le\tfrac12$."),
)

_DRIFT = (
    Step("overlap", equal(overlap, Dot(x, u1)), (), Definition(), r"The overlap of the token with $u_1$,"),
    Step("mirror-overlap", equal(mirror_overlap, Dot(mirror, u1)), (), Definition(), r"and of its mirror image."),
    Step(
        "odd",
        equal(mirror_overlap, -overlap),
        ("overlap", "mirror-overlap", "mirror"),
        Identity(),
        r"They are opposite,",
    ),
    Step(
        "odd-mean",
        equal(Expect(mirror_overlap), -Expect(overlap)),
        ("odd",),
        Linearity((overlap,)),
        r"and so are their means.",
    ),
    Step(
        "coupling",
        at_most(sp.Abs(Expect(overlap) - Expect(mirror_overlap)), 2 * _POWER),
        (
            "same-law",
            "minorised",
            "rate",
            "rate-below-one",
            "rate-positive",
            "unit",
            "axis-unit",
            "overlap",
            "mirror-overlap",
        ),
        Textbook(
            DOEBLIN,
            {
                _o1: overlap,
                _o2: mirror_overlap,
                _x1: x,
                _y1: after,
                _x2: mirror,
                _y2: mirror_after,
                _axis: u1,
                _common: share / 12,
            },
        ),
        r"But the model forgets where it started.",
    ),
    Step(
        "mean-bound",
        at_most(Expect(overlap), sp.Rational(1, 2)),
        ("coupling", "odd-mean", "deep-power"),
        Entails(degree=1),
        r"Half of the way to the mean $0$.",
    ),
    Step("chord-square", equal(chord, Dot(x - u1, x - u1)), (), Definition(), r"The drift of the token,"),
    Step(
        "chord",
        equal(chord, 2 - 2 * overlap),
        ("chord-square", "unit", "axis-unit", "overlap"),
        Identity(),
        r"in terms of the overlap,",
    ),
    Step("drift", equal(drift, Expect(chord)), (), Definition(), r"and its mean square."),
    Step(
        "mean-drift",
        equal(drift, 2 - 2 * Expect(overlap)),
        ("drift", "chord"),
        Linearity((overlap,)),
        r"So the mean square drift is $2-2\,\mathbb E\langle x,u_1\rangle$.",
    ),
    Step(
        "stationary",
        equal(claims.STATIONARY_DRIFT_SQUARED.expr, sp.Rational(5, 21)),
        ("spectrum", "step", "size", "dimension", "sigma"),
        Evaluate(),
        r"The linearised drift stays below $r^2=5/21$ at every depth.",
    ),
    Step(
        "exceeds",
        below(claims.STATIONARY_DRIFT_SQUARED.expr, drift),
        ("stationary", "mean-drift", "mean-bound"),
        Entails(degree=1),
        r"The drift of the full model is at least $1$.",
    ),
)

RANDOM_SAFE = Derivation(
    claim="thm-4.6/random-safe",
    setting={
        "matrix": equal(V, sp.ImmutableMatrix([[1, 0], [0, 0]])),
        "axis": equal(u1, sp.ImmutableMatrix([1, 0])),
        "spectrum": both(equal(s.lambda_1, 1), equal(s.lambda_2, 0), equal(s.other_eigenvalues[s.j], 0)),
        "dimension": equal(s.d, 2),
        "step": equal(s.h, sp.Rational(1, 10)),
        "size": both(equal(s.eta, 2 * sp.sqrt(5)), equal(s.s_norm, 1)),
        "sigma": equal(s.sigma, sp.sqrt(s.h) * s.eta * s.s_norm / s.d),
        "start": both(equal(start, u1), equal(base_start, u1)),
        "unit": equal(Dot(x, x), 1),
        "spread": equal(spread, (s.h * s.eta * s.s_norm * Dot(given, x)) ** 2),
        "on-event": at_most(Dot(x, x) / (2 * s.d), Dot(given, x) ** 2),
        "wide": equal(wide, 2 * norm * sp.exp(-2 * Dot(point, point) / spread)),
        "share": equal(share, sp.exp(-2 * TOP / FLOOR) / 2),
        "rate": equal(rate, 1 - share / 12),
        "deep": at_most(sp.log(sp.Rational(1, 2)) / sp.log(rate), s.L),
    },
    assumptions={
        "single-head": equal(attention, (V + dV) * m),
        "attention-only": ATTENTION_ONLY,
        "post-ln": both(equal(after, (x + s.h * drive) / length), equal(Norm(x + s.h * drive), length)),
        "collapsed-base": equal(m, x),
        "gaussian-adapters": equal(dV, s.eta * s.s_norm * left * given.T),
        "zero-mean-adapters": equal(centre, x + s.h * V * x),
        "independent-adapters": equal(density_past, density),
    },
    meets={
        "symmetric-base": "symmetric-base-met",
        "spectral-gap": "gap-met",
        "common-start": "start-met",
    },
    remark=(
        r"Shown for $d=2$, $V=\operatorname{diag}(1,0)$, $h=\tfrac1{10}$, $\sigma^2=\tfrac12$, adapters of rank one: "
        r"$\mathbb E|x^L-u_1|^2\ge1>\tfrac5{21}$ at every depth $L\ge\log\tfrac12/\log q$, an astronomical number; "
        r"the rate of the escape is not derived. $a$, $b$ are $N(0,I/2)$, $\beta$ is the value of $b$; $P$ is the "
        r"probability of $\langle b,x\rangle^2\ge\tfrac14$, the same from every $x$. "
        r"The bound of the density (step minor) is for any unit vector $x$. The drift is measured by "
        r"$\mathbb E|x-u_1|^2\le\mathbb E\tan^2$."
    ),
    steps=(*_MEETS, *_CHAIN, *DENSITY, *EVENT, *_DEPTH, *_DRIFT),
)

DERIVATIONS: tuple[Derivation, ...] = (RANDOM_SAFE,)
