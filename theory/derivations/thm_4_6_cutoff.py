"""thm-4.6/cutoff: collapsed tokens move as one, and turn to ũ1 within a window that does not depend on the overlap."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import SYMMETRIC_BASE, m, u1, x
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
from theory.derivations.thm_4_6_motion import (
    GROWTH,
    MOTION,
    ODDS,
    PROFILE,
    height,
    height_2,
    jump,
    lambda_2,
    level,
    profile,
    start,
    u,
    u2,
    work_rate,
    z,
    z_across,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar
from theory.kernel.rules import Apply, Definition, Entails, Identity, Monotone, Textbook
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.frames import LargestBeside
from theory.kernel.step import Derivation, Step

low, high = scalar("p46_T_low", "T_{p_-}"), scalar("p46_T_high", "T_{p_+}")
times = scalar("p46_N", "N", positive=True)
_SPAN = s.perturbed_gap * (high - low)
_RATIO = (s.overlap_high * sp.sqrt(1 - s.overlap_low**2)) / (s.overlap_low * sp.sqrt(1 - s.overlap_high**2))


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
        at_most(sp.exp(times * _SPAN), ODDS),
        ("small-overlap",),
        Entails(degree=4),
        r"For any $N$, once $\varepsilon$ is small enough.",
    ),
    Step("odds-positive", below(0, ODDS), ("steep",), Entails(degree=4), r"It exceeds an exponential."),
    Step(
        "steep-exponent",
        at_most(times * _SPAN, sp.log(ODDS)),
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
        at_most(height_2, height),
        ("bessel", "at-jump", "height-positive"),
        Entails(degree=2),
        r"At $45^\circ$ the second component is at most the first.",
    ),
    Step(
        "early",
        at_most(s.overlap_2 / s.overlap, GROWTH),
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
        at_most(s.overlap**2 * GROWTH**2, 1 - s.overlap**2),
        ("height", "shrink", "at-jump", "gap-value"),
        Entails(degree=2),
        r"At $45^\circ$ what lies across $\tilde u_1$ is as large as the overlap.",
    ),
    Step(
        "late-growth",
        at_most(GROWTH, ODDS),
        ("late-square",),
        Entails(degree=2),
        r"The positive root.",
    ),
    Step("late-positive", below(0, ODDS), ("late-growth",), Entails(degree=4), r"It exceeds an exponential."),
    Step(
        "late-exponent",
        at_most(s.perturbed_gap * s.t, sp.log(ODDS)),
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
        "low-time": equal(s.overlap_low, profile(s.perturbed_gap * (low - jump))),
        "high-time": equal(s.overlap_high, profile(s.perturbed_gap * (high - jump))),
        "small-overlap": at_most(s.overlap**2 * (1 + sp.exp(2 * times * _SPAN)), 1),
        "block": equal(V_new * u1, (s.lambda_1 + s.a) * u1 + s.alpha_abs * z),
        "block-unit": equal(Dot(z, z), 1),
        "block-level": equal(Dot(z, V_new * z), s.lambda_2 + s.e),
        "base-gap": equal(s.gap, s.lambda_1 - s.lambda_2),
        "past-crossing": below(s.gap + s.a - s.e, 0),
        "crossing-start": equal(Dot(u1, u), s.overlap),
        "jump-time": equal(jump, claims.CUTOFF_UPPER.expr),
        "at-jump": equal(2 * height**2, 1),
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
    steps=(*MOTION, *PROFILE, *_WINDOW, *_CROSSING, *_TIMES),
)

DERIVATIONS: tuple[Derivation, ...] = (CUTOFF,)
