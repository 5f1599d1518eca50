"""thm-4.6/cutoff: collapsed tokens move as one, and turn to ũ1 within a window that does not depend on the overlap."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import SYMMETRIC_BASE, m, u1, x, x_rate
from theory.derivations.thm_4_6_model import (
    EIGENVALUE,
    EIGENVECTOR,
    MATRIX,
    POINT,
    RAYLEIGH_ACROSS,
    SECOND,
    SPHERE,
    SYMMETRIC_UPDATE,
    UPDATE,
    V_new,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Monotone, Textbook
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.evolution import Along
from theory.kernel.rules.frames import LargestBeside
from theory.kernel.step import Derivation, Step

u, u2 = vector("p46_u1", r"\tilde u_1"), vector("p46_u2", r"\tilde u_2")
start = vector("p46_x0", r"\tilde x(0)")
across = vector("p46_across", r"\tilde x^\perp")
z, z_across = vector("p46_z", "z"), vector("p46_z_across", r"z^\perp")
lambda_2 = scalar("p46_lambda_2", r"\tilde\lambda_2")
work, work_rate = scalar("p46_work", "W"), scalar("p46_work_rate", r"\dot W")
jump = scalar("p46_T_star", "T^*")
low, high = scalar("p46_T_low", "T_{p_-}"), scalar("p46_T_high", "T_{p_+}")
level = scalar("p46_level", "p")
times = scalar("p46_N", "N", positive=True)

_p, _q = Dot(x, u), Dot(x, u2)
_GROWTH = sp.exp(s.perturbed_gap * s.t)
_ODDS = sp.sqrt(1 - s.overlap**2) / s.overlap
_SPAN = s.perturbed_gap * (high - low)
_RATIO = (s.overlap_high * sp.sqrt(1 - s.overlap_low**2)) / (s.overlap_low * sp.sqrt(1 - s.overlap_high**2))
_MOVE = {x: x_rate, work: work_rate, s.t: sp.Integer(1)}
_FROM = {x: start, work: sp.Integer(0), s.t: sp.Integer(0)}


def _profile(scaled: Any) -> Any:
    return claims.CUTOFF_PROFILE.expr.xreplace({s.scaled_time: scaled})


PROFILE_INVERSE = Derivation(
    claim="lemma/cutoff-profile-inverse",
    title="the time at which the profile has a given value",
    states=equal(sp.exp(s.scaled_time), level / sp.sqrt(1 - level**2)),
    setting={"profile": equal(level, claims.CUTOFF_PROFILE.expr)},
    steps=(
        Step(
            "root",
            below(0, sp.sqrt(1 + sp.exp(2 * s.scaled_time))),
            (),
            Entails(degree=2, squares=(sp.exp(s.scaled_time),)),
            r"A root of more than $1$.",
        ),
        Step(
            "positive",
            below(0, level),
            ("profile", "root"),
            Entails(degree=3),
            r"The profile is positive.",
        ),
        Step(
            "square",
            equal((1 - level**2) * sp.exp(2 * s.scaled_time), level**2),
            ("profile", "root"),
            Identity(),
            r"Squared.",
        ),
        Step(
            "below-one",
            below(level**2, 1),
            ("square",),
            Entails(degree=3, squares=(sp.exp(s.scaled_time),)),
            r"So $p<1$.",
        ),
        Step(
            "open",
            below(0, sp.sqrt(1 - level**2)),
            ("below-one",),
            Entails(degree=2),
            r"Its sine is positive.",
        ),
        Step(
            "inverse",
            equal(sp.exp(s.scaled_time), level / sp.sqrt(1 - level**2)),
            ("square", "open", "positive"),
            Squeeze(degree=4),
            r"The positive root.",
        ),
    ),
)

_MOTION = (
    Step(
        "symmetric",
        equal(V_new.T, V_new),
        ("update", "symmetric-base", "symmetric-update"),
        Identity(),
        r"$\tilde V$ is symmetric.",
    ),
    Step(
        "field",
        equal(x_rate, V_new * x - Dot(x, V_new * x) * x),
        ("single-head", "post-ln", "attention-only", "collapsed-base"),
        Identity(),
        r"The flow of one token.",
    ),
    Step(
        "along-top",
        equal(_p * sp.exp(work - s.perturbed_lambda_1 * s.t), s.overlap),
        ("field", "symmetric", "top", "work", "start"),
        Along(_MOVE, _FROM),
        r"$\frac d{dt}\langle\tilde x,\tilde u_1\rangle=(\tilde\lambda_1-\dot W)\langle\tilde x,\tilde u_1\rangle$.",
    ),
    Step(
        "along-second",
        equal(_q * sp.exp(work - lambda_2 * s.t), s.overlap_2),
        ("field", "symmetric", "second", "work", "start"),
        Along(_MOVE, _FROM),
        r"$\frac d{dt}\langle\tilde x,\tilde u_2\rangle=(\tilde\lambda_2-\dot W)\langle\tilde x,\tilde u_2\rangle$.",
    ),
    Step("across", equal(across, x - _p * u), (), Definition(), r"What is left across $\tilde u_1$."),
    Step("orthogonal", equal(Dot(u, across), 0), ("across", "top-unit"), Identity(), r"By construction."),
    Step(
        "rayleigh",
        at_most(Dot(across, V_new * across), lambda_2 * Dot(across, across)),
        ("symmetric", "top", "orthogonal", "largest-across"),
        Textbook(
            RAYLEIGH_ACROSS,
            {MATRIX: V_new, EIGENVECTOR: u, POINT: across, EIGENVALUE: s.perturbed_lambda_1, SECOND: lambda_2},
        ),
        r"$\tilde\lambda_2$ is the largest eigenvalue across $\tilde u_1$.",
    ),
    Step(
        "pull",
        at_most(Dot(x, V_new * x) - s.perturbed_lambda_1 * _p**2, lambda_2 * (1 - _p**2)),
        ("rayleigh", "across", "symmetric", "top", "top-unit", "post-ln"),
        Entails(degree=1),
        r"The same in terms of $\tilde x$.",
    ),
    Step(
        "shrink",
        at_most((1 - _p**2) * sp.exp(2 * work - 2 * lambda_2 * s.t), 1 - s.overlap**2),
        ("field", "pull", "symmetric", "top", "work", "start"),
        Along(_MOVE, _FROM, squares=(sp.exp(work),)),
        r"What lies across $\tilde u_1$ grows at most like the second component.",
    ),
    Step(
        "height",
        equal(_p, s.overlap * sp.exp(s.perturbed_lambda_1 * s.t - work)),
        ("along-top",),
        Identity(),
        r"Solved for the overlap.",
    ),
    Step(
        "width",
        equal(_q, s.overlap_2 * sp.exp(lambda_2 * s.t - work)),
        ("along-second",),
        Identity(),
        r"And for the second component.",
    ),
    Step(
        "gap-value",
        equal(s.perturbed_gap, s.perturbed_lambda_1 - lambda_2),
        ("gap",),
        Identity(),
        r"Solved for the gap.",
    ),
    Step("height-positive", below(0, _p), ("height",), Entails(degree=3), r"The overlap stays positive."),
    Step(
        "bessel",
        at_most(_p**2 + _q**2, 1),
        ("post-ln", "top-unit", "second-unit", "second-orthogonal"),
        Entails(degree=1, squares=(Norm(x - _p * u - _q * u2),)),
        r"Bessel's inequality.",
    ),
    Step(
        "ratio",
        equal(_q * s.overlap * _GROWTH, _p * s.overlap_2),
        ("height", "width", "gap-value"),
        Identity(),
        r"The ratio of the two components decays at rate $\tilde\lambda_1-\tilde\lambda_2$, exactly.",
    ),
)

_PROFILE = (
    Step(
        "planar",
        equal(_p**2 + _q**2, 1),
        ("bessel", "shrink", "along-second", "aligned"),
        Squeeze(degree=5),
        r"With the rest along $\tilde u_2$ the token stays in the plane of both.",
    ),
    Step(
        "tangent",
        equal(s.overlap**2 * (1 - _p**2) * _GROWTH**2, (1 - s.overlap**2) * _p**2),
        ("ratio", "planar", "aligned"),
        Identity(),
        r"Squared, in terms of the overlap alone.",
    ),
    Step(
        "jump-exponent",
        equal(s.perturbed_gap * jump, sp.log(_ODDS)),
        ("jump-time",),
        Identity(),
        r"Times the gap.",
    ),
    Step(
        "jump-growth",
        equal(sp.exp(s.perturbed_gap * jump), _ODDS),
        ("jump-exponent",),
        Monotone(sp.exp),
        r"At $T^*$ the growth makes up for the overlap.",
    ),
    Step(
        "jump-square",
        equal(s.overlap**2 * sp.exp(2 * s.perturbed_gap * jump), 1 - s.overlap**2),
        ("jump-growth",),
        Identity(),
        r"Squared.",
    ),
    Step(
        "scaled",
        equal(s.scaled_time, s.perturbed_gap * (s.t - jump)),
        (),
        Definition(),
        r"Time from $T^*$ on, in units of the gap.",
    ),
    Step(
        "profile-square",
        equal((1 - _p**2) * sp.exp(2 * s.scaled_time), _p**2),
        ("tangent", "jump-square", "scaled"),
        Squeeze(degree=3),
        r"In the scaled time.",
    ),
    Step(
        "root",
        below(0, sp.sqrt(1 + sp.exp(2 * s.scaled_time))),
        (),
        Entails(degree=2, squares=(sp.exp(s.scaled_time),)),
        r"A root of more than $1$.",
    ),
    Step(
        "profile",
        equal(_p, claims.CUTOFF_PROFILE.expr),
        ("profile-square", "root", "height-positive"),
        Squeeze(degree=4),
        r"The profile, the same for every $\varepsilon$.",
    ),
)


def _overlap_at(name: str, time: sp.Symbol, overlap: sp.Symbol) -> tuple[Step, ...]:
    """The steps for the time of one overlap: the growth until then, and that the overlap is below 1."""
    at = {s.scaled_time: s.perturbed_gap * (time - jump), level: overlap}
    return (
        Step(
            f"{name}-open",
            below(0, sp.sqrt(1 - overlap**2)),
            (f"{name}-time",),
            Apply("lemma/cutoff-profile-inverse#open", at),
            r"The profile is below $1$.",
        ),
        Step(
            f"{name}-growth",
            equal(sp.exp(s.perturbed_gap * (time - jump)), overlap / sp.sqrt(1 - overlap**2)),
            (f"{name}-time",),
            Apply("lemma/cutoff-profile-inverse", at),
            r"The profile solved for the time.",
        ),
    )


_WINDOW = (
    *_overlap_at("low", low, s.overlap_low),
    *_overlap_at("high", high, s.overlap_high),
    Step(
        "window-growth",
        equal(sp.exp(_SPAN), _RATIO),
        ("low-growth", "high-growth", "high-open"),
        Identity(),
        r"The quotient: $T^*$ drops out.",
    ),
    Step(
        "window-positive",
        below(0, _RATIO),
        ("low-open", "high-open"),
        Entails(degree=4),
        r"Both overlaps lie between $0$ and $1$.",
    ),
    Step(
        "window-exponent",
        equal(_SPAN, sp.log(_RATIO)),
        ("window-growth", "window-positive"),
        Monotone(sp.log),
        r"Logarithms.",
    ),
    Step(
        "window",
        equal(high - low, claims.CUTOFF_WINDOW.expr),
        ("window-exponent",),
        Identity(),
        r"The window; $\varepsilon$ does not occur in it.",
    ),
    Step(
        "steep",
        at_most(sp.exp(times * _SPAN), _ODDS),
        ("small-overlap",),
        Entails(degree=4),
        r"For any $N$, once $\varepsilon$ is small enough.",
    ),
    Step("odds-positive", below(0, _ODDS), ("steep",), Entails(degree=4), r"It exceeds an exponential."),
    Step(
        "steep-exponent",
        at_most(times * _SPAN, sp.log(_ODDS)),
        ("steep", "odds-positive"),
        Monotone(sp.log),
        r"Logarithms.",
    ),
    Step(
        "sharp",
        at_most(times * claims.CUTOFF_WINDOW.expr, claims.CUTOFF_UPPER.expr),
        ("steep-exponent", "window"),
        Entails(degree=3),
        r"The window is at most $T^*/N$: window$/T^*\to0$ as $\varepsilon\to0$.",
    ),
)

_CROSSING = (
    Step("z-across", equal(z_across, z - Dot(z, u) * u), (), Definition(), r"The same for $z$, the direction of $b$."),
    Step(
        "z-orthogonal",
        equal(Dot(u, z_across), 0),
        ("z-across", "top-unit"),
        Identity(),
        r"By construction.",
    ),
    Step(
        "z-rayleigh",
        at_most(Dot(z_across, V_new * z_across), lambda_2 * Dot(z_across, z_across)),
        ("symmetric", "top", "z-orthogonal", "largest-across"),
        Textbook(
            RAYLEIGH_ACROSS,
            {MATRIX: V_new, EIGENVECTOR: u, POINT: z_across, EIGENVALUE: s.perturbed_lambda_1, SECOND: lambda_2},
        ),
        r"Rayleigh's bound, for $z$.",
    ),
    Step(
        "z-component",
        at_most(Dot(z, u) ** 2, 1),
        ("block-unit", "top-unit"),
        Entails(degree=1, squares=(Norm(z - Dot(z, u) * u),)),
        r"Both are unit vectors.",
    ),
    Step(
        "level-below",
        at_most(s.lambda_2 + s.e, s.perturbed_lambda_1),
        ("z-rayleigh", "z-across", "symmetric", "top", "top-unit", "block-unit", "block-level", "z-component", "gap"),
        Entails(degree=2),
        r"No Rayleigh quotient exceeds the top eigenvalue.",
    ),
    Step(
        "from-right",
        equal(Dot(u1, V_new * u), s.perturbed_lambda_1 * Dot(u1, u)),
        ("top",),
        Identity(),
        r"$\tilde u_1$ is an eigenvector.",
    ),
    Step(
        "from-left",
        equal(Dot(u1, V_new * u), (s.lambda_1 + s.a) * Dot(u1, u) + s.alpha_abs * Dot(z, u)),
        ("block", "symmetric"),
        Identity(),
        r"$\tilde Vu_1=(\lambda_1+a)u_1+\alpha z$.",
    ),
    Step("unit-bound", at_most(Dot(z, u), 1), ("z-component",), Entails(degree=2), r"A root."),
    Step(
        "distance",
        below(0, sp.Abs(s.gap + s.a - s.e)),
        ("past-crossing",),
        Entails(degree=1),
        r"Past the crossing.",
    ),
    Step(
        "distance-value",
        equal(sp.Abs(s.gap + s.a - s.e), s.e - s.gap - s.a),
        ("past-crossing",),
        Squeeze(degree=2),
        r"The distance of the two levels.",
    ),
    Step(
        "crossing",
        at_most(s.overlap, claims.CROSSING_OVERLAP.expr),
        (
            "from-right",
            "from-left",
            "unit-bound",
            "level-below",
            "distance",
            "distance-value",
            "crossing-start",
            "base-gap",
        ),
        Entails(degree=2),
        r"The overlap with which tokens start at $u_1$, past a crossing.",
    ),
)

_TIMES = (
    Step(
        "second-overlap",
        equal(s.overlap_2, sp.sqrt(1 - s.overlap**2)),
        ("aligned",),
        Squeeze(degree=2),
        r"With all the rest along $\tilde u_2$.",
    ),
    Step(
        "agree",
        equal(claims.CUTOFF_LOWER.expr, claims.CUTOFF_UPPER.expr),
        ("second-overlap",),
        Identity(),
        r"Then the two bounds below agree.",
    ),
    Step(
        "not-higher",
        at_most(_q, _p),
        ("bessel", "at-jump", "height-positive"),
        Entails(degree=2),
        r"At $45^\circ$ the second component is at most the first.",
    ),
    Step(
        "early",
        at_most(s.overlap_2 / s.overlap, _GROWTH),
        ("not-higher", "ratio", "height-positive"),
        Entails(degree=4),
        r"So the growth has made up for their ratio.",
    ),
    Step(
        "early-exponent",
        at_most(sp.log(s.overlap_2 / s.overlap), s.perturbed_gap * s.t),
        ("early",),
        Monotone(sp.log),
        r"Logarithms.",
    ),
    Step(
        "earliest",
        at_most(claims.CUTOFF_LOWER.expr, s.t),
        ("early-exponent",),
        Entails(degree=2),
        r"The jump is not earlier.",
    ),
    Step(
        "late-square",
        at_most(s.overlap**2 * _GROWTH**2, 1 - s.overlap**2),
        ("height", "shrink", "at-jump", "gap-value"),
        Entails(degree=2),
        r"At $45^\circ$ what lies across $\tilde u_1$ is as large as the overlap.",
    ),
    Step(
        "late-growth",
        at_most(_GROWTH, _ODDS),
        ("late-square",),
        Entails(degree=2),
        r"The positive root.",
    ),
    Step("late-positive", below(0, _ODDS), ("late-growth",), Entails(degree=4), r"It exceeds an exponential."),
    Step(
        "late-exponent",
        at_most(s.perturbed_gap * s.t, sp.log(_ODDS)),
        ("late-growth", "late-positive"),
        Monotone(sp.log),
        r"Logarithms.",
    ),
    Step(
        "latest",
        at_most(s.t, claims.CUTOFF_UPPER.expr),
        ("late-exponent",),
        Entails(degree=2),
        r"The jump is not later.",
    ),
)

CUTOFF = Derivation(
    claim="thm-4.6/cutoff",
    setting={
        "update": UPDATE,
        "top": equal(V_new * u, s.perturbed_lambda_1 * u),
        "top-unit": equal(Dot(u, u), 1),
        "largest-across": LargestBeside(lambda_2, V_new, u),
        "second": equal(V_new * u2, lambda_2 * u2),
        "second-unit": equal(Dot(u2, u2), 1),
        "second-orthogonal": equal(Dot(u, u2), 0),
        "gap": equal(s.perturbed_lambda_1, lambda_2 + s.perturbed_gap),
        "work": equal(work_rate, Dot(x, V_new * x)),
        "start": both(equal(Dot(start, u), s.overlap), equal(Dot(start, u2), s.overlap_2)),
        "aligned": equal(s.overlap_2**2, 1 - s.overlap**2),
        "low-time": equal(s.overlap_low, _profile(s.perturbed_gap * (low - jump))),
        "high-time": equal(s.overlap_high, _profile(s.perturbed_gap * (high - jump))),
        "small-overlap": at_most(s.overlap**2 * (1 + sp.exp(2 * times * _SPAN)), 1),
        "block": equal(V_new * u1, (s.lambda_1 + s.a) * u1 + s.alpha_abs * z),
        "block-unit": equal(Dot(z, z), 1),
        "block-level": equal(Dot(z, V_new * z), s.lambda_2 + s.e),
        "base-gap": equal(s.gap, s.lambda_1 - s.lambda_2),
        "past-crossing": below(s.gap + s.a - s.e, 0),
        "crossing-start": equal(Dot(u1, u), s.overlap),
        "jump-time": equal(jump, claims.CUTOFF_UPPER.expr),
        "at-jump": equal(2 * _p**2, 1),
    },
    assumptions={
        **SPHERE,
        "symmetric-base": SYMMETRIC_BASE,
        "symmetric-update": SYMMETRIC_UPDATE,
        "collapsed-base": equal(m, x),
    },
    remark=(
        r"$W=\int_0^t\langle\tilde x,\tilde V\tilde x\rangle$; equal tokens stay equal, so that $m_i$ is the token. "
        r"The signs of $\tilde u_2$ and $z$ are such that $c_2>0$, $\alpha\ge0$. The two bounds hold of every time $t$ "
        r"at which the token is at $45^\circ$; only the profile, the window and the equality need the rest along "
        r"$\tilde u_2$, where both bounds agree; only the last formula is about a crossing. "
        r"Past a crossing the overlap is bounded from above; that the bound is exact as $|\alpha|\to0$ is "
        r"not derived."
    ),
    steps=(*_MOTION, *_PROFILE, *_WINDOW, *_CROSSING, *_TIMES),
)

LEMMAS: tuple[Derivation, ...] = (PROFILE_INVERSE,)
DERIVATIONS: tuple[Derivation, ...] = (CUTOFF,)
