"""thm-4.6/plain-riccati: two tokens in the plane that break the Riccati inequality."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import m, x, x_rate
from theory.derivations.thm_4_6_model import SPHERE, V_new, tan_rate
from theory.kernel.notation import Dot, Norm, below, both, equal, identity, matrix, scalar, vector
from theory.kernel.rules import Definition, Differentiate, Evaluate, Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.convexity import DANSKIN
from theory.kernel.step import Derivation, Step

A = matrix("p46_A", "A")
u, beside = vector("p46_u", "u"), vector("p46_e", "e")
other = vector("p46_x2", "x_2")
weight = scalar("p46_weight", "s_{11}")
tan_1, tan_1_rate = scalar("p46_tan_1", r"\vartheta_1"), scalar("p46_tan_1_rate", r"\dot\vartheta_1")
tan_2 = scalar("p46_tan_2", r"\vartheta_2")
_f, _f_rate, _g = scalar("p46_f", "f"), scalar("p46_f_rate", r"\dot f"), scalar("p46_g", "g")
_max, _max_rate = scalar("p46_max", "F"), scalar("p46_max_rate", "D^+F")

ISOLATED_MAXIMUM = Theorem(
    "rate of a maximum that one function attains alone",
    equal(_max_rate, _f_rate),
    DANSKIN,
    (equal(_max, sp.Max(_f, _g)), below(_g, _f)),
)
"""F is the larger of two continuous functions, f is differentiable."""

_WEIGHTS = (sp.exp(Dot(A * x, x)), sp.exp(Dot(A * x, other)))
_ACROSS = identity - u * u.T

PLAIN_RICCATI = Derivation(
    claim="thm-4.6/plain-riccati",
    setting={
        "matrix": equal(V_new, sp.ImmutableMatrix([[0, 0], [1, 0]])),
        "attention": equal(A, sp.ImmutableMatrix([[10, 0], [0, -10]])),
        "frame": both(equal(u, sp.ImmutableMatrix([1, 0])), equal(beside, sp.ImmutableMatrix([0, 1]))),
        "tokens": both(
            equal(x, sp.ImmutableMatrix([sp.Rational(3, 5), sp.Rational(4, 5)])),
            equal(other, sp.ImmutableMatrix([1, 0])),
        ),
        "softmax": equal(weight, _WEIGHTS[0] / (_WEIGHTS[0] + _WEIGHTS[1])),
        "mean": equal(m, weight * x + (1 - weight) * other),
        "tangent": equal(tan_1, Dot(x, beside) / Dot(x, u)),
        "other-tangent": equal(tan_2, Dot(other, beside) / Dot(other, u)),
        "largest": equal(s.tan_max_angle, sp.Max(tan_1, tan_2)),
        "w": equal(s.w, Dot(u, V_new * u)),
        "b": equal(s.b_norm, Norm(V_new * u - s.w * u)),
        "c": equal(s.c_norm, Norm(V_new.T * u - s.w * u)),
        "kappa": equal(s.kappa, Norm(_ACROSS * V_new * _ACROSS)),
        "separation": equal(s.cone_separation, s.w - s.kappa),
    },
    assumptions=SPHERE,
    meets={"hemisphere": "both-in-hemisphere"},
    remark=r"At the initial moment, at which the softmax weights are exponentials of rational numbers.",
    steps=(
        Step(
            "both-in-hemisphere",
            both(below(0, Dot(x, u)), below(0, Dot(other, u))),
            ("frame", "tokens"),
            Evaluate(),
            r"Both tokens are in the hemisphere of $u$.",
        ),
        Step(
            "field",
            equal(x_rate, V_new * m - Dot(x, V_new * m) * x),
            ("single-head", "post-ln", "attention-only"),
            Identity(),
            r"The flow on the sphere.",
        ),
        Step(
            "rate",
            equal(tan_1_rate, (Dot(x_rate, beside) - tan_1 * Dot(x_rate, u)) / Dot(x, u)),
            ("tangent", "both-in-hemisphere"),
            Differentiate({x: x_rate, tan_1: tan_1_rate}),
            r"Differentiate $\vartheta_1=\langle x_1,e\rangle/\langle x_1,u\rangle$.",
        ),
        Step(
            "wider",
            below(tan_2, tan_1),
            ("tangent", "other-tangent", "frame", "tokens"),
            Evaluate(),
            r"The first token is the widest: the other one is $u$ itself.",
        ),
        Step(
            "isolated",
            equal(tan_rate, tan_1_rate),
            ("largest", "wider"),
            Textbook(
                ISOLATED_MAXIMUM,
                {_max: s.tan_max_angle, _max_rate: tan_rate, _f: tan_1, _f_rate: tan_1_rate, _g: tan_2},
            ),
            r"So $\vartheta=\vartheta_1$ for a while.",
        ),
        Step(
            "opening",
            equal(s.tan_max_angle, sp.Rational(4, 3)),
            ("largest", "tangent", "other-tangent", "frame", "tokens"),
            Evaluate(),
            r"$\vartheta=4/3$.",
        ),
        Step("radial-pull", equal(s.radial_pull, claims.RADIAL_PULL.expr), (), Definition(), r"As in the bound."),
        Step(
            "condition",
            below(claims.PLAIN_CONDITION.expr, 0),
            ("radial-pull", "opening", "w", "b", "c", "kappa", "matrix", "frame"),
            Evaluate(),
            r"The best mean is not on the boundary of the cone.",
        ),
        Step(
            "exceeds",
            below(claims.PLAIN_SPEED.expr, tan_rate),
            (
                "isolated",
                "rate",
                "field",
                "mean",
                "softmax",
                "tangent",
                "separation",
                "w",
                "b",
                "c",
                "kappa",
                "matrix",
                "attention",
                "frame",
                "tokens",
            ),
            Evaluate(),
            r"The first token attends to the second, and its tangent grows at $1.667$, where the bound allows $1$.",
        ),
    ),
)

DERIVATIONS: tuple[Derivation, ...] = (PLAIN_RICCATI,)
