"""The cone between the roots is mapped into its interior: a dominant eigenvector, and an adapted norm."""

from __future__ import annotations

from typing import Any

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.prop_3_3_model import u_new
from theory.derivations.thm_4_6_lower import LOWER, b, block, c, u
from theory.derivations.thm_4_6_model import V_new
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, identity, matrix, scalar, vector, whenever
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.hypothetical import Dominant
from theory.kernel.step import Derivation, Step

_CS = "lemma/cauchy-schwarz"
level = scalar("p33_level", "t")
point = vector("p33_point", "z")
left = vector("p33_left", r"\tilde w")
metric, metric_inverse = matrix("p33_metric", "B"), matrix("p33_metric_inverse", "B^{-1}")
kappa = scalar("p33_contraction", r"\tilde\kappa")
any_vector = vector("p33_any", "y")


def across(vector_: Any, axis: Any) -> Any:
    """What a vector has across a unit vector."""
    return vector_ - Dot(vector_, axis) * axis


def in_cone(vector_: Any, axis: Any, width: Any) -> Any:
    """The vector is in the closed cone about the axis, of that tangent."""
    return at_most(Norm(across(vector_, axis)), width * Dot(vector_, axis))


def inside_cone(vector_: Any, axis: Any, width: Any) -> Any:
    """The vector is in the interior of that cone."""
    return below(Norm(across(vector_, axis)), width * Dot(vector_, axis))


def maps_inside(map_: Any, axis: Any, width: Any) -> Any:
    """The map sends the cone, without its apex, into the interior of the cone."""
    hypotheses = (in_cone(point, axis, width), below(0, Dot(point, axis)))
    return whenever((point,), hypotheses, inside_cone(map_ * point, axis, width))


# --- what is cited --------------------------------------------------------------------------------

_M, _u, _width = matrix("M", "M"), vector("u", "u"), scalar("p33_width", "t")
_EIGEN = (
    equal(_M * u_new, s.perturbed_lambda_1 * u_new),
    equal(_M.T * left, s.perturbed_lambda_1 * left),
    equal(Dot(left, u_new), 1),
    Dominant(s.perturbed_lambda_1, _M),
)
KREIN_RUTMAN = Theorem(
    "Krein-Rutman theorem",
    both(
        *_EIGEN,
        below(0, s.perturbed_lambda_1),
        equal(Dot(u_new, u_new), 1),
        inside_cone(u_new, _u, _width),
        below(_width * Norm(across(left, _u)), Dot(left, _u)),
    ),
    "M. G. Krein, M. A. Rutman, Uspekhi Mat. Nauk 3 (1948) 3-95 (AMS Transl. 26, 1950), Thm. 6.3 (a map of a closed "
    "solid cone, without its apex, into the interior of the cone)",
    (equal(Dot(_u, _u), 1), below(0, _width), maps_inside(_M, _u, _width)),
)
"""ũ1 is in the interior of the cone and w̃ in that of the dual cone, which has the inverse tangent."""
STEIN = Theorem(
    "a Euclidean norm adapted to the other eigenvalues",
    both(
        below(kappa, s.perturbed_lambda_1),
        equal(metric_inverse * metric, identity),
        whenever(
            (any_vector,),
            (equal(Dot(left, any_vector), 0),),
            at_most(Norm(metric * _M * any_vector), kappa * Norm(metric * any_vector)),
        ),
    ),
    "P. Stein, J. Res. Nat. Bur. Standards 48 (1952) 82-83 (for M/κ on the kernel of w̃, where all eigenvalues are "
    "smaller than κ); R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, Lemma 5.6.10 and §5.6",
    (*_EIGEN, below(0, s.perturbed_lambda_1)),
)
"""``|By|`` is a norm on the kernel of w̃, which M maps into itself; B is the root of a positive definite matrix."""

# --- the cone is mapped into its interior ---------------------------------------------------------

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

# --- how much a token has along ũ1, at least ------------------------------------------------------

token = vector("p33_token", "x")
token_height, token_side = scalar("p33_token_height", "p"), vector("p33_token_side", r"x^\perp")
left_side = vector("p33_left_side", r"\tilde w^\perp")
slant = scalar("p33_slant", r"\sqrt{1+t^2}", positive=True)
REACH = (Dot(left, u) - level * Norm(across(left, u))) / slant
DUAL = below(level * Norm(across(left, u)), Dot(left, u))

OVERLAP = Derivation(
    claim="lemma/overlap-with-the-dual-cone",
    title="a unit vector of the cone, and a vector inside the dual cone",
    states=at_most(REACH, Dot(left, token)),
    setting={
        "unit": equal(Dot(u, u), 1),
        "dual": DUAL,
        "slant": equal(slant**2, 1 + level**2),
        "in-cone": in_cone(token, u, level),
        "upright": below(0, Dot(token, u)),
        "token-unit": equal(Dot(token, token), 1),
    },
    steps=(
        Step("height", equal(token_height, Dot(token, u)), (), Definition(), r"Along $u$,"),
        Step("side", equal(token_side, token - token_height * u), (), Definition(), r"and across, the one"),
        Step("left-side", equal(left_side, across(left, u)), (), Definition(), r"and the other."),
        Step(
            "split",
            equal(Dot(left, token), Dot(left, u) * token_height + Dot(left_side, token_side)),
            ("height", "side", "left-side", "unit"),
            Identity(),
            r"Both are orthogonal to $u$ across it.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(-Dot(left_side, token_side), Norm(left_side) * Norm(token_side)),
            (),
            Apply(_CS, {textbook.X: -left_side, textbook.Y: token_side}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "narrow",
            at_most(Norm(token_side), level * token_height),
            ("in-cone", "height", "side"),
            Entails(degree=1),
            r"The cone.",
        ),
        Step(
            "least",
            at_most(token_height * (Dot(left, u) - level * Norm(left_side)), Dot(left, token)),
            ("split", "cauchy-schwarz", "narrow"),
            Entails(degree=2),
            r"So much at least.",
        ),
        Step(
            "pythagoras",
            equal(token_height**2 + Norm(token_side) ** 2, 1),
            ("height", "side", "unit", "token-unit"),
            Identity(),
            r"Pythagoras,",
        ),
        Step(
            "high",
            at_most(1 / slant, token_height),
            ("pythagoras", "narrow", "upright", "height", "slant"),
            Entails(degree=3),
            r"so that $x$ is not lower than the boundary of the cone.",
        ),
        Step(
            "overlap",
            at_most(REACH, Dot(left, token)),
            ("least", "high", "dual", "left-side"),
            Entails(degree=3),
            r"And the factor is positive.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (INTERIOR, OVERLAP)
DERIVATIONS: tuple[Derivation, ...] = ()
