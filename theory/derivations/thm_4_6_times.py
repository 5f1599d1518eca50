"""thm-4.6/lower: the time to deviate in closed form, and where the first branch holds everywhere."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.kernel.notation import at_most, below, both, equal, scalar
from theory.kernel.rules import (
    Antiderivative,
    Entails,
)
from theory.kernel.step import Derivation, Step

_theta = s.tan_max_angle
_outer = scalar("p46_t_plus", "t_+")
_turn = scalar("p46_turn", r"\sqrt{4\|b\|\|c\|-S^2}", positive=True)


def _split(theta: sp.Expr) -> sp.Expr:
    return sp.log((_outer - theta) / (s.cone_inner - theta)) / (s.c_norm * (_outer - s.cone_inner))


def _phase(theta: sp.Expr) -> sp.Expr:
    return 2 * sp.atan((2 * s.c_norm * theta - s.cone_separation) / _turn) / _turn


_PLAIN_INTEGRAL = sp.Integral(1 / claims.PLAIN_SPEED.expr, (_theta, s.tan_max_angle_0, s.deviation))
_WITH_ROOTS = equal(_PLAIN_INTEGRAL, _split(s.deviation) - _split(s.tan_max_angle_0))
_WITHOUT_ROOTS = equal(_PLAIN_INTEGRAL, _phase(s.deviation) - _phase(s.tan_max_angle_0))

CLOSED_WITH_ROOTS = Derivation(
    claim="lemma/riccati-time-with-roots",
    title="time of the first branch in closed form, below its smaller root",
    states=_WITH_ROOTS,
    setting={
        "roots": both(
            equal(s.b_norm, s.c_norm * s.cone_inner * _outer),
            equal(s.cone_separation, s.c_norm * (s.cone_inner + _outer)),
        ),
        "distinct": below(s.cone_inner, _outer),
        "c": below(0, s.c_norm),
        "ahead": at_most(s.tan_max_angle_0, s.deviation),
        "below-root": below(s.deviation, s.cone_inner),
    },
    steps=(
        Step(
            "value",
            _WITH_ROOTS,
            ("roots", "distinct", "c", "ahead", "below-root"),
            Antiderivative(_split(_theta), degree=3),
            r"Partial fractions: $G=\|c\|(t_--\vartheta)(t_+-\vartheta)$.",
        ),
    ),
)
CLOSED_WITHOUT_ROOTS = Derivation(
    claim="lemma/riccati-time-without-roots",
    title="time of the first branch in closed form, where it has no roots",
    states=_WITHOUT_ROOTS,
    setting={
        "discriminant": equal(_turn**2, 4 * s.b_norm * s.c_norm - s.cone_separation**2),
    },
    steps=(
        Step(
            "value",
            _WITHOUT_ROOTS,
            ("discriminant",),
            Antiderivative(_phase(_theta)),
            r"Completing the square.",
        ),
    ),
)
PLAIN_BY_C = Derivation(
    claim="lemma/plain-riccati-by-c",
    title="the first branch holds everywhere where ||c|| >= ||b|| and w >= 0",
    states=at_most(0, claims.PLAIN_CONDITION.closed),
    setting={"w": at_most(0, s.w), "c-at-least-b": at_most(s.b_norm, s.c_norm)},
    remark=r"Every symmetric $\tilde V$ has $c=b$.",
    steps=(
        Step(
            "condition",
            at_most(0, claims.PLAIN_CONDITION.closed),
            ("w", "c-at-least-b"),
            Entails(degree=3),
            r"$\kappa+(\|c\|-\|b\|)\vartheta+w\vartheta^2$ is a sum of terms that are not negative.",
        ),
    ),
)
PLAIN_BY_BLOCK = Derivation(
    claim="lemma/plain-riccati-by-block",
    title="the first branch holds everywhere where (||b|| - ||c||)² <= 4 w κ and w >= 0",
    states=at_most(0, claims.PLAIN_CONDITION.closed),
    setting={"w": at_most(0, s.w), "discriminant": at_most((s.b_norm - s.c_norm) ** 2, 4 * s.w * s.kappa)},
    steps=(
        Step(
            "condition",
            at_most(0, claims.PLAIN_CONDITION.closed),
            ("w", "discriminant"),
            Entails(degree=3, squares=(_theta, s.kappa - s.w * _theta**2)),
            r"The quadratic $\kappa+(\|c\|-\|b\|)\vartheta+w\vartheta^2$ has no two roots.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (CLOSED_WITH_ROOTS, CLOSED_WITHOUT_ROOTS, PLAIN_BY_C, PLAIN_BY_BLOCK)
