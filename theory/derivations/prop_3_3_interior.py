"""The cone between the roots is mapped into its interior."""

from __future__ import annotations

from typing import Any

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.thm_4_6_lower import LOWER, b, block, c, u
from theory.derivations.thm_4_6_model import V_new
from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.step import Derivation, Step

_CS = "lemma/cauchy-schwarz"
level = scalar("p33_level", "t")
point = vector("p33_point", "z")


def across(vector_: Any, axis: Any) -> Any:
    """What a vector has across a unit vector."""
    return vector_ - Dot(vector_, axis) * axis


def in_cone(vector_: Any, axis: Any, width: Any) -> Any:
    """The vector is in the closed cone about the axis, of that tangent."""
    return at_most(Norm(across(vector_, axis)), width * Dot(vector_, axis))


def inside_cone(vector_: Any, axis: Any, width: Any) -> Any:
    """The vector is in the interior of that cone."""
    return below(Norm(across(vector_, axis)), width * Dot(vector_, axis))


height, side = scalar("p33_height_z", "q"), vector("p33_side_z", r"z^\perp")
FRAME = {k: LOWER.setting[k] for k in ("unit", "w", "b", "b-norm", "c", "c-norm", "block", "kappa", "separation")}
"""Ṽ in the frame of u."""

INTERIOR = Derivation(
    claim="lemma/cone-into-its-interior",
    title="the cone between the roots is mapped into its interior",
    states=inside_cone(V_new * point, u, level),
    setting={
        **FRAME,
        "between": below(s.b_norm + s.c_norm * level**2, s.cone_separation * level),
        "level-positive": below(0, level),
        "in-cone": in_cone(point, u, level),
        "upright": below(0, Dot(point, u)),
    },
    steps=(
        Step("height", equal(height, Dot(point, u)), (), Definition(), r"How far $z$ is along $u$,"),
        Step("side", equal(side, point - height * u), (), Definition(), r"and what it has across."),
        Step(
            "along",
            equal(Dot(V_new * point, u), s.w * height + Dot(c, side)),
            ("unit", "c", "w", "height", "side"),
            Identity(),
            r"$\tilde Vz$ along $u$,",
        ),
        Step(
            "beside",
            equal(Norm(across(V_new * point, u)), Norm(height * b + block * side)),
            ("unit", "b", "w", "block", "height", "side"),
            Identity(),
            r"and across it.",
        ),
        Step(
            "triangle",
            at_most(Norm(height * b + block * side), Norm(height * b) + Norm(block * side)),
            (),
            Apply("lemma/triangle", {textbook.X: height * b, textbook.Y: block * side}),
            r"Triangle inequality.",
        ),
        Step(
            "block-norm",
            at_most(Norm(block * side), Norm(block) * Norm(side)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: block, textbook.X: side}),
            r"What the operator norm is.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(-Dot(c, side), Norm(c) * Norm(side)),
            (),
            Apply(_CS, {textbook.X: -c, textbook.Y: side}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "length",
            equal(Norm(height * b) ** 2, height**2 * s.b_norm**2),
            ("b-norm",),
            Identity(),
            r"The part of $b$,",
        ),
        Step(
            "part",
            at_most(Norm(height * b), height * s.b_norm),
            ("length", "height", "upright"),
            Entails(degree=3),
            r"as $q>0$.",
        ),
        Step(
            "narrow",
            at_most(Norm(side), level * height),
            ("in-cone", "height", "side"),
            Entails(degree=1),
            r"The cone, in the split of $z$.",
        ),
        Step(
            "across-most",
            at_most(Norm(across(V_new * point, u)), s.b_norm * height + s.kappa * level * height),
            ("beside", "triangle", "block-norm", "part", "kappa", "narrow"),
            Entails(degree=2),
            r"Across $u$ at most,",
        ),
        Step(
            "along-least",
            at_most(s.w * height - s.c_norm * level * height, Dot(V_new * point, u)),
            ("along", "cauchy-schwarz", "c-norm", "narrow"),
            Entails(degree=2),
            r"along $u$ at least.",
        ),
        Step(
            "inside",
            inside_cone(V_new * point, u, level),
            ("across-most", "along-least", "between", "separation", "level-positive", "upright", "height"),
            Entails(degree=2),
            r"The difference is at least $q\,(St-\|b\|-\|c\|t^2)>0$.",
        ),
    ),
)


LEMMAS: tuple[Derivation, ...] = (INTERIOR,)
DERIVATIONS: tuple[Derivation, ...] = ()
