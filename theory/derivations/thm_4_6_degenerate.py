"""thm-4.6/degenerate: V = I, one direction weakened."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import V, m, x, x_rate
from theory.derivations.thm_4_6_model import SPHERE, UPDATE, V_new, angle, dV
from theory.kernel.notation import Dot, below, both, equal, identity, scalar, vector
from theory.kernel.rules import Apply, Entails, Identity, Monotone, Trigonometry
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.evolution import Along
from theory.kernel.step import Derivation, Step

e1, e2 = vector("p46_e1", "e_1"), vector("p46_e2", "e_2")
start, base_start = vector("p46_x0", r"\tilde x(0)"), vector("p46_y0", "x(0)")
base, base_rate = vector("p46_y", "x"), vector("p46_y_rate", r"\dot x")
work = scalar("p46_work", "W")
work_rate = scalar("p46_work_rate", r"\dot W")
left = s.angle_0 - s.deviation

_MOVE = {x: x_rate, work: work_rate, s.t: sp.Integer(1)}
_FROM = {x: start, work: sp.Integer(0), s.t: sp.Integer(0)}
_FLOW = ("field", "matrix", "frame", "work", "common-start", "placed")
_PLANE = Dot(x, e1) ** 2 + Dot(x, e2) ** 2

DEGENERATE = Derivation(
    claim="thm-4.6/degenerate",
    setting={
        "base": equal(V, identity),
        "update": UPDATE,
        "weakening": equal(dV, -s.weakening * e2 * e2.T),
        "frame": both(equal(Dot(e1, e1), 1), equal(Dot(e2, e2), 1), equal(Dot(e1, e2), 0)),
        "collapsed": equal(m, x),
        "base-flow": both(equal(base_rate, V * base - Dot(base, V * base) * base), equal(Dot(base, base), 1)),
        "placed": equal(base_start, sp.cos(s.angle_0) * e1 + sp.sin(s.angle_0) * e2),
        "work": equal(work_rate, Dot(x, V_new * x)),
        "acute": below(s.angle_0, sp.pi / 2),
        "short-of-e1": below(s.deviation, s.angle_0),
        "reached": equal(
            Dot(x, e1), sp.cos(s.deviation) * Dot(base, e1) + sp.sin(s.deviation) * sp.sqrt(1 - Dot(base, e1) ** 2)
        ),
    },
    assumptions={**SPHERE, "common-start": equal(start, base_start)},
    meets={"symmetric-base": "symmetric-base-met", "symmetric-update": "symmetric-update-met"},
    remark=(
        r"Equal tokens stay equal, so that their mean $m_i$ is $x_i$ at all times; "
        r"$W=\int_0^t\langle x,\tilde Vx\rangle$. That the slope of spread tokens tends to $-1$ is not derived."
    ),
    steps=(
        Step("symmetric-base-met", equal(V.T, V), ("base",), Identity(), r"$V=I$ is symmetric."),
        Step(
            "symmetric-update-met",
            equal(dV.T, dV),
            ("weakening",),
            Identity(),
            r"$\Delta V=-\varepsilon e_2e_2^\top$ is symmetric.",
        ),
        Step(
            "matrix",
            equal(V_new, identity - s.weakening * e2 * e2.T),
            ("update", "base", "weakening"),
            Identity(),
            r"$\tilde V=\operatorname{diag}(1,1-\varepsilon)$ in the plane, and $1$ across it.",
        ),
        Step(
            "field",
            equal(x_rate, V_new * x - Dot(x, V_new * x) * x),
            ("single-head", "post-ln", "attention-only", "collapsed"),
            Identity(),
            r"The flow of one token.",
        ),
        Step(
            "along-e1",
            equal(Dot(x, e1) * sp.exp(work - s.t), sp.cos(s.angle_0)),
            _FLOW,
            Along(_MOVE, _FROM),
            r"$\frac d{dt}\langle\tilde x,e_1\rangle=(1-\dot W)\langle\tilde x,e_1\rangle$.",
        ),
        Step(
            "along-e2",
            equal(Dot(x, e2) * sp.exp(work - (1 - s.weakening) * s.t), sp.sin(s.angle_0)),
            _FLOW,
            Along(_MOVE, _FROM),
            r"$\frac d{dt}\langle\tilde x,e_2\rangle=(1-\varepsilon-\dot W)\langle\tilde x,e_2\rangle$.",
        ),
        Step(
            "across-plane",
            equal((Dot(x, x) - _PLANE) * sp.exp(2 * work - 2 * s.t), 0),
            _FLOW,
            Along(_MOVE, _FROM),
            r"What lies across the plane only gets the factor $e^{t-W}$: it stays zero.",
        ),
        Step(
            "circle",
            equal(_PLANE, 1),
            ("across-plane", "post-ln"),
            Squeeze(degree=5),
            r"The token stays in the plane.",
        ),
        Step(
            "height",
            equal(Dot(x, e1), sp.cos(s.angle_0) * sp.exp(s.t - work)),
            ("along-e1",),
            Identity(),
            r"Solved for $\langle\tilde x,e_1\rangle$.",
        ),
        Step(
            "width",
            equal(Dot(x, e2), sp.sin(s.angle_0) * sp.exp((1 - s.weakening) * s.t - work)),
            ("along-e2",),
            Identity(),
            r"And for $\langle\tilde x,e_2\rangle$.",
        ),
        Step(
            "ratio",
            equal(Dot(x, e2) * sp.cos(s.angle_0) * sp.exp(s.weakening * s.t), Dot(x, e1) * sp.sin(s.angle_0)),
            ("height", "width"),
            Identity(),
            r"The tangent of the angle to $e_1$ decays at rate $\varepsilon$, exactly.",
        ),
        Step(
            "base-rests",
            equal(Dot(base, e1), sp.cos(s.angle_0)),
            ("base-flow", "base", "frame", "placed"),
            Along({base: base_rate}, {base: base_start}),
            r"With $V=I$ the base token does not move.",
        ),
        Step(
            "start-quadrant",
            both(below(0, sp.sin(s.angle_0)), below(0, sp.cos(s.angle_0))),
            ("acute",),
            Apply("lemma/first-quadrant", {angle: s.angle_0}),
            r"$0<\theta_0<\pi/2$.",
        ),
        Step(
            "sine",
            equal(sp.sqrt(1 - sp.cos(s.angle_0) ** 2), sp.sin(s.angle_0)),
            ("start-quadrant",),
            Squeeze(),
            r"The sine from the cosine.",
        ),
        Step(
            "difference",
            equal(sp.cos(left), sp.cos(s.deviation) * sp.cos(s.angle_0) + sp.sin(s.deviation) * sp.sin(s.angle_0)),
            (),
            Trigonometry(divisor=1),
            r"Addition theorem.",
        ),
        Step(
            "height-reached",
            equal(Dot(x, e1), sp.cos(left)),
            ("reached", "base-rests", "sine", "difference"),
            Identity(),
            r"When it has deviated by $r$, the token is at the angle $\theta_0-r$.",
        ),
        Step("left-positive", below(0, left), ("short-of-e1",), Entails(degree=1), r"Since $r<\theta_0$."),
        Step("left-acute", below(left, sp.pi / 2), ("acute",), Entails(degree=1), r"Since $r\ge0$."),
        Step(
            "left-quadrant",
            both(below(0, sp.sin(left)), below(0, sp.cos(left))),
            ("left-positive", "left-acute"),
            Apply("lemma/first-quadrant", {angle: left}),
            r"$0<\theta_0-r<\pi/2$.",
        ),
        Step(
            "width-positive",
            below(0, Dot(x, e2)),
            ("width", "start-quadrant"),
            Entails(degree=3),
            r"It stays on its side of $e_1$.",
        ),
        Step(
            "width-reached",
            equal(Dot(x, e2), sp.sin(left)),
            ("circle", "height-reached", "width-positive", "left-quadrant"),
            Squeeze(),
            r"The other coordinate, by Pythagoras.",
        ),
        Step(
            "growth",
            equal(sp.exp(s.weakening * s.t), sp.tan(s.angle_0) / sp.tan(left)),
            ("ratio", "height-reached", "width-reached", "start-quadrant", "left-quadrant"),
            Identity(),
            r"The ratio of the tangents.",
        ),
        Step(
            "growth-positive",
            below(0, sp.tan(s.angle_0) / sp.tan(left)),
            ("start-quadrant", "left-quadrant"),
            Entails(degree=4),
            r"Tangents of acute angles.",
        ),
        Step(
            "exponent",
            equal(s.weakening * s.t, sp.log(sp.tan(s.angle_0) / sp.tan(left))),
            ("growth", "growth-positive"),
            Monotone(sp.log),
            r"Logarithms.",
        ),
        Step(
            "time",
            equal(s.t, claims.DEGENERATE_TIME.expr),
            ("exponent",),
            Identity(),
            r"The time at which the deviation is $r$; it is proportional to $1/\varepsilon$, slope $-1$.",
        ),
    ),
)

DERIVATIONS: tuple[Derivation, ...] = (DEGENERATE,)
