"""Derivations of thm-4.2/supercritical and of the counterexample with tied adapters."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import textbook
from theory.derivations.model import ATTENTION_ONLY, V, attention, drive, m, x
from theory.derivations.thm_4_2_model import ADAPTERS, GAUSS, RANDOM, U, after, dV
from theory.derivations.thm_4_2_recursion import u_j
from theory.derivations.thm_4_2_variance import Q
from theory.kernel.notation import Dot, Expect, LimitOf, Norm, at_most, below, both, equal, identity, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, PowerSeries, Termwise, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.limits import Dominated
from theory.kernel.rules.random_matrices import Mean, Past, Rotated
from theory.kernel.step import Derivation, Step

_past: Any = Past

inverse = scalar("p42_inverse", r"\eta^{-1}", positive=True)
step_length = scalar("p42_step_length", r"|x_i+hg_i|", positive=True)
kept, gaussian = vector("p42_kept", "c"), vector("p42_gaussian", "g")
direction, u_k = vector("p42_direction", r"N(g)"), vector("p42_u_k", "u_k")
base, base_i = vector("p42_base", "x^L"), vector("p42_base_i", "x_i^L")
w2_square = scalar("p42_w2_square", r"\mathbb E\,W_2^2")
share = scalar("p42_share", r"\mathbb E\langle N(g),u\rangle^2")
_random_vector = vector("p42_any_vector", "y")

_MOVED = inverse * kept + s.h * gaussian
_SQUARE = inverse**2 * Dot(kept, kept) + 2 * inverse * s.h * Dot(kept, gaussian) + s.h**2 * Dot(gaussian, gaussian)


def _along(f: sp.MatrixExpr) -> sp.Expr:
    return (inverse * Dot(kept, f) + s.h * Dot(gaussian, f)) / sp.sqrt(_SQUARE)


def _limit(f: sp.MatrixExpr) -> sp.Expr:
    return Dot(gaussian, f) / sp.sqrt(Dot(gaussian, gaussian))


PARSEVAL = Theorem(
    "Parseval's identity in the mean",
    equal(sp.Sum(Expect(Dot(_random_vector, u_j) ** 2), (s.j, 1, s.d)), Expect(Dot(_random_vector, _random_vector))),
    "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, §0.6 (orthonormal bases)",
    (equal(Dot(u_j, u_j), 1), equal(Dot(u_j, u_k), 0)),
)
"""The vectors ``u_j``, j = 1..d, are orthonormal; k is any index other than j."""

_HALF_CHORD = Dot(after - base_i, after - base_i) / 2

SUPERCRITICAL = Derivation(
    claim="thm-4.2/supercritical",
    setting={
        "small": equal(s.eta, 1 / inverse),
        "kept": equal(kept, x + s.h * V * m),
        "gaussian": equal(gaussian, GAUSS * m),
        "direction": equal(direction, gaussian / sp.sqrt(Dot(gaussian, gaussian))),
        "regular": below(0, sp.sqrt(_SQUARE)),
        "regular-square": below(0, _SQUARE),
        "regular-limit": both(below(0, Dot(gaussian, gaussian)), below(0, sp.sqrt(Dot(gaussian, gaussian)))),
        "basis": both(equal(Dot(u_j, u_j), 1), equal(Dot(u_j, u_k), 0)),
        "unit": equal(Dot(base, base), 1),
        "rotation": both(equal(Q.T * Q, identity), equal(Q.T * base, u_j)),
        "cost": equal(w2_square, Past(Expect(Dot(after - base_i, after - base_i)))),
    },
    assumptions={
        "single-head": equal(attention, (V + dV) * m),
        "attention-only": ATTENTION_ONLY,
        "post-ln": both(equal(after, (x + s.h * drive) / step_length), equal(Norm(x + s.h * drive), step_length)),
        **ADAPTERS,
        "independent-adapters": equal(s.mean_overlap, Past(Expect(Dot(after, base)))),
        "collapsed-base": equal(base_i, base),
    },
    steps=(
        Step(
            "before-normalising",
            equal(after, _MOVED / (inverse * step_length)),
            (
                "single-head",
                "attention-only",
                "post-ln",
                "gaussian-adapters",
                "zero-mean-adapters",
                "small",
                "kept",
                "gaussian",
            ),
            Identity(),
            r"The last layer: the direction of $c/\eta+hg$, with $c=x+hVm$ and $g=Gm$.",
        ),
        Step("unit-after", equal(1, Dot(after, after)), ("post-ln",), Identity(), r"Tokens are normalised."),
        Step(
            "square",
            equal(_SQUARE, inverse**2 * step_length**2),
            ("before-normalising", "unit-after"),
            Identity(),
            r"So that its length",
        ),
        Step(
            "length",
            equal(sp.sqrt(_SQUARE), inverse * step_length),
            ("square",),
            Squeeze(degree=3),
            r"is this.",
        ),
        Step(
            "component",
            equal(Dot(after, base), _along(base)),
            ("before-normalising", "length", "regular"),
            Identity(),
            r"The component of the token along any vector $f$.",
        ),
        Step(
            "pointwise",
            equal(LimitOf(_along(base), inverse), _limit(base)),
            (),
            PowerSeries(order=3),
            r"As $\eta\to\infty$ the token goes to the direction of $g$, almost surely.",
        ),
        Step(
            "pointwise-square",
            equal(LimitOf(_along(base) ** 2, inverse), _limit(base) ** 2),
            (),
            PowerSeries(order=3),
            r"So does the square of a component.",
        ),
        Step(
            "component-bound",
            at_most(Dot(after, base) ** 2, Dot(after, after) * Dot(base, base)),
            (),
            Apply("lemma/cauchy-schwarz#squares", {textbook.X: after, textbook.Y: base}),
            r"Cauchy-Schwarz,",
        ),
        Step(
            "component-square",
            equal(Dot(after, base) ** 2, _along(base) ** 2),
            ("component", "regular-square"),
            Identity(),
            r"as tokens are unit vectors,",
        ),
        Step(
            "bounded",
            at_most(_along(base) ** 2, 1),
            ("component-bound", "component-square", "unit-after", "unit", "regular-square"),
            Entails(degree=2),
            r"no component exceeds 1,",
        ),
        Step(
            "bounded-square",
            at_most((_along(base) ** 2) ** 2, 1),
            ("bounded", "regular-square"),
            Entails(degree=3, squares=(inverse * Dot(kept, base) + s.h * Dot(gaussian, base),)),
            r"nor does its square.",
        ),
        Step(
            "in-the-mean",
            equal(LimitOf(Expect(_along(base)), inverse), Expect(_limit(base))),
            ("pointwise", "bounded"),
            Dominated(RANDOM),
            r"Dominated convergence.",
        ),
        Step(
            "no-overlap",
            equal(Expect(_limit(base)), Expect(-_limit(base))),
            ("gaussian",),
            Rotated((U,), -identity),
            r"The limit is symmetric:",
        ),
        Step(
            "negative",
            equal(Expect(-_limit(base)), -Expect(_limit(base))),
            (),
            Mean((gaussian,), pointwise=False),
            r"by linearity",
        ),
        Step(
            "overlap-limit",
            equal(LimitOf(Expect(_along(base)), inverse), 0),
            ("in-the-mean", "no-overlap", "negative"),
            Identity(),
            r"its mean is zero along every vector.",
        ),
        Step(
            "square-in-the-mean",
            equal(LimitOf(Expect(_along(base) ** 2), inverse), Expect(_limit(base) ** 2)),
            ("pointwise-square", "bounded-square"),
            Dominated(RANDOM),
            r"Dominated convergence again.",
        ),
        Step(
            "as-direction",
            equal(Dot(direction, base) ** 2, _limit(base) ** 2),
            ("direction", "regular-limit"),
            Identity(),
            r"In terms of the direction of $g$.",
        ),
        Step(
            "unit-direction",
            equal(Dot(direction, direction), 1),
            ("direction",),
            Identity(),
            r"Which is a unit vector.",
        ),
        Step(
            "squares-in-the-mean",
            equal(Expect(Dot(direction, base) ** 2), Expect(_limit(base) ** 2)),
            ("as-direction",),
            Mean((direction, gaussian)),
            r"In the mean.",
        ),
        Step(
            "length-in-the-mean",
            equal(Expect(Dot(direction, direction)), 1),
            ("unit-direction",),
            Mean((direction,)),
            r"It is a unit vector.",
        ),
        Step(
            "isotropy",
            equal(Expect(Dot(direction, base) ** 2), Expect(Dot(direction, u_j) ** 2)),
            ("direction", "gaussian", "rotation"),
            Rotated((U,), Q),
            r"Its components have the same mean square along all unit vectors;",
        ),
        Step("share", equal(share, Expect(Dot(direction, base) ** 2)), (), Definition(), r"call it $q$:"),
        Step(
            "every-share",
            equal(share, Expect(Dot(direction, u_j) ** 2)),
            ("share", "isotropy"),
            Identity(),
            r"the same for every vector of an orthonormal basis.",
        ),
        Step(
            "over-basis",
            equal(sp.Sum(share, (s.j, 1, s.d)), sp.Sum(Expect(Dot(direction, u_j) ** 2), (s.j, 1, s.d))),
            ("every-share",),
            Termwise(),
            r"Summed over the basis,",
        ),
        Step(
            "parseval",
            equal(sp.Sum(Expect(Dot(direction, u_j) ** 2), (s.j, 1, s.d)), Expect(Dot(direction, direction))),
            ("basis",),
            Textbook(PARSEVAL, {_random_vector: direction}),
            r"they give the mean square length:",
        ),
        Step(
            "one",
            equal(s.d * share, 1),
            ("over-basis", "parseval", "length-in-the-mean"),
            Identity(),
            r"$dq=1$.",
        ),
        Step(
            "second-moment",
            equal(LimitOf(Expect(_along(base) ** 2), inverse), claims.UNIFORM_SECOND_MOMENT.expr),
            ("square-in-the-mean", "squares-in-the-mean", "share", "one"),
            Identity(),
            r"As for a uniform direction.",
        ),
        Step(
            "half-chord",
            equal(_HALF_CHORD, 1 - Dot(after, base)),
            ("unit-after", "unit", "collapsed-base"),
            Identity(),
            r"Every token of the base is at $x^L$: whatever the coupling, the cost of a token is this.",
        ),
        Step(
            "half-chord-mean",
            equal(Expect(Dot(after - base_i, after - base_i)) / 2, 1 - Expect(Dot(after, base))),
            ("half-chord",),
            Mean((after,)),
            r"In the mean over the last adapter,",
        ),
        Step(
            "half-chord-past",
            equal(_past(Expect(Dot(after - base_i, after - base_i))) / 2, 1 - _past(Expect(Dot(after, base)))),
            ("half-chord-mean",),
            Mean((after, x, m), Past),
            r"over the layers before, and over the tokens.",
        ),
        Step(
            "level",
            equal(w2_square / 2, claims.SUPERCRITICAL_LEVEL.expr),
            ("half-chord-past", "cost", "independent-adapters"),
            Identity(),
            r"The level is one minus the mean overlap with the base token.",
        ),
        Step(
            "component-mean",
            equal(Expect(Dot(after, base)), Expect(_along(base))),
            ("component",),
            Mean((after, gaussian)),
            r"Which is, given the layers before, the mean of the component above.",
        ),
        Step(
            "law",
            both(
                equal(Expect(Dot(after, base)), Expect(_along(base))),
                equal(LimitOf(Expect(_along(base)), inverse), 0),
                equal(w2_square / 2, claims.SUPERCRITICAL_LEVEL.expr),
            ),
            ("component-mean", "overlap-limit", "level"),
            Together(),
            r"As $\eta\to\infty$ the overlap vanishes and the level is 1.",
        ),
    ),
    conditional=(
        r"Shown for one layer at given tokens: mean 0 and second moment $1/d$ of the limit direction. That "
        r"the earlier tokens themselves change with $\eta$ (so that $m_i$ must stay away from 0 in "
        r"probability) and uniformity as a law are not derived; exact as it stands for $L=1$."
    ),
    remark=(
        r"The limit is taken for the last layer, at given tokens $x_i$, $m_i\ne0$ before it, $\|s\|>0$; the mean "
        r"over them "
        r"comes last. That both start from the same tokens is not used."
    ),
)
DERIVATIONS = (SUPERCRITICAL,)
