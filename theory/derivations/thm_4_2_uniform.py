"""thm-4.2/supercritical: huge independent adapters make the direction of a token uniform."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V, m, x
from theory.derivations.thm_4_2_model import ADAPTERS, GAUSS, LAYER, U, W, after, e, length
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
    identity,
    matrix,
    scalar,
    vector,
)
from theory.kernel.rules import Apply, Definition, Entails, Identity, PowerSeries, Textbook
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.limits import Dominated, Sandwich
from theory.kernel.rules.random_matrices import Mean, Past, Rotated
from theory.kernel.step import Derivation, Step

base, test, other = vector("t42_base", "x"), vector("t42_uniform_u", "u"), vector("t42_uniform_z", "z_j")
y, w = vector("t42_y_vector", "y"), vector("t42_w_vector", "w")
inverse = scalar("t42_inverse", r"\eta^{-1}", positive=True)
Q, Q_j = matrix("t42_Q", "Q"), matrix("t42_Q_j", "Q_j")
reach = scalar("t42_reach", r"(1+h\|V\|)", positive=True)
parts_of = family("t42_parts", "p")
limit_value = scalar("t42_limit_value", "k")
uniform, error = scalar("t42_uniform", r"\langle N(Gx),u\rangle"), scalar("t42_error", r"\epsilon")
moved, bound = scalar("t42_moved", r"\langle\tilde x,u\rangle"), scalar("t42_bound", r"\epsilon_0")
_n, _w, _s = scalar("t42_n_y", "|y|"), scalar("t42_n_w", "|w|"), scalar("t42_n_s", "|y+w|")
_a, _b = scalar("t42_a_y", r"\langle y,u\rangle"), scalar("t42_b_w", r"\langle w,u\rangle")
_D = scalar("t42_shift", "D")


def _cauchy(name: str, left: Any, right: Any, why: str) -> Step:
    return Step(
        name,
        at_most(Dot(left, right) ** 2, Dot(left, left) * Dot(right, right)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: left, textbook.Y: right}),
        why,
    )


_SHIFT = Dot(y + w, test) / length(y + w) - Dot(y, test) / length(y)
_SHIFT_BOUND = 4 * length(w) / (length(w) + length(y))
SHIFT = Derivation(
    claim="lemma/direction-shift",
    title="How far the direction of y moves when w is added",
    states=both(at_most(-_SHIFT_BOUND, _SHIFT), at_most(_SHIFT, _SHIFT_BOUND)),
    setting={
        "unit": equal(Dot(test, test), 1),
        "regular": both(below(0, length(y)), below(0, length(y + w))),
    },
    steps=(
        Step(
            "names",
            both(
                equal(_n, length(y)),
                equal(_w, length(w)),
                equal(_s, length(y + w)),
                equal(_a, Dot(y, test)),
                equal(_b, Dot(w, test)),
            ),
            (),
            Definition(),
            r"Lengths and parts along $u$.",
        ),
        _cauchy("cauchy", y, w, r"Cauchy-Schwarz,"),
        _cauchy("cauchy-w", w, test, r"for the part of $w$,"),
        _cauchy("cauchy-y", y, test, r"that of $y$,"),
        _cauchy("cauchy-s", y + w, test, r"and that of the sum."),
        Step(
            "signs",
            both(below(0, _n), below(0, _s), at_most(0, _w)),
            ("names", "regular"),
            Entails(degree=1),
            r"Lengths.",
        ),
        Step(
            "squares",
            both(
                at_most((_s**2 - _n**2 - _w**2) ** 2, 4 * _n**2 * _w**2),
                at_most(_b**2, _w**2),
                at_most(_a**2, _n**2),
                at_most((_a + _b) ** 2, _s**2),
            ),
            ("cauchy", "cauchy-w", "cauchy-y", "cauchy-s", "names", "unit"),
            Entails(degree=1),
            r"In these names.",
        ),
        Step(
            "parts",
            both(
                at_most(-_w, _b), at_most(_b, _w), at_most(-_n, _a), at_most(_a, _n), at_most(-_s, _a + _b),
                at_most(_a + _b, _s),
            ),
            ("squares", "signs"),
            Entails(degree=3),
            r"Roots.",
        ),
        Step(
            "triangle",
            both(at_most(_s, _n + _w), at_most(_n, _s + _w)),
            ("squares", "signs"),
            Entails(degree=4),
            r"The triangle inequality.",
        ),
        Step("shift", equal(_D, (_a + _b) / _s - _a / _n), (), Definition(), r"How far the part along $u$ moves."),
        Step(
            "near",
            both(at_most(-2 * _w, _D * _n), at_most(_D * _n, 2 * _w)),
            ("shift", "parts", "triangle", "signs"),
            Entails(degree=3),
            r"$D|y|=\langle w,u\rangle+\langle N(y+w),u\rangle(|y|-|y+w|)$.",
        ),
        Step(
            "far",
            both(at_most(-2, _D), at_most(_D, 2)),
            ("shift", "parts", "signs"),
            Entails(degree=3),
            r"Both are at most 1.",
        ),
        Step(
            "together",
            both(at_most(-4 * _w / (_w + _n), _D), at_most(_D, 4 * _w / (_w + _n))),
            ("near", "far", "signs"),
            Entails(degree=2),
            r"$D(|w|+|y|)\le2|w|+2|w|$.",
        ),
        Step(
            "bound",
            both(at_most(-_SHIFT_BOUND, _SHIFT), at_most(_SHIFT, _SHIFT_BOUND)),
            ("together", "names", "shift", "regular"),
            Entails(degree=1),
            r"Written out.",
        ),
    ),
)

_kick, _pull = s.h / inverse * GAUSS * x, x + s.h * V * x


def _overlap(v: Any) -> Any:
    """The overlap with v of the token after the layer."""
    return Dot(_kick + _pull, v) / length(_kick + _pull)


def _uniform(v: Any) -> Any:
    """The overlap with v of the direction of ``G x``."""
    return Dot(GAUSS * x, v) / length(GAUSS * x)


def _error(v: Any) -> Any:
    return 4 * inverse * reach / (inverse * reach + s.h * length(GAUSS * v))


_BOUND = 4 * length(_pull) / (length(_pull) + length(_kick))
_RANDOM = (U, W)
_HALF_CHORD = Dot(base - after, base - after) / 2
_SECOND = Expect(_uniform(test) ** 2)
_MEAN_ERROR = Expect(_error(e))
_TOTAL = Past(Expect(Dot(after, test)))
_TOTAL_SECOND = Past(Expect(Dot(after, test) ** 2))

ONE_LAYER = (
    Step(
        "layer",
        equal(Dot(after, test), _overlap(test)),
        (
            "single-head", "attention-only", "post-ln", "gaussian-adapters", "zero-mean-adapters", "collapsed-base",
            "scale", "regular",
        ),
        Identity(),
        r"The last layer.",
    ),
    Step(
        "shift",
        both(
            at_most(-_BOUND, Dot(_kick + _pull, test) / length(_kick + _pull) - Dot(_kick, test) / length(_kick)),
            at_most(Dot(_kick + _pull, test) / length(_kick + _pull) - Dot(_kick, test) / length(_kick), _BOUND),
        ),
        ("test", "regular-kick", "regular"),
        Apply("lemma/direction-shift", {y: _kick, w: _pull}),
        r"How far the direction is from that of $h\Delta Vx$.",
    ),
    Step(
        "operator",
        at_most(Norm(V * x), Norm(V) * Norm(x)),
        (),
        Textbook(textbook.OPERATOR_NORM, {textbook.M: V, textbook.X: x}),
        r"The operator norm.",
    ),
    Step(
        "triangle",
        at_most(Dot(x, V * x) ** 2, Dot(x, x) * Dot(V * x, V * x)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: x, textbook.Y: V * x}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "operator-square",
        at_most(Dot(V * x, V * x), Norm(V) ** 2),
        ("operator", "unit"),
        Entails(degree=3),
        r"For a unit vector.",
    ),
    Step(
        "pull-along",
        at_most(Dot(x, V * x), Norm(V)),
        ("operator-square", "triangle", "unit"),
        Entails(degree=3),
        r"Roots.",
    ),
    Step(
        "pull-square",
        at_most(Dot(_pull, _pull), reach**2),
        ("operator-square", "pull-along", "reach-is", "unit"),
        Entails(degree=3),
        r"$|x+hVx|^2\le(1+h\|V\|)^2$.",
    ),
    Step(
        "pull-length",
        at_most(length(_pull), reach),
        ("pull-square",),
        Entails(degree=2),
        r"What the base adds has length at most $1+h\|V\|$.",
    ),
    Step(
        "kick-length",
        equal(length(_kick), s.h / inverse * length(GAUSS * x)),
        ("regular-kick", "full"),
        Squeeze(degree=3),
        r"What the adapter adds.",
    ),
    Step(
        "kick-direction",
        equal(uniform, _uniform(test)),
        ("names", "kick-length", "regular-kick", "full"),
        Identity(),
        r"Its direction does not depend on $\eta$.",
    ),
    Step(
        "error",
        at_most(_BOUND, _error(x)),
        ("pull-length", "kick-length", "full", "regular-kick"),
        Entails(degree=3),
        r"The bound grows with the length of what the base adds.",
    ),
    Step(
        "shift-named",
        both(at_most(-bound, moved - uniform), at_most(moved - uniform, bound)),
        ("shift", "names", "regular", "regular-kick"),
        Entails(degree=1),
        r"The same in these names.",
    ),
    Step(
        "error-named",
        at_most(bound, error),
        ("error", "names", "regular-kick", "error-is", "full"),
        Entails(degree=1),
        r"So is the bound.",
    ),
    Step(
        "layer-named",
        equal(Dot(after, test), moved),
        ("layer", "names", "regular"),
        Identity(),
        r"And the token.",
    ),
    Step(
        "close-low",
        at_most(uniform - error, Dot(after, test)),
        ("layer-named", "shift-named", "error-named"),
        Entails(degree=1),
        r"So close is the token to a direction that does not depend on $\eta$,",
    ),
    Step(
        "close-high",
        at_most(Dot(after, test), uniform + error),
        ("layer-named", "shift-named", "error-named"),
        Entails(degree=1),
        r"on both sides.",
    ),
)
MEANS = (
    Step(
        "mean-low",
        at_most(Expect(uniform) - Expect(error), Expect(Dot(after, test))),
        ("close-low",),
        Mean((*_RANDOM, after, uniform, error)),
        r"In the mean over this layer's adapter, from below",
    ),
    Step(
        "mean-high",
        at_most(Expect(Dot(after, test)), Expect(uniform) + Expect(error)),
        ("close-high",),
        Mean((*_RANDOM, after, uniform, error)),
        r"and from above.",
    ),
    Step(
        "mirror",
        equal(Expect(_uniform(test)), Expect(-_uniform(test))),
        (),
        Rotated((U,), -identity),
        r"$-G$ has the law of $G$:",
    ),
    Step(
        "mirror-mean",
        equal(Expect(-_uniform(test)), -Expect(_uniform(test))),
        (),
        Mean(_RANDOM, pointwise=False),
        r"the mean is its own negative,",
    ),
    Step(
        "no-mean",
        equal(Expect(_uniform(test)), 0),
        ("mirror", "mirror-mean"),
        Identity(),
        r"and vanishes.",
    ),
    Step(
        "same-error",
        equal(Expect(_error(e)), Expect(_error(x))),
        ("rotation",),
        Rotated(_RANDOM, Q),
        r"The error has the same law wherever the token is.",
    ),
    Step(
        "uniform-mean",
        equal(Expect(uniform), Expect(_uniform(test))),
        ("kick-direction",),
        Mean((*_RANDOM, uniform)),
        r"In these names,",
    ),
    Step(
        "error-mean",
        equal(Expect(error), Expect(_error(x))),
        ("error-is",),
        Mean(_RANDOM, pointwise=False),
        r"and that of the error.",
    ),
    Step(
        "past-low",
        at_most(-_MEAN_ERROR, Expect(Dot(after, test))),
        ("mean-low", "no-mean", "same-error", "uniform-mean", "error-mean"),
        Entails(degree=1),
        r"Whatever the layers before did, the mean overlap is small:",
    ),
    Step(
        "past-high",
        at_most(Expect(Dot(after, test)), _MEAN_ERROR),
        ("mean-high", "no-mean", "same-error", "uniform-mean", "error-mean"),
        Entails(degree=1),
        r"at most the mean of the error in modulus.",
    ),
    Step("total-low", at_most(-_MEAN_ERROR, _TOTAL), ("past-low",), Mean((x, after), Past), r"Averaged over them,"),
    Step("total-high", at_most(_TOTAL, _MEAN_ERROR), ("past-high",), Mean((x, after), Past), r"too."),
    Step(
        "error-limit",
        equal(LimitOf(_error(e), inverse), 0),
        ("full-start",),
        PowerSeries(order=3),
        r"Surely the error vanishes as $\eta\to\infty$,",
    ),
    Step(
        "error-bounded",
        at_most(_error(e) ** 2, 16),
        ("full-start",),
        Entails(degree=4),
        r"and it is bounded,",
    ),
    Step(
        "mean-error-limit",
        equal(LimitOf(_MEAN_ERROR, inverse), Expect(sp.Integer(0))),
        ("error-limit", "error-bounded"),
        Dominated(_RANDOM),
        r"so that its mean vanishes.",
    ),
    Step(
        "errors-limit",
        both(equal(LimitOf(-_MEAN_ERROR, inverse), 0), equal(LimitOf(_MEAN_ERROR, inverse), 0)),
        ("mean-error-limit",),
        Identity(),
        r"On both sides.",
    ),
    Step(
        "overlap-limit",
        equal(LimitOf(_TOTAL, inverse), 0),
        ("total-low", "total-high", "errors-limit"),
        Sandwich(),
        r"The mean overlap with any unit vector vanishes.",
    ),
)
SQUARES = (
    Step(
        "cauchy-kick",
        at_most(Dot(_kick, test) ** 2, Dot(_kick, _kick) * Dot(test, test)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: _kick, textbook.Y: test}),
        r"Cauchy-Schwarz,",
    ),
    Step(
        "cauchy-moved",
        at_most(Dot(_kick + _pull, test) ** 2, Dot(_kick + _pull, _kick + _pull) * Dot(test, test)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: _kick + _pull, textbook.Y: test}),
        r"twice.",
    ),
    Step(
        "kick-below-one",
        both(at_most(-1, uniform), at_most(uniform, 1)),
        ("cauchy-kick", "names", "test", "regular-kick"),
        Entails(degree=4),
        r"Overlaps are at most 1 in modulus.",
    ),
    Step(
        "moved-below-one",
        both(at_most(-1, moved), at_most(moved, 1)),
        ("cauchy-moved", "names", "test", "regular"),
        Entails(degree=4),
        r"Overlaps are at most 1 in modulus.",
    ),
)
LEMMAS: tuple[Derivation, ...] = (SHIFT,)
SUPERCRITICAL = Derivation(
    claim="thm-4.2/supercritical",
    setting={
        "unit": equal(Dot(x, x), 1),
        "start": equal(Dot(e, e), 1),
        "test": equal(Dot(test, test), 1),
        "scale": equal(s.eta, 1 / inverse),
        "regular": below(0, length(_kick + _pull)),
        "regular-kick": below(0, length(_kick)),
        "full": below(0, length(GAUSS * x)),
        "full-start": below(0, length(GAUSS * e)),
        "names": both(
            equal(moved, _overlap(test)), equal(uniform, Dot(_kick, test) / length(_kick)), equal(bound, _BOUND)
        ),
        "error-is": equal(error, _error(x)),
        "reach-is": equal(reach, 1 + s.h * Norm(V)),
        "rotation": both(equal(Q.T * Q, identity), equal(Q.T * e, x)),
    },
    assumptions={**LAYER, **ADAPTERS, "collapsed-base": equal(m, x)},
    steps=(*ONE_LAYER, *MEANS, *SQUARES),
)
DERIVATIONS: tuple[Derivation, ...] = (SUPERCRITICAL,)
