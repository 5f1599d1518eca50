"""prop-3.3/convergence-gap-only: the two tokens stay mirror images of each other."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V, u1, x, x_rate
from theory.kernel.notation import Dot, both, equal, identity, matrix, scalar, vector
from theory.kernel.rules import (
    Definition,
    Evaluate,
    Identity,
    Textbook,
)
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.instants import AtStart
from theory.kernel.step import Step

mirrored, mirrored_rate = vector("p33_mirrored", r"x_2"), vector("p33_mirrored_rate", r"\dot x_2")
mirrored_mean = vector("p33_mirrored_mean", r"m_2")
first_start, second_start = vector("p33_first_start", r"x_1(0)"), vector("p33_second_start", r"x_2(0)")
mirror = matrix("p33_mirror", "R")
image, image_rate = vector("p33_image", "Rx_2"), vector("p33_image_rate", r"R\dot x_2")
other_image, other_image_rate = vector("p33_other_image", "Rx_1"), vector("p33_other_image_rate", r"R\dot x_1")
image_start, other_image_start = vector("p33_image_start", "Rx_2(0)"), vector("p33_other_image_start", "Rx_1(0)")
share, mirrored_share = scalar("p33_share", r"\sigma"), scalar("p33_mirrored_share", r"\sigma_2")


def own_weight(weight: Any, one: Any, other: Any, attention: Any) -> sp.Basic:
    """The softmax weight of a token on itself, beside one other."""
    return equal(weight * (1 + sp.exp(Dot(one, attention * other) - Dot(one, attention * one))), 1)


def _flow(rate: Any, one: Any, other: Any, weight: Any, value: Any) -> sp.Basic:
    """The flow of a token that attends to itself with this weight, and to one other with the rest."""
    mean = weight * one + (1 - weight) * other
    return equal(rate, value * mean - Dot(one, value * mean) * one)


_M, _N = textbook.M, textbook.N
_CURVES = [vector(f"p33_curve_{name}", name) for name in ("x_1", "x_2", "y_1", "y_2")]
_RATES = [vector(f"p33_curve_{name}_rate", rf"\dot {name}") for name in ("x_1", "x_2", "y_1", "y_2")]
_STARTS = [vector(f"p33_curve_{name}_start", f"{name}(0)") for name in ("x_1", "x_2", "y_1", "y_2")]
_WEIGHTS = [scalar(f"p33_weight_{k}", rf"\sigma_{k}") for k in range(1, 5)]
_PARTNER = (1, 0, 3, 2)
UNIQUE_PAIR = Theorem(
    "uniqueness of the flow of two tokens",
    equal(_CURVES[0], _CURVES[2]),
    "P. Hartman, Ordinary Differential Equations, 2nd ed., SIAM 2002, Thm. II.1.1 (Picard-Lindelöf)",
    (
        *(_flow(_RATES[k], _CURVES[k], _CURVES[_PARTNER[k]], _WEIGHTS[k], _M) for k in range(4)),
        *(own_weight(_WEIGHTS[k], _CURVES[k], _CURVES[_PARTNER[k]], _N) for k in range(4)),
        equal(_STARTS[0], _STARTS[2]),
        equal(_STARTS[1], _STARTS[3]),
    ),
)
"""Two pairs of tokens that obey the same flow, and start at the same points, are the same."""

MIRROR = (
    Step("mirror", equal(mirror, 2 * u1 * u1.T - identity), (), Definition(), r"The mirror image in $u_1$"),
    Step("mirror-symmetric", equal(mirror.T, mirror), ("mirror", "u1"), Evaluate(), r"is symmetric,"),
    Step("involution", equal(mirror * mirror, identity), ("mirror", "u1"), Evaluate(), r"its own inverse,"),
    Step("commutes", equal(mirror * V, V * mirror), ("mirror", "u1", "V"), Evaluate(), r"and commutes with $V$."),
    Step("image", equal(image, mirror * mirrored), (), Definition(), r"The mirror images of the two tokens,"),
    Step("other-image", equal(other_image, mirror * x), (), Definition(), r"each in the place of the other,"),
    Step("image-rate", equal(image_rate, mirror * mirrored_rate), (), Definition(), r"have these rates,"),
    Step("other-image-rate", equal(other_image_rate, mirror * x_rate), (), Definition(), r"as the mirror is linear,"),
    Step(
        "field",
        _flow(x_rate, x, mirrored, share, V),
        ("single-head", "post-ln", "attention-only", "full-attention"),
        Identity(),
        r"The flow of the first token",
    ),
    Step(
        "other-field",
        _flow(mirrored_rate, mirrored, x, mirrored_share, V),
        ("other-token", "full-attention"),
        Identity(),
        r"and of the second.",
    ),
    Step(
        "image-field",
        _flow(image_rate, image, other_image, mirrored_share, V),
        ("image", "other-image", "image-rate", "other-field", "mirror-symmetric", "involution", "commutes"),
        Identity(),
        r"So the mirror images obey the flow,",
    ),
    Step(
        "other-image-field",
        _flow(other_image_rate, other_image, image, share, V),
        ("image", "other-image", "other-image-rate", "field", "mirror-symmetric", "involution", "commutes"),
        Identity(),
        r"both of them,",
    ),
    Step(
        "weights",
        both(own_weight(share, x, mirrored, V), own_weight(mirrored_share, mirrored, x, V)),
        ("full-attention", "a-equals-v"),
        Identity(),
        r"as, with $A=V$,",
    ),
    Step(
        "image-weights",
        both(own_weight(mirrored_share, image, other_image, V), own_weight(share, other_image, image, V)),
        ("image", "other-image", "weights", "mirror-symmetric", "involution", "commutes"),
        Identity(),
        r"the mirror leaves the weights.",
    ),
    Step(
        "image-start",
        equal(image_start, mirror * second_start),
        ("image",),
        AtStart(image, s.t, {mirrored: second_start}),
        r"They start at the mirror images of the starts,",
    ),
    Step(
        "other-image-start",
        equal(other_image_start, mirror * first_start),
        ("other-image",),
        AtStart(other_image, s.t, {x: first_start}),
        r"one and the other,",
    ),
    Step(
        "image-starts",
        both(equal(first_start, image_start), equal(second_start, other_image_start)),
        ("mirror", "u1", "starts", "image-start", "other-image-start"),
        Evaluate(),
        r"where the tokens start,",
    ),
    Step(
        "same",
        equal(x, image),
        (
            "field",
            "other-field",
            "image-field",
            "other-image-field",
            "weights",
            "image-weights",
            "image-starts",
        ),
        Textbook(
            UNIQUE_PAIR,
            {
                _M: V,
                _N: V,
                **dict(zip(_CURVES, (x, mirrored, image, other_image), strict=True)),
                **dict(zip(_RATES, (x_rate, mirrored_rate, image_rate, other_image_rate), strict=True)),
                **dict(
                    zip(
                        _STARTS,
                        (first_start, second_start, image_start, other_image_start),
                        strict=True,
                    )
                ),
                **dict(zip(_WEIGHTS, (share, mirrored_share, mirrored_share, share), strict=True)),
            },
        ),
        r"so that they are the tokens:",
    ),
    Step(
        "mirrored",
        equal(mirrored, mirror * x),
        ("same", "image", "involution"),
        Identity(),
        r"one token is the mirror image of the other at all times.",
    ),
)
"""The two tokens stay mirror images of each other."""
