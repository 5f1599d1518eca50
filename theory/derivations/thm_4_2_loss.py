"""How far one adapter turns a token: the loss of overlap is at most half the mean square of what the adapter adds."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.derivations.model import m
from theory.derivations.thm_4_2_model import GAUSS, VARIANCES, S, U, W, e, length, rank, shaped
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, equal, scalar
from theory.kernel.rules import Definition, Entails, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Cases
from theory.kernel.rules.random_matrices import MatrixWick, Mean
from theory.kernel.step import Derivation, Step

ell = scalar("p42_ell", r"\ell", positive=True)
Z, drawn = shaped("p42_Z", "Z", 1, 1), shaped("p42_beta", r"\beta", rank, 1)
base, power, slope = scalar("p42_power_base", "t"), scalar("p42_power", "p"), scalar("p42_slope", "c")
turn, half = scalar("p42_turn", "y"), scalar("p42_half", r"\tfrac{d-1}2")

_KICK = s.h * s.eta * GAUSS * m
_DRAWN = s.h * s.eta * S * W.T * m
_MOVED, _DRAWN_MOVED = ell * e + _KICK, ell * e + U * drawn
_SAME = _DRAWN_MOVED.xreplace({drawn: _DRAWN})
_RHO = Expect(Dot(_MOVED, e) / length(_MOVED))
_SQUARE = Dot(_DRAWN, _DRAWN) * Dot(Z, Z)
_SPREAD = sp.Max(0, 1 - turn)
_LAW = Expect(_SPREAD**half)

RESULTANT = Theorem(
    "mean resultant length of the projected normal law",
    equal(Expect(Dot(_DRAWN_MOVED, e) / length(_DRAWN_MOVED)), _LAW),
    "B. Presnell, P. Rumcheva, Statist. Probab. Lett. 78 (2008) 557-563, with NIST DLMF 13.4.1 (Kummer's function)",
    (
        equal(Dot(e, e), 1),
        at_most(2, s.d),
        equal(turn, Dot(drawn, drawn) * Dot(Z, Z) / (s.d * ell**2)),
        equal(half, (s.d - 1) / 2),
    ),
)
"""A has independent N(0, 1/d) entries, β is independent of A, Z an independent standard normal number."""
BERNOULLI = Theorem(
    "Bernoulli's inequality",
    at_most(1 + slope * (base - 1), base**power),
    "G. H. Hardy, J. E. Littlewood, G. Polya, Inequalities, Cambridge 1934, Thm. 42",
    (at_most(0, base), at_most(base, 1), at_most(1, slope), at_most(power, slope), below(0, power)),
)
"""``t^p >= t^c >= 1 + c(t - 1)`` for 0 <= t <= 1, 0 < p <= c and c >= 1."""

LOSS = Derivation(
    claim="lemma/one-layer-loss",
    title="The overlap that one adapter leaves",
    states=at_most(2 * (1 - _RHO) * ell**2, Expect(Dot(_KICK, _KICK))),
    setting={"unit": equal(Dot(e, e), 1), "dimension": at_most(2, s.d)},
    steps=(
        Step(
            "turn",
            equal(turn, _SQUARE / (s.d * ell**2)),
            (),
            Definition(),
            r"Given $B$ the adapter adds $A\beta$; $Z$ is a standard normal number independent of both.",
        ),
        Step("half", equal(half, (s.d - 1) / 2), (), Definition(), r"The exponent."),
        Step(
            "resultant",
            equal(Expect(Dot(_SAME, e) / length(_SAME)), _LAW),
            ("unit", "dimension", "turn", "half"),
            Textbook(RESULTANT, {drawn: _DRAWN}),
            r"The mean overlap with $e$ is $\mathbb E[(1-y)_+^{(d-1)/2}]$.",
        ),
        Step(
            "overlap",
            equal(_RHO, Expect(Dot(_SAME, e) / length(_SAME))),
            (),
            Mean((U, W), pointwise=False),
            r"This is the overlap at hand.",
        ),
        Step(
            "turn-sign",
            at_most(0, turn),
            ("turn",),
            Entails(degree=4, squares=(Norm(_DRAWN),)),
            r"$y\ge0$.",
        ),
        Step(
            "spread",
            at_most(_SPREAD, 1),
            ("turn-sign",),
            Cases((1 - turn,), degree=2),
            r"So that $(1-y)_+\le1$.",
        ),
        Step("slope", at_most(1, s.d / 2), ("dimension",), Entails(degree=1), r"In dimension two and more"),
        Step("power", at_most(half, s.d / 2), ("half",), Entails(degree=1), r"the exponent is at most $d/2\ge1$"),
        Step("power-sign", below(0, half), ("half", "dimension"), Entails(degree=1), r"and positive."),
        Step(
            "bernoulli",
            at_most(1 + s.d / 2 * (_SPREAD - 1), _SPREAD**half),
            ("spread", "slope", "power", "power-sign"),
            Textbook(BERNOULLI, {base: _SPREAD, slope: s.d / 2, power: half}),
            r"Bernoulli's inequality.",
        ),
        Step(
            "pointwise",
            at_most(1 - s.d / 2 * turn, _SPREAD**half),
            ("bernoulli",),
            Entails(degree=2),
            r"$(1-y)_+\ge1-y$.",
        ),
        Step(
            "in-the-mean",
            at_most(1 - Expect(_SQUARE) / (2 * ell**2), _LAW),
            ("pointwise", "turn"),
            Mean((W, Z, turn)),
            r"In the mean.",
        ),
        Step(
            "as-kick",
            equal(Expect(Dot(_KICK, _KICK)), Expect(_SQUARE)),
            (),
            MatrixWick({**VARIANCES, Z: sp.Integer(1)}),
            r"$\mathbb E|\beta|^2Z^2=\mathbb E|A\beta|^2$: the mean square of what the adapter adds.",
        ),
        Step(
            "bound",
            at_most(2 * (1 - _RHO) * ell**2, Expect(Dot(_KICK, _KICK))),
            ("overlap", "resultant", "in-the-mean", "as-kick"),
            Entails(degree=3),
            r"Put together.",
        ),
    ),
    remark=(
        r"For a pair of opposite kicks the inequality may fail: it needs the normal law in all directions across $e$, "
        r"and $d\ge2$."
    ),
)
LEMMAS: tuple[Derivation, ...] = (LOSS,)
